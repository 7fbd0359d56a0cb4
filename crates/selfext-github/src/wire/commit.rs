//! Commits of the git database.

use selfext_domain::ports::LandedCommit;
use selfext_domain::{CommitSha, TreeSha};
use serde::{Deserialize, Serialize};

/// A commit as it is read.
#[derive(Deserialize)]
pub(crate) struct CommitBody {
    pub(crate) sha: CommitSha,
    pub(crate) message: String,
    pub(crate) tree: Tree,
    pub(crate) parents: Vec<Parent>,
}

impl From<CommitBody> for LandedCommit {
    fn from(body: CommitBody) -> Self {
        let parents = body.parents.into_iter().map(|parent| parent.sha).collect();
        Self { sha: body.sha, tree: body.tree.sha, parents, message: body.message }
    }
}

/// The tree of a commit.
#[derive(Deserialize)]
pub(crate) struct Tree {
    pub(crate) sha: TreeSha,
}

/// A parent of a commit.
#[derive(Deserialize)]
pub(crate) struct Parent {
    pub(crate) sha: CommitSha,
}

/// A commit to be made; its author and its time are GitHub's choice, which may sign it.
#[derive(Serialize)]
pub(crate) struct NewCommit<'a> {
    pub(crate) message: &'a str,
    pub(crate) tree: &'a TreeSha,
    pub(crate) parents: [&'a CommitSha; 1],
}
