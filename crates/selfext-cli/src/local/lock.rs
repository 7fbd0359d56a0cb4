//! One command at a time on one local repository. Each serves a twin of its own over the same files, which only one may.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::show;

/// How long it waits between two tries. Unlike a wait inside the operating system, this one can be interrupted.
const PAUSE: Duration = Duration::from_millis(50);

/// Held until it is dropped or the process ends, in whatever way.
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of a repository; if another command has it, says so and waits.
    pub async fn take(git_dir: &Path, shown: &Path) -> Result<Self> {
        let path = git_dir.join("selfext.lock");
        let file = File::create(&path).with_context(|| format!("{} could not be written", path.display()))?;
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) if told => {}
                Err(TryLockError::WouldBlock) => {
                    show::note(&format!("waiting for another selfext that works on {}", shown.display()));
                    told = true;
                }
                Err(TryLockError::Error(error)) => {
                    return Err(error).with_context(|| format!("{} could not be locked", path.display()));
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}
