//! The database fails over to a standby that lacks its last commits. Each test has servers of its own.

use selfext::{
    ControlError, DatabaseUrl, History, Operations, OperatorName, Outcome, PromoteError, Reason, Selfext, Silent,
};
use selfext_contracts::{PrivateCluster, Standby};
use selfext_twin::{Fault, FaultKind, Gate};
use tokio::task::JoinHandle;

use crate::world::*;

/// A world on a primary, and its standby.
struct Pair {
    primary: PrivateCluster,
    standby: Standby,
    world: World,
}

impl Pair {
    async fn start() -> Self {
        let primary = PrivateCluster::start().await.unwrap();
        let world = World::on_server_through(primary.url(), primary.url()).await;
        let standby = primary.standby().await.unwrap();
        Self { primary, standby, world }
    }

    /// What is committed from here on is lost by the failover.
    async fn begin_to_lose(&self) {
        self.standby.caught_up().await.unwrap();
        self.standby.cut_off().await.unwrap();
    }

    /// Begins a promotion, and loses everything that it records from its permit on; answers it and the gate at its merge.
    async fn merge_and_lose(&self, kind: fn(Gate) -> FaultKind) -> (JoinHandle<Result<Outcome, PromoteError>>, Gate) {
        let (evidence, merge) = (Gate::new(), Gate::new());
        self.world.twin.add_fault(Fault::on("POST", "/repos/*/*/statuses/*", FaultKind::Hold(evidence.clone())));
        self.world.twin.add_fault(Fault::on("PUT", "/repos/*/*/pulls/*/merge", kind(merge.clone())));
        let selfext = self.world.selfext.clone();
        let promotion = tokio::spawn(async move { selfext.promote(&change("second\n")).await });
        evidence.arrived(1).await;
        self.begin_to_lose().await;
        evidence.open();
        merge.arrived(1).await;
        (promotion, merge)
    }

    /// The standby takes over: what operators and a new process see from then on.
    async fn fail_over(&self) -> (Operations, Selfext) {
        self.primary.kill().await.unwrap();
        self.standby.promote().await.unwrap();
        let url = DatabaseUrl::parse(self.standby.url()).unwrap();
        let cache = self.world.folder().join("other-cache");
        let selfext = open(&self.world.api(), &self.world.bare, cache, url.clone()).await;
        (Operations::open(&url).await.unwrap(), selfext)
    }
}

fn operator() -> OperatorName {
    OperatorName::parse("ops").unwrap()
}

/// The history that an operator would accept.
async fn found_history(operations: &Operations) -> History {
    match operations.resume(&operator(), None).await {
        Err(ControlError::HistoryChanged(change)) => change.found.unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL's programs on this machine, which a run in a container does not; CI runs it"]
async fn a_pause_that_a_failover_lost_still_holds_until_an_operator_accepts_the_new_history() {
    let pair = Pair::start().await;
    pair.begin_to_lose().await;
    assert!(pair.world.operations.pause(&operator(), "incident", false).await.unwrap().nothing_can_merge());
    let (operations, selfext) = pair.fail_over().await;
    let blocked = selfext.promote(&change("second\n")).await.unwrap();
    assert_eq!(reason(&blocked), Some(Reason::HistoryChanged));
    assert!(matches!(operations.status(1).await.unwrap().control, Err(ControlError::HistoryChanged(_))));
    let history = found_history(&operations).await;
    operations.accept_history(&operator(), None, history).await.unwrap();
    promoted(&selfext.promote(&change("second\n")).await.unwrap());
    pair.world.end_disturbed().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL's programs on this machine, which a run in a container does not; CI runs it"]
async fn a_merge_whose_permit_a_failover_lost_cannot_land_in_a_pause_after_a_sweep() {
    let pair = Pair::start().await;
    let (first, merge) = pair.merge_and_lose(FaultKind::Hold).await;
    let (operations, selfext) = pair.fail_over().await;

    // The ledger shows no permit, and the pause does not say that nothing can merge.
    let answer = operations.pause(&operator(), "failover", false).await.unwrap();
    assert!(answer.in_flight.is_empty() && answer.history.is_some() && !answer.nothing_can_merge());
    let sweep = selfext.sweep(&operator(), &Silent).await.unwrap();
    assert!(sweep.is_complete() && sweep.branches.len() == 1, "{sweep:?}");
    let history = found_history(&operations).await;
    operations.accept_history(&operator(), None, history).await.unwrap();
    assert!(operations.pause(&operator(), "to be sure", false).await.unwrap().nothing_can_merge());

    // Now the lost permit's request arrives.
    let tip = pair.world.main_tip();
    merge.open();
    assert!(first.await.unwrap().is_err(), "the ledger that the first process knew is gone");
    assert_eq!(pair.world.main_tip(), tip, "nothing landed in the pause");
    operations.resume(&operator(), None).await.unwrap();
    promoted(&selfext.promote(&change("second\n")).await.unwrap());
    assert_eq!(pair.world.git(&["rev-list", "--count", "main"]), "2");
    pair.world.end_disturbed().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL's programs on this machine, which a run in a container does not; CI runs it"]
async fn a_merge_that_landed_before_a_failover_lost_its_events_is_recorded_and_not_made_again() {
    let pair = Pair::start().await;
    let (first, merge) = pair.merge_and_lose(FaultKind::HoldAnswer).await;
    let (operations, selfext) = pair.fail_over().await;
    merge.open();
    assert!(first.await.unwrap().is_err(), "the ledger that the first process knew is gone");

    let blocked = selfext.promote(&change("second\n")).await.unwrap();
    assert_eq!(
        reason(&blocked),
        Some(Reason::HistoryChanged),
        "nothing is recorded as landed in an unaccepted history"
    );
    let history = found_history(&operations).await;
    operations.accept_history(&operator(), None, history).await.unwrap();
    let outcome = selfext.promote(&change("second\n")).await.unwrap();
    assert_eq!(promoted(&outcome), pair.world.main_tip());
    assert_eq!(pair.world.git(&["rev-list", "--count", "main"]), "2", "one merge");
    assert_eq!(pair.world.twin.pulls().await.len(), 1, "one pull request");
    let types: Vec<_> = operations.stream_events(&outcome.run.into()).await.unwrap();
    let types: Vec<_> = types.iter().map(|event| event.event.body.event_type()).collect();
    assert_eq!(types, ["proposed", "tested", "tested", "promotion_blocked", "tested", "merge_started", "promoted"]);
    pair.world.end_disturbed().await;
}
