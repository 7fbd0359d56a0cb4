//! The payloads, one type an event. Integers, strings and booleans only: what is hashed has one spelling.

use serde::{Deserialize, Serialize};

use super::Refusal;
use crate::{
    BranchName, CommitSha, Digest32, EventId, Fingerprint, HealthTerms, History, MergeMethod, MergeWay, OperatorName,
    RepoPath, RunId, StageReport, TreeSha,
};

/// What a change set does to one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileAction {
    /// It is written.
    Write,
    /// It is deleted.
    Delete,
}

/// One file of a change set, without its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSummary {
    /// Where it is.
    pub path: RepoPath,
    /// What happens to it.
    pub action: FileAction,
    /// How many bytes are written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// The SHA-256 of the bytes that are written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Digest32>,
}

/// A change set was taken in; the first event of every run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposed {
    /// The message, redacted.
    pub message: String,
    /// The files, in the order of their paths.
    pub files: Vec<FileSummary>,
    /// The branch that the run will use.
    pub branch: BranchName,
    /// The run that this one takes back, if it is a rollback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_of: Option<RunId>,
    /// The commit of the base that the rollback was made for: what others changed since is theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_on: Option<CommitSha>,
    /// The run in which the same content landed and was rolled back. Only an operator may let it land again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_back_before: Option<RunId>,
}

/// The change set passed verification on `base`; what follows is the publication of exactly this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tested {
    /// The commit under the change.
    pub base_commit: CommitSha,
    /// The tree that was verified and that must land.
    pub tree: TreeSha,
    /// The branch that will be pushed.
    pub branch: BranchName,
    /// The title of the pull request that will be opened.
    pub title: String,
    /// The SHA-256 of the rules file that applied.
    pub rules_sha256: Digest32,
    /// How each stage ended.
    pub stages: Vec<StageReport>,
    /// Which try on a moved base this is, from 1.
    pub attempt: u32,
    /// Which process publishes it from here on. Another process that goes on with the run writes a `tested` of its own first,
    /// after which this one can write no more: one process at a time publishes.
    pub holder: String,
}

/// The run was refused and stays open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromotionBlocked {
    /// Where, why, and what to do.
    #[serde(flatten)]
    pub refusal: Refusal,
}

/// The merge permit was granted: from here on the merge may happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergeStarted {
    /// The one head that may be merged.
    pub head: CommitSha,
    /// The commit of the base branch that was verified under it.
    pub base_commit: CommitSha,
    /// The tree that must land.
    pub tree: TreeSha,
    /// The branch of the pull request.
    pub branch: BranchName,
    /// How it is merged.
    pub method: MergeMethod,
    /// By which way it is asked for.
    #[serde(default, skip_serializing_if = "MergeWay::is_direct")]
    pub way: MergeWay,
    /// The message that the commit on the base branch will have; its first line is the title.
    pub message: String,
    /// Whether the commit status `selfext/permit` on the head is green while the permit is open.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub permit_status: bool,
    /// What the change has to show once it landed, if it has to prove itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<HealthTerms>,
    /// Which process holds the permit.
    pub holder: String,
    /// For how long the holder may act on it, counted from the database's time of this event.
    pub deadline_seconds: u32,
}

/// The merge is being made impossible: the branch will be moved to another commit and the pull request closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergeFenced {
    /// The `merge_started` event whose permit is fenced.
    pub permit: EventId,
    /// The head that must not merge any more.
    pub head: CommitSha,
    /// Who or what asked for it, and why.
    pub detail: String,
}

/// The change landed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promoted {
    /// The commit on the base branch.
    pub commit: CommitSha,
    /// The tree of that commit.
    pub tree: TreeSha,
    /// Whether that is the tree that was verified.
    pub tree_matches: bool,
    /// Whether it is another tree because a merge queue put it on top of other changes, and every context that is required was
    /// green on that very commit: they vouch for it, and promotion did not pause itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub checked_in_queue: bool,
    /// What it has to show from now on, if it has to prove itself: with this event its health window opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<HealthTerms>,
}

/// The run is over without its change having landed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// Where, why, and what to do.
    #[serde(flatten)]
    pub refusal: Refusal,
    /// How each stage of the verification ended, where one failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<StageReport>,
}

/// An operator ended the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunAbandoned {
    /// The name that was given.
    pub by: OperatorName,
    /// Why, if it was said; redacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// An operator allowed this one change set to touch protected paths, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeAllowed {
    /// The name that was given.
    pub by: OperatorName,
    /// The content that is allowed; no other is.
    pub fingerprint: Fingerprint,
    /// The protected paths that were shown to the operator; no other is allowed.
    pub paths: Vec<RepoPath>,
    /// The run in which the same content was rolled back: it may land again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again_after: Option<RunId>,
    /// Why, if it was said; redacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The operating system's user, as the writing process saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os_user: Option<String>,
}

/// Promotion was paused or resumed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromotionPauseChanged {
    /// Whether promotion is paused from here on.
    pub paused: bool,
    /// The name that was given, or `selfext` where it paused itself.
    pub by: OperatorName,
    /// Why; redacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether rollbacks may still merge.
    pub allow_rollbacks: bool,
    /// The operating system's user, as the writing process saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os_user: Option<String>,
}

/// An operator accepted the history of a database that had lost or might have lost its last commits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryAccepted {
    /// The name that was given.
    pub by: OperatorName,
    /// The history that was accepted.
    pub history: History,
}

/// The promoted change proved itself; the baseline moves to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthWindowPassed {
    /// The commit that was seen healthy.
    pub commit: CommitSha,
    /// How many samples of it were taken.
    pub samples: u64,
    /// How long it was watched.
    pub window_seconds: u64,
}

/// The promoted change turned out sick.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthWindowFailed {
    /// The commit that was promoted.
    pub commit: CommitSha,
    /// Where, why, and what to do.
    #[serde(flatten)]
    pub refusal: Refusal,
}

/// A promoted change is being taken back by another run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollbackStarted {
    /// The run that takes it back.
    pub rollback_run: RunId,
    /// Who or what asked for it, and why; redacted.
    pub detail: String,
}

/// A promoted change was taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolledBack {
    /// The run that took it back.
    pub rollback_run: RunId,
    /// The commit that it landed as.
    pub commit: CommitSha,
}

/// A promoted change could not be taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollbackFailed {
    /// The run that tried.
    pub rollback_run: RunId,
    /// Where, why, and what to do.
    #[serde(flatten)]
    pub refusal: Refusal,
    /// The branch on which what could be restored is prepared for a human, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prepared: Option<BranchName>,
}

/// An operator has seen that a rollback failed and frees promotion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollbackAcknowledged {
    /// The name that was given.
    pub by: OperatorName,
    /// What was done about it, if it was said; redacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
