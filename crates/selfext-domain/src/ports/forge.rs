//! The port of the service that hosts the repository.

use std::time::Duration;

use async_trait::async_trait;

use super::Source;
use crate::{
    BranchName, BranchRules, Candidate, CommitSha, GateReading, MergePermit, PullRequestNumber, Reason, RepoPath,
    Review, TeamName, TreeSha,
};

/// Why the forge did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ForgeError {
    /// It did not answer in time, or not at all, or with a server error. Whether a write happened is not known.
    #[error("the forge did not answer")]
    Unavailable(#[source] Source),
    /// It answered what is not in its own description.
    #[error("the forge answered in a way that cannot be understood: {0}")]
    Unreadable(String),
    /// It asks to wait.
    #[error("the forge asks to wait {} seconds", .retry_after.as_secs())]
    RateLimited {
        /// How long.
        retry_after: Duration,
    },
    /// The credentials are wrong or lack a right.
    #[error("the forge refuses the credentials: {0}")]
    Unauthorized(String),
    /// The thing is not there, or the credentials cannot see it.
    #[error("the forge has no {0}")]
    NotFound(String),
    /// It refused the request for good.
    #[error("the forge refused: {0}")]
    Refused(String),
    /// The branch holds a commit that selfext did not make.
    #[error("the branch {branch} holds {head}, which is not selfext's")]
    BranchTaken {
        /// The branch.
        branch: BranchName,
        /// What it holds.
        head: CommitSha,
    },
    /// The forge made another tree from the same entries than the verifier.
    #[error("the forge made the tree {actual} where {expected} was tested")]
    TreeDiffers {
        /// The verified tree.
        expected: TreeSha,
        /// The forge's.
        actual: TreeSha,
    },
}

impl ForgeError {
    /// A forge that did not answer, by what the transport said.
    #[must_use]
    pub fn unavailable(source: impl Into<Source>) -> Self {
        Self::Unavailable(source.into())
    }
}

/// What a run publishes: one commit with all files, one branch, one pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// What was verified.
    pub candidate: Candidate,
    /// The run's branch.
    pub branch: BranchName,
    /// The branch that the change is to land on.
    pub base: BranchName,
    /// The commit's message, with its trailer.
    pub commit_message: String,
    /// The pull request's title.
    pub title: String,
    /// The pull request's body: the evidence.
    pub body: String,
    /// Whether the branch is believed not to exist, so that branch, commit and pull request may be made in one go. A wrong belief
    /// costs requests, and the pull request may show for a moment what the branch held; never more.
    pub fresh: bool,
}

/// How verification ended. All of it is redacted, and nothing in it mentions anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Whether every stage passed.
    pub passed: bool,
    /// One line; at most 140 characters.
    pub summary: String,
    /// The same at length, in Markdown: at most 65,535 bytes. Shown where a forge has room for it; it may be empty.
    pub text: String,
    /// What it says of single lines, at most 50; none where everything passed.
    pub annotations: Vec<Annotation>,
}

/// What a stage that failed says of one line of a file of the change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// The file.
    pub path: RepoPath,
    /// The line, counted from 1.
    pub line: u32,
    /// What is said of it: plain text.
    pub message: String,
}

/// What was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The pull request.
    pub pull_request: PullRequestNumber,
    /// Where a person reads it.
    pub url: String,
    /// The commit on the branch.
    pub head: CommitSha,
}

/// What the forge has of a publication, from an earlier call or from another process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The commit that the branch is at.
    pub commit: LandedCommit,
    /// The open pull request from the branch to the base, if there is one.
    pub request: Option<StandingRequest>,
}

/// An open pull request that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingRequest {
    /// Its number.
    pub number: PullRequestNumber,
    /// Where a person reads it.
    pub url: String,
    /// Its title.
    pub title: String,
    /// Its body; a forge may end lines in its own way.
    pub body: String,
}

impl Standing {
    /// The publication, if all of it is there exactly as it would be made now. As for [`Forge::publish`], a commit of the same
    /// tree on the same base is as good as a new one.
    #[must_use]
    pub fn holds(&self, publication: &Publication) -> Option<Published> {
        let (candidate, request) = (&publication.candidate, self.request.as_ref()?);
        let same_commit = self.commit.tree == candidate.tree && self.commit.parents == [candidate.base.clone()];
        let same_words = request.title == publication.title && request.body.lines().eq(publication.body.lines());
        (same_commit && same_words).then(|| Published {
            pull_request: request.number,
            url: request.url.clone(),
            head: self.commit.sha.clone(),
        })
    }
}

/// Whether a pull request can still change its base.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PullRequestState {
    /// It may be merged.
    Open,
    /// It was closed without being merged.
    Closed,
    /// It was merged.
    Merged {
        /// The commit that it landed as, if the forge says so.
        commit: Option<CommitSha>,
    },
}

/// A pull request as the forge tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequest {
    /// Its number.
    pub number: PullRequestNumber,
    /// Where a person reads it.
    pub url: String,
    /// Who opened it; nothing if the account is gone.
    pub author: Option<String>,
    /// Whether it is open.
    pub state: PullRequestState,
    /// The commit that it would merge, or did.
    pub head: CommitSha,
    /// Its branch.
    pub branch: BranchName,
    /// The branch it goes to.
    pub base: BranchName,
    /// Whether it can be merged without conflict; `None` while the forge computes it.
    pub mergeable: Option<bool>,
    /// Whether it is a draft.
    pub draft: bool,
    /// Whether the forge says that its own rules forbid the merge as it stands.
    pub blocked: bool,
}

/// What a survey reads that it does not always read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SurveyScope {
    /// The reviews.
    pub reviews: bool,
    /// Who set each status; with it every status of the head is read, not the latest of each context alone.
    pub creators: bool,
}

/// Everything that decides whether a merge may be asked for, read at the same time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// The pull request.
    pub pull_request: PullRequest,
    /// The tip of the base branch.
    pub base_head: CommitSha,
    /// What was said of the head.
    pub gate: GateReading,
    /// What the forge itself asks of a merge into the base.
    pub rules: BranchRules,
    /// The reviews, in the order in which they were given; none if approvals are asked for neither here nor by the forge.
    pub reviews: Vec<Review>,
}

/// What a branch holds since one of its commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BranchSince {
    /// The commits that are new, oldest first.
    pub commits: Vec<LandedCommit>,
    /// Whether the branch has lost that commit, as after a forced push.
    pub rewound: bool,
}

impl BranchSince {
    /// The commits that the branch itself went through, newest first: where it was merged into, not what was merged.
    pub fn line(&self) -> impl Iterator<Item = &LandedCommit> {
        let named = |sha: &CommitSha| self.commits.iter().find(|commit| commit.sha == *sha);
        std::iter::successors(self.commits.last(), move |commit| named(commit.parents.first()?))
    }

    /// Whether the branch is anywhere else than at that commit.
    #[must_use]
    pub const fn has_moved(&self) -> bool {
        self.rewound || !self.commits.is_empty()
    }
}

/// A commit as the forge tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LandedCommit {
    /// Its name.
    pub sha: CommitSha,
    /// Its tree.
    pub tree: TreeSha,
    /// Its parents, the base branch's first.
    pub parents: Vec<CommitSha>,
    /// Its message, whose trailer says which run it belongs to.
    pub message: String,
}

/// A merge that the forge refused for good: it did not happen and, under this request, will not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergeRefusal {
    /// Why, as far as the answer tells.
    pub reason: Reason,
    /// What the forge said.
    pub message: String,
}

/// What the forge answered to a merge.
#[derive(Debug)]
pub enum MergeAnswer {
    /// It happened.
    Merged {
        /// The commit on the base branch.
        commit: CommitSha,
    },
    /// It did not happen, and will not by this request.
    Refused(MergeRefusal),
    /// It did not happen now, and may be tried again under the same permit.
    MayPass {
        /// The permit, given back.
        permit: MergePermit,
        /// What the forge said.
        message: String,
    },
    /// It stands in the forge's merge queue: it may happen at any moment, until it is thrown or taken out.
    Enqueued,
    /// It may have happened, or may yet. Ask the forge what is true before anything else.
    InDoubt {
        /// What was seen of the answer; redacted.
        message: String,
    },
}

/// A pull request's place in the forge's merge queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueEntry {
    /// Its place, from 1.
    pub position: u32,
    /// The commit that the queue made of it, on which its checks run and which would land; `None` until there is one. It is made
    /// anew when what stands before it changes.
    pub commit: Option<CommitSha>,
}

/// What became of a branch that no run needs any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retired {
    /// It is gone.
    Gone,
    /// It stays at its fence: a pull request's record shows another commit of it, at which a person could bring it back.
    KeptAtFence,
}

/// The service that hosts the repository.
///
/// Every method is bounded in time. No error and no answer holds a credential. Methods that do not depend on each other may
/// be called at the same time.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait Forge: Send + Sync {
    /// The tip of a branch.
    ///
    /// # Errors
    /// [`ForgeError::NotFound`] if there is no such branch.
    async fn branch_head(&self, branch: &BranchName) -> Result<CommitSha, ForgeError>;

    /// Publishes: one commit with exactly the candidate's entries on its base, the branch at it, and an open pull request. May
    /// be repeated, also while an earlier request of this or another process is still on its way: what is already as it should
    /// be is used again, so that one branch has one open pull request; a branch that holds an earlier commit of selfext's is
    /// moved.
    ///
    /// A forge may make everything in one request, and only then learn which tree it made: for that moment branch and pull
    /// request can be seen with a tree that was not tested. No answer names such a head, so that no permit can; before this
    /// returns, the branch is at the tested tree, or it and its open pull requests are taken away.
    ///
    /// A request that outlives its sender, and arrives when the run is over and its branch deleted, makes both anew; a branch that
    /// is [parked](Self::park_branch) instead prevents it. Nothing asks for a merge of them, because each claim's commit is
    /// another one and no permit names it.
    ///
    /// # Errors
    /// [`ForgeError::TreeDiffers`] if the forge makes no commit of the tested tree: no branch of selfext's and no open pull
    /// request of the publication is left. [`ForgeError::BranchTaken`] if the branch holds somebody else's commit, which is left
    /// alone; a pull request that this call opened for it is closed.
    async fn publish(&self, publication: &Publication) -> Result<Published, ForgeError>;

    /// Looks, without writing anything, what a branch of selfext's holds and which open pull request goes from it to the base.
    /// Nothing if there is no such branch. It is a hint: a forge may not have heard everywhere of what was made a moment ago.
    ///
    /// # Errors
    /// [`ForgeError`] if a part of it cannot be read.
    async fn find_published(&self, branch: &BranchName, base: &BranchName) -> Result<Option<Standing>, ForgeError>;

    /// Shows the evidence [`EVIDENCE_CONTEXT`](crate::EVIDENCE_CONTEXT) on a head: green where verification passed, red where a
    /// later one failed. It is a check run where the identity may make one, and a commit status otherwise. It is shown when this
    /// returns, and belongs to a publication: a merge is asked for only after it. It is its own call so that it may be made at the
    /// same time as the first [`survey`](Self::survey), in which it may therefore be missing; no gate is satisfied by it. May be
    /// repeated: it is shown once.
    ///
    /// # Errors
    /// [`ForgeError`] if it is not certain that it is shown.
    async fn show_evidence(&self, head: &CommitSha, evidence: &Evidence) -> Result<(), ForgeError>;

    /// Which of these accounts are in a team now: as its members, or as those of a team below it. The logins may have other capitals.
    /// Whoever the forge does not show as a member is none.
    ///
    /// # Errors
    /// [`ForgeError`] if the team cannot be read; it is not known then who is in it.
    async fn members_among(&self, team: &TeamName, logins: &[String]) -> Result<Vec<String>, ForgeError>;

    /// Reads, at the same time, the pull request, the tip of its base with the rules that the forge has for it, and all statuses
    /// and check runs of `head`; and what `scope` names besides. Reviews are read also where the forge's rules ask for approvals.
    ///
    /// # Errors
    /// [`ForgeError`] if any part of it cannot be read: a partial reading is none.
    async fn survey(
        &self,
        pull_request: PullRequestNumber,
        head: &CommitSha,
        base: &BranchName,
        scope: SurveyScope,
    ) -> Result<Survey, ForgeError>;

    /// Sets the commit status [`PERMIT_CONTEXT`](crate::PERMIT_CONTEXT) on a head: green while a merge permit for it is open,
    /// pending otherwise. Where branch protection requires it, nobody can merge the head without selfext's permit. May be
    /// repeated.
    ///
    /// # Errors
    /// [`ForgeError`] if it is not certain that the status is set.
    async fn show_permit(&self, head: &CommitSha, open: bool) -> Result<(), ForgeError>;

    /// Asks for the merge that the permit allows, bound to its head, exactly once. Never retries by itself.
    ///
    /// By the way that the permit names. Asynchronously, it returns when the result is known, or in doubt when it takes longer than
    /// a permit's time is worth. Through a queue, one that stands there already, at the permit's head, is as good as a new one.
    async fn merge(&self, permit: MergePermit) -> MergeAnswer;

    /// A pull request's place in the merge queue; nothing if it stands in none: because it landed, was thrown out, or was never in it.
    ///
    /// # Errors
    /// [`ForgeError`] if the forge cannot be asked.
    async fn queue_entry(&self, number: PullRequestNumber) -> Result<Option<QueueEntry>, ForgeError>;

    /// Takes a pull request out of the merge queue. May be repeated; one that stands in none is left as it is, be it that it landed.
    ///
    /// # Errors
    /// [`ForgeError`] if it is not certain that it stands in none.
    async fn leave_queue(&self, number: PullRequestNumber) -> Result<(), ForgeError>;

    /// What a commit holds.
    ///
    /// # Errors
    /// [`ForgeError::NotFound`] if there is no such commit.
    async fn commit(&self, commit: &CommitSha) -> Result<LandedCommit, ForgeError>;

    /// What a branch holds since one of its commits: all of it, or an error. One request for each hundred commits.
    ///
    /// # Errors
    /// [`ForgeError::NotFound`] if there is no such branch or commit, [`ForgeError::Unreadable`] if there are too many commits
    /// to be looked through.
    async fn branch_since(&self, branch: &BranchName, since: &CommitSha) -> Result<BranchSince, ForgeError>;

    /// One pull request.
    ///
    /// # Errors
    /// [`ForgeError::NotFound`] if there is none of this number.
    async fn pull_request(&self, number: PullRequestNumber) -> Result<PullRequest, ForgeError>;

    /// The latest pull request from a branch to a base, open or not.
    ///
    /// # Errors
    /// [`ForgeError`] if the forge cannot be asked.
    async fn find_pull_request(
        &self,
        branch: &BranchName,
        base: &BranchName,
    ) -> Result<Option<PullRequest>, ForgeError>;

    /// Moves a branch of selfext's to a new commit on top of `head`, so that a merge bound to `head` can never succeed. A branch
    /// that is gone is made anew at such a commit, because a person could bring it back at `head`. May be repeated; a branch
    /// that is already elsewhere is left as it is.
    ///
    /// # Errors
    /// [`ForgeError`] if it is not certain that the branch is not at `head` any more.
    async fn fence_branch(&self, branch: &BranchName, head: &CommitSha) -> Result<(), ForgeError>;

    /// Says something on a pull request, for people; `text` is Markdown. May be repeated: what was said there is not said again.
    ///
    /// # Errors
    /// [`ForgeError`] if it is not certain that it is there.
    async fn comment(&self, number: PullRequestNumber, text: &str) -> Result<(), ForgeError>;

    /// Closes a pull request. May be repeated; one that is closed or merged is left as it is.
    ///
    /// # Errors
    /// [`ForgeError`] if it is not certain.
    async fn close_pull_request(&self, number: PullRequestNumber) -> Result<(), ForgeError>;

    /// Takes away a branch of selfext's that no run needs any more, so that no merge of it that may still be on its way can
    /// happen, and nobody can bring it back: fences it, closes its pull requests, and deletes it once the record of each of
    /// them that was not merged shows a fence. May be repeated.
    ///
    /// # Errors
    /// [`ForgeError::BranchTaken`] if it holds somebody else's commit, which is left alone.
    async fn retire_branch(&self, branch: &BranchName) -> Result<Retired, ForgeError>;

    /// Puts a branch of selfext's, which it makes if it is gone, at a commit that the base already holds: a publication that
    /// arrives after that finds the branch taken, and nothing on it to propose. A pull request that one has just opened is
    /// closed by it. May be repeated.
    ///
    /// # Errors
    /// [`ForgeError`] if it is not certain.
    async fn park_branch(&self, branch: &BranchName, at: &CommitSha) -> Result<(), ForgeError>;

    /// All branches of selfext's in the repository, whatever run they are of.
    ///
    /// # Errors
    /// [`ForgeError`] if they cannot be listed.
    async fn own_branches(&self) -> Result<Vec<BranchName>, ForgeError>;

    /// Deletes a branch of selfext's. May be repeated; a branch that is gone stays gone.
    ///
    /// # Errors
    /// [`ForgeError`] if it is not certain.
    async fn delete_branch(&self, branch: &BranchName) -> Result<(), ForgeError>;
}
