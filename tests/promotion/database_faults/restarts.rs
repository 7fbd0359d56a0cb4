//! The server crashes and comes back. Each test has a server of its own.

use futures::join;
use selfext::{ControlState, OperatorName};
use selfext_contracts::PrivateCluster;
use selfext_twin::{Fault, FaultKind, Gate};

use super::connections::MANY_REQUESTS;
use super::locks::LOCK_CONTROL;
use super::statements::at_each_write;
use super::*;

async fn start() -> (PrivateCluster, Bench) {
    let cluster = PrivateCluster::start().await.unwrap();
    let proxy = PgProxy::start(cluster.url()).await;
    let world = World::on_server_through(cluster.url(), proxy.url()).await;
    let bench = Bench::of(world, proxy).await;
    (cluster, bench)
}

fn operator() -> OperatorName {
    OperatorName::parse("ops").unwrap()
}

#[tokio::test]
#[ignore = "needs PostgreSQL's programs on this machine, which a run in a container does not; CI runs it"]
async fn a_server_that_crashes_while_the_forge_is_asked_is_not_noticed() {
    let (cluster, mut bench) = start().await;
    for number in 1..MANY_REQUESTS {
        let point = format!("request {number} to the forge");
        let change = bench.next_change();
        let selfext = bench.fresh_selfext().await;
        let gate = Gate::new();
        bench.world.twin.add_fault(Fault::on("*", "/**", FaultKind::Hold(gate.clone())).nth(number));
        let crash = async {
            cluster.crash_and_restart().await.unwrap();
            gate.open();
        };
        let (first, crashed) = disturb(Box::pin(selfext.promote(&change)), gate.arrived(1), crash).await;
        bench.world.twin.clear_faults();
        assert!(bench.complete(&selfext, &change, first, &point).await, "{point}: it was noticed");
        if !crashed {
            println!("{} requests", number - 1);
            assert!(number > 10, "only {} points were found", number - 1);
            break;
        }
    }
    bench.world.end().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL's programs on this machine, which a run in a container does not; CI runs it"]
async fn what_the_server_carried_out_before_it_crashed_is_there_and_not_done_again() {
    let (cluster, mut bench) = start().await;
    for number in 1..MANY {
        let point = format!("request {number} to the database");
        let change = bench.next_change();
        let selfext = bench.fresh_selfext().await;
        bench.proxy.hold_after(number);
        let (first, struck) =
            disturb(Box::pin(selfext.promote(&change)), bench.proxy.struck(), crash(&cluster, &bench)).await;
        bench.proxy.disarm();
        bench.complete(&selfext, &change, first, &point).await;
        if !struck {
            println!("{} requests", number - 1);
            assert!(number > 6, "only {} points were found", number - 1);
            break;
        }
    }
    bench.world.end().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL's programs on this machine, which a run in a container does not; CI runs it"]
async fn a_server_that_crashes_in_the_middle_of_a_statement_loses_nothing_and_doubles_nothing() {
    let (cluster, mut bench) = start().await;
    let crash = async |_: &mut PgConnection, _| cluster.crash_and_restart().await.unwrap();
    // Told, if the server is not back when the statement is sent once more.
    at_each_write(&mut bench, "a crash", None, crash).await;
    bench.world.end().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL's programs on this machine, which a run in a container does not; CI runs it"]
async fn an_answered_pause_and_an_answered_resume_hold_after_a_crash() {
    let (cluster, mut bench) = start().await;
    let change = bench.next_change();
    bench.world.operations.pause(&operator(), "incident", false).await.unwrap();
    cluster.crash_and_restart().await.unwrap();
    assert_eq!(reason(&bench.world.promote(&change).await), Some(Reason::PromotionPaused));
    bench.world.operations.resume(&operator(), None).await.unwrap();
    cluster.crash_and_restart().await.unwrap();
    promoted(&bench.world.promote(&change).await);
    bench.check_everything_landed("resumed").await;
    assert_eq!(control_events(&bench).await, 2);
    bench.world.end().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL's programs on this machine, which a run in a container does not; CI runs it"]
async fn what_was_answered_is_durable_also_where_the_database_does_not_wait_for_its_log() {
    let (cluster, mut bench) = start().await;
    let mut foreign = bench.foreign_session().await;
    execute(&mut foreign, "ALTER SYSTEM SET wal_writer_delay = '10s'").await;
    execute(&mut foreign, "ALTER SYSTEM SET synchronous_commit = off").await;
    execute(&mut foreign, "SELECT pg_reload_conf()").await;
    until("the setting holds", async || {
        let holds = "SELECT 1 WHERE current_setting('synchronous_commit') = 'off'";
        sqlx::query_scalar::<_, i32>(holds).fetch_optional(&mut foreign).await.unwrap()
    })
    .await;
    let change = bench.next_change();
    promoted(&bench.world.promote(&change).await);
    bench.world.operations.pause(&operator(), "incident", false).await.unwrap();
    cluster.crash_and_restart().await.unwrap();
    bench.check_everything_landed("without waiting for the log").await;
    let control = bench.operations.status(1).await.unwrap().control.unwrap();
    assert!(matches!(control, ControlState::Paused(_)), "the pause is forgotten");
    bench.world.end().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL's programs on this machine, which a run in a container does not; CI runs it"]
async fn a_crash_during_a_pause_or_a_resume_leaves_what_was_answered() {
    let (cluster, mut bench) = start().await;
    let change = bench.next_change();
    for pausing in [true, false] {
        // After each of its requests.
        for number in 1..MANY {
            let point = format!("request {number}, pausing: {pausing}");
            let switch = Switch::new(&bench, pausing).await;
            bench.proxy.hold_after(number);
            let (first, struck) = disturb(switch.ask(), bench.proxy.struck(), crash(&cluster, &bench)).await;
            bench.proxy.disarm();
            switch.check(&bench, first, &point).await;
            if !struck {
                println!("{} requests, pausing: {pausing}", number - 1);
                assert!(number > 2, "only {} points were found", number - 1);
                break;
            }
        }
        // While it waits for the control's lock.
        let switch = Switch::new(&bench, pausing).await;
        let mut foreign = bench.foreign_session().await;
        execute(&mut foreign, LOCK_CONTROL).await;
        let crashing = async {
            wait_for_a_lock(&mut bench.foreign_session().await).await;
            cluster.crash_and_restart().await.unwrap();
        };
        let (first, ()) = join!(switch.ask(), crashing);
        switch.check(&bench, first, &format!("waiting, pausing: {pausing}")).await;

        cluster.crash_and_restart().await.unwrap();
        let outcome = bench.world.promote(&change).await;
        assert_eq!(reason(&outcome) == Some(Reason::PromotionPaused), pausing, "{outcome:?}");
    }
    bench.check_everything_landed("resumed").await;
    bench.world.end().await;
}

/// Crashes the server while the proxy holds an answer of its, which then never comes.
async fn crash(cluster: &PrivateCluster, bench: &Bench) {
    cluster.crash_and_restart().await.unwrap();
    bench.proxy.cut_connections();
    bench.proxy.disarm();
}

/// One call to pause or to resume.
struct Switch {
    pausing: bool,
    /// Of its own, so that nothing is prepared on its connections.
    operations: Operations,
    events_before: usize,
}

impl Switch {
    async fn new(bench: &Bench, pausing: bool) -> Self {
        let operations = Operations::open(&DatabaseUrl::parse(bench.proxy.url()).unwrap()).await.unwrap();
        Self { pausing, operations, events_before: control_events(bench).await }
    }

    async fn ask(&self) -> Result<(), ControlError> {
        if self.pausing {
            self.operations.pause(&operator(), "incident", false).await.map(drop)
        } else {
            self.operations.resume(&operator(), None).await.map(drop)
        }
    }

    /// What was answered holds. Who got no answer asks again. No call is recorded twice.
    async fn check(&self, bench: &Bench, first: Result<(), ControlError>, point: &str) {
        let calls = match first {
            Ok(()) => 1,
            Err(ControlError::Unavailable(_)) => {
                self.ask().await.unwrap();
                2
            }
            Err(error) => panic!("{point}: {error}"),
        };
        let events = control_events(bench).await - self.events_before;
        assert!((1..=calls).contains(&events), "{point}: {events} events of {calls} calls");
        let control = bench.operations.status(1).await.unwrap().control.unwrap();
        assert_eq!(matches!(control, ControlState::Paused(_)), self.pausing, "{point}: {control:?}");
    }
}

async fn control_events(bench: &Bench) -> usize {
    bench.operations.stream_events(&StreamId::Control).await.unwrap().len()
}
