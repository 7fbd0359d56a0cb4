//! What the cases need of a database under test.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use selfext_domain::Event;
use selfext_domain::ports::{Archive, Heartbeats, Leases, Ledger, PromotionControl, Queries, Repositories, Waits};
use serde_json::Value;

/// The two ports over one database.
pub type Ports = (Arc<dyn Ledger>, Arc<dyn PromotionControl>);

/// A fresh database with the adapters under test, and ways past them. For tests only; everything panics where it fails.
#[async_trait]
pub trait LedgerFixture: Send + Sync + 'static {
    /// Whether one transaction can write while another one that has written is open.
    const WRITERS_MIX: bool;

    /// Makes a fresh, migrated database.
    async fn start() -> Self;

    /// The adapters under test; each call gives the same database.
    fn ports(&self) -> Ports;

    /// The archive of the same database.
    fn archive(&self) -> Arc<dyn Archive>;

    /// What people ask the same database.
    fn queries(&self) -> Arc<dyn Queries>;

    /// What the same database remembers of repositories.
    fn repositories(&self) -> Arc<dyn Repositories>;

    /// The heartbeats in the same database.
    fn heartbeats(&self) -> Arc<dyn Heartbeats>;

    /// The leases in the same database.
    fn leases(&self) -> Arc<dyn Leases>;

    /// The waits in the same database.
    fn waits(&self) -> Arc<dyn Waits>;

    /// The ledger under test, with followers that poll this often.
    fn ledger_polling_every(&self, poll: Duration) -> Arc<dyn Ledger>;

    /// Writes the first event of a stream past the adapters, in a transaction that stays open until the answer is awaited.
    /// Nobody is told of it.
    async fn hold(&self, event: &Event) -> BoxFuture<'static, ()>;

    /// Opens the same database once more, as another process would that starts now, migrations included.
    async fn another(&self) -> Ports;

    /// Runs one SQL statement past the adapters, with the rights of the tables' owner: how many rows it changed, or what the
    /// database said.
    async fn sql(&self, sql: &str) -> Result<u64, String>;

    /// The same with the ledger's triggers off, which are on again afterwards.
    async fn sql_past_triggers(&self, sql: &str);

    /// Runs one SQL statement that writes by hand what follows from the ledger: the lists of open and of watched runs, and the
    /// baselines.
    async fn forge_lists(&self, sql: &str);

    /// Statements that change the ledger's events with the columns `content` and `sequence` and must be refused, and what
    /// else this database has for it.
    fn forbidden_sql(&self) -> Vec<&'static str>;

    /// All events as the database has them, in the order of their ids: a JSON object each, with the columns' names.
    async fn rows(&self) -> Vec<Value>;

    /// Sets the value of a row of `agent_state`, given as JSON text; `None` deletes the row.
    async fn set_state(&self, key: &str, value: Option<&str>);

    /// The value of a row of `agent_state`.
    async fn state(&self, key: &str) -> Option<Value>;
}
