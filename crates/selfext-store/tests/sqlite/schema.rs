//! Files that are new, and files whose schema is not what this binary needs.

use std::path::Path;

use futures::future::join_all;
use selfext_contracts::TempSqlite;
use selfext_contracts::ledger::{LedgerFixture, Story, earlier_lives, stand_as_they_ended};
use selfext_domain::{ControlState, Link};
use selfext_store::{DatabaseUrl, SchemaState, Store, StoreError};
use sqlx::ConnectOptions as _;
use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteConnectOptions;

use crate::fixture::SqliteFixture;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_that_open_a_new_file_at_once_share_one_ledger() {
    for _ in 0..5 {
        let file = TempSqlite::new();
        let path = file.folder().join("a new folder/ledger.db");
        let stores = join_all((0..6).map(|_| {
            let path = path.clone();
            tokio::spawn(async move { Store::open_sqlite_or_create(&path).await.unwrap() })
        }))
        .await;
        for (number, store) in stores.iter().enumerate() {
            Story::new(&format!("run {number}")).begin(&store.as_ref().unwrap().ledger()).await;
        }
        assert_eq!(stores[0].as_ref().unwrap().ledger().open_runs().await.unwrap().len(), 6);
    }
}

#[tokio::test]
async fn a_file_is_made_and_migrated_at_first_use() {
    let file = TempSqlite::new();
    let url = DatabaseUrl::parse(file.url()).unwrap();
    let opened = Store::open(&url).await.unwrap();
    assert_eq!(opened.schema_state().await.unwrap(), SchemaState::Unmigrated);
    let connected = Store::connect(&url).await.unwrap();
    assert!(matches!(connected.schema_state().await.unwrap(), SchemaState::Current { .. }));
    assert_eq!(connected.control().read().await.unwrap(), ControlState::Running);
}

#[tokio::test]
async fn an_unmigrated_file_refuses_everything() {
    let file = TempSqlite::new();
    let store = Store::open(&DatabaseUrl::sqlite(file.path())).await.unwrap();
    assert!(store.control().read().await.is_err());
    assert!(store.ledger().open_runs().await.is_err());
    assert!(store.ledger().propose(&Story::new("run 1").proposed(), None).await.is_err());
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_not_migrated() {
    let fixture = SqliteFixture::start().await;
    let later = "INSERT INTO selfext_migrations (version, description, success, checksum, execution_time)
                 VALUES (4711, 'later', true, x'', 0)";
    fixture.sql(later).await.unwrap();
    let error = Store::open_sqlite_or_create(&fixture.file.path()).await.unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 4711, .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("4711") && text.contains("use a newer selfext"), "{text}");
    assert!(matches!(fixture.store.migrate().await, Err(StoreError::Newer { .. })));
}

#[tokio::test]
async fn a_file_that_is_no_database_is_left_alone() {
    let file = TempSqlite::new();
    let text = "this is somebody's diary\n".repeat(100);
    std::fs::write(file.path(), &text).unwrap();
    let error = Store::open_sqlite_or_create(&file.path()).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    assert_eq!(std::fs::read_to_string(file.path()).unwrap(), text);
}

#[tokio::test]
async fn a_ledger_from_before_health_windows_tells_how_its_branches_stand() {
    let file = TempSqlite::new();
    let options = SqliteConnectOptions::new().filename(file.path()).create_if_missing(true);
    let mut by_hand = options.connect().await.unwrap();
    let mut migrator = Migrator::new(Path::new("../../migrations/sqlite")).await.unwrap();
    migrator.migrations.to_mut().retain(|migration| migration.version < 8);
    migrator.table_name = "selfext_migrations".into();
    migrator.run(&mut by_hand).await.unwrap();
    let lives = earlier_lives();
    for life in &lives {
        let mut last = Link::GENESIS;
        for (event, sequence) in life.events.iter().zip(1_i64..) {
            let content = event.to_content().unwrap();
            let link = Link::new(last, content.as_bytes());
            let insert =
                "INSERT INTO self_extension_events (sequence, content, written_by, content_hash, prev_hash, hash)
                          VALUES (?1, ?2, 'earlier', ?3, ?4, ?5)";
            sqlx::query(insert)
                .bind(sequence)
                .bind(content)
                .bind(link.content_hash.as_bytes().as_slice())
                .bind(link.prev_hash.as_bytes().as_slice())
                .bind(link.hash.as_bytes().as_slice())
                .execute(&mut by_hand)
                .await
                .unwrap();
            last = link.hash;
        }
    }
    drop(by_hand);
    let store = Store::connect(&DatabaseUrl::sqlite(file.path())).await.unwrap();
    stand_as_they_ended(&lives, &store.ledger(), &store.archive()).await;
}
