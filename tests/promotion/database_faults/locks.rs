//! Somebody else's transaction holds what selfext has to lock.

use std::time::{Duration, Instant};

use futures::join;
use selfext::OperatorName;
use selfext_twin::{Fault, FaultKind, Gate};

use super::*;

/// What a begin of a merge, a pause and a resume lock.
pub(super) const LOCK_CONTROL: &str =
    "BEGIN; SELECT 1 FROM agent_state WHERE key = 'self_extension:promotion_control' FOR UPDATE";

/// How long the store lets a statement wait for one lock, and with some leave how long it lets one take altogether: where several
/// stand in line, a statement waits for one lock after another.
const ONE_LOCK: Duration = Duration::from_secs(10);
const ALTOGETHER: Duration = Duration::from_secs(18);

#[tokio::test]
async fn a_control_that_stays_locked_ends_a_promotion_a_pause_and_a_resume_in_bounded_time() {
    let mut bench = Bench::new().await;
    let change = bench.next_change();
    let selfext = bench.fresh_selfext().await;
    let mut foreign = bench.foreign_session().await;
    execute(&mut foreign, LOCK_CONTROL).await;
    let operator = OperatorName::parse("ops").unwrap();
    let begin = Instant::now();
    let (first, paused, resumed) = join!(
        selfext.promote(&change),
        bench.operations.pause(&operator, "incident", false),
        bench.operations.resume(&operator, None),
    );
    let took = begin.elapsed();
    println!("given up after {took:?}: {}", selfext_domain::error_chain(first.as_ref().unwrap_err()));
    assert!(took >= ONE_LOCK && took < ALTOGETHER, "{took:?}");
    assert!(matches!(paused, Err(ControlError::Unavailable(_))), "{paused:?}");
    assert!(matches!(resumed, Err(ControlError::Unavailable(_))), "{resumed:?}");
    foreign.close().await.unwrap();
    assert!(bench.operations.stream_events(&StreamId::Control).await.unwrap().is_empty(), "nothing was changed");
    assert!(!bench.complete(&selfext, &change, first, "a locked control").await, "a permit needs the control's lock");
    bench.world.end().await;
}

#[tokio::test]
async fn a_control_that_cannot_even_be_read_blocks_the_change_until_it_can() {
    let mut bench = Bench::new().await;
    let change = bench.next_change();
    let selfext = bench.fresh_selfext().await;
    let mut foreign = bench.foreign_session().await;
    execute(&mut foreign, "BEGIN; LOCK TABLE agent_state IN ACCESS EXCLUSIVE MODE").await;
    let cancelling = async {
        let mut session = bench.foreign_session().await;
        let waiting = wait_for_a_lock(&mut session).await;
        sqlx::query("SELECT pg_cancel_backend($1)").bind(waiting).execute(&mut session).await.unwrap();
    };
    let (first, ()) = join!(selfext.promote(&change), cancelling);
    assert_eq!(reason(first.as_ref().unwrap()), Some(Reason::ControlUnreadable));
    assert_eq!(bench.world.twin.pulls().await.len(), 0, "nothing was published");
    foreign.close().await.unwrap();
    assert!(!bench.complete(&selfext, &change, first, "an unreadable control").await);
    bench.world.end().await;
}

#[tokio::test]
async fn a_promotion_that_waits_for_a_short_lock_goes_on_behind_it() {
    let mut bench = Bench::new().await;
    let change = bench.next_change();
    let selfext = bench.fresh_selfext().await;
    let mut foreign = bench.foreign_session().await;
    execute(&mut foreign, LOCK_CONTROL).await;
    let freeing = async {
        wait_for_a_lock(&mut bench.foreign_session().await).await;
        execute(&mut foreign, "COMMIT").await;
    };
    let (first, ()) = join!(selfext.promote(&change), freeing);
    assert!(bench.complete(&selfext, &change, first, "a short lock").await);
    bench.world.end().await;
}

/// A foreign session holds the ledger's table and asks for the control; a begin of a merge holds the control and asks for the
/// ledger's table. The server ends one of the two, and here it is selfext.
#[tokio::test]
async fn a_begin_of_a_merge_that_loses_a_deadlock_is_told_and_completes_when_asked_again() {
    let mut bench = Bench::new().await;
    let change = bench.next_change();
    let selfext = bench.fresh_selfext().await;
    let gate = Gate::new();
    bench.world.twin.add_fault(Fault::on("POST", "/repos/*/*/statuses/*", FaultKind::Hold(gate.clone())));
    let deadlock = async {
        let [mut first, mut second, mut looking] =
            [bench.foreign_session().await, bench.foreign_session().await, bench.foreign_session().await];
        execute(&mut first, LOCK_CONTROL).await;
        // The server looks for a deadlock from the session that has waited this long, and ends that one.
        execute(&mut second, "SET deadlock_timeout = '1min'").await;
        execute(&mut second, "BEGIN; LOCK TABLE self_extension_events IN SHARE MODE").await;
        gate.open();
        wait_for_a_lock(&mut looking).await;
        let ending = async {
            // The second stands in line behind selfext when the first makes way.
            wait_for_foreign_lock(&mut looking).await;
            execute(&mut first, "COMMIT").await;
        };
        join!(execute(&mut second, &LOCK_CONTROL["BEGIN; ".len()..]), ending);
        execute(&mut second, "COMMIT").await;
    };
    let (first, reached) = disturb(Box::pin(selfext.promote(&change)), gate.arrived(1), deadlock).await;
    assert!(reached, "{first:?}");
    let told = selfext_domain::error_chain(first.as_ref().unwrap_err());
    assert!(told.contains("deadlock"), "{told}");
    assert!(!bench.complete(&selfext, &change, first, "a deadlock").await);
    bench.world.end().await;
}

async fn wait_for_foreign_lock(session: &mut PgConnection) {
    let waits = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
                 AND backend_type = 'client backend' AND application_name <> 'selfext' AND wait_event_type = 'Lock')";
    until("a foreign session waits for a lock", async || {
        let waits: bool = sqlx::query_scalar(waits).fetch_one(&mut *session).await.unwrap();
        waits.then_some(())
    })
    .await;
}
