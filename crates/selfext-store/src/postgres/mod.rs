//! The ledger, its archive and the promotion control on Postgres.

mod answer;
mod archive;
mod bell;
mod columns;
mod connections;
mod control;
mod copied;
mod ear;
mod errors;
mod follower;
mod heartbeats;
mod leases;
mod ledger;
mod migrations;
mod queries;
mod repositories;
mod waits;
mod wakes;
mod written;

pub use archive::PgArchive;
pub use control::PgPromotionControl;
pub use heartbeats::PgHeartbeats;
pub use leases::PgLeases;
pub use ledger::PgLedger;
pub use queries::PgQueries;
pub use repositories::PgRepositories;
pub use waits::PgWaits;

pub(crate) use bell::PgBell;
pub(crate) use connections::Connections;
pub(crate) use migrations::{found_version, migrate, migrator};
