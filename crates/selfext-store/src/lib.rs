//! The ledger and the promotion control of selfext on Postgres and SQLite.
//!
//! [`Store`] opens a database by its [`DatabaseUrl`] and gives the ports of the domain. [`PgLedger`],
//! [`PgPromotionControl`], [`PgQueries`] and [`PgArchive`] stand on the functions of `migrations/postgres`, one round trip each; [`SqliteLedger`] and
//! [`SqlitePromotionControl`] decide the same in Rust, inside a transaction that has the file for itself. Beside the ledger there are
//! heartbeats, leases and waits, by the database's clock. One contract suite runs on both.

mod archive;
mod bell;
mod database_url;
mod error;
mod heartbeat;
mod lease;
mod pace;
mod permit;
mod place;
mod postgres;
mod reading;
mod request;
mod row;
mod schema;
mod span;
mod sqlite;
mod standing;
mod store;
mod stored_text;
mod wait;

pub use bell::Bell;
pub use database_url::{DatabaseUrl, DatabaseUrlError};
pub use error::StoreError;
pub use postgres::{
    PgArchive, PgHeartbeats, PgLeases, PgLedger, PgPromotionControl, PgQueries, PgRepositories, PgWaits,
};
pub use schema::SchemaState;
pub use sqlite::{
    SqliteArchive, SqliteHeartbeats, SqliteLeases, SqliteLedger, SqlitePromotionControl, SqliteQueries,
    SqliteRepositories, SqliteWaits,
};
pub use store::{Migrated, Store};
