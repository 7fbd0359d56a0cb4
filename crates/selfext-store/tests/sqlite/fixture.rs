//! A fresh SQLite file with the store on it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use selfext_contracts::TempSqlite;
use selfext_contracts::ledger::{LedgerFixture, Ports};
use selfext_domain::ports::{Archive, Heartbeats, Leases, Ledger, Queries, Repositories, Waits};
use selfext_domain::{Event, Link};
use selfext_store::Store;
use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _, Row as _, SqliteConnection};

/// A fresh SQLite file with the store on it.
pub struct SqliteFixture {
    pub file: TempSqlite,
    pub store: Store,
}

impl SqliteFixture {
    /// A stranger's connection: none of the settings that the store makes.
    pub async fn connection(&self) -> SqliteConnection {
        SqliteConnectOptions::new()
            .filename(self.file.path())
            .pragma("recursive_triggers", "OFF")
            .connect()
            .await
            .unwrap()
    }
}

#[async_trait]
impl LedgerFixture for SqliteFixture {
    const WRITERS_MIX: bool = false;

    async fn start() -> Self {
        let file = TempSqlite::new();
        let store = Store::open_sqlite_or_create(&file.path()).await.unwrap();
        Self { file, store }
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
        connection.execute("BEGIN IMMEDIATE").await.unwrap();
        let content = event.to_content().unwrap();
        let link = Link::new(Link::GENESIS, content.as_bytes());
        let insert = "INSERT INTO self_extension_events (sequence, content, written_by, content_hash, prev_hash, hash)
                      VALUES (1, ?1, 'a stranger', ?2, ?3, ?4)";
        sqlx::query(insert)
            .bind(content)
            .bind(link.content_hash.as_bytes().as_slice())
            .bind(link.prev_hash.as_bytes().as_slice())
            .bind(link.hash.as_bytes().as_slice())
            .execute(&mut connection)
            .await
            .unwrap();
        Box::pin(async move {
            connection.execute("COMMIT").await.unwrap();
        })
    }

    async fn another(&self) -> Ports {
        let store = Store::open_sqlite_or_create(&self.file.path()).await.unwrap();
        store.migrate().await.unwrap();
        (store.ledger(), store.control())
    }

    async fn sql(&self, sql: &str) -> Result<u64, String> {
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.connection().await).await;
        done.map(|done| done.rows_affected()).map_err(|error| error.to_string())
    }

    async fn sql_past_triggers(&self, sql: &str) {
        let mut connection = self.connection().await;
        let triggers =
            "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'self_extension_events'";
        let triggers = sqlx::query(triggers).fetch_all(&mut connection).await.unwrap();
        let (mut off, mut on) = (String::new(), String::new());
        for row in triggers {
            off = format!("{off}DROP TRIGGER {};", row.get::<String, _>(0));
            on = format!("{on}{};", row.get::<String, _>(1));
        }
        let all = format!("{off} {sql}; {on}");
        sqlx::raw_sql(AssertSqlSafe(all)).execute(&mut connection).await.unwrap();
    }

    async fn forge_lists(&self, sql: &str) {
        self.sql(sql).await.unwrap();
    }

    fn forbidden_sql(&self) -> Vec<&'static str> {
        vec![
            "INSERT OR REPLACE INTO self_extension_events (id, sequence, content, written_by, content_hash, prev_hash, hash)
             SELECT id, sequence, content, 'nobody', content_hash, prev_hash, hash FROM self_extension_events",
            "INSERT OR REPLACE INTO self_extension_events (sequence, content, written_by, content_hash, prev_hash, hash)
             SELECT sequence, content, 'nobody', content_hash, prev_hash, hash FROM self_extension_events",
            "REPLACE INTO self_extension_events (id, sequence, content, written_by, content_hash, prev_hash, hash)
             SELECT id, 1, replace(content, 'run 1', 'run 2'), 'nobody', content_hash, zeroblob(32), hash
             FROM self_extension_events LIMIT 1",
            "INSERT INTO self_extension_events (sequence, content, written_by, content_hash, prev_hash, hash)
             SELECT sequence, content, 'nobody', content_hash, prev_hash, hash FROM self_extension_events WHERE true
             ON CONFLICT DO UPDATE SET written_by = 'nobody'",
            "UPDATE OR IGNORE self_extension_events SET written_by = 'nobody'",
            "UPDATE OR REPLACE self_extension_events SET sequence = 1",
        ]
    }

    async fn rows(&self) -> Vec<Value> {
        let sql = "SELECT json_object('event_id', event_id, 'run_id', run_id, 'sequence', sequence, 'correlation_id', \
                   correlation_id, 'stage', stage, 'event_type', event_type, 'actor_source', actor_source, 'tool_name', \
                   tool_name, 'tool_call_id', tool_call_id, 'goal_id', goal_id, 'cycle_id', cycle_id, 'sub_goal_id', \
                   sub_goal_id, 'repository', repository, 'base', base, 'fingerprint', fingerprint, 'pull_request', \
                   pull_request, 'payload', json(payload), 'content', content, 'written_by', written_by, 'created_at', \
                   created_at, 'hash', hex(hash), 'id', id) FROM self_extension_events ORDER BY id";
        let rows = sqlx::query(sql).fetch_all(&mut self.connection().await).await.unwrap();
        rows.iter().map(|row| serde_json::from_str(row.get::<&str, _>(0)).unwrap()).collect()
    }

    async fn set_state(&self, key: &str, value: Option<&str>) {
        let sql = match value {
            Some(_) => {
                "INSERT INTO agent_state (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
            }
            None => "DELETE FROM agent_state WHERE key = ?1 AND ?2 IS NULL",
        };
        sqlx::query(sql).bind(key).bind(value).execute(&mut self.connection().await).await.unwrap();
    }

    async fn state(&self, key: &str) -> Option<Value> {
        let sql = "SELECT value FROM agent_state WHERE key = ?1";
        let row = sqlx::query(sql).bind(key).fetch_optional(&mut self.connection().await).await.unwrap();
        row.map(|row| serde_json::from_str(row.get::<&str, _>(0)).unwrap())
    }
}
