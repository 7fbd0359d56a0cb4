//! The bare repository that base commits are fetched into and candidate trees are made in.

mod blobs;
mod fetch;
mod repository;

use std::fs::{DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use selfext_domain::ports::VerifierError;
use selfext_domain::{BranchName, CommitSha, RepoPath, TreeSha};

pub(crate) use repository::{ObjectFormat, Repository, parse_tree};

use crate::GitSource;
use crate::error::{blocking, unavailable, unavailable_by};
use crate::git::Git;

/// How large a file may be that is read from a base.
const FILE_LIMIT: u64 = 1 << 20;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// The cache of one source.
#[derive(Debug)]
pub(crate) struct Cache {
    git: Git,
    source: GitSource,
    folder: PathBuf,
    fetch_timeout: Duration,
}

/// A base commit that is on this machine.
#[derive(Debug)]
pub(crate) struct Base {
    pub(crate) repository: Repository,
    pub(crate) tree: TreeSha,
}

impl Cache {
    pub(crate) const fn new(git: Git, source: GitSource, folder: PathBuf, fetch_timeout: Duration) -> Self {
        Self { git, source, folder, fetch_timeout }
    }

    /// The folder of the runs' own folders.
    pub(crate) fn runs(&self) -> PathBuf {
        self.folder.join("worktrees")
    }

    /// The folder of what was prepared on bases.
    pub(crate) fn prepared(&self) -> PathBuf {
        self.folder.join("prepared")
    }

    /// The repository, made if there is none yet, with the configuration that it should have.
    pub(crate) async fn repository(&self, format: ObjectFormat) -> Result<Repository, VerifierError> {
        let repository = Repository::new(self.git.clone(), &self.folder, format);
        if repository.is_mended().await? {
            return Ok(repository);
        }
        let _lock = self.lock().await?;
        repository.create_or_mend(&self.folder).await?;
        Ok(repository)
    }

    /// Brings a base commit to this machine, unless it is here.
    pub(crate) async fn base(&self, branch: &BranchName, base: &CommitSha) -> Result<Base, VerifierError> {
        let repository = self.repository(ObjectFormat::of(base.as_str())).await?;
        if let Some(tree) = repository.tree_of(base).await? {
            return Ok(Base { repository, tree });
        }
        let lock = self.lock().await?;
        // Another process may have fetched it while this one waited for the lock.
        if let Some(tree) = repository.tree_of(base).await? {
            return Ok(Base { repository, tree });
        }
        let fetched = fetch::fetch(&repository, &self.source, branch, self.fetch_timeout).await?;
        drop(lock);
        let tree = if fetched { repository.tree_of(base).await? } else { None };
        tree.map(|tree| Base { repository, tree }).ok_or_else(|| VerifierError::BaseMissing(base.clone()))
    }

    /// Reads a regular file of a base.
    pub(crate) async fn read_file(
        &self,
        branch: &BranchName,
        base: &CommitSha,
        path: &RepoPath,
    ) -> Result<Option<Vec<u8>>, VerifierError> {
        let repository = self.base(branch, base).await?.repository;
        let Some((object, size)) = repository.find_regular_file(base, path).await? else {
            return Ok(None);
        };
        if size > FILE_LIMIT {
            let detail = format!("{path} on the base has {size} bytes; at most {FILE_LIMIT} are read");
            return Err(unavailable(&detail));
        }
        repository.blob(&object).await.map(Some)
    }

    /// Brings two commits of a branch to this machine; answers the second.
    pub(crate) async fn two(
        &self,
        branch: &BranchName,
        from: &CommitSha,
        to: &CommitSha,
    ) -> Result<Base, VerifierError> {
        let repository = self.base(branch, from).await?.repository;
        if repository.format() != ObjectFormat::of(to.as_str()) {
            return Err(VerifierError::BaseMissing(to.clone()));
        }
        self.base(branch, to).await
    }

    /// Which of some paths differ between two commits of a branch.
    pub(crate) async fn changed_between(
        &self,
        branch: &BranchName,
        from: &CommitSha,
        to: &CommitSha,
        paths: &[RepoPath],
    ) -> Result<Vec<RepoPath>, VerifierError> {
        let repository = self.two(branch, from, to).await?.repository;
        if from == to {
            return Ok(Vec::new());
        }
        let (before, after) = (repository.entries_at(from, paths).await?, repository.entries_at(to, paths).await?);
        let differs = |path: &&RepoPath| {
            let name = path.as_str().as_bytes();
            before.get(name) != after.get(name)
        };
        Ok(paths.iter().filter(differs).cloned().collect())
    }

    /// Held while the repository is made or fetched into, by one process at a time. Goes with the value, and with the
    /// process.
    async fn lock(&self) -> Result<File, VerifierError> {
        const WHAT: &str = "the cache's folder cannot be made or locked";
        let folder = self.folder.clone();
        let lock = blocking(WHAT, move || {
            make_private_folder(&folder)?;
            File::options().create(true).truncate(false).write(true).open(folder.join("lock"))
        })
        .await?;
        // Asked for again and again rather than waited for: a thread that waits cannot be called off.
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(lock),
                Err(TryLockError::WouldBlock) => tokio::time::sleep(LOCK_PAUSE).await,
                Err(TryLockError::Error(error)) => return Err(unavailable_by(WHAT, error)),
            }
        }
    }
}

/// Makes a folder, and those above it, with access for this user alone.
pub(crate) fn make_private_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}
