//! Databases for tests: a server, a fresh database for each test, and a proxy that counts and breaks.

mod cluster;
mod container;
mod owner;
mod proxy;
mod server;
mod settings;
mod sqlite;
mod standby;
mod template;
mod test_database;

pub use cluster::PrivateCluster;
pub use proxy::PgProxy;
pub use server::TestServer;
pub use settings::TEST_DATABASE_URL;
pub use sqlite::TempSqlite;
pub use standby::Standby;
pub use test_database::TestDatabase;
