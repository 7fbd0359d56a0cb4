//! Folders that belong to one piece of work and go with it.

mod remove;
mod strays;
mod sweep;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use selfext_domain::ports::VerifierError;

use crate::cache::make_private_folder;
use crate::error::blocking;
use remove::remove_tree;
pub(crate) use strays::end_strays;

/// A fresh folder that only this user may enter, for one piece of work. It is removed with everything in it when the value
/// goes; if the process dies before, a later one finds its lock free and removes it.
#[derive(Debug)]
pub(crate) struct RunFolder {
    path: PathBuf,
    /// Held as long as the folder is in use.
    _lock: File,
}

impl RunFolder {
    /// Makes a folder among the others, whose name begins with the label. Removes those that a crashed process left.
    pub(crate) async fn create(among: &Path, label: &str) -> Result<Self, VerifierError> {
        let (among, label) = (among.to_owned(), label.to_owned());
        blocking("the run's folder cannot be made", move || {
            make_private_folder(&among)?;
            sweep::sweep(&among)?;
            // While this guard is shared, no one sweeps, and so no one sees the folder before its lock is held.
            let guard = sweep::guard(&among)?;
            guard.lock_shared()?;
            let made = tempfile::Builder::new().prefix(&format!("{label}-")).rand_bytes(12).tempdir_in(&among)?;
            let lock = File::create_new(made.path().join(sweep::LOCK))?;
            lock.lock()?;
            Ok(Self { path: made.keep(), _lock: lock })
        })
        .await
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a folder inside and answers its path.
    pub(crate) fn make(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.path.join(name);
        make_private_folder(&path)?;
        Ok(path)
    }

    /// Removes the folder off the executor.
    pub(crate) async fn remove(self) {
        // A panic in there has been reported by then; the sweep tries again.
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }
}

impl Drop for RunFolder {
    /// Blocks until the folder is gone: whoever drops a run may end the process next.
    fn drop(&mut self) {
        if let Err(error) = remove_tree(&self.path) {
            tracing::warn!(folder = %self.path.display(), %error, "a run's folder cannot be removed; the next run tries again");
        }
    }
}

/// Removes a file, or a folder with everything in it.
pub(crate) fn remove_any(path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() { remove_tree(path) } else { fs::remove_file(path) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_folder_goes_with_its_value_and_others_stay() {
        let among = tempfile::tempdir().unwrap();
        let kept = RunFolder::create(among.path(), "kept").await.unwrap();
        let gone = RunFolder::create(among.path(), "gone").await.unwrap();
        let path = gone.path().to_owned();
        fs::write(gone.make("work").unwrap().join("file"), "x").unwrap();
        drop(gone);
        assert!(!path.exists() && kept.path().exists());
        let path = kept.path().to_owned();
        kept.remove().await;
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn what_a_crashed_process_left_is_swept_and_what_is_in_use_is_not() {
        let among = tempfile::tempdir().unwrap();
        let in_use = RunFolder::create(among.path(), "in-use").await.unwrap();
        let orphan = among.path().join("orphan");
        fs::create_dir_all(orphan.join("work/deep")).unwrap();
        fs::write(orphan.join(sweep::LOCK), "").unwrap();
        let unlocked = among.path().join("died-while-being-made");
        fs::create_dir(&unlocked).unwrap();
        let next = RunFolder::create(among.path(), "next").await.unwrap();
        assert!(!orphan.exists() && !unlocked.exists());
        assert!(in_use.path().exists() && next.path().exists());
    }
}
