//! Removing what crashed processes left behind.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

use super::remove_any;

/// The name of the lock file in each folder.
pub(super) const LOCK: &str = "lock";

/// The file whose lock keeps sweeping and making folders apart.
pub(super) fn guard(among: &Path) -> io::Result<File> {
    File::options().create(true).truncate(false).write(true).open(among.join(".guard"))
}

/// Removes the folders whose lock is free. Does nothing while another process sweeps or makes a folder; the next run will do.
pub(super) fn sweep(among: &Path) -> io::Result<()> {
    let guard = guard(among)?;
    match guard.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(()),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    for entry in fs::read_dir(among)? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() {
            continue;
        }
        let folder = entry.path();
        // Held until the folder is gone. A folder without one is of a process that died while making it, since whoever
        // makes one holds the guard.
        let lock = File::options().write(true).open(folder.join(LOCK));
        let in_use = lock.as_ref().is_ok_and(|lock| lock.try_lock().is_err());
        if in_use {
            continue;
        }
        super::end_strays(&folder);
        if let Err(error) = remove_any(&folder) {
            tracing::warn!(folder = %folder.display(), %error, "the folder of a crashed run cannot be removed");
        }
    }
    Ok(())
}
