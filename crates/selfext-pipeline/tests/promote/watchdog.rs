//! The watchdog, with time that a test lets pass.

use std::sync::{Arc, Mutex};

use chrono::Duration;
use selfext_domain::ports::{Lease, MergeAnswer, MockHeartbeats, MockLeases, PullRequestState};
use selfext_domain::*;
use selfext_pipeline::{Found, Pipeline, Silent, Tick, WatchConfig, Watchdog};

use crate::ledger::{MemoryLedger, time};
use crate::world::*;

/// An hour of health, seen every minute.
const HEALTH: &str = "[health]\nstart_seconds = 600\nhealthy_seconds = 3600\nsamples = 30\nerror_budget = 0\n\
                      silence_seconds = 120\nwindow_seconds = 7200\n[health.breaker]\nrollbacks = 1\n";

struct Scene {
    ledger: Arc<MemoryLedger>,
    pipeline: Pipeline,
    samples: Arc<Mutex<Vec<HealthSample>>>,
    run: RunId,
}

impl Scene {
    /// A change landed, and its window is open. Merges may be asked for as often as needed.
    async fn new() -> Self {
        Self::with(&format!("{RULES}{HEALTH}")).await
    }

    async fn with(rules: &str) -> Self {
        let mut world = World::bare();
        let rules = rules.to_owned();
        world.forge.expect_branch_head().returning(|_| Ok(base()));
        world.forge.expect_find_published().returning(|_, _| Ok(None));
        world.verifier.expect_read_file().returning(move |_, _, _| Ok(Some(rules.clone().into())));
        world.verifier.expect_prepare().returning(|_, on, _| Ok(candidate(on)));
        world.verifier.expect_run_stages().returning(|_, _, _| Ok(vec![stage(StageResult::Passed)]));
        world
            .forge
            .expect_publish()
            .returning(|_| Ok(ports::Published { pull_request: number(), url: "u".into(), head: head() }));
        world.forge.expect_show_evidence().returning(|_, _| Ok(()));
        world.forge.expect_survey().returning(|_, _, _, _| Ok(survey(green())));
        world.forge.expect_merge().returning(|_| MergeAnswer::Merged { commit: landed() });
        // What is in doubt has landed.
        let merged = || PullRequestState::Merged { commit: Some(landed()) };
        world.forge.expect_pull_request().returning(move |_| Ok(request(merged())));
        let ledger = world.ledger.clone();
        let clock = ledger.clone();
        world.clock.expect_now().returning(move || clock.now());
        let pipeline = world.still().landing().retiring().inverting().pipeline();
        let run = pipeline.promote(&change(), None, &Silent).await.unwrap().run;
        Self { ledger, pipeline, samples: Arc::default(), run }
    }

    /// A watchdog that has just been started.
    fn watchdog(&self) -> Watchdog {
        let mut leases = MockLeases::new();
        leases.expect_acquire().returning(|_, _, _| Ok(Lease::Held { until: time() }));
        self.watchdog_with(leases)
    }

    fn watchdog_with(&self, leases: MockLeases) -> Watchdog {
        let mut heartbeats = MockHeartbeats::new();
        let samples = self.samples.clone();
        heartbeats.expect_samples().returning(move |_, _, _| Ok(samples.lock().unwrap().clone()));
        heartbeats.expect_forget().returning(|_, _, _| Ok(0));
        Watchdog::new(self.pipeline.clone(), Arc::new(heartbeats), Arc::new(leases), WatchConfig::default())
    }

    /// So many minutes pass, in each of which the agent says that it runs this commit and how it is.
    fn minutes(&self, minutes: u32, running: &CommitSha, healthy: bool) {
        for _ in 0..minutes {
            self.ledger.pass(60);
            let reporter = Reporter::parse("agent").unwrap();
            let sample =
                HealthSample { at: self.ledger.now(), commit: running.clone(), healthy, reporter, detail: None };
            self.samples.lock().unwrap().push(sample);
        }
    }

    /// The types behind the promotion.
    fn since_landed(&self) -> Vec<String> {
        self.ledger.types().split_off(4)
    }
}

async fn look(watchdog: &Watchdog) -> Vec<Found> {
    match watchdog.tick(&Silent).await.unwrap() {
        Tick::Looked { findings, .. } => findings.into_iter().map(|finding| finding.found).collect(),
        elsewhere @ Tick::Elsewhere { .. } => panic!("{elsewhere:?}"),
    }
}

const TAKEN_BACK: [&str; 7] =
    ["health_window_failed", "rollback_started", "proposed", "tested", "merge_started", "promoted", "rolled_back"];

#[tokio::test]
async fn an_hour_of_health_moves_the_baseline() {
    let scene = Scene::new().await;
    let watchdog = scene.watchdog();
    let seed = watchdog.tick(&Silent).await.unwrap();
    assert!(matches!(&seed, Tick::Looked { baseline: Some(seed), .. } if *seed == base()), "{seed:?}");
    assert!(seed.has_open_window());
    scene.minutes(60, &landed(), true);
    let found = look(&watchdog).await;
    assert!(matches!(found[..], [Found::WindowOpen { samples: 60, .. }]), "{found:?}");
    scene.minutes(1, &landed(), true);
    let found = look(&watchdog).await;
    assert!(matches!(found[..], [Found::Healthy { samples: 61, seconds: 3600, .. }]), "{found:?}");
    assert_eq!(scene.since_landed(), ["health_window_passed"]);
    let after = watchdog.tick(&Silent).await.unwrap();
    let Tick::Looked { findings, baseline, .. } = after else { panic!() };
    assert!(findings.is_empty());
    assert_eq!(baseline, Some(landed()));
}

#[tokio::test]
async fn a_sick_change_is_taken_back_in_the_same_look() {
    type Spoil = fn(&Scene);
    let spoils: [(&str, Spoil); 4] = [
        ("never seen", |scene| scene.ledger.pass(601)),
        ("only the old process", |scene| scene.minutes(11, &base(), true)),
        ("unhealthy", |scene| {
            scene.minutes(5, &landed(), true);
            scene.minutes(1, &landed(), false);
        }),
        ("silent", |scene| {
            scene.minutes(30, &landed(), true);
            scene.ledger.pass(121);
        }),
    ];
    for (name, spoil) in spoils {
        let scene = Scene::new().await;
        spoil(&scene);
        let found = look(&scene.watchdog()).await;
        assert!(matches!(&found[..], [Found::RolledBack { commit }] if *commit == landed()), "{name}: {found:?}");
        assert_eq!(scene.since_landed()[..7], TAKEN_BACK, "{name}");
        let target = scene.ledger.runs().into_iter().find(|run| *run.id() == scene.run).unwrap();
        assert_eq!(target.phase(), Phase::RolledBack, "{name}");
    }
}

#[tokio::test]
async fn a_watchdog_that_is_started_anew_goes_on_wherever_the_last_one_broke_off() {
    for recorded in [false, true] {
        for number in 5..=11 {
            let scene = Scene::new().await;
            scene.ledger.pass(601);
            scene.ledger.fail_write(number, recorded);
            let broken = look(&scene.watchdog()).await;
            assert!(matches!(broken[..], [Found::Unsettled(_)]), "write {number}: {broken:?}");
            let found = look(&scene.watchdog()).await;
            // Where the last word was recorded, nothing is left to find.
            assert!(matches!(found[..], [Found::RolledBack { .. }] | []), "write {number}: {found:?}");
            let types = scene.since_landed();
            for name in TAKEN_BACK {
                let expected = if name == "merge_started" || name == "tested" { 1..=2 } else { 1..=1 };
                let count = types.iter().filter(|found| *found == name).count();
                assert!(expected.contains(&count), "write {number}, recorded: {recorded}: {types:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_watchdog_without_the_lease_does_nothing() {
    let scene = Scene::new().await;
    scene.ledger.pass(601);
    let mut leases = MockLeases::new();
    let elsewhere = || Lease::Elsewhere { holder: "other:1".into(), until: time() };
    leases.expect_acquire().returning(move |_, _, _| Ok(elsewhere()));
    let tick = scene.watchdog_with(leases).tick(&Silent).await.unwrap();
    assert!(matches!(&tick, Tick::Elsewhere { holder, .. } if holder == "other:1"), "{tick:?}");
    assert!(scene.since_landed().is_empty());
}

#[tokio::test]
async fn a_rollback_waits_out_a_pause_without_filling_the_ledger() {
    let scene = Scene::new().await;
    let watchdog = scene.watchdog();
    scene.ledger.pause("an incident");
    scene.ledger.pass(601);
    for _ in 0..5 {
        let found = look(&watchdog).await;
        let [Found::Waiting(refusal)] = &found[..] else { panic!("{found:?}") };
        assert_eq!(refusal.reason, Reason::PromotionPaused);
        scene.ledger.pass(600);
    }
    assert_eq!(scene.since_landed(), ["health_window_failed"]);
    scene.ledger.resume();
    let found = look(&watchdog).await;
    assert!(matches!(found[..], [Found::RolledBack { .. }]), "{found:?}");
}

#[tokio::test]
async fn a_refused_rollback_is_left_alone_for_longer_and_longer() {
    let scene = Scene::new().await;
    let watchdog = scene.watchdog();
    scene.ledger.pass(601);
    scene.ledger.refuse_merges(Some(Reason::HistoryChanged));
    let mut tries = 0;
    for _ in 0..100 {
        let before = scene.ledger.types().len();
        let found = look(&watchdog).await;
        assert!(matches!(found[..], [Found::Waiting(_)]), "{found:?}");
        tries += u32::from(scene.ledger.types().len() > before);
        scene.ledger.pass(5);
    }
    // 5, 10, 20, 40, 80, 160 s and so on, in 500 s.
    assert!((5..=8).contains(&tries), "{tries}");
    scene.ledger.refuse_merges(None);
    scene.ledger.pass(300);
    let found = look(&watchdog).await;
    assert!(matches!(found[..], [Found::RolledBack { .. }]), "{found:?}");
}

#[tokio::test]
async fn repeated_harm_pauses_promotion_once() {
    let scene = Scene::new().await;
    let watchdog = scene.watchdog();
    scene.ledger.pass(601);
    let tick = watchdog.tick(&Silent).await.unwrap();
    assert!(matches!(tick, Tick::Looked { tripped: true, .. }), "{tick:?}");
    let pause = scene.ledger.paused_by().unwrap();
    assert_eq!(pause, OperatorName::breaker());
    // An operator who resumes has seen it.
    scene.ledger.resume();
    let tick = watchdog.tick(&Silent).await.unwrap();
    assert!(matches!(tick, Tick::Looked { tripped: false, .. }), "{tick:?}");
    assert_eq!(scene.ledger.paused_by(), None);
}

#[tokio::test]
async fn a_rollback_that_failed_is_told_until_it_is_acknowledged() {
    let scene = Scene::new().await;
    let watchdog = scene.watchdog();
    scene.ledger.pass(601);
    scene.ledger.refuse_merges(Some(Reason::HistoryChanged));
    look(&watchdog).await;
    let rollback = scene.ledger.runs().into_iter().find(|run| run.rollback_of().is_some()).unwrap();
    let by = OperatorName::parse("ops").unwrap();
    scene.pipeline.abandon(rollback.id(), &by, None, &Silent).await.unwrap();
    scene.ledger.pass(600);
    for _ in 0..3 {
        let found = look(&watchdog).await;
        let [Found::RollbackFailed(refusal)] = &found[..] else { panic!("{found:?}") };
        assert_eq!(refusal.reason, Reason::RollbackAbandoned);
    }
    let target = scene.ledger.runs().into_iter().find(|run| *run.id() == scene.run).unwrap();
    scene.ledger.write_as_other(&target, RollbackAcknowledged { by, reason: None }.into());
    assert!(look(&watchdog).await.is_empty());
}

#[tokio::test]
async fn heartbeats_are_forgotten_once_an_hour() {
    let scene = Scene::new().await;
    let mut leases = MockLeases::new();
    leases.expect_acquire().returning(|_, _, _| Ok(Lease::Held { until: time() }));
    let mut heartbeats = MockHeartbeats::new();
    heartbeats.expect_samples().returning(|_, _, _| Ok(Vec::new()));
    heartbeats.expect_forget().times(2).returning(|_, _, keep| {
        assert_eq!(Duration::from_std(keep).unwrap(), Duration::days(7));
        Ok(0)
    });
    let watchdog =
        Watchdog::new(scene.pipeline.clone(), Arc::new(heartbeats), Arc::new(leases), WatchConfig::default());
    for _ in 0..10 {
        watchdog.tick(&Silent).await.unwrap();
        scene.ledger.pass(500);
    }
}
