//! What a promotion tells while it works.

use selfext_domain::{CommitSha, ContextFinding, PullRequestNumber, RunId, StageReport, TeamName};

/// One step of a promotion, told as it begins or ends. For people and logs; the ledger is the truth.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// A run was begun.
    Began {
        /// The run.
        run: RunId,
    },
    /// An open run goes on.
    Resumed {
        /// The run.
        run: RunId,
    },
    /// The stages run on this base.
    Verifying {
        /// The commit under the candidate.
        base: CommitSha,
    },
    /// The stages ended.
    Verified {
        /// How each ended.
        stages: Vec<StageReport>,
    },
    /// Branch, commit and pull request are being made.
    Publishing,
    /// They are there.
    Published {
        /// The pull request.
        pull_request: PullRequestNumber,
        /// Where a person reads it.
        url: String,
    },
    /// Contexts are missing or pending.
    WaitingForChecks {
        /// What the gate sees.
        findings: Vec<ContextFinding>,
    },
    /// There are fewer approvals than are asked for.
    WaitingForReviews {
        /// How many there are.
        have: u32,
        /// How many are asked for.
        need: u32,
    },
    /// Nobody of these teams has approved.
    WaitingForTeams {
        /// The teams.
        teams: Vec<TeamName>,
    },
    /// The gate is green.
    GatePassed,
    /// The base has another tip: the change is verified again.
    BaseMoved {
        /// The new tip.
        base: CommitSha,
    },
    /// The merge permit was granted.
    MergeStarted,
    /// The forge did not say whether the merge happened; it is being asked.
    MergeUnclear {
        /// What was seen.
        message: String,
    },
    /// It stands in the forge's merge queue.
    InMergeQueue {
        /// Its place, from 1.
        position: u32,
    },
    /// It landed.
    Landed {
        /// The commit on the base branch.
        commit: CommitSha,
    },
    /// Another process goes on with this run; its end is awaited.
    Following {
        /// That process.
        holder: String,
    },
    /// Another merge into the same base is under way, and is waited for.
    WaitingForMerge {
        /// Whose.
        detail: String,
    },
    /// A landed change is being taken back.
    RollbackStarted {
        /// The run whose change it is.
        run: RunId,
        /// The run that takes it back.
        rollback_run: RunId,
    },
    /// Something that the run does not depend on was left undone.
    CleanupFailed {
        /// What, and why.
        detail: String,
    },
}

/// Is told the steps of a promotion. Must not block.
pub trait Observer: Send + Sync {
    /// One step.
    fn on(&self, step: &Step);
}

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {
    fn on(&self, _step: &Step) {}
}
