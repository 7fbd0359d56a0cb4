//! A fresh database for each test, on a real server.

#![expect(clippy::unwrap_used, reason = "a test stops where something fails that it stands on")]

use std::{fs, path::Path};

use selfext_contracts::TestDatabase;
use sqlx::{Connection, PgConnection};

fn migrations(sql: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in sql {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.unwrap()
}

async fn count(url: &str, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(&mut connect(url).await).await.unwrap()
}

async fn databases_named(server_url: &str, name: &str) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM pg_database WHERE datname = $1")
        .bind(name)
        .fetch_one(&mut connect(server_url).await)
        .await
        .unwrap()
}

#[tokio::test]
async fn each_test_has_the_migrated_tables_for_itself() {
    let folder = migrations(&[
        ("0001_things.sql", "CREATE TABLE things (id int);"),
        ("0002_more.sql", "INSERT INTO things VALUES (1), (2);"),
    ]);
    let first = TestDatabase::create_with(folder.path()).await;
    let second = TestDatabase::create_with(folder.path()).await;
    assert_ne!(first.name(), second.name());

    sqlx::raw_sql("DELETE FROM things").execute(&mut connect(first.url()).await).await.unwrap();
    let things = "SELECT count(*) FROM things";
    assert_eq!(count(first.url(), things).await, 0);
    assert_eq!(count(second.url(), things).await, 2);
}

#[tokio::test]
async fn a_changed_migration_is_never_hidden_by_an_old_template() {
    let value = "SELECT value FROM constant";
    for (sql, expected) in [
        ("CREATE TABLE constant AS SELECT 1::bigint AS value;", 1),
        ("CREATE TABLE constant AS SELECT 2::bigint AS value;", 2),
    ] {
        let folder = migrations(&[("0001_constant.sql", sql)]);
        let database = TestDatabase::create_with(folder.path()).await;
        assert_eq!(count(database.url(), value).await, expected);
    }
}

#[tokio::test]
async fn many_at_once_share_one_template() {
    let folder = migrations(&[("0001_shared.sql", "CREATE TABLE shared AS SELECT 7 AS n;")]);
    let databases = futures::future::join_all((0..8).map(|_| TestDatabase::create_with(folder.path()))).await;
    for database in databases {
        assert_eq!(count(database.url(), "SELECT count(*) FROM shared").await, 1);
    }
}

#[tokio::test]
async fn a_missing_folder_of_migrations_makes_a_database_without_tables_of_ours() {
    let database = TestDatabase::create_with(Path::new("/does/not/exist")).await;
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'selfext_migrations'";
    assert_eq!(count(database.url(), tables).await, 0);
}

#[tokio::test]
async fn an_empty_database_holds_nothing() {
    let database = TestDatabase::empty().await;
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(count(database.url(), tables).await, 0);
}

#[tokio::test]
async fn a_failing_migration_fails_each_time_and_leaves_no_template() {
    let folder = migrations(&[("0001_wrong.sql", "CREATE TABEL wrong ();")]);
    for _ in 0..2 {
        let path = folder.path().to_owned();
        let made = tokio::spawn(TestDatabase::create_with(path)).await;
        let panic = made.expect_err("the migration fails").into_panic();
        let message = panic.downcast_ref::<String>().expect("a message");
        assert!(message.contains("the migrations fail"), "{message}");
    }
}

#[tokio::test]
async fn dropping_ends_open_connections_and_removes_the_database() {
    let (explicit, implicit) = (TestDatabase::empty().await, TestDatabase::empty().await);
    let server = explicit.server_url().to_owned();
    let names = [explicit.name().to_owned(), implicit.name().to_owned()];
    let _left_open = (connect(explicit.url()).await, connect(implicit.url()).await);

    explicit.drop().await;
    drop(implicit);
    for name in names {
        assert_eq!(databases_named(&server, &name).await, 0);
    }
}
