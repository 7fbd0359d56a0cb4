//! What one branch has that another commit has not.

use selfext_domain::CommitSha;
use selfext_domain::ports::LandedCommit;
use serde::Deserialize;

use super::commit::{Parent, Tree};

/// A page of a comparison.
#[derive(Deserialize)]
pub(crate) struct Comparison {
    /// How many commits only the base of the comparison has.
    pub(crate) behind_by: u64,
    /// How many commits only its head has, on all pages.
    pub(crate) total_commits: usize,
    /// Those of this page, oldest first.
    pub(crate) commits: Vec<ComparedCommit>,
}

/// A commit of the repository, which holds one of the git database.
#[derive(Deserialize)]
pub(crate) struct ComparedCommit {
    sha: CommitSha,
    commit: Inner,
    parents: Vec<Parent>,
}

#[derive(Deserialize)]
struct Inner {
    message: String,
    tree: Tree,
}

impl From<ComparedCommit> for LandedCommit {
    fn from(compared: ComparedCommit) -> Self {
        Self {
            sha: compared.sha,
            tree: compared.commit.tree.sha,
            parents: compared.parents.into_iter().map(|parent| parent.sha).collect(),
            message: compared.commit.message,
        }
    }
}
