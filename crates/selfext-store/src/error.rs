//! Why a store could not be opened.

use std::path::PathBuf;

use sqlx::migrate::MigrateError;

use crate::SchemaState;

/// Why a store could not be opened or migrated. No message holds a password.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database did not answer, or refused the connection.
    #[error("the database {database} cannot be reached")]
    Unavailable {
        /// Its address, without the password.
        database: String,
        /// What was said.
        #[source]
        source: sqlx::Error,
    },
    /// The folder of the database's file cannot be made.
    #[error("the folder of {} cannot be made", .path.display())]
    Folder {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// The address is one that sqlx does not understand.
    #[error("the parameters of {database} are not understood")]
    Parameters {
        /// The address, without the password.
        database: String,
    },
    /// There is no schema of selfext's, and it is not a file that selfext makes by itself.
    #[error("the database {database} has no ledger yet: run `selfext migrate`")]
    Unmigrated {
        /// Its address, without the password.
        database: String,
    },
    /// The schema is of an earlier selfext.
    #[error(
        "the ledger in {database} is of schema version {found}, and this selfext needs {known}: run `selfext migrate`"
    )]
    Older {
        /// The database's address, without the password.
        database: String,
        /// The version that it has.
        found: i64,
        /// The version that is needed.
        known: i64,
    },
    /// The schema is of a later selfext.
    #[error(
        "the ledger in {database} is of schema version {found}, and this selfext knows only up to {known}: use a newer selfext"
    )]
    Newer {
        /// The database's address, without the password.
        database: String,
        /// The version that it has.
        found: i64,
        /// The last version that is known.
        known: i64,
    },
    /// A migration failed. Each is one transaction, so those before it are done and it is not.
    #[error("the database {database} cannot be migrated")]
    Migration {
        /// Its address, without the password.
        database: String,
        /// What failed.
        #[source]
        source: Box<MigrateError>,
    },
}

impl StoreError {
    /// Refuses every schema but the one that this binary needs.
    pub(crate) fn unless_current(state: SchemaState, database: impl Into<String>) -> Result<(), Self> {
        let database = database.into();
        match state {
            SchemaState::Current { .. } => Ok(()),
            SchemaState::Unmigrated => Err(Self::Unmigrated { database }),
            SchemaState::Older { found, known } => Err(Self::Older { database, found, known }),
            SchemaState::Newer { found, known } => Err(Self::Newer { database, found, known }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_known_schema_passes_and_each_refusal_says_what_to_do() {
        assert!(StoreError::unless_current(SchemaState::Current { version: 6 }, "x").is_ok());
        let table = [
            (SchemaState::Unmigrated, "the database x has no ledger yet: run `selfext migrate`"),
            (
                SchemaState::Older { found: 2, known: 6 },
                "the ledger in x is of schema version 2, and this selfext needs 6: run `selfext migrate`",
            ),
            (
                SchemaState::Newer { found: 9, known: 6 },
                "the ledger in x is of schema version 9, and this selfext knows only up to 6: use a newer selfext",
            ),
        ];
        for (state, message) in table {
            assert_eq!(StoreError::unless_current(state, "x").unwrap_err().to_string(), message);
        }
    }
}
