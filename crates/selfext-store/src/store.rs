//! One database, opened by its address.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use selfext_domain::RepositoryName;
use selfext_domain::ports::{Archive, Heartbeats, Leases, Ledger, PromotionControl, Queries, Repositories, Waits};
use sqlx::postgres::PgConnectOptions;

use crate::bell::{Bell, Kind};
use crate::database_url::Address;
use crate::{
    DatabaseUrl, PgArchive, PgHeartbeats, PgLeases, PgLedger, PgPromotionControl, PgQueries, PgRepositories, PgWaits,
    SchemaState, SqliteArchive, SqliteHeartbeats, SqliteLeases, SqliteLedger, SqlitePromotionControl, SqliteQueries,
    SqliteRepositories, SqliteWaits, StoreError, postgres, sqlite,
};

/// How long a follower goes without a look that nobody told it to take.
const POLL: Duration = Duration::from_secs(1);

/// One database with selfext's ledger and promotion control. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Store {
    address: DatabaseUrl,
    backend: Backend,
    poll: Duration,
}

/// What a migration came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// Why the roles of agents and operators could not be made, if they could not: then whoever may write events may do
    /// everything. SQLite has none, and misses none.
    pub roles_missing: Option<String>,
}

#[derive(Clone)]
enum Backend {
    Postgres(Arc<postgres::Connections>),
    Sqlite(Arc<sqlite::SqliteDatabase>),
}

impl Store {
    /// Opens a database whose schema is what this binary needs. A SQLite file is made and migrated if it has to be; a
    /// Postgres database is never changed.
    ///
    /// # Errors
    /// [`StoreError::Unmigrated`], [`StoreError::Older`] and [`StoreError::Newer`] say what to do about the schema;
    /// [`StoreError::Unavailable`] if there is no database to ask.
    pub async fn connect(url: &DatabaseUrl) -> Result<Self, StoreError> {
        let store = Self::open(url).await?;
        let mut state = store.schema_state().await?;
        if matches!(state, SchemaState::Unmigrated | SchemaState::Older { .. }) && url.sqlite_path().is_some() {
            store.migrate().await?;
            state = store.schema_state().await?;
        }
        StoreError::unless_current(state, url.to_string())?;
        Ok(store)
    }

    /// Opens a SQLite file, and makes and migrates it if it has to be.
    ///
    /// # Errors
    /// As [`Store::connect`].
    pub async fn open_sqlite_or_create(path: &Path) -> Result<Self, StoreError> {
        Self::connect(&DatabaseUrl::sqlite(path)).await
    }

    /// Opens a database whatever its schema, for those who ask for [`Store::schema_state`] or want to [`Store::migrate`]. A
    /// SQLite file is made if it is not there; a Postgres server is not asked yet.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Folder`], [`StoreError::Parameters`].
    pub async fn open(url: &DatabaseUrl) -> Result<Self, StoreError> {
        let backend = match url.address() {
            Address::Postgres(parsed) => {
                // What sqlx says of it is not passed on: it may hold the password.
                let options: PgConnectOptions =
                    parsed.as_str().parse().map_err(|_| StoreError::Parameters { database: url.to_string() })?;
                Backend::Postgres(Arc::new(postgres::Connections::new(options)))
            }
            Address::Sqlite(path) => {
                make_folder(path).await?;
                let opened = sqlite::SqliteDatabase::open(path).await;
                Backend::Sqlite(Arc::new(opened.map_err(|source| unavailable(url, source))?))
            }
        };
        Ok(Self { address: url.clone(), backend, poll: POLL })
    }

    /// Brings the schema to the version that this binary knows. May be repeated, also by several at once.
    ///
    /// # Errors
    /// [`StoreError::Newer`] if the schema is of a later selfext; [`StoreError::Migration`].
    pub async fn migrate(&self) -> Result<Migrated, StoreError> {
        if let state @ SchemaState::Newer { .. } = self.schema_state().await? {
            StoreError::unless_current(state, self.address.to_string())?;
        }
        let migrated = match &self.backend {
            Backend::Postgres(connections) => postgres::migrate(connections).await,
            Backend::Sqlite(database) => sqlite::migrate(database).await.map(|()| None),
        };
        migrated
            .map(|roles_missing| Migrated { roles_missing })
            .map_err(|source| StoreError::Migration { database: self.address.to_string(), source: Box::new(source) })
    }

    /// How far the schema is.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn schema_state(&self) -> Result<SchemaState, StoreError> {
        let (found, migrator) = match &self.backend {
            Backend::Postgres(connections) => (postgres::found_version(connections).await, postgres::migrator()),
            Backend::Sqlite(database) => (sqlite::found_version(database).await, sqlite::migrator()),
        };
        Ok(SchemaState::of(found.map_err(|source| unavailable(&self.address, source))?, &migrator))
    }

    /// The same, with followers that look this often where nobody tells them of a write: once a second, if nothing is said.
    /// On SQLite, where they look at the file's version all the time, it is how often they make sure that it is still the
    /// same file.
    #[must_use]
    pub fn polling_every(self, poll: Duration) -> Self {
        Self { poll, ..self }
    }

    /// The ledger in this database.
    #[must_use]
    pub fn ledger(&self) -> Arc<dyn Ledger> {
        match &self.backend {
            Backend::Postgres(connections) => Arc::new(PgLedger::new(Arc::clone(connections), self.poll)),
            Backend::Sqlite(database) => Arc::new(SqliteLedger::new(Arc::clone(database), self.poll)),
        }
    }

    /// The promotion control in this database.
    #[must_use]
    pub fn control(&self) -> Arc<dyn PromotionControl> {
        match &self.backend {
            Backend::Postgres(connections) => Arc::new(PgPromotionControl::new(Arc::clone(connections))),
            Backend::Sqlite(database) => Arc::new(SqlitePromotionControl::new(Arc::clone(database))),
        }
    }

    /// What people ask the ledger in this database.
    #[must_use]
    pub fn queries(&self) -> Arc<dyn Queries> {
        match &self.backend {
            Backend::Postgres(connections) => Arc::new(PgQueries::new(Arc::clone(connections))),
            Backend::Sqlite(database) => Arc::new(SqliteQueries::new(Arc::clone(database))),
        }
    }

    /// What is remembered of repositories in this database.
    #[must_use]
    pub fn repositories(&self) -> Arc<dyn Repositories> {
        match &self.backend {
            Backend::Postgres(connections) => Arc::new(PgRepositories::new(Arc::clone(connections))),
            Backend::Sqlite(database) => Arc::new(SqliteRepositories::new(Arc::clone(database))),
        }
    }

    /// The heartbeats in this database.
    #[must_use]
    pub fn heartbeats(&self) -> Arc<dyn Heartbeats> {
        match &self.backend {
            Backend::Postgres(connections) => Arc::new(PgHeartbeats::new(Arc::clone(connections))),
            Backend::Sqlite(database) => Arc::new(SqliteHeartbeats::new(Arc::clone(database))),
        }
    }

    /// The leases in this database.
    #[must_use]
    pub fn leases(&self) -> Arc<dyn Leases> {
        match &self.backend {
            Backend::Postgres(connections) => Arc::new(PgLeases::new(Arc::clone(connections))),
            Backend::Sqlite(database) => Arc::new(SqliteLeases::new(Arc::clone(database))),
        }
    }

    /// The waits in this database.
    #[must_use]
    pub fn waits(&self) -> Arc<dyn Waits> {
        match &self.backend {
            Backend::Postgres(connections) => Arc::new(PgWaits::new(Arc::clone(connections))),
            Backend::Sqlite(database) => Arc::new(SqliteWaits::new(Arc::clone(database))),
        }
    }

    /// The ledger as it is stored in this database, for auditors, with its checkpoints.
    #[must_use]
    pub fn archive(&self) -> Arc<dyn Archive> {
        match &self.backend {
            Backend::Postgres(connections) => Arc::new(PgArchive::new(Arc::clone(connections))),
            Backend::Sqlite(database) => Arc::new(SqliteArchive::new(Arc::clone(database))),
        }
    }

    /// What rings in every process on this database that waits for a repository's forge.
    #[must_use]
    pub fn bell(&self, repository: &RepositoryName) -> Bell {
        Bell(match &self.backend {
            Backend::Postgres(connections) => {
                Kind::Postgres(postgres::PgBell::new(Arc::clone(connections), repository))
            }
            Backend::Sqlite(database) => Kind::Sqlite(sqlite::SqliteBell::new(database, repository)),
        })
    }

    /// The database's address, which shows no password.
    #[must_use]
    pub const fn url(&self) -> &DatabaseUrl {
        &self.address
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({})", self.address)
    }
}

async fn make_folder(path: &Path) -> Result<(), StoreError> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    tokio::fs::create_dir_all(folder).await.map_err(|source| StoreError::Folder { path: path.to_owned(), source })
}

fn unavailable(url: &DatabaseUrl, source: sqlx::Error) -> StoreError {
    StoreError::Unavailable { database: url.to_string(), source }
}
