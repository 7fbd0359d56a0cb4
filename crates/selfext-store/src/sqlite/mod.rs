//! The ledger, its archive and the promotion control on SQLite.

mod appender;
mod archive;
mod bell;
mod columns;
mod control;
mod database;
mod errors;
mod follower;
mod heartbeats;
mod in_place;
mod leases;
mod ledger;
mod migrations;
mod queries;
mod repositories;
mod transaction;
mod waits;
mod watched;

pub use archive::SqliteArchive;
pub use control::SqlitePromotionControl;
pub use heartbeats::SqliteHeartbeats;
pub use leases::SqliteLeases;
pub use ledger::SqliteLedger;
pub use queries::SqliteQueries;
pub use repositories::SqliteRepositories;
pub use waits::SqliteWaits;

pub(crate) use bell::SqliteBell;
pub(crate) use database::SqliteDatabase;
pub(crate) use migrations::{found_version, migrate, migrator};
