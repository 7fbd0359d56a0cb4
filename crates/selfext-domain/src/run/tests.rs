//! The fold, from outside: what may follow what, and what is found when events were touched.

use chrono::DateTime;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::*;

fn commit(digit: char) -> CommitSha {
    CommitSha::parse(digit.to_string().repeat(40)).unwrap()
}

fn tree(digit: char) -> TreeSha {
    TreeSha::parse(digit.to_string().repeat(40)).unwrap()
}

fn operator() -> OperatorName {
    OperatorName::parse("ops").unwrap()
}

fn refusal(reason: Reason) -> Refusal {
    Refusal::new(Stage::PromotionGuard, reason, "why")
}

fn tested(base: char) -> Tested {
    Tested {
        base_commit: commit(base),
        tree: tree('b'),
        branch: BranchName::parse("selfext/t/x").unwrap(),
        title: "T".into(),
        rules_sha256: Digest32::of(b""),
        stages: vec![],
        attempt: 1,
        holder: "h".into(),
    }
}

fn paths(texts: &[&str]) -> Vec<RepoPath> {
    texts.iter().map(|text| RepoPath::parse(*text).unwrap()).collect()
}

fn allowance(fingerprint: &[u8; 32], shown: &[&str]) -> ChangeAllowed {
    let fingerprint = Fingerprint::from_bytes(*fingerprint);
    ChangeAllowed { by: operator(), fingerprint, paths: paths(shown), again_after: None, reason: None, os_user: None }
}

/// One body of every type, in the order of [`EventBody::TYPES`].
fn bodies() -> Vec<EventBody> {
    let branch = BranchName::parse("selfext/t/x").unwrap();
    let rollback = RunId::parse("rollback").unwrap();
    vec![
        Proposed {
            message: "m".into(),
            files: vec![],
            branch: branch.clone(),
            rollback_of: None,
            made_on: None,
            rolled_back_before: None,
        }
        .into(),
        tested('a').into(),
        PromotionBlocked { refusal: refusal(Reason::PromotionPaused) }.into(),
        MergeStarted {
            head: commit('c'),
            base_commit: commit('a'),
            tree: tree('b'),
            branch,
            method: MergeMethod::Squash,
            way: MergeWay::Direct,
            message: "m".into(),
            permit_status: false,
            health: Some(HealthTerms::default()),
            holder: "h".into(),
            deadline_seconds: 60,
        }
        .into(),
        MergeFenced { permit: EventId::from_uuid(Uuid::nil()), head: commit('c'), detail: "d".into() }.into(),
        Promoted {
            commit: commit('d'),
            tree: tree('b'),
            tree_matches: true,
            checked_in_queue: false,
            health: Some(HealthTerms::default()),
        }
        .into(),
        Failed { refusal: refusal(Reason::VerificationFailed), stages: vec![] }.into(),
        RunAbandoned { by: operator(), reason: None }.into(),
        allowance(&[1; 32], &["selfext.toml"]).into(),
        PromotionPauseChanged { paused: true, by: operator(), reason: None, allow_rollbacks: false, os_user: None }
            .into(),
        HistoryAccepted { by: operator(), history: History::parse("7/1").unwrap() }.into(),
        HealthWindowPassed { commit: commit('d'), samples: 3, window_seconds: 60 }.into(),
        HealthWindowFailed { commit: commit('d'), refusal: refusal(Reason::Unhealthy) }.into(),
        RollbackStarted { rollback_run: rollback.clone(), detail: "d".into() }.into(),
        RolledBack { rollback_run: rollback.clone(), commit: commit('e') }.into(),
        RollbackFailed { rollback_run: rollback, refusal: refusal(Reason::RollbackConflict), prepared: None }.into(),
        RollbackAcknowledged { by: operator(), reason: None }.into(),
    ]
}

fn body(event_type: &str) -> EventBody {
    bodies().into_iter().find(|body| body.event_type() == event_type).unwrap()
}

/// A stream of recorded events; legality is not checked here.
fn record(types: &[&str]) -> Vec<RecordedEvent> {
    let mut events: Vec<RecordedEvent> = Vec::new();
    for (at, event_type) in types.iter().enumerate() {
        let run = RunId::parse("r1").unwrap();
        let event = Event {
            id: EventId::from_uuid(Uuid::from_u128(at as u128 + 1)),
            correlation_id: CorrelationId::from(&run),
            stream: run.into(),
            actor_source: ActorSource::agent(),
            context: Some(ExecutionContext {
                actor_source: Some(ActorSource::agent()),
                ..ExecutionContext::new(ToolName::parse("t").unwrap())
            }),
            subject: Some(Subject {
                repository: RepositoryName::parse("o/r").unwrap(),
                base: BranchName::parse("main").unwrap(),
                fingerprint: Fingerprint::from_bytes([1; 32]),
            }),
            pull_request: (*event_type == "merge_started").then(|| PullRequestNumber::new(12).unwrap()),
            body: body(event_type),
        };
        let prev = events.last().map_or(Link::GENESIS, |event| event.link.hash);
        let at = u64::try_from(at).unwrap() + 1;
        let time = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        events.push(
            RecordedEvent::new(event, at, prev, Position { transaction: at, id: at }, time, "db".into()).unwrap(),
        );
    }
    events
}

fn fold(types: &[&str]) -> Result<Run, FoldError> {
    Run::fold(&record(types))
}

#[test]
fn every_type_has_an_example_and_reads_back() {
    let types: Vec<_> = bodies().iter().map(|body| body.event_type().to_owned()).collect();
    assert_eq!(types, EventBody::TYPES);
    for recorded in record(EventBody::TYPES) {
        assert_eq!(Event::from_content(&recorded.content).unwrap(), recorded.event);
        for actor_source in [None, Some(ActorSource::parse("somebody else").unwrap())] {
            let mut event = recorded.event.clone();
            event.context.as_mut().unwrap().actor_source = actor_source;
            assert_eq!(event.as_read(&recorded.content).unwrap(), recorded.event);
        }
    }
}

/// A run's events so far, and exactly the types that may follow.
const TABLE: &[(&[&str], &[&str])] = &[
    (&["proposed"], &["tested", "promotion_blocked", "change_allowed", "failed", "run_abandoned"]),
    (&["proposed", "tested"], &["tested", "promotion_blocked", "merge_started", "failed", "run_abandoned"]),
    (&["proposed", "promotion_blocked"], &["tested", "promotion_blocked", "change_allowed", "failed", "run_abandoned"]),
    (
        &["proposed", "tested", "promotion_blocked"],
        &["tested", "promotion_blocked", "change_allowed", "merge_started", "failed", "run_abandoned"],
    ),
    (
        &["proposed", "tested", "merge_started"],
        &["promotion_blocked", "merge_started", "merge_fenced", "promoted", "failed"],
    ),
    (
        &["proposed", "tested", "merge_started", "merge_started"],
        &["promotion_blocked", "merge_started", "merge_fenced", "promoted", "failed"],
    ),
    (
        &["proposed", "tested", "merge_started", "merge_fenced"],
        &["merge_fenced", "promoted", "failed", "run_abandoned"],
    ),
    (
        &["proposed", "tested", "merge_started", "promoted"],
        &["health_window_passed", "health_window_failed", "rollback_started"],
    ),
    (&["proposed", "failed"], &[]),
    (&["proposed", "run_abandoned"], &[]),
    (&["proposed", "tested", "merge_started", "promoted", "health_window_passed"], &["rollback_started"]),
    (&["proposed", "tested", "merge_started", "promoted", "health_window_failed"], &["rollback_started"]),
    (&["proposed", "tested", "merge_started", "promoted", "rollback_started"], &["rolled_back", "rollback_failed"]),
    (&["proposed", "tested", "merge_started", "promoted", "rollback_started", "rolled_back"], &[]),
    (
        &["proposed", "tested", "merge_started", "promoted", "rollback_started", "rollback_failed"],
        &["rollback_started", "rollback_acknowledged"],
    ),
    (
        &[
            "proposed",
            "tested",
            "merge_started",
            "promoted",
            "rollback_started",
            "rollback_failed",
            "rollback_acknowledged",
        ],
        &["rollback_started"],
    ),
];

#[test]
fn each_phase_takes_exactly_the_events_of_the_table() {
    for (before, allowed) in TABLE {
        let run = fold(before).unwrap();
        for event_type in EventBody::TYPES {
            let answer = run.may_follow(&body(event_type));
            assert_eq!(answer.is_ok(), allowed.contains(event_type), "{event_type} after {before:?}: {answer:?}");
            if let Ok(phase) = answer {
                assert_eq!(Phase::of_last(&body(event_type)), Some(phase));
                assert_eq!(phase.is_open(), Phase::OPEN_AFTER.contains(event_type), "{event_type}");
                assert_eq!(phase.may_merge(), Phase::MAY_MERGE_AFTER.contains(event_type), "{event_type}");
            }
        }
    }
}

const LANDED: [&str; 4] = ["proposed", "tested", "merge_started", "promoted"];

#[test]
fn a_window_is_open_from_the_promotion_to_its_verdict_where_the_rules_opened_one() {
    let window = fold(&LANDED).unwrap().window().unwrap();
    assert_eq!((window.commit, window.terms), (commit('d'), HealthTerms::default()));
    for verdict in ["health_window_passed", "health_window_failed", "rollback_started"] {
        assert_eq!(fold(&[&LANDED[..], &[verdict]].concat()).unwrap().window(), None, "{verdict}");
    }
    let without =
        Promoted { commit: commit('d'), tree: tree('b'), tree_matches: true, checked_in_queue: false, health: None };
    let run = Run::fold(&record_with(&LANDED, &[(3, without.into())])).unwrap();
    assert_eq!(run.window(), None);
    for verdict in ["health_window_passed", "health_window_failed"] {
        assert!(run.may_follow(&body(verdict)).is_err(), "{verdict} without a window");
    }
}

#[test]
fn a_verdict_is_on_the_commit_that_landed_and_an_end_is_of_the_rollback_that_began() {
    let landed = fold(&LANDED).unwrap();
    let of_another = HealthWindowPassed { commit: commit('e'), samples: 3, window_seconds: 60 };
    assert!(landed.may_follow(&of_another.into()).is_err());
    let rolling = fold(&[&LANDED[..], &["rollback_started"]].concat()).unwrap();
    assert_eq!(rolling.rollback(), Some(&RunId::parse("rollback").unwrap()));
    let by_another = RolledBack { rollback_run: RunId::parse("other").unwrap(), commit: commit('e') };
    assert!(rolling.may_follow(&by_another.into()).is_err());
}

#[test]
fn what_made_a_change_sick_is_known_until_it_is_taken_back() {
    let sick = [&LANDED[..], &["health_window_failed"]].concat();
    let rolling = [&sick[..], &["rollback_started"]].concat();
    for types in [&sick, &rolling] {
        assert_eq!(fold(types).unwrap().refusal().unwrap().reason, Reason::Unhealthy, "{types:?}");
    }
    let failed = fold(&[&rolling[..], &["rollback_failed"]].concat()).unwrap();
    assert_eq!(failed.refusal().unwrap().reason, Reason::RollbackConflict);
    let back = fold(&[&rolling[..], &["rolled_back"]].concat()).unwrap();
    assert_eq!((back.refusal(), back.rolled_back()), (None, Some(&commit('e'))));
}

#[test]
fn what_was_rolled_back_may_be_allowed_once_and_by_the_name_of_that_run() {
    let before = RunId::parse("earlier").unwrap();
    let branch = BranchName::parse("selfext/t/x").unwrap();
    let proposed = Proposed {
        message: "m".into(),
        files: vec![],
        branch,
        rollback_of: None,
        made_on: None,
        rolled_back_before: Some(before.clone()),
    };
    let blocked = PromotionBlocked { refusal: refusal(Reason::RolledBackBefore) };
    let begun = [(0, proposed.into()), (1, blocked.into())];
    let run = Run::fold(&record_with(&["proposed", "promotion_blocked"], &begun)).unwrap();
    assert_eq!(run.rolled_back_before(), Some(&before));
    let allowable = run.allowable().unwrap();
    assert_eq!((allowable.again_after(), allowable.is_already_allowed()), (Some(&before), false));
    let other = ChangeAllowed { again_after: Some(RunId::parse("other").unwrap()), ..allowance(&[1; 32], &[]) };
    for (allowed, left) in [(allowable.by(&operator(), None, None), None), (other, Some(&before))] {
        let bodies = [begun.as_slice(), &[(2, allowed.into())]].concat();
        let run = Run::fold(&record_with(&["proposed", "promotion_blocked", "change_allowed"], &bodies)).unwrap();
        assert_eq!(run.rolled_back_before(), left);
        assert_eq!(run.comes_after_rollback_of(), Some(&before));
        assert_eq!(run.allowable().unwrap().is_already_allowed(), left.is_none());
    }
}

#[test]
fn a_run_begins_with_proposed_alone() {
    for event_type in EventBody::TYPES {
        assert_eq!(fold(&[event_type]).is_ok(), *event_type == "proposed", "{event_type}");
    }
    assert_eq!(Run::fold(&[]), Err(FoldError::Empty));
}

#[test]
fn an_illegal_event_names_the_state_and_the_event() {
    let error = fold(&["proposed", "failed", "promoted"]).unwrap_err();
    let FoldError::Illegal { source, .. } = error else { panic!("{error}") };
    assert_eq!(source.to_string(), "the event promoted may not follow in failed");
}

#[test]
fn a_permit_is_open_from_its_grant_to_its_outcome() {
    let open = fold(&["proposed", "tested", "merge_started"]).unwrap();
    let terms = open.permit().unwrap();
    assert_eq!((terms.pull_request.get(), &terms.head), (12, &commit('c')));
    assert_eq!((terms.deadline - terms.granted_at).num_seconds(), 60);
    assert!(fold(&["proposed", "tested", "merge_started", "merge_fenced"]).unwrap().permit().is_some());
    for outcome in ["promoted", "promotion_blocked", "failed"] {
        assert!(fold(&["proposed", "tested", "merge_started", outcome]).unwrap().permit().is_none(), "{outcome}");
    }
}

#[test]
fn a_claim_before_any_pull_request_is_known_leaves_a_publication_that_may_arrive_late() {
    let late = |types: &[&str]| fold(types).unwrap().may_be_published_late();
    assert!(!late(&["proposed", "tested", "merge_started"]));
    assert!(late(&["proposed", "tested", "tested"]));
    assert!(late(&["proposed", "tested", "promotion_blocked", "tested", "merge_started", "promoted"]));
    assert!(!late(&["proposed", "tested", "merge_started", "promotion_blocked", "tested"]), "it was known by then");
}

/// Changes what a `merge_started` event says.
fn merge(event: &mut Event, change: fn(&mut MergeStarted)) {
    match &mut event.body {
        EventBody::MergeStarted(started) => change(started),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_takeover_is_the_permit_from_then_on_and_of_the_same_merge_alone() {
    let events = record(&["proposed", "tested", "merge_started", "merge_started"]);
    let run = Run::fold(&events).unwrap();
    assert_eq!(run.permit().unwrap().id, events[3].event.id);
    assert_eq!(run.claim(), Some(events[1].event.id));
    let other = |change: fn(&mut Event)| {
        let mut event = events[3].event.clone();
        change(&mut event);
        let (position, time) = (events[3].position, events[3].recorded_at);
        let taken = RecordedEvent::new(event, 4, events[2].link.hash, position, time, "db".into()).unwrap();
        Run::fold(&[&events[..3], &[taken]].concat())
    };
    let changes: [fn(&mut Event); 4] = [
        |event| event.pull_request = PullRequestNumber::new(13).ok(),
        |event| merge(event, |started| started.head = commit('9')),
        |event| merge(event, |started| started.base_commit = commit('9')),
        |event| merge(event, |started| started.message.push('.')),
    ];
    for change in changes {
        assert!(matches!(other(change), Err(FoldError::OtherTerms { .. })));
    }
    assert!(other(|event| merge(event, |started| started.holder.push('2'))).is_ok(), "another holder");
}

/// A stream in which the bodies of some events are others.
fn record_with(types: &[&str], bodies: &[(usize, EventBody)]) -> Vec<RecordedEvent> {
    let mut events = record(types);
    let mut prev = Link::GENESIS;
    for (at, recorded) in events.iter_mut().enumerate() {
        let mut event = recorded.event.clone();
        if let Some((_, body)) = bodies.iter().find(|(place, _)| *place == at) {
            event.body = body.clone();
        }
        let (position, time) = (recorded.position, recorded.recorded_at);
        *recorded = RecordedEvent::new(event, recorded.sequence, prev, position, time, "db".into()).unwrap();
        prev = recorded.link.hash;
    }
    events
}

fn blocked_for(shown: &[&str]) -> EventBody {
    PromotionBlocked { refusal: refusal(Reason::ProtectedPath).with_paths(paths(shown)) }.into()
}

#[test]
fn an_allowance_covers_the_paths_that_were_shown_of_this_content_and_no_others() {
    let types = ["proposed", "promotion_blocked", "change_allowed", "promotion_blocked", "change_allowed"];
    let bodies = [
        (1, blocked_for(&["selfext.toml"])),
        (2, allowance(&[1; 32], &["selfext.toml"]).into()),
        (3, blocked_for(&["infra/a"])),
        // Of another content: it allows nothing here.
        (4, allowance(&[2; 32], &["infra/a"]).into()),
    ];
    let events = record_with(&types, &bodies);
    let at = |length: usize| Run::fold(&events[..length]).unwrap();
    let first = at(2).allowable().unwrap();
    assert_eq!(
        (first.paths(), first.is_already_allowed(), first.tip()),
        (&paths(&["selfext.toml"])[..], false, at(2).tip())
    );
    assert!(at(3).allowable().unwrap().is_already_allowed());
    let second = at(4).allowable().unwrap();
    assert_eq!((second.paths(), second.is_already_allowed()), (&paths(&["infra/a"])[..], false));
    assert!(!second.is_within(&first) && at(3).allowable().unwrap().is_within(&first));
    assert_eq!(at(5).allowed_paths(), &paths(&["selfext.toml"]).into_iter().collect());
    assert!(!at(5).allowable().unwrap().is_already_allowed());
}

#[test]
fn only_a_run_that_protected_paths_block_can_be_allowed_and_the_words_say_how_it_stands() {
    for (types, words) in [
        (&["proposed"][..], "the run r1 is proposed, not blocked"),
        (&["proposed", "tested"], "the run r1 is tested, not blocked"),
        (&["proposed", "tested", "merge_started"], "the run r1 is merging, not blocked"),
        (&["proposed", "promotion_blocked"], "the run r1 is blocked by promotion-paused, not by protected-path"),
        (&["proposed", "failed"], "the run r1 is failed, and what is over cannot be allowed"),
        (&["proposed", "run_abandoned"], "the run r1 is abandoned, and what is over"),
        (&["proposed", "tested", "merge_started", "promoted"], "the run r1 is promoted, and what is over"),
    ] {
        let refused = fold(types).unwrap().allowable().unwrap_err().to_string();
        assert!(refused.starts_with(words), "{refused}");
    }
}

#[test]
fn an_allowance_that_was_written_before_it_had_a_reason_is_read() {
    let body = allowance(&[1; 32], &["selfext.toml"]);
    let json = serde_json::to_value(&body).unwrap();
    assert_eq!(json.as_object().unwrap().keys().collect::<Vec<_>>(), ["by", "fingerprint", "paths"]);
    assert_eq!(serde_json::from_value::<ChangeAllowed>(json).unwrap(), body);
}

#[test]
fn an_unknown_event_makes_a_run_unreadable_rather_than_guessed() {
    let mut events = record(&["proposed", "failed"]);
    let mut event = events[1].event.clone();
    event.body = EventBody::Unknown(UnknownEvent {
        event_type: "teleported".into(),
        stage: "rollback".into(),
        schema: 1,
        payload: serde_json::json!({}),
    });
    let (position, time) = (events[1].position, events[1].recorded_at);
    events[1] = RecordedEvent::new(event, 2, events[0].link.hash, position, time, "db".into()).unwrap();
    assert!(matches!(Run::fold(&events), Err(FoldError::Illegal { .. })));
}

proptest! {
    #[test]
    fn touching_any_event_is_found(which in 0usize..4, how in 0u8..5) {
        let mut events = record(&["proposed", "tested", "merge_started", "promoted"]);
        match how {
            0 => events[which].content.push(' '),
            1 => events[which].sequence += 1,
            2 => events[which].link.hash = Digest32::of(b"forged"),
            3 => events[which].link.prev_hash = Digest32::of(b"forged"),
            _ if which < 3 => { events.remove(which); }
            _ => events.swap(0, 1),
        }
        prop_assert!(Run::fold(&events).is_err());
    }

    #[test]
    fn folding_agrees_with_asking_before_each_event(picks in proptest::collection::vec(0usize..17, 0..12)) {
        let mut types = vec!["proposed"];
        for pick in picks {
            let run = fold(&types).unwrap();
            let legal = run.may_follow(&bodies()[pick]).is_ok();
            types.push(EventBody::TYPES[pick]);
            prop_assert_eq!(fold(&types).is_ok(), legal);
            if !legal { types.pop(); }
        }
    }
}
