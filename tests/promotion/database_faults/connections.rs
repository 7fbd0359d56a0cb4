//! Connections to the database are cut.

use std::cell::Cell;
use std::convert::Infallible;
use std::future;

use futures::{FutureExt as _, join};
use selfext_contracts::PgProxy;
use selfext_twin::{Fault, FaultKind, Gate};

use super::*;

/// At every request of a promotion to the database, in turn. A process that has just opened its ledger promotes, so that
/// preparing each statement is a point as well. `is_noticed` says whether the promotion has to tell of the fault.
async fn at_every_request(arm: fn(&PgProxy, u64), is_noticed: bool) {
    let mut bench = Bench::new().await;
    for number in 1..MANY {
        let point = format!("request {number}");
        let change = bench.next_change();
        let selfext = bench.fresh_selfext().await;
        arm(&bench.proxy, number);
        let first = selfext.promote(&change).await;
        let struck = bench.proxy.struck().now_or_never().is_some();
        bench.proxy.disarm();
        let completed = bench.complete(&selfext, &change, first, &point).await;
        assert_eq!(completed, !(struck && is_noticed), "{point}");
        if !struck {
            println!("{} requests", number - 1);
            assert!(number > 6, "only {} points were found", number - 1);
            bench.world.end().await;
            return;
        }
    }
    panic!("the promotion did not end");
}

#[tokio::test]
async fn a_connection_that_is_cut_before_any_request_is_not_noticed() {
    at_every_request(PgProxy::kill_before, false).await;
}

#[tokio::test]
async fn a_connection_that_is_cut_after_any_request_is_not_noticed() {
    at_every_request(PgProxy::kill_after, false).await;
}

#[tokio::test]
async fn a_database_that_goes_away_before_any_request_is_told_and_the_run_goes_on_when_it_is_back() {
    at_every_request(PgProxy::go_down_before, true).await;
}

#[tokio::test]
async fn a_database_that_goes_away_after_any_request_is_told_and_the_run_goes_on_when_it_is_back() {
    at_every_request(PgProxy::go_down_after, true).await;
}

/// More requests than two promotions of different changes make together on a machine that is not busy. On a busy one they wait
/// for each other, and ask more often.
pub(super) const MANY_REQUESTS: u32 = 300;

/// Cuts all connections to the database while each of these requests to the forge waits, one request after another. What is
/// asked after the last of them is left in peace.
async fn cut_at_requests(bench: &Bench, first: u32, stride: u32, cuts: &Cell<u32>) -> Infallible {
    let twin = &bench.world.twin;
    let mut gates = Vec::new();
    for number in (first..MANY_REQUESTS).step_by(stride as usize) {
        let gate = Gate::new();
        twin.add_fault(Fault::on("*", "/**", FaultKind::Hold(gate.clone())).nth(number));
        gates.push(gate);
    }
    for gate in gates {
        gate.arrived(1).await;
        bench.proxy.cut_connections();
        cuts.set(cuts.get() + 1);
        gate.open();
    }
    future::pending().await
}

/// Asks for a change until it is promoted, whatever the database does meanwhile. Answers also how often that was told not to
/// have worked.
async fn insist(selfext: &Selfext, change: &ChangeSet, point: &str) -> (Outcome, u32) {
    for told in 0..20 {
        if let Some(outcome) = completed_or_told(selfext.promote(change).await, point) {
            return (outcome, told);
        }
    }
    panic!("{point}: it never comes to an end");
}

#[tokio::test]
async fn cutting_all_connections_during_two_promotions_ends_neither_of_them() {
    let mut bench = Bench::new().await;
    let other = bench.other_selfext().await;
    for (first, stride) in [(1, 1), (1, 2), (2, 2), (1, 3), (2, 3), (3, 3)] {
        let point = format!("every {stride} requests from number {first} on");
        let changes = [bench.next_change(), bench.next_change()];
        let cuts = Cell::new(0);
        let both =
            async { join!(insist(&bench.world.selfext, &changes[0], &point), insist(&other, &changes[1], &point)) };
        // The end of the promotions ends the cutting.
        let (one, two) = tokio::select! {
            both = both => both,
            never = cut_at_requests(&bench, first, stride, &cuts) => match never {},
        };
        bench.world.twin.clear_faults();
        println!("{point}: {} cuts, told {} and {} times", cuts.get(), one.1, two.1);
        assert!(cuts.get() >= 20 / stride, "{point}: only {} cuts", cuts.get());
        bench.check_landed_once(&one.0, bench.changes - 1, &point).await;
        bench.check_landed_once(&two.0, bench.changes, &point).await;
        bench.check_everything_landed(&point).await;
    }
    bench.world.end().await;
}
