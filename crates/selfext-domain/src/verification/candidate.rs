//! A change set on its base.

use std::sync::Arc;

use crate::{BaseLinks, CommitSha, RepoPath, TreeSha};

/// What a candidate does to one path, with everything that the base decides filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryChange {
    /// The path holds these bytes.
    Write {
        /// The bytes.
        content: Arc<[u8]>,
        /// Whether the file is executable: as asked for, else as on the base.
        executable: bool,
    },
    /// The path is gone.
    Delete,
}

/// A change set on one base commit: the tree it makes. Nothing of it has been run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The commit under it.
    pub base: CommitSha,
    /// The tree of that commit.
    pub base_tree: TreeSha,
    /// The tree with the change on top.
    pub tree: TreeSha,
    /// The entries that differ, in the order of their paths.
    pub entries: Vec<(RepoPath, EntryChange)>,
    /// The symbolic links of the base.
    pub links: BaseLinks,
    /// The paths of the entries that a rollback could not restore even if nothing else changed, in order: those where the base
    /// has a symbolic link or a submodule, which no change set can write; those that no change set could write again, because
    /// of their names or depth; and those that are too large to be restored with the others.
    pub irreversible: Vec<RepoPath>,
}
