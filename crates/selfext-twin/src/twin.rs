//! A twin before it is served.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use crate::config::TwinConfig;
use crate::error::TwinError;
use crate::forge::Scope;
use crate::git::Git;
use crate::handle::TwinHandle;
use crate::http::{self, Serving};
use crate::state::{DIRECTORY, Lock, Store};
use crate::world::{Custody, World};

/// A stand-in for GitHub over one git repository.
///
/// While it exists, no other twin can open the repository; everybody else can go on using it with git.
#[derive(Debug)]
pub struct Twin {
    world: Arc<World>,
    custody: Custody,
}

impl Twin {
    /// Opens a repository: a bare one, a `.git` directory, or the root of a working tree. No directory above the
    /// path is looked at.
    ///
    /// What the twin knows beside the repository is kept in the directory `selfext-twin` of the git directory and
    /// found again here. A merge that an earlier twin was killed in is settled. May be repeated after an error.
    ///
    /// # Errors
    ///
    /// [`TwinError::Git`] if the path is no repository with SHA-1 objects, [`TwinError::InUse`] if another twin has
    /// it open, and [`TwinError::Files`], [`TwinError::DamagedState`] or [`TwinError::NewerState`] if what is kept
    /// beside it cannot be used.
    pub async fn open(repository: &Path, config: TwinConfig) -> Result<Self, TwinError> {
        let directory = Git::find(repository).await?;
        let lock = Lock::take(&directory)?;
        let store = Store::load(&directory)?;
        let git = Git::open(&directory, &format!("{DIRECTORY}/objects")).await?;
        let default_branch = match &config.default_branch {
            Some(branch) => branch.clone(),
            None => git.head_branch().await?.unwrap_or_else(|| "main".to_owned()),
        };
        let world = World::new(config, default_branch, git, store);
        let world = Arc::new(world);
        world.settle(&mut *world.store.lock().await, Scope::All).await?;
        Ok(Self { custody: Custody::new(Arc::clone(&world), lock), world })
    }

    /// The handle of the twin, for setting it up before it is served.
    #[must_use]
    pub fn handle(&self) -> TwinHandle {
        TwinHandle::new(Arc::clone(&self.world))
    }

    /// Begins to listen on the address; port 0 means any free port. Requests are answered by tasks of the runtime
    /// that this is called on.
    ///
    /// # Errors
    ///
    /// [`TwinError::Listen`] if the address cannot be had, [`TwinError::NotLoopback`] if other machines could reach
    /// it although no token is required. The twin is then gone and may be opened again.
    pub async fn serve(self, address: SocketAddr) -> Result<Serving, TwinError> {
        http::serve(self.world, self.custody, address).await
    }
}
