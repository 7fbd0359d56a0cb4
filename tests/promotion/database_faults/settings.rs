//! Somebody changed how the database behaves for those who do not say otherwise.

use super::*;

/// Changes a setting of the database, and cuts all connections so that it holds for the next ones.
async fn set(bench: &Bench, setting: &str) {
    let mut foreign = bench.foreign_session().await;
    execute(&mut foreign, "SET default_transaction_read_only = off").await;
    let database: String = sqlx::query_scalar("SELECT current_database()").fetch_one(&mut foreign).await.unwrap();
    execute(&mut foreign, &format!(r#"ALTER DATABASE "{database}" {setting}"#)).await;
    bench.proxy.cut_connections();
}

#[tokio::test]
async fn decisions_are_made_in_read_committed_whatever_the_database_sets() {
    let mut bench = Bench::new().await;
    for isolation in ["repeatable read", "serializable"] {
        set(&bench, &format!("SET default_transaction_isolation = '{isolation}'")).await;
        let found: String = sqlx::query_scalar("SHOW transaction_isolation")
            .fetch_one(&mut bench.foreign_session().await)
            .await
            .unwrap();
        assert_eq!(found, isolation, "it holds for others");
        let change = bench.next_change();
        let selfext = bench.fresh_selfext().await;
        let first = selfext.promote(&change).await;
        assert!(bench.complete(&selfext, &change, first, isolation).await);
    }
    bench.world.end().await;
}

#[tokio::test]
async fn a_permit_is_refused_in_any_other_isolation() {
    let bench = Bench::new().await;
    let mut session = bench.foreign_session().await;
    for isolation in ["repeatable read", "serializable"] {
        execute(&mut session, &format!("SET default_transaction_isolation = '{isolation}'")).await;
        let asked = sqlx::query(
            "SELECT public.self_extension_begin_merge(gen_random_uuid(), 'r', '{}', 1, NULL, 'o/agent', 'main', 1)",
        );
        let refused = asked.execute(&mut session).await.unwrap_err();
        assert!(refused.to_string().contains("read committed"), "{refused}");
    }
    bench.world.end().await;
}

#[tokio::test]
async fn a_database_that_takes_no_writes_is_told_and_the_run_goes_on_when_it_does() {
    let mut bench = Bench::new().await;
    let change = bench.next_change();
    let selfext = bench.fresh_selfext().await;
    set(&bench, "SET default_transaction_read_only = on").await;
    let told = selfext_domain::error_chain(&selfext.promote(&change).await.unwrap_err());
    assert!(told.contains("ledger") && told.contains("read-only"), "{told}");
    assert_eq!(bench.operations.status(10).await.unwrap().latest.len(), 0);
    assert!(bench.world.twin.exchanges().is_empty(), "nothing was asked of the forge");

    set(&bench, "RESET default_transaction_read_only").await;
    let first = selfext.promote(&change).await;
    assert!(bench.complete(&selfext, &change, first, "writes again").await);
    bench.world.end().await;
}
