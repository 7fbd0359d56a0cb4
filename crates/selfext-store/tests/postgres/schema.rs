//! Databases whose schema is not what this binary needs.

use std::path::Path;

use futures::future::join_all;
use selfext_contracts::TestDatabase;
use selfext_contracts::ledger::{LedgerFixture, earlier_lives, stand_as_they_ended};
use selfext_domain::{CONTROL_KEY, ControlState};
use selfext_store::{DatabaseUrl, SchemaState, Store, StoreError};
use sqlx::migrate::Migrator;
use sqlx::{Connection as _, PgConnection};

use crate::fixture::PgFixture;

async fn open(database: &TestDatabase) -> Store {
    Store::open(&DatabaseUrl::parse(database.url()).unwrap()).await.unwrap()
}

async fn refusal(database: &TestDatabase) -> StoreError {
    Store::connect(&DatabaseUrl::parse(database.url()).unwrap()).await.unwrap_err()
}

#[tokio::test]
async fn an_unmigrated_database_is_refused_and_left_alone() {
    let database = TestDatabase::empty().await;
    let error = refusal(&database).await;
    assert!(matches!(error, StoreError::Unmigrated { .. }), "{error}");
    assert!(error.to_string().contains("selfext migrate"));
    assert_eq!(open(&database).await.schema_state().await.unwrap(), SchemaState::Unmigrated);
}

#[tokio::test]
async fn migrating_at_once_and_again_gives_one_schema() {
    let database = TestDatabase::empty().await;
    let stores = [open(&database).await, open(&database).await, open(&database).await];
    for migrated in join_all(stores.iter().map(Store::migrate)).await {
        migrated.unwrap();
    }
    stores[0].migrate().await.unwrap();
    assert!(matches!(stores[1].schema_state().await.unwrap(), SchemaState::Current { .. }));
    assert_eq!(stores[2].control().read().await.unwrap(), ControlState::Running);
}

#[tokio::test]
async fn an_older_schema_is_refused_until_it_is_migrated() {
    let fixture = PgFixture::start().await;
    fixture.sql("DELETE FROM selfext_migrations WHERE version > 1").await.unwrap();
    let error = refusal(&fixture.database).await;
    assert!(matches!(error, StoreError::Older { found: 1, .. }), "{error}");
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_not_migrated() {
    let fixture = PgFixture::start().await;
    let later = "INSERT INTO selfext_migrations (version, description, success, checksum, execution_time)
                 VALUES (4711, 'later', true, '', 0)";
    fixture.sql(later).await.unwrap();
    let error = refusal(&fixture.database).await;
    assert!(matches!(error, StoreError::Newer { found: 4711, .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("4711") && text.contains("use a newer selfext"), "{text}");
    assert!(matches!(fixture.store.migrate().await, Err(StoreError::Newer { .. })));
}

#[tokio::test]
async fn an_agents_own_tables_are_kept() {
    let database = TestDatabase::empty().await;
    let store = open(&database).await;
    let fixture = PgFixture::of(database, store).await;
    let theirs =
        "CREATE TABLE agent_state (key text PRIMARY KEY, value jsonb NOT NULL, updated_at timestamptz NOT NULL);
                  INSERT INTO agent_state VALUES ('kill_switch', 'true', now());
                  CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY);
                  INSERT INTO _sqlx_migrations VALUES (1), (99);";
    fixture.sql(theirs).await.unwrap();
    fixture.store.migrate().await.unwrap();
    assert_eq!(fixture.state("kill_switch").await, Some(serde_json::json!(true)));
    assert!(fixture.state(CONTROL_KEY).await.is_some());
    assert_eq!(fixture.store.control().read().await.unwrap(), ControlState::Running);
    assert_eq!(fixture.ask("SELECT count(*)::text FROM _sqlx_migrations").await.unwrap().as_deref(), Some("2"));
}

#[tokio::test]
async fn a_ledger_from_before_health_windows_tells_how_its_branches_stand() {
    let database = TestDatabase::empty().await;
    let mut by_hand = PgConnection::connect(database.url()).await.unwrap();
    let mut migrator = Migrator::new(Path::new("../../migrations/postgres")).await.unwrap();
    migrator.migrations.to_mut().retain(|migration| migration.version < 14);
    migrator.table_name = "public.selfext_migrations".into();
    migrator.run(&mut by_hand).await.unwrap();
    let lives = earlier_lives();
    for life in &lives {
        for (event, sequence) in life.events.iter().zip(1_i64..) {
            sqlx::query("INSERT INTO self_extension_events (content, sequence) VALUES ($1, $2)")
                .bind(event.to_content().unwrap())
                .bind(sequence)
                .execute(&mut by_hand)
                .await
                .unwrap();
        }
    }
    assert!(matches!(refusal(&database).await, StoreError::Older { found: 13, .. }));
    let store = open(&database).await;
    store.migrate().await.unwrap();
    stand_as_they_ended(&lives, &store.ledger(), &store.archive()).await;
}
