//! Whether a pull request could be merged, in GitHub's words.

use crate::control::{CheckConclusion, StatusState};
use crate::git::{GitError, MergeOutcome, Oid};
use crate::state::{Pull, State};
use crate::world::World;

use super::gate;

/// What a pull request says of its own merge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mergeability {
    /// Whether head and base fit together; `None` while GitHub would still be working it out.
    pub(crate) mergeable: Option<bool>,
    /// GitHub's word for it.
    pub(crate) state: &'static str,
    /// The commit of the merge that was tried; on an open pull request GitHub shows it as `merge_commit_sha`.
    pub(crate) test_merge: Option<Oid>,
}

impl Mergeability {
    /// Not worked out, or no more of interest.
    pub(crate) fn unknown() -> Self {
        Self { mergeable: None, state: "unknown", test_merge: None }
    }
}

impl World {
    /// Works out how a pull request stands; `base` is where the base branch is now.
    pub(crate) async fn mergeability(&self, state: &State, pull: &Pull, base: Oid) -> Result<Mergeability, GitError> {
        if !pull.open {
            return Ok(Mergeability::unknown());
        }
        let head = pull.head_sha;
        if self.git.merge(base, head).await? == MergeOutcome::Conflict {
            return Ok(Mergeability { mergeable: Some(false), state: "dirty", test_merge: None });
        }
        let behind = self.git.relation(base, head).await?.behind > 0;
        let word = if pull.draft {
            "draft"
        } else if !gate::is_let_through(state, pull) {
            "blocked"
        } else if behind && gate::is_strict(state, &pull.base) {
            "behind"
        } else if has_unpassed_checks(state, head) {
            "unstable"
        } else {
            "clean"
        };
        Ok(Mergeability { mergeable: Some(true), state: word, test_merge: self.git.test_merge(base, head).await? })
    }
}

fn has_unpassed_checks(state: &State, sha: Oid) -> bool {
    let mut statuses = state.latest_statuses(sha).into_iter();
    let mut checks = state.latest_checks(sha).into_iter();
    statuses.any(|status| status.state != StatusState::Success)
        || checks.any(|check| !check.outcome.conclusion().is_some_and(CheckConclusion::passes))
}
