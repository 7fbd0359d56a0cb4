//! The state's file, and the lock that keeps a second twin away from it.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::State;
use crate::error::TwinError;

/// The twin's directory in the git directory.
pub(crate) const DIRECTORY: &str = "selfext-twin";

/// The version of the state's form that this twin writes.
pub(super) const VERSION: u32 = 1;

/// The state could not be written; what the twin has in memory may be ahead of the file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("the twin's state cannot be written as JSON")]
    Encode(#[source] serde_json::Error),
    #[error("the twin's state file cannot be written")]
    Write(#[source] io::Error),
}

/// The right to serve a repository, held until it is dropped or the process ends.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

impl Drop for Lock {
    /// Closing the file would not be enough: a process that another thread is just starting may still share it.
    fn drop(&mut self) {
        if let Err(error) = self.file.unlock() {
            tracing::warn!(%error, "the twin's lock could not be released");
        }
    }
}

impl Lock {
    /// Takes the lock of a git directory, making the twin's directory in it.
    pub(crate) fn take(git_directory: &Path) -> Result<Self, TwinError> {
        let directory = git_directory.join(DIRECTORY);
        let path = directory.join("lock");
        let unusable = |source| TwinError::Files { path: path.clone(), source };
        std::fs::create_dir_all(&directory).map_err(unusable)?;
        let file = File::create(&path).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file }),
            Err(TryLockError::WouldBlock) => Err(TwinError::InUse(git_directory.to_owned())),
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }
}

/// The state in memory with its file.
#[derive(Debug)]
pub(crate) struct Store {
    /// The state. Whoever changes it calls [`save`](Self::save) before answering.
    pub(crate) state: State,
    path: PathBuf,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl Store {
    /// Reads the state of a git directory, or begins with an empty one if there is no file yet.
    pub(crate) fn load(git_directory: &Path) -> Result<Self, TwinError> {
        let path = git_directory.join(DIRECTORY).join("state.json");
        let data = match std::fs::read(&path) {
            Ok(data) => data,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let state = State::default();
                return Ok(Self { state, path });
            }
            Err(source) => return Err(TwinError::Files { path, source }),
        };
        let damaged = |source| TwinError::DamagedState { path: path.clone(), source };
        let Version { version } = serde_json::from_slice(&data).map_err(damaged)?;
        if version > VERSION {
            return Err(TwinError::NewerState { path, found: version });
        }
        let state = serde_json::from_slice(&data).map_err(damaged)?;
        Ok(Self { state, path })
    }

    /// Writes the state: wholly or not at all, also if the process is killed on the way. It is not forced to the
    /// disk, so a power cut may lose the last changes.
    ///
    /// The write is small and done on the spot: handed to another thread, it could outlive a cancelled caller and
    /// take the place of a later one.
    pub(crate) fn save(&self) -> Result<(), StoreError> {
        let data = serde_json::to_vec(&self.state).map_err(StoreError::Encode)?;
        let fresh = self.path.with_extension("json.new");
        std::fs::write(&fresh, data).map_err(StoreError::Write)?;
        std::fs::rename(&fresh, &self.path).map_err(StoreError::Write)
    }
}
