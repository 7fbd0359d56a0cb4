//! What takes a landed change back.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{FileChange, RepoPath};

/// What takes a landed commit back on a later commit of the same branch: every path that it changed is as it was before it, and
/// what was changed afterwards is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inverse {
    /// What restores the paths. Those that are as they were already are not among them.
    pub files: BTreeMap<RepoPath, FileChange>,
    /// The paths that cannot be restored without somebody's judgement. If there are any, `files` alone is no rollback.
    pub conflicts: Vec<InverseConflict>,
}

/// A path that cannot be restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InverseConflict {
    /// Which one.
    pub path: RepoPath,
    /// Why, for people.
    pub detail: String,
    /// The file with both sides marked in it, where it is text.
    pub marked: Option<Arc<[u8]>>,
}
