//! Writing objects.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use super::coprocess::Coprocess;
use super::launcher::Launcher;
use super::{Git, GitError, NewCommit, Oid};

/// The long-lived `git hash-object` processes, one for each kind of object.
///
/// Each reads objects from files that it is told of line by line; the files lie in the twin's scratch directory
/// under names that the twin counts up.
pub(super) struct ObjectWriter {
    directory: PathBuf,
    scratch: String,
    next: AtomicU64,
    blobs: Coprocess,
    trees: Coprocess,
    commits: Coprocess,
}

impl ObjectWriter {
    /// Empties the scratch directory and gets ready.
    pub(super) async fn new(launcher: &Launcher, scratch: &str) -> Result<Self, GitError> {
        let directory = launcher.directory().join(scratch);
        if let Err(error) = tokio::fs::remove_dir_all(&directory).await
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(GitError::Handover(error));
        }
        tokio::fs::create_dir_all(&directory).await.map_err(GitError::Handover)?;
        Ok(Self {
            directory,
            scratch: scratch.to_owned(),
            next: AtomicU64::new(0),
            blobs: hasher("blob"),
            trees: hasher("tree"),
            commits: hasher("commit"),
        })
    }

    async fn write(&self, launcher: &Launcher, process: &Coprocess, data: &[u8]) -> Result<Oid, GitError> {
        let name = self.next.fetch_add(1, Ordering::Relaxed).to_string();
        let file = self.directory.join(&name);
        tokio::fs::write(&file, data).await.map_err(GitError::Handover)?;
        let written = async {
            let mut lease = process.lease(launcher).await?;
            lease.say(&format!("{}/{name}\n", self.scratch)).await?;
            let line = lease.line().await?;
            lease.keep();
            Oid::parse(&line).ok_or_else(|| GitError::unexpected("hash-object", line.as_bytes()))
        }
        .await;
        let removed = tokio::fs::remove_file(&file).await;
        let oid = written?;
        removed.map_err(GitError::Handover)?;
        Ok(oid)
    }
}

fn hasher(kind: &'static str) -> Coprocess {
    let arguments = vec!["hash-object", "-w", "--no-filters", "-t", kind, "--stdin-paths"];
    Coprocess::new("hash-object", arguments)
}

impl Git {
    /// Stores a file's contents.
    pub(crate) async fn write_blob(&self, data: &[u8]) -> Result<Oid, GitError> {
        self.writer.write(&self.launcher, &self.writer.blobs, data).await
    }

    /// Stores a tree in its binary form.
    pub(super) async fn write_raw_tree(&self, data: &[u8]) -> Result<Oid, GitError> {
        self.writer.write(&self.launcher, &self.writer.trees, data).await
    }

    /// Stores a commit. The same commit always gets the same id.
    pub(crate) async fn write_commit(&self, commit: &NewCommit) -> Result<Oid, GitError> {
        let data = commit.encode();
        self.writer.write(&self.launcher, &self.writer.commits, &data).await
    }
}
