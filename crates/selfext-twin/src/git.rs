//! The real git repository, through the `git` program.
//!
//! Reads go to one long-lived `git cat-file` and writes of objects to long-lived `git hash-object` processes, so
//! that most API calls start no process at all. What is left (moving a ref, three-way merges, diffs) is one short
//! process each. Nothing that came from a URL ever becomes a path in the file system: names are checked, and git
//! gets them as full refs or as object ids.

mod commit;
mod coprocess;
mod diff;
mod error;
mod history;
mod launcher;
mod merge;
mod oid;
mod reader;
mod ref_name;
mod refs;
mod tree;
mod tree_edit;
mod writer;

pub(crate) use commit::{Commit, NewCommit, Signature};
pub(crate) use diff::FileChange;
pub use error::GitError;
pub(crate) use history::Relation;
pub(crate) use merge::MergeOutcome;
pub(crate) use oid::{EMPTY_TREE, Oid};
pub(crate) use reader::ObjectInfo;
pub(crate) use ref_name::RefName;
pub(crate) use refs::{RefChange, RefTarget};
pub(crate) use tree::{ListedEntry, TreeEntry};
pub(crate) use tree_edit::{TreeChange, TreeEditError, path_segments};

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use launcher::Launcher;
use merge::Memo;
use reader::ObjectReader;
use writer::ObjectWriter;

/// One repository, ready to be read and written.
pub(crate) struct Git {
    launcher: Launcher,
    reader: ObjectReader,
    writer: ObjectWriter,
    memo: Memo,
    seen_a_ref: AtomicBool,
}

impl Git {
    /// Finds the git directory, shared by all worktrees, of what `path` names: a bare repository, a `.git`
    /// directory, or the root of a working tree.
    pub(crate) async fn find(path: &Path) -> Result<PathBuf, GitError> {
        Launcher::discover(path).await
    }

    /// Gets ready to use a git directory that was [found](Self::find). `scratch` is a directory in it for objects on
    /// their way into the repository; what is in it is deleted.
    pub(crate) async fn open(directory: &Path, scratch: &str) -> Result<Self, GitError> {
        let launcher = Launcher::new(directory);
        let writer = ObjectWriter::new(&launcher, scratch).await?;
        Ok(Self {
            launcher,
            reader: ObjectReader::new(),
            writer,
            memo: Memo::default(),
            seen_a_ref: AtomicBool::new(false),
        })
    }

    /// Whether the repository has no ref at all, as right after `git init`.
    pub(crate) async fn is_empty(&self) -> Result<bool, GitError> {
        if self.seen_a_ref.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let output = self.launcher.run(&["for-each-ref", "--count=1"]).await?;
        let empty = output.is_empty();
        self.seen_a_ref.store(!empty, Ordering::Relaxed);
        Ok(empty)
    }

    /// The branch that HEAD names, if it names one.
    pub(crate) async fn head_branch(&self) -> Result<Option<String>, GitError> {
        let answer = self.launcher.answer(&["symbolic-ref", "--quiet", "HEAD"]).await?;
        let name = String::from_utf8_lossy(&answer.stdout);
        Ok(name.trim().strip_prefix("refs/heads/").map(str::to_owned))
    }
}
