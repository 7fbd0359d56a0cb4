//! A Postgres server of one's own.

#![expect(clippy::unwrap_used, reason = "a test stops where something fails that it stands on")]

use selfext_contracts::PrivateCluster;
use sqlx::{Connection, Executor, PgConnection};

#[tokio::test]
#[ignore = "needs PostgreSQL's programs on this machine, which a run in a container does not; CI runs it"]
async fn a_crash_keeps_what_was_committed_and_stopping_leaves_nothing() {
    let cluster = PrivateCluster::start().await.unwrap();
    let mut before = PgConnection::connect(cluster.url()).await.unwrap();
    before.execute("CREATE TABLE kept AS SELECT 1 AS value").await.unwrap();

    cluster.crash_and_restart().await.unwrap();
    assert!(before.execute("SELECT 1").await.is_err());
    let mut after = PgConnection::connect(cluster.url()).await.unwrap();
    let value: i32 = sqlx::query_scalar("SELECT value FROM kept").fetch_one(&mut after).await.unwrap();
    assert_eq!(value, 1);

    let (url, data) = (cluster.url().to_owned(), cluster.data_folder());
    cluster.stop().await.unwrap();
    assert!(!data.exists());
    assert!(PgConnection::connect(&url).await.is_err());
}

#[tokio::test]
#[ignore = "needs PostgreSQL's programs on this machine, which a run in a container does not; CI runs it"]
async fn a_promoted_standby_has_what_it_replayed_and_lacks_what_came_after_the_cut() {
    let primary = PrivateCluster::start().await.unwrap();
    let mut before = PgConnection::connect(primary.url()).await.unwrap();
    before.execute("CREATE TABLE kept (value int)").await.unwrap();
    let standby = primary.standby().await.unwrap();
    before.execute("INSERT INTO kept VALUES (1)").await.unwrap();
    standby.caught_up().await.unwrap();
    let mut reader = PgConnection::connect(standby.url()).await.unwrap();
    assert_eq!(values(&mut reader).await, [1]);
    assert!(reader.execute("INSERT INTO kept VALUES (7)").await.is_err(), "a standby takes no writes");

    standby.cut_off().await.unwrap();
    before.execute("INSERT INTO kept VALUES (2)").await.unwrap();
    let (old_timeline, system) = (timeline(&mut before).await, system_identifier(&mut before).await);
    primary.kill().await.unwrap();
    standby.promote().await.unwrap();

    let mut after = PgConnection::connect(standby.url()).await.unwrap();
    assert_eq!(values(&mut after).await, [1]);
    after.execute("INSERT INTO kept VALUES (3)").await.unwrap();
    assert_ne!(timeline(&mut after).await, old_timeline);
    assert_eq!(system_identifier(&mut after).await, system, "both are one system, as the server counts");

    // The old primary knows nothing of it: it comes back on its own timeline, with what the standby lost.
    primary.crash_and_restart().await.unwrap();
    let mut old = PgConnection::connect(primary.url()).await.unwrap();
    assert_eq!(values(&mut old).await, [1, 2]);
    assert_eq!(timeline(&mut old).await, old_timeline);

    let data = standby.server().data_folder();
    drop(standby);
    assert!(!data.exists());
}

async fn values(connection: &mut PgConnection) -> Vec<i32> {
    sqlx::query_scalar("SELECT value FROM kept ORDER BY value").fetch_all(connection).await.unwrap()
}

/// The timeline that a primary writes on, as the names of its files tell it.
async fn timeline(connection: &mut PgConnection) -> String {
    let timeline = "SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)";
    sqlx::query_scalar(timeline).fetch_one(connection).await.unwrap()
}

async fn system_identifier(connection: &mut PgConnection) -> i64 {
    sqlx::query_scalar("SELECT system_identifier FROM pg_control_system()").fetch_one(connection).await.unwrap()
}
