use std::time::Duration;

use sqlx::{Connection, Executor, PgConnection};
use tokio::time::timeout;

use super::PgProxy;
use crate::TestDatabase;

/// A table with one number in it, and a connection through a proxy to change it.
struct World {
    database: TestDatabase,
    proxy: PgProxy,
    connection: PgConnection,
}

impl World {
    async fn new() -> Self {
        let database = TestDatabase::empty().await;
        let mut direct = PgConnection::connect(database.url()).await.unwrap();
        direct.execute("CREATE TABLE counter AS SELECT 0 AS value").await.unwrap();
        let proxy = PgProxy::start(database.url()).await;
        let connection = PgConnection::connect(proxy.url()).await.unwrap();
        proxy.reset();
        Self { database, proxy, connection }
    }

    async fn value(&self) -> i32 {
        value_in(&self.database).await
    }
}

/// Looks past the proxy.
async fn value_in(database: &TestDatabase) -> i32 {
    let mut direct = PgConnection::connect(database.url()).await.unwrap();
    sqlx::query_scalar("SELECT value FROM counter").fetch_one(&mut direct).await.unwrap()
}

/// One simple query, one round trip.
const ADD_ONE: &str = "UPDATE counter SET value = value + 1";

#[tokio::test]
async fn simple_queries_and_syncs_are_counted_and_a_prepared_statement_costs_one_less() {
    let mut world = World::new().await;
    let (proxy, connection) = (&world.proxy, &mut world.connection);
    connection.execute(ADD_ONE).await.unwrap();
    assert_eq!(proxy.round_trips(), 1);

    proxy.reset();
    for expected in [2, 3] {
        let _: i32 =
            sqlx::query_scalar("SELECT value + $1 FROM counter").bind(1).fetch_one(&mut *connection).await.unwrap();
        assert_eq!(proxy.round_trips(), expected);
    }

    proxy.reset();
    let mut transaction = connection.begin().await.unwrap();
    transaction.execute(ADD_ONE).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(proxy.round_trips(), 3);
}

#[tokio::test]
async fn a_lost_request_is_never_carried_out_and_new_connections_work() {
    let mut world = World::new().await;
    world.proxy.kill_before(2);
    world.connection.execute(ADD_ONE).await.unwrap();
    assert!(world.connection.execute(ADD_ONE).await.is_err());
    world.proxy.struck().await;
    assert_eq!(world.value().await, 1);

    let mut next = PgConnection::connect(world.proxy.url()).await.unwrap();
    next.execute(ADD_ONE).await.unwrap();
    assert_eq!(world.value().await, 2);
}

#[tokio::test]
async fn a_lost_request_of_the_extended_protocol_is_lost_whole() {
    let mut world = World::new().await;
    let add = || sqlx::query("UPDATE counter SET value = value + $1").bind(1);
    add().execute(&mut world.connection).await.unwrap();
    world.proxy.kill_before(1);
    assert!(add().execute(&mut world.connection).await.is_err());
    assert_eq!(world.value().await, 1);
}

#[tokio::test]
async fn a_request_whose_answer_is_lost_was_carried_out() {
    let mut world = World::new().await;
    world.proxy.kill_after(1);
    assert!(world.connection.execute(ADD_ONE).await.is_err());
    assert_eq!(world.value().await, 1);
}

#[tokio::test]
async fn a_lost_commit_is_a_commit_where_only_its_answer_was_lost() {
    for (kept, lose) in [(0, PgProxy::kill_before as fn(&PgProxy, u64)), (1, PgProxy::kill_after)] {
        let mut world = World::new().await;
        let mut transaction = world.connection.begin().await.unwrap();
        transaction.execute(ADD_ONE).await.unwrap();
        lose(&world.proxy, 1);
        assert!(transaction.commit().await.is_err());
        assert_eq!(world.value().await, kept);
    }
}

#[tokio::test]
async fn a_held_request_reaches_the_server_when_it_is_let_through() {
    let mut world = World::new().await;
    world.proxy.hold_before(1);
    let connection = &mut world.connection;
    let mut add = Box::pin(connection.execute(ADD_ONE));
    tokio::select! {
        _ = &mut add => panic!("the request was not held"),
        () = world.proxy.struck() => {}
    }
    assert_eq!(value_in(&world.database).await, 0);
    world.proxy.disarm();
    add.await.unwrap();
    assert_eq!(value_in(&world.database).await, 1);
}

#[tokio::test]
async fn a_held_answer_reaches_the_client_when_it_is_let_through() {
    let mut world = World::new().await;
    world.proxy.hold_after(1);
    let connection = &mut world.connection;
    let mut add = Box::pin(connection.execute(ADD_ONE));
    tokio::select! {
        _ = &mut add => panic!("the answer was not held"),
        () = world.proxy.struck() => {}
    }
    assert_eq!(value_in(&world.database).await, 1);
    world.proxy.disarm();
    add.await.unwrap();
    world.connection.execute(ADD_ONE).await.unwrap();
    assert_eq!(world.value().await, 2);
}

#[tokio::test]
async fn all_connections_are_cut_and_new_ones_are_taken() {
    let mut world = World::new().await;
    let mut second = PgConnection::connect(world.proxy.url()).await.unwrap();
    world.proxy.cut_connections();
    assert!(world.connection.execute(ADD_ONE).await.is_err());
    assert!(second.execute(ADD_ONE).await.is_err());

    let mut third = PgConnection::connect(world.proxy.url()).await.unwrap();
    third.execute(ADD_ONE).await.unwrap();
    assert_eq!(world.value().await, 1);
}

#[tokio::test]
async fn a_server_that_went_down_stays_out_of_reach_until_it_is_brought_back() {
    for (kept, go_down) in [(0, PgProxy::go_down_before as fn(&PgProxy, u64)), (1, PgProxy::go_down_after)] {
        let mut world = World::new().await;
        let mut second = PgConnection::connect(world.proxy.url()).await.unwrap();
        go_down(&world.proxy, 1);
        assert!(world.connection.execute(ADD_ONE).await.is_err());
        assert!(second.execute(ADD_ONE).await.is_err());
        assert!(PgConnection::connect(world.proxy.url()).await.is_err());
        assert_eq!(world.value().await, kept);

        world.proxy.disarm();
        let mut third = PgConnection::connect(world.proxy.url()).await.unwrap();
        third.execute(ADD_ONE).await.unwrap();
        assert_eq!(world.value().await, kept + 1);
    }
}

#[tokio::test]
async fn a_fault_that_was_taken_back_does_not_strike() {
    let mut world = World::new().await;
    world.proxy.kill_before(1);
    world.proxy.disarm();
    world.connection.execute(ADD_ONE).await.unwrap();
    let waiting = timeout(Duration::ZERO, world.proxy.struck()).await;
    assert!(waiting.is_err());
}
