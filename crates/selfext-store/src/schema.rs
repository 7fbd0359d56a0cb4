//! The version of a database's schema, against the one that this binary knows.

use sqlx::migrate::Migrator;

/// How far a database's schema is, compared with what this binary knows. A version is the number of a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemaState {
    /// There is none of selfext's yet.
    Unmigrated,
    /// It is of an earlier selfext.
    Older {
        /// Its version.
        found: i64,
        /// The version that this binary needs.
        known: i64,
    },
    /// It is what this binary needs.
    Current {
        /// Its version.
        version: i64,
    },
    /// It is of a later selfext.
    Newer {
        /// Its version.
        found: i64,
        /// The last version that this binary knows.
        known: i64,
    },
}

impl SchemaState {
    /// Compares the last version that a database has, if it has any, with the last one that the binary knows.
    pub(crate) fn of(found: Option<i64>, migrator: &Migrator) -> Self {
        let known = migrator.iter().map(|migration| migration.version).max().unwrap_or_default();
        match found {
            None => Self::Unmigrated,
            Some(found) if found < known => Self::Older { found, known },
            Some(found) if found > known => Self::Newer { found, known },
            Some(version) => Self::Current { version },
        }
    }
}

/// The compiled-in migrations of one kind of database, with their versions in a table of their own: an agent that shares its
/// database with selfext may use sqlx's.
pub(crate) fn in_own_table(mut migrator: Migrator, table: &'static str) -> Migrator {
    migrator.dangerous_set_table_name(table);
    migrator
}
