//! The contract suite of each port of selfext, and what its tests stand on.

pub mod app_key;
pub mod control;
mod database;
mod description;
pub mod forge;
pub mod ledger;
pub mod verifier;

pub use database::{PgProxy, PrivateCluster, Standby, TEST_DATABASE_URL, TempSqlite, TestDatabase, TestServer};
pub use description::GithubDescription;
