//! A process that promotes is killed before and after every request to the forge and every statement to the database, each
//! in turn, on both databases. Another process then promotes the same change, and what the repository, the pull requests and the ledger say
//! must be what they say after an undisturbed promotion.

use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::process::{Signal, getpid, kill_process};
use selfext::{FileChange, StreamId};
use selfext_contracts::{PgProxy, TestDatabase};
use selfext_domain::Run;
use selfext_twin::{Fault, FaultKind, Gate};
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
const EXECUTABLE: &str = "SELFEXT_CRASH_EXECUTABLE";

/// Which way a change is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    AtOnce,
    /// It has a file that is executable.
    StepByStep,
}

impl Way {
    fn the_change(self) -> selfext::ChangeSet {
        let file = FileChange::Write { content: b"#!/bin/sh\n".as_slice().into(), executable: Some(true) };
        let change = builder("Say why").write(path("agent.txt"), "second\n");
        let change = if self == Self::AtOnce { change } else { change.file(path("run"), file) };
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
    let selfext = open(&place(API), place(BARE).as_ref(), place(CACHE).into(), place(LEDGER).parse().unwrap()).await;
    let way = if std::env::var(EXECUTABLE).is_ok() { Way::StepByStep } else { Way::AtOnce };
    promoted(&selfext.promote(&way.the_change()).await.unwrap());
}

fn start_child(world: &World, ledger: &str) -> Child {
    child_command(world, ledger).spawn().unwrap()
}

fn child_command(world: &World, ledger: &str) -> Command {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child
        .args(["--ignored", "--exact", "crash::child"])
        .env(API, world.api())
        .env(BARE, &world.bare)
        .env(CACHE, world.folder().join("child-cache"))
        .env(LEDGER, ledger)
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
            assert!(status.unwrap().success(), "an undisturbed promotion succeeds");
            false
        }
    }
}

/// Another process takes the change on; then everything must be as if nothing had happened. `late` lets arrive what the killed
/// child had sent, and says what that was.
async fn recover(world: &World, way: Way, point: &str, late: impl AsyncFnOnce() -> Option<String>) {
    let other = world.another_selfext().await;
    let outcome = other.promote(&way.the_change()).await.unwrap();
    promoted(&outcome);
    let late = late().await;
    assert_eq!(world.git(&["rev-list", "--count", "main"]), "2", "{point}: one merge");
    assert_eq!(world.on_main("agent.txt").unwrap(), b"second\n", "{point}");
    let pulls = world.twin.pulls().await;
    assert!(
        pulls.len() == 1 && pulls[0].merged_as.is_some(),
        "{point}: one pull request, merged: {pulls:?}, after {late:?}"
    );
    // One at which a publication may still have been on its way is kept where nothing can be proposed from it.
    for branch in world.branches() {
        world.git(&["merge-base", "--is-ancestor", &branch, "main"]);
    }
    let events = world.operations.stream_events(&StreamId::Run(outcome.run)).await.unwrap();
    assert!(Run::fold(&events).unwrap().phase().has_landed(), "{point}");
    let count = |name: &str| events.iter().filter(|event| event.event.body.event_type() == name).count();
    assert_eq!((count("promoted"), count("failed")), (1, 0), "{point}");
    let status = world.operations.status(10).await.unwrap();
    assert_eq!((status.latest.len(), status.in_flight.len()), (1, 0), "{point}: one run, and nothing open");
}

/// Lets go the request that was held, and waits until it is over.
async fn arrive(world: &World, gate: &Gate) -> Option<String> {
    gate.open();
    let held = world.twin.wait_for(|exchange| exchange.fault.is_some() && exchange.ended.is_some()).await;
    Some(format!("{} {}", held.method, held.path_and_query))
}

/// Every request to the forge, on one database. What the killed child had sent arrives before or after the recovery.
async fn at_every_request(backend: Backend, way: Way, kind: fn(Gate) -> FaultKind, arrives_late: bool) {
    for number in 1..MANY {
        let world = World::new(backend).await;
        let gate = Gate::new();
        let nth = u32::try_from(number).unwrap();
        world.twin.add_fault(Fault::on("*", "/**", kind(gate.clone())).nth(nth));
        let mut child = child_command(&world, &world.ledger_url());
        if way == Way::StepByStep {
            child.env(EXECUTABLE, "yes");
        }
        if !kill_when(child.spawn().unwrap(), gate.arrived(1)).await {
            assert!(number > 10, "only {number} points were found");
            println!("killed at {} requests", number - 1);
            return;
        }
        if !arrives_late {
            arrive(&world, &gate).await;
        }
        let point = format!("request {number} on {backend:?}, {way:?}");
        recover(&world, way, &point, async || if arrives_late { arrive(&world, &gate).await } else { None }).await;
        world.end_disturbed().await;
    }
    panic!("the promotion did not end");
}

#[tokio::test]
async fn killed_before_each_request_on_postgres() {
    at_every_request(Backend::Postgres, Way::AtOnce, FaultKind::Hold, false).await;
}

#[tokio::test]
async fn killed_before_each_request_on_sqlite() {
    at_every_request(Backend::Sqlite, Way::AtOnce, FaultKind::Hold, true).await;
}

#[tokio::test]
async fn killed_after_each_request_on_postgres() {
    at_every_request(Backend::Postgres, Way::AtOnce, FaultKind::HoldAnswer, true).await;
}

#[tokio::test]
async fn killed_after_each_request_on_sqlite() {
    at_every_request(Backend::Sqlite, Way::AtOnce, FaultKind::HoldAnswer, false).await;
}

#[tokio::test]
async fn killed_before_each_request_of_the_longer_way() {
    at_every_request(Backend::Sqlite, Way::StepByStep, FaultKind::Hold, true).await;
}

#[tokio::test]
async fn killed_after_each_request_of_the_longer_way() {
    at_every_request(Backend::Sqlite, Way::StepByStep, FaultKind::HoldAnswer, false).await;
}

/// Every statement to Postgres, those of connecting and preparing included.
async fn at_every_statement(arm: fn(&PgProxy, u64), arrives_late: bool) {
    for number in 1..MANY {
        let database = TestDatabase::create().await;
        let proxy = PgProxy::start(database.url()).await;
        let direct = database.url().to_owned();
        let world = World::on_postgres_through(database, &direct).await;
        arm(&proxy, number);
        if !kill_when(start_child(&world, proxy.url()), proxy.struck()).await {
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
        recover(&world, Way::AtOnce, &format!("statement {number}"), late).await;
        world.end_disturbed().await;
    }
    panic!("the promotion did not end");
}

#[tokio::test]
async fn killed_before_each_statement() {
    at_every_statement(PgProxy::hold_before, true).await;
}

#[tokio::test]
async fn killed_after_each_statement() {
    at_every_statement(PgProxy::hold_after, false).await;
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

/// Before and after every statement to SQLite, the beginnings and ends of transactions included.
#[tokio::test]
async fn killed_before_and_after_each_statement_on_sqlite() {
    for moment in 1..MANY {
        let world = World::new(Backend::Sqlite).await;
        let mut child = child_command(&world, &world.ledger_url()).env(MOMENT, moment.to_string()).spawn().unwrap();
        let status = child.wait().await.unwrap();
        if status.success() {
            assert!(moment > 20, "only {moment} moments were found");
            println!("killed at {} moments of SQLite's statements", moment - 1);
            return;
        }
        assert_eq!(status.signal(), Some(Signal::KILL.as_raw()), "moment {moment}: {status}");
        recover(&world, Way::AtOnce, &format!("moment {moment}"), async || None).await;
        world.end_disturbed().await;
    }
    panic!("the promotion did not end");
}
