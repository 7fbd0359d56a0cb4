//! Where things are on this machine, if nobody says otherwise.

use std::path::PathBuf;

use directories::ProjectDirs;
use selfext_domain::RepositoryName;
use selfext_store::{DatabaseUrl, StoreError};

/// The platform has no place for it.
#[derive(Debug, thiserror::Error)]
pub enum PlacesError {
    /// There is no home folder.
    #[error("this user has no home folder; name the ledger with --database or SELFEXT_DATABASE_URL")]
    NoHome,
    /// The path of the state folder cannot be written as a database URL.
    #[error("the state folder cannot hold the ledger")]
    Database(#[from] StoreError),
}

fn dirs() -> Result<ProjectDirs, PlacesError> {
    ProjectDirs::from("", "", "selfext").ok_or(PlacesError::NoHome)
}

/// The ledger that is used where none is named: `ledger.sqlite` in the platform's state folder, on Linux
/// `~/.local/state/selfext`.
///
/// # Errors
/// [`PlacesError::NoHome`] for a user without a home folder.
pub fn default_database() -> Result<DatabaseUrl, PlacesError> {
    let dirs = dirs()?;
    let folder = dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir());
    Ok(DatabaseUrl::sqlite(folder.join("ledger.sqlite")))
}

/// The verifier's cache of a repository, in the platform's cache folder, on Linux `~/.cache/selfext/OWNER/NAME`.
///
/// # Errors
/// [`PlacesError::NoHome`] for a user without a home folder.
pub fn default_cache(repository: &RepositoryName) -> Result<PathBuf, PlacesError> {
    Ok(dirs()?.cache_dir().join(repository.owner()).join(repository.name()))
}
