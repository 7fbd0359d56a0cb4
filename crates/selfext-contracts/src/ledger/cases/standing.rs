use std::slice::from_ref;
use std::sync::Arc;
use std::time::Duration;

use selfext_domain::ports::{Baseline, Ledger};
use selfext_domain::{BranchName, HealthStanding, Phase, RepositoryName, RunId};

use crate::control::{pause_request, resume_request};
use crate::ledger::{LedgerFixture, Story, append, before, commit_of};

const DAY: Duration = Duration::from_hours(24);

async fn standing_of(ledger: &Arc<dyn Ledger>, story: &Story) -> HealthStanding {
    ledger.health_standing(&story.subject.repository, &story.subject.base, DAY).await.unwrap()
}

/// The runs that are watched where a story goes.
async fn watched(ledger: &Arc<dyn Ledger>, story: &Story) -> Vec<RunId> {
    standing_of(ledger, story).await.watched
}

pub async fn an_open_window_is_watched_until_it_is_decided<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("run 1");
    let before = ledger.time().await.unwrap();
    let empty = standing_of(&ledger, &story).await;
    assert!(empty.now >= before && empty.now <= ledger.time().await.unwrap());
    assert_eq!((empty.watched, empty.baseline, empty.rollbacks), (vec![], None, 0));
    let _ = story.begin_merging(&ledger).await;
    assert_eq!(watched(&ledger, &story).await, []);
    story.goes_on(&ledger, &story.promoted_with_window()).await.unwrap();
    assert_eq!(watched(&ledger, &story).await, from_ref(&story.run));
    story.goes_on(&ledger, &story.passed('c')).await.unwrap();
    assert_eq!(watched(&ledger, &story).await, []);
}

pub async fn a_promotion_without_a_window_is_not_watched<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("run 1");
    story.land(&ledger, false).await;
    let standing = standing_of(&ledger, &story).await;
    assert_eq!((standing.watched, standing.baseline), (vec![], None));
}

pub async fn what_is_taken_back_is_watched_until_it_is_or_an_operator_knows<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let (first, second) = (RunId::parse("back 1").unwrap(), RunId::parse("back ␛ 2").unwrap());
    let story = Story::new("run ␛ 1");
    story.land(&ledger, true).await;
    for event in [
        story.sick(),
        story.rollback_started(&first),
        story.rollback_failed(&first),
        story.rollback_started(&second),
        story.rollback_failed(&second),
    ] {
        story.goes_on(&ledger, &event).await.unwrap();
        assert_eq!(watched(&ledger, &story).await, from_ref(&story.run), "{event:?}");
    }
    story.goes_on(&ledger, &story.acknowledged()).await.unwrap();
    assert_eq!(watched(&ledger, &story).await, []);
    story.goes_on(&ledger, &story.rollback_started(&second)).await.unwrap();
    assert_eq!(watched(&ledger, &story).await, from_ref(&story.run));
    story.goes_on(&ledger, &story.rolled_back(&second)).await.unwrap();
    assert_eq!(watched(&ledger, &story).await, []);
}

pub async fn a_healthy_run_that_is_taken_back_is_watched_again<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let by = RunId::parse("back").unwrap();
    let healthy = Story::new("healthy");
    healthy.land(&ledger, true).await;
    healthy.goes_on(&ledger, &healthy.passed('c')).await.unwrap();
    let windowless = Story::new("windowless").into_base("develop");
    windowless.land(&ledger, false).await;
    for story in [healthy, windowless] {
        story.goes_on(&ledger, &story.rollback_started(&by)).await.unwrap();
        assert_eq!(watched(&ledger, &story).await, from_ref(&story.run));
        story.goes_on(&ledger, &story.rolled_back(&by)).await.unwrap();
        assert_eq!(watched(&ledger, &story).await, []);
    }
}

/// The database does not judge whether a run's life is legal; what is illegal frees nothing all the same.
pub async fn only_what_may_free_a_run_frees_it<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let by = RunId::parse("back").unwrap();
    let story = Story::new("run 1");
    story.land(&ledger, true).await;
    for event in [
        story.rolled_back(&by),
        story.acknowledged(),
        story.rollback_started(&by),
        story.passed('c'),
        story.acknowledged(),
        story.promoted_with_window(),
        story.passed('c'),
        story.rollback_failed(&by),
        story.rolled_back(&by),
        story.promoted_with_window(),
        story.passed('c'),
        story.promoted(),
    ] {
        story.goes_on(&ledger, &event).await.unwrap();
        assert_eq!(watched(&ledger, &story).await, from_ref(&story.run), "{event:?}");
    }
}

pub async fn a_run_that_never_landed_is_not_watched<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let by = RunId::parse("back").unwrap();
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    for event in [story.rollback_started(&by), story.rollback_failed(&by), story.sick()] {
        story.goes_on(&ledger, &event).await.unwrap();
        assert_eq!(watched(&ledger, &story).await, [], "{event:?}");
    }
}

pub async fn watched_runs_stand_in_the_order_in_which_they_landed<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let by = RunId::parse("back").unwrap();
    let stories = ["z", "m", "a"].map(Story::new);
    for story in &stories {
        story.land(&ledger, false).await;
    }
    // The last that landed is the first that is taken back.
    for story in stories.iter().rev() {
        story.goes_on(&ledger, &story.rollback_started(&by)).await.unwrap();
    }
    assert_eq!(watched(&ledger, &stories[0]).await, stories.map(|story| story.run));
}

pub async fn branches_stand_for_themselves<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let by = RunId::parse("back").unwrap();
    let here = Story::new("here");
    let others = [
        Story::new("base").into_base("develop"),
        Story::new("repository").in_repository("acme/other"),
        Story::new("x").into_base("Main"),
    ];
    for story in [&here].into_iter().chain(&others) {
        story.land(&ledger, true).await;
    }
    here.goes_on(&ledger, &here.rollback_started(&by)).await.unwrap();
    here.goes_on(&ledger, &here.rolled_back(&by)).await.unwrap();
    let standing = standing_of(&ledger, &here).await;
    assert_eq!((standing.watched, standing.baseline, standing.rollbacks), (vec![], Some(commit_of('a')), 1));
    for story in others {
        let standing = standing_of(&ledger, &story).await;
        assert_eq!((standing.watched, standing.rollbacks), (vec![story.run], 0));
    }
}

pub async fn the_baseline_is_seeded_once_and_moved_by_windows_that_pass<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let (first, second) = (Story::new("first"), Story::new("second"));
    let _ = first.begin_merging(&ledger).await;
    assert_eq!(standing_of(&ledger, &first).await.baseline, None);
    first.goes_on(&ledger, &first.promoted_with_window()).await.unwrap();
    assert_eq!(standing_of(&ledger, &first).await.baseline, Some(commit_of('a')), "what was verified under it");
    first.goes_on(&ledger, &first.passed('1')).await.unwrap();
    assert_eq!(standing_of(&ledger, &first).await.baseline, Some(commit_of('1')));
    second.land(&ledger, true).await;
    assert_eq!(standing_of(&ledger, &second).await.baseline, Some(commit_of('1')), "it is seeded once");
    second.goes_on(&ledger, &second.sick()).await.unwrap();
    assert_eq!(standing_of(&ledger, &second).await.baseline, Some(commit_of('1')));
}

pub async fn rollbacks_are_counted_within_the_time_that_is_asked_about<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let by = RunId::parse("back").unwrap();
    let story = Story::new("run 1");
    story.land(&ledger, true).await;
    for event in
        [story.rollback_started(&by), story.rollback_failed(&by), story.rollback_started(&by), story.rolled_back(&by)]
    {
        story.goes_on(&ledger, &event).await.unwrap();
    }
    let count = async |within| {
        ledger.health_standing(&story.subject.repository, &story.subject.base, within).await.unwrap().rollbacks
    };
    assert_eq!(count(DAY).await, 2);
    assert_eq!(count(Duration::MAX).await, 2);
    // As soon as the clock is past them, nothing is.
    let recorded = ledger.stream_events(&story.run.clone().into()).await.unwrap().pop().unwrap().recorded_at;
    while ledger.time().await.unwrap() <= recorded {
        tokio::task::yield_now().await;
    }
    assert_eq!(count(Duration::ZERO).await, 0);
}

pub async fn rollbacks_that_an_operator_has_seen_are_not_counted<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, control) = fixture.ports();
    let by = RunId::parse("back").unwrap();
    let story = Story::new("run 1");
    story.land(&ledger, true).await;
    let count =
        async || ledger.health_standing(&story.subject.repository, &story.subject.base, DAY).await.unwrap().rollbacks;
    for event in [story.rollback_started(&by), story.rollback_failed(&by)] {
        story.goes_on(&ledger, &event).await.unwrap();
    }
    control.pause(&pause_request("an incident")).await.unwrap();
    assert_eq!(count().await, 1);
    control.resume(&resume_request()).await.unwrap();
    assert_eq!(count().await, 0);
    for event in [story.rollback_started(&by), story.rolled_back(&by)] {
        story.goes_on(&ledger, &event).await.unwrap();
    }
    assert_eq!(count().await, 1);
}

pub async fn a_batch_is_followed_as_its_events_one_by_one<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let by = RunId::parse("back").unwrap();
    let story = Story::new("run 1");
    let _ = story.begin_merging(&ledger).await;
    let batch = async |number, events: &[_]| {
        let tip = before(&ledger, &story.run.clone().into(), number).await;
        ledger.append_all(events, tip).await.unwrap();
    };
    batch(4, &[story.promoted_with_window(), story.sick(), story.rollback_started(&by)]).await;
    let standing = standing_of(&ledger, &story).await;
    assert_eq!((standing.watched, standing.baseline), (vec![story.run.clone()], Some(commit_of('a'))));
    batch(7, &[story.rollback_failed(&by), story.rollback_started(&by), story.rollback_failed(&by)]).await;
    let standing = standing_of(&ledger, &story).await;
    assert_eq!((standing.watched, standing.rollbacks), (vec![story.run.clone()], 2));
}

pub async fn an_overview_tells_what_is_watched_and_the_baselines<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let queries = fixture.queries();
    let overview = queries.overview(10).await.unwrap();
    assert_eq!((overview.watched, overview.baselines), (vec![], vec![]));

    let by = RunId::parse("back").unwrap();
    let elsewhere = Story::new("z").in_repository("acme/other");
    let (first, open, healthy) = (Story::new("first"), Story::new("open"), Story::new("healthy").into_base("develop"));
    healthy.land(&ledger, true).await;
    first.land(&ledger, false).await;
    open.land(&ledger, true).await;
    elsewhere.land(&ledger, true).await;
    healthy.goes_on(&ledger, &healthy.passed('1')).await.unwrap();
    first.goes_on(&ledger, &first.rollback_started(&by)).await.unwrap();
    for limit in [0, 1, 10] {
        let overview = queries.overview(limit).await.unwrap();
        let watched: Vec<_> = overview
            .watched
            .iter()
            .map(|entry| (entry.last.event.stream.run().unwrap().as_str(), entry.phase()))
            .collect();
        assert_eq!(
            watched,
            [("first", Some(Phase::RollingBack)), ("open", Some(Phase::Promoted)), ("z", Some(Phase::Promoted))]
        );
        let baseline = |repository: &str, base: &str, digit| Baseline {
            repository: RepositoryName::parse(repository).unwrap(),
            base: BranchName::parse(base).unwrap(),
            commit: commit_of(digit),
        };
        assert_eq!(
            overview.baselines,
            [
                baseline("acme/agent", "develop", '1'),
                baseline("acme/agent", "main", 'a'),
                baseline("acme/other", "main", 'a')
            ]
        );
        assert_eq!(overview.latest.len(), limit.min(4) as usize);
    }
    let overview = queries.overview(10).await.unwrap();
    for entry in overview.watched {
        assert!(overview.latest.contains(&entry), "a run is shown the same way in each list: {entry:?}");
    }
}

pub async fn lists_that_contradict_the_ledger_are_told<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let archive = fixture.archive();
    let by = RunId::parse("back").unwrap();
    let (healthy, open, sick) =
        (Story::new("healthy"), Story::new("open").into_base("develop"), Story::new("sick").into_base("old"));
    for story in [&healthy, &open, &sick] {
        story.land(&ledger, true).await;
    }
    healthy.goes_on(&ledger, &healthy.passed('1')).await.unwrap();
    healthy.goes_on(&ledger, &healthy.rollback_started(&by)).await.unwrap();
    healthy.goes_on(&ledger, &healthy.rolled_back(&by)).await.unwrap();
    sick.goes_on(&ledger, &sick.sick()).await.unwrap();
    append(&ledger, &sick.rollback_started(&by), 6).await.unwrap();
    assert_eq!(archive.contradictions().await.unwrap(), Vec::<String>::new());

    for (sql, run) in [
        ("DELETE FROM self_extension_watched_runs WHERE run_id = 'open'", "run open"),
        ("UPDATE self_extension_watched_runs SET event_type = 'promoted' WHERE run_id = 'sick'", "run sick"),
        (
            "INSERT INTO self_extension_watched_runs SELECT run_id, repository, base, id, id, event_type, NULL \
             FROM self_extension_events WHERE run_id = 'healthy' AND event_type = 'promoted'",
            "run healthy",
        ),
        ("UPDATE self_extension_baselines SET commit_sha = 'x' WHERE base = 'main'", "baseline of acme/agent main"),
        ("DELETE FROM self_extension_baselines WHERE base = 'develop'", "baseline of acme/agent develop"),
        ("INSERT INTO self_extension_baselines VALUES ('acme/agent', 'new', 'x', 1)", "baseline of acme/agent new"),
    ] {
        let before = archive.contradictions().await.unwrap();
        fixture.forge_lists(sql).await;
        let mut told = archive.contradictions().await.unwrap();
        told.retain(|one| !before.contains(one));
        assert!(told.len() == 1 && told[0].contains(run), "{sql}: {told:?}");
    }
}
