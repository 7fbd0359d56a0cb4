use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use selfext_domain::ports::{ControlError, Cursor, EventQuery, Queries, RunEntry, RunQuery, RunSelection, TimeRange};
use selfext_domain::{ControlState, EventId, GoalId, Phase, RecordedEvent, ToolName};

use crate::control::pause_request;
use crate::ledger::{LedgerFixture, Story, append};

pub async fn an_overview_tells_what_runs_and_what_may_merge<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, control) = fixture.ports();
    let queries = fixture.queries();
    let empty = queries.overview(10).await.unwrap();
    assert_eq!(empty.control.unwrap(), ControlState::Running);
    assert_eq!((empty.in_flight, empty.open_runs, empty.open, empty.latest), (vec![], 0, vec![], vec![]));

    let stories: Vec<_> =
        (0..4).map(|number| Story::new(&format!("run {number}")).into_base(&format!("b{number}"))).collect();
    let mut permits = Vec::new();
    for story in &stories[..2] {
        permits.push(story.begin_merging(&ledger).await.0.terms().clone());
    }
    ledger.propose(&stories[2].proposed(), None).await.unwrap();
    ledger.propose(&stories[3].proposed(), None).await.unwrap();
    append(&ledger, &stories[3].failed(), 2).await.unwrap();
    control.pause(&pause_request("deploy")).await.unwrap();

    let overview = queries.overview(10).await.unwrap();
    assert!(matches!(&overview.control, Ok(ControlState::Paused(pause)) if pause.reason == "deploy"), "{overview:?}");
    assert_eq!(overview.in_flight, permits);
    assert_eq!(overview.open_runs, 3);
    assert_eq!(names(&overview.open), ["run 2", "run 1", "run 0"]);
    assert_eq!(names(&overview.latest), ["run 3", "run 2", "run 1", "run 0"]);
    let phases: Vec<_> = overview.latest.iter().map(RunEntry::phase).collect();
    assert_eq!(phases, [Phase::Failed, Phase::Proposed, Phase::Merging, Phase::Merging].map(Some));
    assert_eq!(overview.latest, queries.runs(&page(RunSelection::All)).await.unwrap());
    assert_eq!(overview.open, queries.runs(&page(RunSelection::Open)).await.unwrap());
}

pub async fn an_overview_is_cut_to_its_limit_and_counts_what_is_open<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    for number in 0..5 {
        let story = Story::new(&format!("run {number}"));
        ledger.propose(&story.proposed(), None).await.unwrap();
        if number > 2 {
            append(&ledger, &story.failed(), 2).await.unwrap();
        }
    }
    let overview = fixture.queries().overview(2).await.unwrap();
    assert_eq!(overview.open_runs, 3);
    assert_eq!(names(&overview.open), ["run 2", "run 1"]);
    assert_eq!(names(&overview.latest), ["run 4", "run 3"]);
    let overview = fixture.queries().overview(0).await.unwrap();
    assert_eq!((overview.open_runs, overview.open.len(), overview.latest.len()), (3, 0, 0));
}

pub async fn an_overview_without_a_control_says_so<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    fixture.set_state("self_extension:promotion_control", None).await;
    let queries = fixture.queries();
    let overview = queries.overview(10).await.unwrap();
    assert!(matches!(overview.control, Err(ControlError::Missing)), "{overview:?}");
    ledger.propose(&Story::new("run 1").proposed(), None).await.unwrap();
    fixture.set_state("self_extension:promotion_control", Some("{\"paused\": false}")).await;
    let overview = queries.overview(10).await.unwrap();
    assert!(matches!(overview.control, Err(ControlError::Malformed(_))), "{overview:?}");
    assert_eq!(names(&overview.latest), ["run 1"]);
}

pub async fn runs_come_in_pages_with_their_last_events<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let mut last = Vec::new();
    for number in 0..7 {
        let story = Story::new(&format!("run {number}"));
        let mut event = ledger.propose(&story.proposed(), None).await.unwrap();
        if number % 2 == 0 {
            append(&ledger, &story.tested(), 2).await.unwrap();
            event = append(&ledger, &story.blocked(), 3).await.unwrap();
        }
        last.insert(0, event);
    }
    let queries = fixture.queries();
    for limit in [1, 2, 3, 7, 100] {
        let mut query = RunQuery { limit, ..RunQuery::default() };
        let mut seen = Vec::new();
        loop {
            let page = queries.runs(&query).await.unwrap();
            assert!(page.len() <= limit as usize);
            let Some(end) = page.last() else { break };
            query.before = Some(end.cursor.to_string().parse().unwrap());
            seen.extend(page.into_iter().map(|entry| entry.last));
        }
        assert_eq!(seen, last);
    }
    assert!(queries.runs(&RunQuery::default()).await.unwrap().is_empty());
}

pub async fn runs_are_found_by_goal_tool_and_pull_request<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let stories = [
        Story::new("run 1").for_goal("goal ␛ 7"),
        Story::new("run 2").for_goal("goal ␛ 7").by_tool("patch"),
        Story::new("run 3").for_goal("other").into_base("develop"),
        Story::new("run 4").by_tool("patch").in_repository("acme/other"),
    ];
    for story in &stories {
        ledger.propose(&story.proposed(), None).await.unwrap();
    }
    // Two runs of one number, each in its own repository; and one whose first permit was closed before its second.
    let (one, other) = (&stories[0], Story { pull_request: stories[0].pull_request, ..stories[3].clone() });
    for story in [one, &other] {
        append(&ledger, &story.tested(), 2).await.unwrap();
        let _ = crate::ledger::begin_merge(&ledger, &story.merge_started(), 3).await.unwrap();
        append(&ledger, &story.blocked(), 4).await.unwrap();
        let _ = crate::ledger::begin_merge(&ledger, &story.merge_started(), 5).await.unwrap();
    }
    let queries = fixture.queries();
    let goal = |goal: &str| RunSelection::Goal(GoalId::parse(goal).unwrap());
    let tool = |tool: &str| RunSelection::Tool(ToolName::parse(tool).unwrap());
    let request = |story: &Story| RunSelection::PullRequest(story.subject.repository.clone(), story.pull_request);
    let cases: [(RunSelection, &[&str]); 9] = [
        (goal("goal ␛ 7"), &["run 2", "run 1"]),
        (goal("other"), &["run 3"]),
        (goal("goal"), &[]),
        (tool("patch"), &["run 4", "run 2"]),
        (tool("write-file"), &["run 3", "run 1"]),
        (tool("Patch"), &[]),
        (request(one), &["run 1"]),
        (request(&other), &["run 4"]),
        (request(&stories[2]), &[]),
    ];
    for (selection, expected) in cases {
        let found = queries.runs(&page(selection.clone())).await.unwrap();
        assert_eq!(names(&found), expected, "{selection:?}");
        let mut query = RunQuery { limit: 1, ..page(selection) };
        for name in expected {
            let one = queries.runs(&query).await.unwrap();
            assert_eq!(names(&one), [*name]);
            query.before = Some(one[0].cursor);
        }
        assert!(queries.runs(&query).await.unwrap().is_empty());
    }
}

pub async fn open_and_blocked_runs_are_found<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let stories: Vec<_> = (0..6).map(|number| Story::new(&format!("run {number}"))).collect();
    for story in &stories {
        ledger.propose(&story.proposed(), None).await.unwrap();
    }
    for number in [0, 1, 2, 5] {
        append(&ledger, &stories[number].blocked(), 2).await.unwrap();
    }
    // One went on, and one is over; their refusals are of the past.
    append(&ledger, &stories[1].tested(), 3).await.unwrap();
    append(&ledger, &stories[2].failed(), 3).await.unwrap();
    append(&ledger, &stories[3].failed(), 2).await.unwrap();
    let queries = fixture.queries();
    let blocked = queries.runs(&page(RunSelection::Blocked)).await.unwrap();
    assert_eq!(names(&blocked), ["run 5", "run 0"]);
    assert!(blocked.iter().all(|entry| entry.last.event.body == stories[0].blocked().body));
    assert_eq!(names(&queries.runs(&page(RunSelection::Open)).await.unwrap()), ["run 5", "run 4", "run 1", "run 0"]);
    let next = RunQuery { before: Some(blocked[0].cursor), ..page(RunSelection::Blocked) };
    assert_eq!(names(&queries.runs(&next).await.unwrap()), ["run 0"]);
}

pub async fn runs_and_events_are_found_by_time<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let mut proposed = Vec::new();
    for number in 0..3 {
        let before = proposed.last().map(|event: &RecordedEvent| event.recorded_at);
        proposed.push(ledger.propose(&Story::new(&format!("run {number}")).proposed(), None).await.unwrap());
        // The databases' clocks tell milliseconds at least; what follows needs three times.
        while before.is_some_and(|before| proposed.last().unwrap().recorded_at <= before) {
            let again = Story::new(&format!("run {number} after {} more", proposed.len()));
            *proposed.last_mut().unwrap() = ledger.propose(&again.proposed(), None).await.unwrap();
        }
    }
    let [one, two, three] = [0, 1, 2].map(|number: usize| proposed[number].recorded_at);
    let tick = TimeDelta::nanoseconds(1);
    let ids = |events: &[&RecordedEvent]| events.iter().map(|event| event.event.id).collect::<Vec<_>>();
    let ([first, second, third], queries) = ([&proposed[0], &proposed[1], &proposed[2]], fixture.queries());
    let cases = [
        (Some(one), None, ids(&[first, second, third])),
        (Some(one + tick), None, ids(&[second, third])),
        (Some(two), Some(three), ids(&[second])),
        (Some(two), Some(three + tick), ids(&[second, third])),
        (None, Some(one), ids(&[])),
        (None, Some(one + tick), ids(&[first])),
        (Some(three), Some(two), ids(&[])),
        (Some(DateTime::<Utc>::MIN_UTC), Some(DateTime::<Utc>::MAX_UTC), ids(&[first, second, third])),
        (Some(DateTime::<Utc>::MAX_UTC), None, ids(&[])),
    ];
    for (since, until, expected) in cases {
        let range = TimeRange { since, until };
        // Between two of the three there may be more runs: those are not asked for.
        let known = |id: &EventId| proposed.iter().any(|event| event.event.id == *id);
        let events =
            queries.events(&EventQuery { recorded: range, limit: 1_000, ..EventQuery::default() }).await.unwrap();
        let found: Vec<_> = events.iter().map(|event| event.event.id).filter(known).collect();
        assert_eq!(found, expected, "{range:?}");
        let mut runs = queries.runs(&RunQuery { proposed: range, ..page(RunSelection::All) }).await.unwrap();
        runs.reverse();
        let found: Vec<_> = runs.iter().map(|entry| entry.last.event.id).filter(known).collect();
        assert_eq!(found, expected, "{range:?}");
    }
}

pub async fn events_are_found_by_type_in_pages<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let mut written = Vec::new();
    for number in 0..6 {
        let story = Story::new(&format!("run {number}"));
        written.push(ledger.propose(&story.proposed(), None).await.unwrap());
        let next = if number % 2 == 0 { story.tested() } else { story.failed() };
        written.push(append(&ledger, &next, 2).await.unwrap());
    }
    let queries = fixture.queries();
    let cases: [&[&str]; 5] =
        [&[], &["proposed"], &["tested", "failed"], &["failed", "failed"], &["promoted", "no such type"]];
    for types in cases {
        let wanted = |event: &&RecordedEvent| types.is_empty() || types.contains(&event.event.body.event_type());
        let expected: Vec<_> = written.iter().filter(wanted).cloned().collect();
        for limit in [1, 4, 100] {
            assert_eq!(all_events(&queries, types, limit).await, expected, "{types:?}");
        }
    }
    assert!(queries.events(&EventQuery::default()).await.unwrap().is_empty());
}

/// All events of the types, page by page.
async fn all_events(queries: &Arc<dyn Queries>, types: &[&str], limit: u32) -> Vec<RecordedEvent> {
    let types = types.iter().map(|&event_type| event_type.to_owned()).collect();
    let mut query = EventQuery { types, limit, ..EventQuery::default() };
    let mut seen = Vec::new();
    loop {
        let page = queries.events(&query).await.unwrap();
        assert!(page.len() <= limit as usize);
        let Some(end) = page.last() else { return seen };
        query.after = Some(Cursor::of(end));
        seen.extend(page);
    }
}

fn page(selection: RunSelection) -> RunQuery {
    RunQuery { selection, limit: 100, ..RunQuery::default() }
}

fn names(runs: &[RunEntry]) -> Vec<&str> {
    runs.iter().map(|entry| entry.last.event.stream.as_str()).collect()
}
