//! The state's files, and the lock that keeps a second twin away from it.

use std::fs::{File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::State;
use super::changes::Changes;
use crate::error::TwinError;

/// The twin's directory in the git directory.
pub(crate) const DIRECTORY: &str = "selfext-twin";

/// The version of the state's form that this twin writes.
pub(super) const VERSION: u32 = 2;

/// The file of the whole state.
const WHOLE: &str = "state.json";

/// From this length on, in bytes, a file of changes may be too long beside the whole.
const LONG_LOG: usize = 1 << 20;

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

/// The state in memory with its files: the whole of it as it once was, and the changes since, one line for each time that it was
/// saved. So saving costs what has changed, however much there is.
#[derive(Debug)]
pub(crate) struct Store {
    /// The state. Whoever changes it calls [`save`](Self::save) before answering.
    pub(crate) state: State,
    directory: PathBuf,
    /// The changes since the whole was written, if there is such a file and it ends with a whole line.
    log: Option<Log>,
}

/// The file of changes that is being written.
#[derive(Debug)]
struct Log {
    file: File,
    /// How long it is, in bytes.
    length: usize,
    /// How long the whole state was when it began.
    whole: usize,
}

impl Log {
    /// Whether the whole is to be written again: so seldom that all of it costs little beside the changes.
    const fn is_too_long(&self) -> bool {
        self.length > LONG_LOG && self.length > 2 * self.whole
    }
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl Store {
    /// Reads the state of a git directory, or begins with an empty one if there is no file yet.
    pub(crate) fn load(git_directory: &Path) -> Result<Self, TwinError> {
        let directory = git_directory.join(DIRECTORY);
        let path = directory.join(WHOLE);
        let mut state = match read(&path)? {
            None => State::default(),
            Some(data) => {
                let damaged = |source| TwinError::DamagedState { path: path.clone(), source };
                let Version { version } = serde_json::from_slice(&data).map_err(damaged)?;
                if version > VERSION {
                    return Err(TwinError::NewerState { path, found: version });
                }
                serde_json::from_slice(&data).map_err(damaged)?
            }
        };
        state.version = VERSION;
        let path = directory.join(log_name(state.generation));
        let lines = read(&path)?.unwrap_or_default();
        // What comes after the last line's end was being written when its writer was killed, who had answered nobody yet.
        let whole_lines = lines.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        for line in lines[..whole_lines].split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let changes = serde_json::from_slice(line);
            state.take_over(changes.map_err(|source| TwinError::DamagedState { path: path.clone(), source })?);
        }
        let mut store = Self { state, directory, log: None };
        if !lines.is_empty() {
            store.save_whole().map_err(TwinError::from)?;
        }
        Ok(store)
    }

    /// Writes what has changed: wholly or not at all, also if the process is killed on the way. It is not forced to the
    /// disk, so a power cut may lose the last changes.
    ///
    /// The write is small and done on the spot: handed to another thread, it could outlive a cancelled caller and
    /// come after a later one.
    pub(crate) fn save(&mut self) -> Result<(), StoreError> {
        let Some(changes) = Changes::of(&self.state) else {
            return self.save_whole();
        };
        let mut line = serde_json::to_vec(&changes).map_err(StoreError::Encode)?;
        line.push(b'\n');
        let Some(mut log) = self.log.take_if(|log| !log.is_too_long()) else {
            return self.save_whole();
        };
        // If this fails there may be half a line, and so the file is not gone on with.
        log.file.write_all(&line).map_err(StoreError::Write)?;
        log.length += line.len();
        self.log = Some(log);
        self.state.written();
        Ok(())
    }

    /// Writes the whole state, and begins a new file of changes. The old one belongs to the old whole alone: whichever of them
    /// is found after a crash, it is found with its own.
    pub(crate) fn save_whole(&mut self) -> Result<(), StoreError> {
        self.log = None;
        let old = self.state.generation;
        self.state.generation += 1;
        let data = serde_json::to_vec(&self.state).map_err(StoreError::Encode)?;
        let path = self.directory.join(WHOLE);
        let fresh = path.with_extension("json.new");
        // One of this name was left by somebody who was killed right here.
        let log = File::create(self.directory.join(log_name(self.state.generation))).map_err(StoreError::Write)?;
        std::fs::write(&fresh, &data).map_err(StoreError::Write)?;
        std::fs::rename(&fresh, &path).map_err(StoreError::Write)?;
        self.log = Some(Log { file: log, length: 0, whole: data.len() });
        self.state.written();
        if let Err(error) = std::fs::remove_file(self.directory.join(log_name(old)))
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::debug!(%error, "an old file of changes is left");
        }
        Ok(())
    }
}

fn log_name(generation: u64) -> String {
    format!("changes-{generation}.jsonl")
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, TwinError> {
    match std::fs::read(path) {
        Ok(data) => Ok(Some(data)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(TwinError::Files { path: path.to_owned(), source }),
    }
}
