//! Everything that a twin is made of, shared by the server and the handle.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use tokio::sync::{Mutex, Notify, watch};

use crate::app::Desk;
use crate::config::TwinConfig;
use crate::error::TwinError;
use crate::fault::Knobs;
use crate::git::{Git, GitError};
use crate::identity::Identity;
use crate::limits::Meter;
use crate::record::Recorder;
use crate::state::{Lock, Store, StoreError};

/// A twin's repository, state, knobs and record.
pub(crate) struct World {
    pub(crate) config: TwinConfig,
    pub(crate) default_branch: String,
    pub(crate) git: Git,
    /// Whoever moves a ref or changes the state holds this lock: that is what makes merges happen one at a time.
    pub(crate) store: Mutex<Store>,
    pub(crate) knobs: Knobs,
    /// Told when a merge in the background was asked for.
    pub(crate) merge_asked_for: Notify,
    pub(crate) meter: Meter,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) desk: Desk,
    identity: RwLock<Arc<Identity>>,
    site: OnceLock<String>,
    closing: watch::Sender<bool>,
    closed: AtomicBool,
}

/// The right to change a repository. Once it is dropped the world is closed: the repository may be another twin's.
#[derive(Debug)]
pub(crate) struct Custody {
    world: Arc<World>,
    _lock: Lock,
}

impl Custody {
    pub(crate) fn new(world: Arc<World>, lock: Lock) -> Self {
        Self { world, _lock: lock }
    }
}

impl Drop for Custody {
    fn drop(&mut self) {
        self.world.closed.store(true, Ordering::Release);
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("config", &self.config).finish_non_exhaustive()
    }
}

/// A failure of the machine beneath the twin; a request that meets one is answered with 500.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorldError {
    #[error("the git repository failed")]
    Git(#[from] GitError),
    #[error("the state could not be kept")]
    Store(#[from] StoreError),
}

impl World {
    pub(crate) fn new(config: TwinConfig, default_branch: String, git: Git, store: Store) -> Self {
        let identity = Identity::new(config.repository_id, config.owner.clone(), config.name.clone());
        let knobs = Knobs::default();
        knobs.set_without_async_merges(!config.async_merges);
        Self {
            config,
            default_branch,
            git,
            store: Mutex::new(store),
            knobs,
            merge_asked_for: Notify::new(),
            meter: Meter::default(),
            recorder: Arc::new(Recorder::new()),
            desk: Desk::default(),
            identity: RwLock::new(Arc::new(identity)),
            site: OnceLock::new(),
            closing: watch::Sender::new(false),
            closed: AtomicBool::new(false),
        }
    }

    /// What the repository is called now.
    pub(crate) fn identity(&self) -> Arc<Identity> {
        Arc::clone(&self.identity.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set_identity(&self, identity: Identity) {
        *self.identity.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(identity);
    }

    /// Where the twin is served, without a slash at the end and without the API's path.
    pub(crate) fn site(&self) -> &str {
        self.site.get().map_or("http://127.0.0.1", String::as_str)
    }

    /// Notes where the twin is served. Only the first call counts.
    pub(crate) fn set_site(&self, url: String) {
        let _ = self.site.set(url);
    }

    /// Tells everything that waits that the twin is about to go.
    pub(crate) fn begin_closing(&self) {
        self.closing.send_replace(true);
    }

    /// Waits until the twin is about to go.
    pub(crate) async fn closing(&self) {
        let mut closing = self.closing.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        let _ = closing.wait_for(|closing| *closing).await;
    }

    /// Fails once the twin is closed.
    pub(crate) fn check_open(&self) -> Result<(), TwinError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(TwinError::Closed);
        }
        Ok(())
    }
}

impl From<WorldError> for TwinError {
    fn from(error: WorldError) -> Self {
        match error {
            WorldError::Git(error) => Self::Git(error),
            WorldError::Store(error) => Self::from(error),
        }
    }
}

impl From<StoreError> for TwinError {
    fn from(error: StoreError) -> Self {
        let source = match error {
            StoreError::Encode(error) => error.into(),
            StoreError::Write(error) => error,
        };
        Self::Files { path: "state.json".into(), source }
    }
}
