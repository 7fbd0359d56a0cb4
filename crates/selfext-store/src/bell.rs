//! Waking those who wait for the forge, in whatever process on this database.

use std::fmt;

use selfext_domain::{Digest32, RepositoryName};

use crate::postgres::PgBell;
use crate::sqlite::SqliteBell;

/// Rings for one repository, and hears when it is rung. Nothing is kept of it: who does not listen misses it.
///
/// On Postgres it is heard at once and by every process on the database, through a connection of its own that is made when somebody
/// first listens. On SQLite, whose processes share a machine, it is the length of a file beside the database's, which those who
/// listen look at four times a second.
pub struct Bell(pub(crate) Kind);

pub(crate) enum Kind {
    Postgres(PgBell),
    Sqlite(SqliteBell),
}

impl Bell {
    /// Rings. May be repeated; several in a row may be heard as one.
    ///
    /// # Errors
    /// What the database, or the system of files, said: then nobody hears it.
    pub async fn ring(&self) -> Result<(), sqlx::Error> {
        match &self.0 {
            Kind::Postgres(bell) => bell.ring().await,
            Kind::Sqlite(bell) => bell.ring().await,
        }
    }

    /// Waits until it was rung since the last time that this was answered, or until it may have been: after a connection was lost,
    /// and when listening begins. One of several that wait hears it. May be dropped at any moment; nothing is forgotten.
    pub async fn heard(&self) {
        match &self.0 {
            Kind::Postgres(bell) => bell.heard().await,
            Kind::Sqlite(bell) => bell.heard().await,
        }
    }
}

impl fmt::Debug for Bell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bell")
    }
}

/// A short word for a repository, in letters that names of channels and files may hold.
pub(crate) fn word(repository: &RepositoryName) -> String {
    let digest = Digest32::of(repository.as_str().to_ascii_lowercase().as_bytes()).to_string();
    digest.chars().take(32).collect()
}
