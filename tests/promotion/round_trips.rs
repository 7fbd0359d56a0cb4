//! A promotion's time is its round trips.

use selfext_contracts::{PgProxy, TestDatabase};

use crate::world::*;

/// The budget of one promotion of one text file whose checks are green.
const REQUESTS: usize = 14;
const ONE_AFTER_ANOTHER: usize = 9;
const DATABASE_ROUND_TRIPS: u64 = 8;

#[tokio::test]
async fn a_promotion_keeps_its_budget_of_round_trips() {
    let database = TestDatabase::create().await;
    let proxy = PgProxy::start(database.url()).await;
    let world = World::on_postgres_through(database, proxy.url()).await;
    // The first one also prepares the statements on the pool's connection.
    promoted(&world.promote(&change("second\n")).await);
    let cold = proxy.round_trips();
    proxy.reset();
    world.twin.clear_exchanges();
    // Long enough that requests which do not wait for one another overlap.
    world.twin.set_latency(std::time::Duration::from_millis(50));
    let outcome = world.promote(&change("third\n")).await;
    promoted(&outcome);
    let (requests, chain, round_trips) =
        (world.twin.exchanges().len(), world.twin.longest_chain(), proxy.round_trips());
    println!(
        "one promotion: {requests} requests, {chain} of them one after another, {round_trips} database round trips \
         (the first on a fresh pool, with connecting and preparing: {cold})"
    );
    assert!(requests <= REQUESTS, "{requests} requests");
    assert!(chain <= ONE_AFTER_ANOTHER, "{chain} one after another");
    assert!(round_trips <= DATABASE_ROUND_TRIPS, "{round_trips} database round trips");
    world.end().await;
}
