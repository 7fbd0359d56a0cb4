//! A fresh Postgres database with the store on it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use selfext_contracts::TestDatabase;
use selfext_contracts::ledger::{LedgerFixture, Ports};
use selfext_domain::Event;
use selfext_domain::ports::{Archive, Heartbeats, Leases, Ledger, Queries, Repositories, Waits};
use selfext_store::{DatabaseUrl, Store};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};
use tokio::sync::Mutex;

/// A fresh Postgres database with the store on it.
pub struct PgFixture {
    pub database: TestDatabase,
    pub store: Store,
    by_hand: Mutex<PgConnection>,
}

pub async fn connect(url: &str) -> Store {
    Store::connect(&DatabaseUrl::parse(url).unwrap()).await.unwrap()
}

/// The store on a server that is empty.
pub async fn migrated(url: &str) -> Store {
    let store = Store::open(&DatabaseUrl::parse(url).unwrap()).await.unwrap();
    store.migrate().await.unwrap();
    store
}

impl PgFixture {
    pub async fn of(database: TestDatabase, store: Store) -> Self {
        let by_hand = Mutex::new(PgConnection::connect(database.url()).await.unwrap());
        Self { database, store, by_hand }
    }

    pub async fn connection(&self) -> PgConnection {
        PgConnection::connect(self.database.url()).await.unwrap()
    }

    /// Runs statements past the adapters: what the last one says in its first column, if it gives a row.
    pub async fn ask(&self, sql: &str) -> Result<Option<String>, sqlx::Error> {
        let rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&mut self.connection().await).await?;
        rows.last().map(|row| row.try_get(0)).transpose()
    }
}

#[async_trait]
impl LedgerFixture for PgFixture {
    const WRITERS_MIX: bool = true;

    async fn start() -> Self {
        let database = TestDatabase::create().await;
        let store = connect(database.url()).await;
        Self::of(database, store).await
    }

    fn ports(&self) -> Ports {
        (self.store.ledger(), self.store.control())
    }

    fn archive(&self) -> Arc<dyn Archive> {
        self.store.archive()
    }

    fn queries(&self) -> Arc<dyn Queries> {
        self.store.queries()
    }

    fn repositories(&self) -> Arc<dyn Repositories> {
        self.store.repositories()
    }

    fn heartbeats(&self) -> Arc<dyn Heartbeats> {
        self.store.heartbeats()
    }

    fn leases(&self) -> Arc<dyn Leases> {
        self.store.leases()
    }

    fn waits(&self) -> Arc<dyn Waits> {
        self.store.waits()
    }

    fn ledger_polling_every(&self, poll: Duration) -> Arc<dyn Ledger> {
        self.store.clone().polling_every(poll).ledger()
    }

    async fn hold(&self, event: &Event) -> BoxFuture<'static, ()> {
        let mut connection = self.connection().await;
        connection.execute("BEGIN").await.unwrap();
        sqlx::query("INSERT INTO self_extension_events (content, sequence) VALUES ($1, 1)")
            .bind(event.to_content().unwrap())
            .execute(&mut connection)
            .await
            .unwrap();
        Box::pin(async move {
            connection.execute("COMMIT").await.unwrap();
        })
    }

    async fn another(&self) -> Ports {
        let store = connect(self.database.url()).await;
        store.migrate().await.unwrap();
        (store.ledger(), store.control())
    }

    async fn sql(&self, sql: &str) -> Result<u64, String> {
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.connection().await).await;
        done.map(|done| done.rows_affected()).map_err(|error| error.to_string())
    }

    async fn sql_past_triggers(&self, sql: &str) {
        let triggers =
            ["self_extension_events_derive", "self_extension_events_append_only", "self_extension_events_follow"];
        let on =
            triggers.map(|name| format!("ALTER TABLE self_extension_events ENABLE ALWAYS TRIGGER {name};")).concat();
        self.sql(&format!("ALTER TABLE self_extension_events DISABLE TRIGGER USER; {sql}; {on}")).await.unwrap();
    }

    async fn forge_lists(&self, sql: &str) {
        let tables = ["self_extension_open_runs", "self_extension_watched_runs", "self_extension_baselines"];
        let off = tables.map(|table| format!("ALTER TABLE {table} DISABLE TRIGGER USER;")).concat();
        let on = tables.map(|table| format!("ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_derived;")).concat();
        self.sql(&format!("{off} {sql}; {on}")).await.unwrap();
    }

    fn forbidden_sql(&self) -> Vec<&'static str> {
        vec![
            "TRUNCATE self_extension_events",
            "TRUNCATE self_extension_events RESTART IDENTITY CASCADE",
            "SET session_replication_role = replica; TRUNCATE self_extension_events",
            "SET session_replication_role = replica; DELETE FROM self_extension_events",
            "SET session_replication_role = replica; UPDATE self_extension_events SET content = '{}'",
            "DELETE FROM self_extension_events WHERE false",
            "INSERT INTO self_extension_events (content, sequence) SELECT content, sequence FROM self_extension_events
             ON CONFLICT (event_id) DO UPDATE SET written_by = 'nobody'",
            "MERGE INTO self_extension_events e USING self_extension_events o ON e.id = o.id WHEN MATCHED THEN DELETE",
        ]
    }

    async fn rows(&self) -> Vec<Value> {
        let sql = "SELECT to_jsonb(e)::text FROM self_extension_events e ORDER BY e.id";
        let rows = sqlx::query(sql).fetch_all(&mut *self.by_hand.lock().await).await.unwrap();
        rows.iter().map(|row| serde_json::from_str(row.get::<&str, _>(0)).unwrap()).collect()
    }

    async fn set_state(&self, key: &str, value: Option<&str>) {
        let sql = match value {
            Some(_) => {
                "INSERT INTO agent_state (key, value) VALUES ($1, $2::text::jsonb)
                 ON CONFLICT (key) DO UPDATE SET value = excluded.value"
            }
            None => "DELETE FROM agent_state WHERE key = $1 AND $2 IS NULL",
        };
        sqlx::query(sql).bind(key).bind(value).execute(&mut *self.by_hand.lock().await).await.unwrap();
    }

    async fn state(&self, key: &str) -> Option<Value> {
        let sql = "SELECT value::text FROM agent_state WHERE key = $1";
        let row = sqlx::query(sql).bind(key).fetch_optional(&mut *self.by_hand.lock().await).await.unwrap();
        row.map(|row| serde_json::from_str(row.get::<&str, _>(0)).unwrap())
    }
}
