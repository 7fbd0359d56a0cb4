//! How a rollback ended.

use selfext_domain::{CommitSha, Reason, Refusal, Run, RunId};
use serde::Serialize;

use crate::PullRequestLink;

/// How a rollback stands at the end of a call. Everything here is in the ledger too, but for what has not begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RollbackOutcome {
    /// The run whose change is taken back.
    pub run: RunId,
    /// The run that takes it back; `None` if it has not begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollback_run: Option<RunId>,
    /// The rollback's pull request, if this call learnt it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_request: Option<PullRequestLink>,
    /// How it ended.
    #[serde(flatten)]
    pub ending: RollbackEnding,
}

/// How a rollback stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum RollbackEnding {
    /// The change is not on the base branch any more.
    RolledBack {
        /// The commit on the base branch that took it back.
        commit: CommitSha,
    },
    /// It was refused for now; the same call goes on with it.
    Waiting(Refusal),
    /// Whether its merge happened, or may yet, is not known; the same call asks again.
    InDoubt {
        /// What is known.
        detail: String,
    },
    /// It could not be taken back. The same call tries anew; promotions are held back until an operator acknowledges it.
    Failed(Refusal),
}

impl RollbackOutcome {
    pub(crate) fn new(target: &Run, pull_request: Option<PullRequestLink>, ending: RollbackEnding) -> Self {
        Self { run: target.id().clone(), rollback_run: target.rollback().cloned(), pull_request, ending }
    }

    /// The outcome of a run that was rolled back before.
    pub(crate) fn of(target: &Run) -> Self {
        let ending = match target.rolled_back() {
            Some(commit) => RollbackEnding::RolledBack { commit: commit.clone() },
            None => RollbackEnding::InDoubt { detail: "the run names no commit that took it back".to_owned() },
        };
        Self::new(target, None, ending)
    }

    /// Whether it failed only because others changed the same files while it was under way.
    pub(crate) fn is_to_be_remade(&self) -> bool {
        matches!(&self.ending, RollbackEnding::Failed(refusal) if refusal.reason == Reason::BaseConflict)
    }
}
