//! The ledger and the promotion control of selfext on Postgres and SQLite.
//!
//! [`Store`] opens a database by its [`DatabaseUrl`] and gives the two ports of the domain. [`PgLedger`] and
//! [`PgPromotionControl`] stand on the functions of `migrations/postgres`, one round trip each; [`SqliteLedger`] and
//! [`SqlitePromotionControl`] decide the same in Rust, inside a transaction that has the file for itself. One contract suite
//! runs on both.

mod database_url;
mod error;
mod permit;
mod postgres;
mod reading;
mod request;
mod row;
mod schema;
mod sqlite;
mod store;
mod stored_text;

pub use database_url::{DatabaseUrl, DatabaseUrlError};
pub use error::StoreError;
pub use postgres::{PgLedger, PgPromotionControl};
pub use schema::SchemaState;
pub use sqlite::{SqliteLedger, SqlitePromotionControl};
pub use store::Store;
