//! A Postgres server of one's own.

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
