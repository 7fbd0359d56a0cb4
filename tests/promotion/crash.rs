//! A process that promotes, or that watches and takes a sick change back, is killed before and after every request to the forge and
//! every statement to the database, each in turn, on both databases; a watchdog before or after a request by the database, and before a
//! statement on Postgres, which says why. Another process then does the same, and what the repository, the
//! pull requests and the ledger say must be what they say after an undisturbed one.

use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::process::{Signal, getpid, kill_process};
use selfext::{FileChange, Found, Phase, RunId, Selfext, Silent, StreamId, Tick, WatchConfig};
use selfext_contracts::{PgProxy, TestDatabase};
use selfext_domain::Run;
use selfext_twin::{Fault, FaultKind, Gate, Protection};
use tokio::process::{Child, Command};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::world::*;

/// More points than any promotion has, so that a suite that never ends fails instead.
const MANY: u64 = 200;

const API: &str = "SELFEXT_CRASH_API";
const BARE: &str = "SELFEXT_CRASH_REPOSITORY";
const CACHE: &str = "SELFEXT_CRASH_CACHE";
const LEDGER: &str = "SELFEXT_CRASH_LEDGER";
const MOMENT: &str = "SELFEXT_CRASH_MOMENT";
const DEED: &str = "SELFEXT_CRASH_DEED";

/// A change that says once that it is not well is sick.
const HEALTH: &str = "[health]\nerror_budget = 0\n";

/// What the process does that is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    PromoteAtOnce,
    /// The change has a file that is executable.
    PromoteStepByStep,
    /// The change goes through a merge queue.
    PromoteInAQueue,
    /// The forge is asked to merge in the background.
    PromoteInBackground,
    /// It watches, and finds a change that landed sick.
    TakeBack,
}

impl Deed {
    fn named(name: &str) -> Self {
        use Deed::{PromoteAtOnce, PromoteInAQueue, PromoteInBackground, PromoteStepByStep, TakeBack};
        [PromoteAtOnce, PromoteStepByStep, PromoteInAQueue, PromoteInBackground, TakeBack]
            .into_iter()
            .find(|deed| format!("{deed:?}") == name)
            .unwrap()
    }

    fn rules(self) -> String {
        let more = match self {
            Self::PromoteAtOnce | Self::PromoteStepByStep => "",
            Self::PromoteInAQueue => "[merge]\nmerge_queue = \"enqueue\"\n",
            Self::PromoteInBackground => "[merge]\nasynchronous = true\n",
            Self::TakeBack => HEALTH,
        };
        format!("{RULES}{more}")
    }

    /// What there has to be before the process begins.
    async fn prepare(self, world: &World) {
        if self == Self::PromoteInAQueue {
            world.twin.protect("main", Protection::ruleset(["ci"]).merge_queue()).await.unwrap();
            world.twin.on_queue_commit_set([green()]);
        }
        if self == Self::TakeBack {
            promoted(&world.promote(&self.the_change()).await);
            let commit = selfext::CommitSha::parse(world.main_tip()).unwrap();
            world.selfext.heartbeat(&commit, false, Some("it is sick")).await.unwrap();
        }
    }

    async fn is_done_by(self, selfext: &Selfext) -> Option<RunId> {
        if self != Self::TakeBack {
            let outcome = selfext.promote(&self.the_change()).await.unwrap();
            promoted(&outcome);
            return Some(outcome.run);
        }
        let watchdog = selfext.watchdog(WatchConfig::default());
        for _ in 0..20 {
            match watchdog.tick(&Silent).await.unwrap() {
                Tick::Looked { findings, .. } if findings.is_empty() => return None,
                Tick::Looked { findings, .. } => {
                    if let Some(finding) =
                        findings.iter().find(|finding| matches!(finding.found, Found::RolledBack { .. }))
                    {
                        return Some(finding.run.clone());
                    }
                }
                elsewhere @ Tick::Elsewhere { .. } => panic!("{elsewhere:?}"),
            }
        }
        panic!("it is not taken back");
    }

    fn the_change(self) -> selfext::ChangeSet {
        let file = FileChange::Write { content: b"#!/bin/sh\n".as_slice().into(), executable: Some(true) };
        let change = builder("Say why").write(path("agent.txt"), "second\n");
        let change = if self == Self::PromoteStepByStep { change.file(path("run"), file) } else { change };
        change.build().unwrap()
    }
}

/// What the child does; by itself this test has nothing to promote.
#[tokio::test]
#[ignore = "it is the child process of this suite, which starts and kills it"]
async fn child() {
    let place = |name| std::env::var(name).unwrap();
    if let Ok(moment) = std::env::var(MOMENT) {
        Killer::arm(moment.parse().unwrap());
    }
    let selfext = unopened(&place(API), place(BARE).as_ref(), place(CACHE).into(), place(LEDGER).parse().unwrap());
    let selfext = selfext.holder(HOLDER.to_owned()).open().await.unwrap();
    assert!(Deed::named(&place(DEED)).is_done_by(&selfext).await.is_some());
}

/// Both processes have one name, as a service that is started again may have: the lease of the killed one is its successor's.
const HOLDER: &str = "the same service";

fn child_command(world: &World, deed: Deed, ledger: &str) -> Command {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child
        .args(["--ignored", "--exact", "crash::child"])
        .env(API, world.api())
        .env(BARE, &world.bare)
        .env(CACHE, world.folder().join("child-cache"))
        .env(LEDGER, ledger)
        .env(DEED, format!("{deed:?}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    child
}

/// Kills the child once `reached` says so. `false` if it came to its end before.
async fn kill_when(mut child: Child, reached: impl Future<Output = ()>) -> bool {
    tokio::select! {
        () = reached => {
            child.kill().await.unwrap();
            true
        }
        status = child.wait() => {
            assert!(status.unwrap().success(), "an undisturbed process succeeds");
            false
        }
    }
}

/// Another process takes it on; then everything must be as if nothing had happened. `late` lets arrive what the killed
/// child had sent, and says what that was.
async fn recover(world: &World, deed: Deed, point: &str, late: impl AsyncFnOnce() -> Option<String>) {
    let url = world.ledger_url().parse().unwrap();
    let other = unopened(&world.api(), &world.bare, world.folder().join("other-cache"), url);
    let other = other.holder(HOLDER.to_owned()).open().await.unwrap();
    let run = deed.is_done_by(&other).await;
    let late = late().await;
    let merges = if deed == Deed::TakeBack { 2 } else { 1 };
    assert_eq!(world.git(&["rev-list", "--count", "main"]), (merges + 1).to_string(), "{point}: {merges} merges");
    let pulls = world.twin.pulls().await;
    assert!(
        pulls.len() == merges && pulls.iter().all(|pull| pull.merged_as.is_some()),
        "{point}: a pull request for each merge, merged: {pulls:?}, after {late:?}"
    );
    // One at which a publication may still have been on its way is kept where nothing can be proposed from it.
    for branch in world.branches() {
        world.git(&["merge-base", "--is-ancestor", &branch, "main"]);
    }
    let status = world.operations.status(10).await.unwrap();
    assert_eq!((status.latest.len(), status.in_flight.len()), (merges, 0), "{point}: a run for each, and nothing open");
    for entry in &status.latest {
        let events = world.operations.stream_events(&entry.last.event.stream).await.unwrap();
        assert!(Run::fold(&events).unwrap().phase().has_landed(), "{point}");
        let count = |name: &str| events.iter().filter(|event| event.event.body.event_type() == name).count();
        assert_eq!((count("promoted"), count("failed"), count("rollback_failed")), (1, 0, 0), "{point}");
    }
    if deed == Deed::TakeBack {
        assert_eq!(world.git(&["rev-parse", "main^{tree}"]), world.git(&["rev-parse", "main~2^{tree}"]), "{point}");
        let target = &status.latest.last().unwrap().last.event.stream;
        let events = world.operations.stream_events(target).await.unwrap();
        assert_eq!(Run::fold(&events).unwrap().phase(), Phase::RolledBack, "{point}");
        let count = |name: &str| events.iter().filter(|event| event.event.body.event_type() == name).count();
        assert_eq!((count("health_window_failed"), count("rollback_started")), (1, 1), "{point}");
        assert!(status.watched.is_empty(), "{point}: {:?}", status.watched);
    } else {
        assert_eq!(world.on_main("agent.txt").unwrap(), b"second\n", "{point}");
        assert_eq!(run.map(StreamId::Run), Some(status.latest[0].last.event.stream.clone()), "{point}");
    }
}

/// Lets go the request that was held, and waits until it is over.
async fn arrive(world: &World, gate: &Gate) -> Option<String> {
    gate.open();
    let held = world.twin.wait_for(|exchange| exchange.fault.is_some() && exchange.ended.is_some()).await;
    Some(format!("{} {}", held.method, held.path_and_query))
}

/// Every request to the forge, on one database. What the killed child had sent arrives before or after the recovery.
async fn at_every_request(backend: Backend, deed: Deed, kind: fn(Gate) -> FaultKind, arrives_late: bool) {
    for number in 1..MANY {
        let world = World::with_rules(backend, &deed.rules()).await;
        deed.prepare(&world).await;
        let gate = Gate::new();
        let nth = u32::try_from(number).unwrap();
        world.twin.add_fault(Fault::on("*", "/**", kind(gate.clone())).nth(nth));
        let child = child_command(&world, deed, &world.ledger_url()).spawn().unwrap();
        if !kill_when(child, gate.arrived(1)).await {
            assert!(number > 10, "only {number} points were found");
            println!("killed at {} requests", number - 1);
            return;
        }
        if !arrives_late {
            arrive(&world, &gate).await;
        }
        let point = format!("request {number} on {backend:?}, {deed:?}");
        recover(&world, deed, &point, async || if arrives_late { arrive(&world, &gate).await } else { None }).await;
        world.end_disturbed().await;
    }
    panic!("it did not end");
}

#[tokio::test]
async fn killed_before_each_request_on_postgres() {
    at_every_request(Backend::Postgres, Deed::PromoteAtOnce, FaultKind::Hold, false).await;
}

#[tokio::test]
async fn killed_before_each_request_on_sqlite() {
    at_every_request(Backend::Sqlite, Deed::PromoteAtOnce, FaultKind::Hold, true).await;
}

#[tokio::test]
async fn killed_after_each_request_on_postgres() {
    at_every_request(Backend::Postgres, Deed::PromoteAtOnce, FaultKind::HoldAnswer, true).await;
}

#[tokio::test]
async fn killed_after_each_request_on_sqlite() {
    at_every_request(Backend::Sqlite, Deed::PromoteAtOnce, FaultKind::HoldAnswer, false).await;
}

#[tokio::test]
async fn killed_before_each_request_of_the_longer_way() {
    at_every_request(Backend::Sqlite, Deed::PromoteStepByStep, FaultKind::Hold, true).await;
}

#[tokio::test]
async fn killed_after_each_request_of_the_longer_way() {
    at_every_request(Backend::Sqlite, Deed::PromoteStepByStep, FaultKind::HoldAnswer, false).await;
}

#[tokio::test]
async fn killed_before_each_request_of_a_promotion_through_a_merge_queue() {
    at_every_request(Backend::Postgres, Deed::PromoteInAQueue, FaultKind::Hold, true).await;
}

#[tokio::test]
async fn killed_after_each_request_of_a_promotion_through_a_merge_queue() {
    at_every_request(Backend::Sqlite, Deed::PromoteInAQueue, FaultKind::HoldAnswer, false).await;
}

#[tokio::test]
async fn killed_before_each_request_of_a_promotion_in_the_background() {
    at_every_request(Backend::Sqlite, Deed::PromoteInBackground, FaultKind::Hold, false).await;
}

#[tokio::test]
async fn killed_after_each_request_of_a_promotion_in_the_background() {
    at_every_request(Backend::Sqlite, Deed::PromoteInBackground, FaultKind::HoldAnswer, true).await;
}

#[tokio::test]
async fn a_watchdog_that_is_killed_before_each_request_is_followed_by_another() {
    at_every_request(Backend::Sqlite, Deed::TakeBack, FaultKind::Hold, true).await;
}

#[tokio::test]
async fn a_watchdog_that_is_killed_after_each_request_is_followed_by_another() {
    at_every_request(Backend::Postgres, Deed::TakeBack, FaultKind::HoldAnswer, false).await;
}

/// Every statement to Postgres, those of connecting and preparing included.
async fn at_every_statement(deed: Deed, arm: fn(&PgProxy, u64), arrives_late: bool) {
    for number in 1..MANY {
        let database = TestDatabase::create().await;
        let proxy = PgProxy::start(database.url()).await;
        let direct = database.url().to_owned();
        let world = World::on_postgres_through(database, &direct, &deed.rules()).await;
        deed.prepare(&world).await;
        arm(&proxy, number);
        let child = child_command(&world, deed, proxy.url()).spawn().unwrap();
        if !kill_when(child, proxy.struck()).await {
            assert!(number > 6, "only {number} points were found");
            println!("killed at {} statements", number - 1);
            return;
        }
        if !arrives_late {
            proxy.disarm();
        }
        let late = async || {
            proxy.disarm();
            None
        };
        recover(&world, deed, &format!("statement {number}"), late).await;
        world.end_disturbed().await;
    }
    panic!("it did not end");
}

#[tokio::test]
async fn killed_before_each_statement() {
    at_every_statement(Deed::PromoteAtOnce, PgProxy::hold_before, true).await;
}

#[tokio::test]
async fn killed_after_each_statement() {
    at_every_statement(Deed::PromoteAtOnce, PgProxy::hold_after, false).await;
}

/// Before each alone: after one is before the next, but for requests to the forge in between, after each of which it is killed too.
#[tokio::test]
async fn a_watchdog_that_is_killed_before_each_statement_is_followed_by_another() {
    at_every_statement(Deed::TakeBack, PgProxy::hold_before, true).await;
}

/// Kills its own process at the given moment: SQLite works inside the process, so nothing outside of it sees its statements.
/// The store tells the trace when a statement begins and when it has ended; each is a moment.
struct Killer {
    moments_left: AtomicU64,
}

impl Killer {
    fn arm(moment: u64) {
        let killer = Self { moments_left: AtomicU64::new(moment) };
        tracing_subscriber::registry().with(killer).init();
    }
}

impl<S: Subscriber> Layer<S> for Killer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "selfext_store::sqlite::database"
            && self.moments_left.fetch_sub(1, Ordering::SeqCst) == 1
        {
            kill_process(getpid(), Signal::KILL).unwrap();
            // The signal takes this thread, too, at the latest here.
            std::thread::park();
        }
    }
}

#[tokio::test]
async fn killed_before_and_after_each_statement_on_sqlite() {
    at_every_moment(Deed::PromoteAtOnce).await;
}

#[tokio::test]
async fn a_watchdog_that_is_killed_around_each_statement_on_sqlite_is_followed_by_another() {
    at_every_moment(Deed::TakeBack).await;
}

/// Before and after every statement to SQLite, the beginnings and ends of transactions included.
async fn at_every_moment(deed: Deed) {
    for moment in 1..MANY {
        let world = World::with_rules(Backend::Sqlite, &deed.rules()).await;
        deed.prepare(&world).await;
        let mut child = child_command(&world, deed, &world.ledger_url());
        let mut child = child.env(MOMENT, moment.to_string()).spawn().unwrap();
        let status = child.wait().await.unwrap();
        if status.success() {
            assert!(moment > 20, "only {moment} moments were found");
            println!("killed at {} moments of SQLite's statements", moment - 1);
            return;
        }
        assert_eq!(status.signal(), Some(Signal::KILL.as_raw()), "moment {moment}: {status}");
        recover(&world, deed, &format!("moment {moment}"), async || None).await;
        world.end_disturbed().await;
    }
    panic!("it did not end");
}
