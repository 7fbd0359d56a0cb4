//! A candidate's files, checked out for one run.

use std::path::{Path, PathBuf};

use selfext_domain::ports::VerifierError;
use selfext_domain::{Digest32, RunId, TreeSha};

use super::walls::Surroundings;
use crate::cache::Repository;
use crate::error::{blocking, unavailable};
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
    /// Checks a tree out, if its files hold no more than so many bytes: many names of one blob cost a repository nothing, and a
    /// disk everything. git registers nothing about it, so nothing of it can be left behind in the cache, and no hook runs.
    pub(super) async fn check_out(
        repository: &Repository,
        tree: &TreeSha,
        run: &RunId,
        runs: &Path,
        most: u64,
    ) -> Result<Self, VerifierError> {
        let label: String = Digest32::of(run.as_str().as_bytes()).to_string().chars().take(16).collect();
        let folder = RunFolder::create(runs, &label).await?;
        let worktree = blocking("the worktree cannot be made", move || {
            let (files, home, temporary) = (folder.make("work")?, folder.make("home")?, folder.make("tmp")?);
            let (shared_memory, root) = (folder.make("shm")?, folder.make("root")?);
            Ok(Self { folder, files, home, temporary, shared_memory, root })
        })
        .await?;
        let index = worktree.folder.path().join("index");
        let call = |what| repository.call(what).env("GIT_INDEX_FILE", &index);
        let (sizes, read) = tokio::join!(
            repository
                .call("the candidate cannot be listed")
                .args(["ls-tree", "-r", "-z", "--full-tree", "--format=%(objectsize)", tree.as_str()])
                .output(),
            call("the candidate cannot be read").args(["read-tree", tree.as_str()]).output(),
        );
        read?;
        let held = sum(&sizes?);
        if held > most {
            return Err(unavailable(&format!(
                "the files of the tree {tree} hold {held} bytes, but limits.disk_bytes of the stages is {most} at most"
            )));
        }
        call("the candidate cannot be checked out")
            .env("GIT_WORK_TREE", &worktree.files)
            .folder(&worktree.files)
            .args(["checkout-index", "--all", "--quiet"])
            .output()
            .await?;
        Ok(worktree)
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

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(super) async fn remove(self) {
        self.folder.remove().await;
    }
}

/// The sum of the sizes that a listing names. A submodule has none.
fn sum(listing: &[u8]) -> u64 {
    let sizes = listing.split(|byte| *byte == 0).filter_map(|size| std::str::from_utf8(size).ok()?.trim().parse().ok());
    sizes.fold(0, u64::saturating_add)
}
