//! A candidate's files, checked out for one run.

use std::path::{Path, PathBuf};

use selfext_domain::ports::VerifierError;
use selfext_domain::{Digest32, RunId, TreeSha};

use super::disk::{LONGEST, until_full};
use super::extent::{Extent, too_large};
use super::walls::Surroundings;
use crate::cache::Repository;
use crate::error::blocking;
use crate::run_folder::RunFolder;

/// A candidate's files with a home and a temporary folder beside them, for one run. All of it goes with the value.
#[derive(Debug)]
pub(super) struct Worktree {
    folder: RunFolder,
    pub(super) files: PathBuf,
    pub(super) home: PathBuf,
    pub(super) temporary: PathBuf,
    shared_memory: PathBuf,
    root: PathBuf,
}

impl Worktree {
    /// Checks a tree out that takes so many bytes at most. git registers nothing about it, so nothing of it can be left behind
    /// in the cache, and no hook runs.
    pub(super) async fn check_out(
        repository: &Repository,
        tree: &TreeSha,
        run: &RunId,
        runs: &Path,
        most: u64,
    ) -> Result<Self, VerifierError> {
        let extent = Extent::of(repository, tree).await?;
        let label: String = Digest32::of(run.as_str().as_bytes()).to_string().chars().take(16).collect();
        let folder = RunFolder::create(runs, &label).await?;
        let worktree = blocking("the worktree cannot be made", move || {
            let (files, home, temporary) = (folder.make("work")?, folder.make("home")?, folder.make("tmp")?);
            let (shared_memory, root) = (folder.make("shm")?, folder.make("root")?);
            Ok(Self { folder, files, home, temporary, shared_memory, root })
        })
        .await?;
        extent.demand(most, LONGEST.saturating_sub(worktree.files.as_os_str().len() + 1))?;
        let index = worktree.folder.path().join("index");
        let call = |what| repository.call(what).env("GIT_INDEX_FILE", &index);
        call("the candidate cannot be read").args(["read-tree", tree.as_str()]).output().await?;
        let checking_out = call("the candidate cannot be checked out")
            .env("GIT_WORK_TREE", &worktree.files)
            .folder(&worktree.files)
            .args(["checkout-index", "--all", "--quiet"])
            .output();
        let folders = worktree.writable().map(Path::to_owned);
        // Attributes may make files many times larger than their objects, and the disk may be nearly full.
        let checked_out = tokio::select! {
            checked_out = checking_out => checked_out.map(drop),
            () = until_full(folders, most) => Err(too_large(most, "grow as they are checked out, or fill the disk")),
        };
        match checked_out {
            Ok(()) => Ok(worktree),
            Err(error) => {
                worktree.remove().await;
                Err(error)
            }
        }
    }

    /// What its stages may use.
    pub(super) fn surroundings<'a>(&'a self, readable: &'a [PathBuf]) -> Surroundings<'a> {
        Surroundings {
            files: &self.files,
            home: &self.home,
            temporary: &self.temporary,
            shared_memory: &self.shared_memory,
            root: &self.root,
            readable,
        }
    }

    /// An empty folder beside the others, for what is to be kept of them.
    pub(super) fn draft(&self) -> std::io::Result<PathBuf> {
        self.folder.make("draft")
    }

    /// The folders that its stages may write in.
    pub(super) fn writable(&self) -> [&Path; 4] {
        self.surroundings(&[]).writable()
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(super) async fn remove(self) {
        self.folder.remove().await;
    }
}
