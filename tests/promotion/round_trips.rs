//! A promotion's time is its round trips.

use std::time::Duration;

use selfext::{ChangeSet, FileChange};
use selfext_contracts::{PgProxy, TestDatabase};
use selfext_twin::{Fault, FaultKind};

use crate::world::*;

/// What one promotion whose checks are green may ask the forge: how often, and how often one after another.
struct Budget {
    requests: usize,
    one_after_another: usize,
}

/// The base's head, the mutation, the evidence beside the survey, the merge, what landed.
const USUAL: Budget = Budget { requests: 11, one_after_another: 5 };

/// Published already: the base's head beside what is published, the evidence beside the survey, the merge, what landed.
const RESUMED: Budget = Budget { requests: 13, one_after_another: 4 };

/// Of what GraphQL cannot make: tree, commit, branch and pull request instead of the mutation.
const STEP_BY_STEP: Budget = Budget { requests: 14, one_after_another: 8 };

const DATABASE_ROUND_TRIPS: u64 = 8;

/// Long enough that requests which do not wait for one another overlap.
const LATENCY: Duration = Duration::from_millis(50);

impl Budget {
    fn check(&self, world: &World, what: &str) {
        let (requests, chain) = (world.twin.exchanges().len(), world.twin.longest_chain());
        println!("{what}: {requests} requests, {chain} of them one after another");
        assert!(requests <= self.requests, "{what}: {requests} requests");
        assert!(chain <= self.one_after_another, "{what}: {chain} one after another");
    }
}

fn executable(text: &str) -> ChangeSet {
    let file = FileChange::Write { content: text.as_bytes().into(), executable: Some(true) };
    builder("Say why").file(path("run"), file).build().unwrap()
}

#[tokio::test]
async fn a_promotion_keeps_its_budget_of_round_trips() {
    let database = TestDatabase::create().await;
    let proxy = PgProxy::start(database.url()).await;
    let world = World::on_postgres_through(database, proxy.url(), RULES).await;
    // The first one also prepares the statements on the pool's connection, and reads what the repository is.
    promoted(&world.promote(&change("second\n")).await);
    let cold = proxy.round_trips();
    proxy.reset();
    world.twin.clear_exchanges();
    world.twin.set_latency(LATENCY);
    let outcome = world.promote(&change("third\n")).await;
    promoted(&outcome);
    let round_trips = proxy.round_trips();
    USUAL.check(&world, "one promotion");
    println!(
        "one promotion: {round_trips} database round trips (the first on a fresh pool, with connecting and preparing: {cold})"
    );
    assert!(round_trips <= DATABASE_ROUND_TRIPS, "{round_trips} database round trips");

    world.twin.clear_exchanges();
    promoted(&world.promote(&executable("fourth\n")).await);
    STEP_BY_STEP.check(&world, "one promotion with an executable file");
    world.end().await;
}

#[tokio::test]
async fn what_the_repository_is_costs_no_round_trip() {
    let world = World::new(Backend::Sqlite).await;
    world.twin.set_latency(LATENCY);
    promoted(&world.promote(&change("second\n")).await);
    let first = Budget { requests: USUAL.requests + 1, ..USUAL };
    first.check(&world, "the first promotion of a process");
    world.end().await;
}

#[tokio::test]
async fn a_check_run_costs_an_app_no_round_trip() {
    let world = World::as_app(Backend::Sqlite).await;
    promoted(&world.promote(&change("second\n")).await);
    world.twin.clear_exchanges();
    world.twin.set_latency(LATENCY);
    promoted(&world.promote(&change("third\n")).await);
    USUAL.check(&world, "one promotion of an App's");
    let asked = world.twin.exchanges();
    assert_eq!(asked.iter().filter(|asked| asked.path_and_query.ends_with("/check-runs")).count(), 1);
    assert!(asked.iter().all(|asked| !asked.path_and_query.contains("/statuses/")));
    world.twin.clear_exchanges();
    promoted(&world.promote(&executable("fourth\n")).await);
    STEP_BY_STEP.check(&world, "one promotion of an App's with an executable file");
    world.end().await;
}

#[tokio::test]
async fn another_process_that_takes_an_apps_run_over_finds_its_check_run_with_one_round_trip_more() {
    let world = World::as_app(Backend::Sqlite).await;
    let url = world.ledger_url().parse().unwrap();
    let other = unopened_as_app(&world.api(), &world.bare, world.folder().join("other-cache"), url);
    let other = other.open().await.unwrap();
    // It has its token, and knows which repository it is.
    promoted(&other.promote(&change("second\n")).await.unwrap());
    let refused = FaultKind::Answer { status: 502, headers: Vec::new(), body: "no".into() };
    world.twin.add_fault(Fault::on("GET", "/repos/*/*/commits/*/status", refused));
    assert!(reason(&world.promote(&change("third\n")).await).is_some());
    world.twin.clear_exchanges();
    world.twin.set_latency(LATENCY);
    promoted(&other.promote(&change("third\n")).await.unwrap());
    let budget = Budget { requests: RESUMED.requests + 1, one_after_another: RESUMED.one_after_another + 1 };
    budget.check(&world, "one resumed promotion of an App's");
    let asked = world.twin.exchanges();
    let sent = |method: &str| {
        let of =
            |asked: &&selfext_twin::Exchange| asked.method == method && asked.path_and_query.contains("/check-runs");
        asked.iter().filter(of).count()
    };
    assert_eq!((sent("POST"), sent("PATCH")), (0, 1));
    world.end().await;
}

#[tokio::test]
async fn a_resumed_promotion_takes_fewer_round_trips() {
    for change in [change("second\n"), executable("second\n")] {
        let world = World::new(Backend::Sqlite).await;
        // Published, and then the forge does not answer.
        let refused = FaultKind::Answer { status: 502, headers: Vec::new(), body: "no".into() };
        world.twin.add_fault(Fault::on("GET", "/repos/*/*/commits/*/status", refused));
        assert!(reason(&world.promote(&change).await).is_some());
        let other = world.another_selfext().await;
        world.twin.clear_exchanges();
        world.twin.set_latency(LATENCY);
        promoted(&other.promote(&change).await.unwrap());
        RESUMED.check(&world, "one resumed promotion");
        assert_eq!(world.twin.pulls().await.len(), 1);
        world.end().await;
    }
}
