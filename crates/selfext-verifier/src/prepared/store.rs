//! Where prepared dependencies are kept, and for how long.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use selfext_domain::ports::VerifierError;
use selfext_domain::{Digest32, RepoPath, StageReport};

use super::Layer;
use super::layer::{gather, is_whole, spoil, used};
use crate::cache::make_private_folder;
use crate::error::blocking;
use crate::run_folder::remove_any;

const WHAT: &str = "prepared dependencies cannot be kept";
/// How many are kept: those that were used last.
const MOST: usize = 8;
const PAUSE: Duration = Duration::from_millis(50);

/// The folder of all layers.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    folder: PathBuf,
}

/// What there is under a key.
#[derive(Debug)]
pub(crate) enum Found {
    /// The layer.
    Ready(Layer),
    /// Nothing yet, and nobody else makes it.
    ToMake(Making),
}

/// The right to make the layer of a key. Others who want the same layer wait as long as the value is there.
#[derive(Debug)]
pub(crate) struct Making {
    store: Store,
    key: Digest32,
    lock: File,
}

impl Store {
    pub(crate) const fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Finds the layer of a key, or the right to make it. Waits while somebody else makes it.
    pub(crate) async fn find(&self, key: Digest32) -> Result<Found, VerifierError> {
        loop {
            let store = self.clone();
            if let Some(found) = blocking(WHAT, move || store.try_find(key)).await? {
                return Ok(found);
            }
            // Asked for again and again rather than waited for: a thread that waits cannot be called off.
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn try_find(&self, key: Digest32) -> io::Result<Option<Found>> {
        make_private_folder(&self.folder)?;
        let open = || File::options().create(true).truncate(false).write(true).open(self.lock_of(key));
        let lock = open()?;
        if !taken(lock.try_lock_shared())? {
            return Ok(None);
        }
        if let Some(layer) = Layer::open(self.layer_of(key), lock) {
            return Ok(Some(Found::Ready(layer)));
        }
        let lock = open()?;
        if !taken(lock.try_lock())? {
            return Ok(None);
        }
        // Somebody may have made it between the two looks.
        if is_whole(&self.layer_of(key)) {
            return Ok(None);
        }
        Ok(Some(Found::ToMake(Making { store: self.clone(), key, lock })))
    }

    fn layer_of(&self, key: Digest32) -> PathBuf {
        self.folder.join(key.to_string())
    }

    fn lock_of(&self, key: Digest32) -> PathBuf {
        self.folder.join(format!("{key}.lock"))
    }

    /// Removes the layers that were not used for longest, but for those in use.
    fn make_room(&self) -> io::Result<()> {
        let mut layers = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let folder = entry?.path();
            if let Ok(used) = used(&folder) {
                layers.push((used, folder));
            }
        }
        layers.sort();
        let many = layers.len().saturating_sub(MOST);
        for (_, folder) in &layers[..many] {
            let lock = File::options().write(true).open(folder.with_extension("lock"))?;
            if taken(lock.try_lock())? {
                // Half of one must be none.
                spoil(folder)?;
                remove_any(folder)?;
            }
        }
        Ok(())
    }
}

impl Making {
    /// Keeps what a stage left in a worktree and a home, which `holder` holds until then. `draft` is an empty folder beside them.
    pub(crate) async fn keep(
        self,
        holder: impl Send + 'static,
        [draft, worktree, home]: [PathBuf; 3],
        kept: Vec<RepoPath>,
        report: StageReport,
    ) -> Result<(), VerifierError> {
        blocking(WHAT, move || {
            let Self { store, key, lock } = self;
            gather(&draft, &worktree, &home, kept, report)?;
            let layer = store.layer_of(key);
            // Half of one, which a crash left.
            if layer.exists() {
                remove_any(&layer)?;
            }
            fs::rename(&draft, &layer)?;
            drop((lock, holder));
            if let Err(error) = store.make_room() {
                tracing::warn!(%error, "old prepared dependencies cannot be removed; the next preparation tries again");
            }
            Ok(())
        })
        .await
    }
}

/// Whether a lock was got; `false` if somebody else has it.
fn taken(tried: Result<(), TryLockError>) -> io::Result<bool> {
    match tried {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
