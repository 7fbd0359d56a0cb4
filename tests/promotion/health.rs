//! Health windows over the façade: an agent that embeds selfext reports, and a watchdog judges.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use futures::join;
use selfext::{
    CommitSha, Ending, Found, HealthTerms, Heartbeat, Observer, OperatorName, Reason, Reporter, Selfext, Silent, Step,
    Tick, WatchConfig, WatchFinding, Watchdog,
};
use selfext_twin::{Fault, FaultKind};
use tokio::sync::Notify;

use crate::world::{Backend, RULES, World, builder, change, on_both, path, promoted, reason};

/// Windows of seconds.
const HEALTH: &str = "[health]\nstart_seconds = 20\nhealthy_seconds = 2\nsamples = 3\nerror_budget = 1\nsilence_seconds = 10\nwindow_seconds \
                      = 60\n";

const PATIENCE: Duration = Duration::from_mins(1);

async fn world(backend: Backend) -> World {
    World::with_rules(backend, &format!("{RULES}{HEALTH}")).await
}

/// Looks until no window is open any more, and answers the last look's findings and baseline.
async fn decided(watchdog: &Watchdog) -> (Vec<Found>, Option<CommitSha>) {
    let began = Instant::now();
    loop {
        let look = watchdog.tick(&Silent).await.unwrap();
        if !look.has_open_window() {
            let Tick::Looked { findings, baseline, .. } = look else { panic!("{look:?}") };
            return (findings.into_iter().map(|finding| finding.found).collect(), baseline);
        }
        assert!(began.elapsed() < PATIENCE, "{look:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn baseline(watchdog: &Watchdog) -> Option<CommitSha> {
    decided(watchdog).await.1
}

/// An agent that says once a second how it is.
fn reporting(agent: Selfext, commit: CommitSha, wrong: Option<&'static str>) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        let look = || async { wrong.map_or(Ok(()), |wrong| Err(wrong.to_owned())) };
        match agent.keep_reporting(&commit, Duration::from_secs(1), look, |missed| panic!("{missed}")).await {}
    })
}

/// Tells when a promotion begins to wait in line.
#[derive(Default)]
struct Line {
    begun: Notify,
}

impl Observer for Line {
    fn on(&self, step: &Step) {
        if matches!(step, Step::WaitingForMerge { .. }) {
            self.begun.notify_one();
        }
    }
}

on_both! {
    async fn an_embedded_agent_that_says_it_is_well_moves_the_baseline(backend) {
        let world = world(backend).await;
        let before = world.main_tip();
        let landed = CommitSha::parse(promoted(&world.promote(&change("second\n")).await)).unwrap();
        let watchdog = world.selfext.watchdog(WatchConfig::default());
        assert!(watchdog.tick(&Silent).await.unwrap().has_open_window());
        assert_eq!(world.operations.status(10).await.unwrap().baselines[0].commit.as_str(), before);
        let agent = reporting(world.another_selfext().await, landed.clone(), None);
        let (found, _) = decided(&watchdog).await;
        assert!(matches!(&found[..], [Found::Healthy { commit, .. }] if *commit == landed), "{found:?}");
        agent.abort();
        assert_eq!(baseline(&watchdog).await, Some(landed));
        watchdog.release().await.unwrap();
        world.end().await;
    }

    async fn an_embedded_agent_that_says_what_is_wrong_is_taken_back_and_its_secrets_are_not_kept(backend) {
        let world = world(backend).await;
        let before = world.git(&["rev-parse", "main^{tree}"]);
        let outcome = world.promote(&change("second\n")).await;
        let landed = CommitSha::parse(promoted(&outcome)).unwrap();
        let watchdog = world.selfext.watchdog(WatchConfig::default());
        let agent = reporting(world.another_selfext().await, landed, Some("no disk for ghp_a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2"));
        let (found, _) = decided(&watchdog).await;
        assert!(matches!(&found[..], [Found::RolledBack { .. }]), "{found:?}");
        agent.abort();
        assert_eq!(world.git(&["rev-parse", "main^{tree}"]), before);
        assert_eq!(world.types(&outcome).await[4..], ["health_window_failed", "rollback_started", "rolled_back"]);
        let text = world.ledger_text().await;
        assert!(text.contains("no disk for") && !text.contains("ghp_"), "{text}");
        // The same content again waits for an operator, and the run that was taken back says so.
        assert_eq!(reason(&world.promote(&change("second\n")).await), Some(Reason::RolledBackBefore));
        let again = world.selfext.promote_as(&change("second\n"), Some(&outcome.run), &Silent).await.unwrap();
        assert!(matches!(again.ending, Ending::RolledBack { .. }), "{again:?}");
        watchdog.release().await.unwrap();
        world.end().await;
    }

    async fn of_two_watchdogs_that_both_believe_to_have_the_lease_one_takes_the_change_back(backend) {
        let world = World::with_rules(backend, &format!("{RULES}[health]\nerror_budget = 0\n")).await;
        let outcome = world.promote(&change("second\n")).await;
        let landed = CommitSha::parse(promoted(&outcome)).unwrap();
        world.selfext.heartbeat(&landed, false, Some("it is sick")).await.unwrap();
        let other = world.another_selfext().await;
        let watchdogs = [world.selfext.watchdog(WatchConfig::default()), other.watchdog(WatchConfig::default())];
        // Both are of this process, and so of one holder: the lease tells them nothing.
        let until_it_is_over = async |watchdog: &Watchdog| {
            for _ in 0..20 {
                match watchdog.tick(&Silent).await.unwrap() {
                    Tick::Looked { findings, .. } if findings.is_empty() => return,
                    Tick::Looked { .. } => {}
                    elsewhere @ Tick::Elsewhere { .. } => panic!("{elsewhere:?}"),
                }
            }
            panic!("it is not over");
        };
        join!(until_it_is_over(&watchdogs[0]), until_it_is_over(&watchdogs[1]));
        assert_eq!(world.types(&outcome).await[4..], ["health_window_failed", "rollback_started", "rolled_back"]);
        assert_eq!(world.git(&["rev-list", "--count", "main"]), "3");
        assert_eq!(world.git(&["rev-parse", "main^{tree}"]), world.git(&["rev-parse", "main~2^{tree}"]));
        assert_eq!(world.twin.pulls().await.len(), 2);
        world.end().await;
    }

    async fn what_conflicts_is_prepared_for_a_human_once_and_never_merged(backend) {
        let world = World::with_rules(backend, &format!("{RULES}[health]\nerror_budget = 0\n")).await;
        let both = builder("Both").write(path("agent.txt"), "second\n").write(path("new.txt"), "new\n").build().unwrap();
        let outcome = world.promote(&both).await;
        let landed = CommitSha::parse(promoted(&outcome)).unwrap();
        world.selfext.heartbeat(&landed, false, Some("it is sick")).await.unwrap();
        world.twin.push_file("main", "agent.txt", b"by others\n", "by others").await.unwrap();
        let tip = world.main_tip();
        // The first look cannot open it, and whoever looks next does.
        world.twin.add_fault(Fault::on("POST", "/graphql", FaultKind::Drop).times(1));
        world.twin.add_fault(Fault::on("POST", "/repos/*/*/pulls", FaultKind::Drop).times(1));
        let watchdog = world.selfext.watchdog(WatchConfig::default());
        for _ in 0..3 {
            let look = watchdog.tick(&Silent).await.unwrap();
            let Tick::Looked { findings, .. } = &look else { panic!("{look:?}") };
            let [WatchFinding { found: Found::RollbackFailed(refusal), .. }] = &findings[..] else { panic!("{look:?}") };
            assert_eq!((refusal.reason, &refusal.paths), (Reason::RollbackConflict, &vec![path("agent.txt")]));
        }
        assert_eq!(world.types(&outcome).await[4..], ["health_window_failed", "rollback_started", "rollback_failed"]);
        let pulls = world.twin.pulls().await;
        let [_, prepared] = &pulls[..] else { panic!("{pulls:?}") };
        assert!(prepared.open && prepared.head.starts_with("selfext/rollback/"), "{prepared:?}");
        assert!(prepared.body.as_ref().unwrap().contains("agent.txt"), "{prepared:?}");
        let file = |name: &str| world.git(&["show", &format!("{}:{name}", prepared.head_sha)]);
        assert!(file("agent.txt").contains("by others") && file("agent.txt").contains("<<<<<<<"), "{}", file("agent.txt"));
        assert!(!world.git(&["ls-tree", "--name-only", &prepared.head_sha]).contains("new.txt"));
        assert_eq!(world.main_tip(), tip);
        watchdog.release().await.unwrap();
        world.end_disturbed().await;
    }

    async fn a_promotion_waits_in_line_for_a_window_where_the_rules_say_so(backend) {
        let rules = RULES.replace("wait_seconds = 0", "wait_seconds = 120");
        let world = World::with_rules(backend, &format!("{rules}{HEALTH}queue = true\n")).await;
        let landed = CommitSha::parse(promoted(&world.promote(&change("second\n")).await)).unwrap();
        let other = builder("Other").write(path("other.txt"), "other\n").build().unwrap();
        let watchdog = world.selfext.watchdog(WatchConfig::default());
        let agent = reporting(world.another_selfext().await, landed.clone(), None);
        let line = Line::default();
        let (outcome, (found, _)) = join!(world.selfext.promote_as(&other, None, &line), async {
            line.begun.notified().await;
            decided(&watchdog).await
        });
        agent.abort();
        assert!(matches!(&found[..], [Found::Healthy { commit, .. }] if *commit == landed), "{found:?}");
        promoted(&outcome.unwrap());
        watchdog.release().await.unwrap();
        world.end().await;
    }

    async fn while_a_window_is_open_the_next_promotion_waits_and_heartbeats_of_another_commit_decide_nothing(backend) {
        let world = world(backend).await;
        let before = CommitSha::parse(world.main_tip()).unwrap();
        let landed = world.promote(&change("second\n")).await;
        let other = builder("Other").write(path("other.txt"), "other\n").build().unwrap();
        assert_eq!(reason(&world.promote(&other).await), Some(Reason::HealthWindowOpen));
        let heartbeat = Heartbeat {
            repository: world.selfext.repository().clone(),
            base: world.selfext.base().clone(),
            commit: before,
            healthy: true,
            reporter: Reporter::parse("the old process").unwrap(),
            detail: None,
        };
        for _ in 0..5 {
            world.operations.heartbeat(&heartbeat).await.unwrap();
        }
        let watchdog = world.selfext.watchdog(WatchConfig::default());
        let look = watchdog.tick(&Silent).await.unwrap();
        let Tick::Looked { findings, .. } = &look else { panic!("{look:?}") };
        assert!(matches!(findings[0].found, Found::WindowOpen { samples: 0, seen_since: None, .. }), "{look:?}");
        let events = world.operations.stream_events(&landed.run.into()).await.unwrap();
        let selfext::EventBody::Promoted(event) = &events[3].event.body else { panic!("{events:?}") };
        let terms = HealthTerms { start_seconds: 20, healthy_seconds: 2, samples: 3, silence_seconds: 10, window_seconds: 60, error_budget: 1 };
        assert_eq!(event.health, Some(terms));
        watchdog.release().await.unwrap();
        world.end().await;
    }

    async fn an_agent_that_does_not_get_through_goes_on_and_is_told_what_it_missed(backend) {
        let world = world(backend).await;
        let commit = CommitSha::parse(world.main_tip()).unwrap();
        let agent = world.another_selfext().await;
        let (looked, missed) = (AtomicU32::new(0), AtomicU32::new(0));
        world.sql("ALTER TABLE self_extension_heartbeats RENAME TO heartbeats_elsewhere").await;
        let look = || { looked.fetch_add(1, Ordering::Relaxed); async { Ok(()) } };
        let miss = |_| { missed.fetch_add(1, Ordering::Relaxed); };
        let reporting = agent.keep_reporting(&commit, Duration::from_secs(1), look, miss);
        let twice = async {
            while missed.load(Ordering::Relaxed) < 2 {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::select! {
            never = reporting => match never {},
            missed = tokio::time::timeout(PATIENCE, twice) => missed.unwrap(),
        }
        assert!(looked.load(Ordering::Relaxed) >= 2);
        world.end().await;
    }
}

#[tokio::test]
async fn nobody_acknowledges_what_has_not_failed() {
    let world = world(Backend::Sqlite).await;
    let by = OperatorName::parse("op").unwrap();
    let landed = world.promote(&change("second\n")).await;
    let error = world.operations.acknowledge(&landed.run, &by, None).await.unwrap_err();
    assert!(error.to_string().contains("`selfext watch` decides"), "{error}");
    world.end().await;
}
