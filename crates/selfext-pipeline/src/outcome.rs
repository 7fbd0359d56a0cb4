//! How a promotion ended.

use selfext_domain::canonical::CanonicalError;
use selfext_domain::ports::{ControlError, LedgerError};
use selfext_domain::{
    BranchName, ChangeSetError, CommitSha, FoldError, IllegalEvent, InvalidValue, Phase, PullRequestNumber, Refusal,
    RepositoryName, Run, RunId, StageReport,
};
use serde::Serialize;

/// A pull request, as people follow it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PullRequestLink {
    /// Its number.
    pub number: PullRequestNumber,
    /// Its address, if it was learnt in this call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// How a run stands at the end of a call. Everything here is in the ledger too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Ending {
    /// The change is on the base branch.
    Promoted {
        /// The commit there.
        commit: CommitSha,
        /// Whether it holds exactly the verified tree. If not, promotion has paused itself, unless a merge queue's checks vouch for it.
        tree_matches: bool,
        /// Whether it is another tree that a merge queue made, on which everything that is required was green.
        checked_in_queue: bool,
        /// Whether this call found it landed already.
        already: bool,
    },
    /// It was refused, and may be taken up again by promoting the same change set.
    Blocked(Refusal),
    /// A stage did not pass. The run is over.
    VerificationFailed {
        /// Where and why.
        #[serde(flatten)]
        refusal: Refusal,
        /// How each stage ended.
        stages: Vec<StageReport>,
    },
    /// The run is over without having landed.
    Failed(Refusal),
    /// It landed and was taken back since. Promoting the same content again needs an operator's word.
    RolledBack {
        /// The commit on the base branch that took it back.
        commit: CommitSha,
    },
    /// An operator ended the run.
    Abandoned,
    /// Whether the merge happened, or may yet, is not known. `reconcile`, or promoting the same change set, asks again.
    InDoubt {
        /// What is known.
        detail: String,
    },
}

/// How a run stands at the end of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The run.
    pub run: RunId,
    /// Its pull request, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_request: Option<PullRequestLink>,
    /// How it ended.
    #[serde(flatten)]
    pub ending: Ending,
}

impl Outcome {
    /// The outcome that a run's events tell, as far as they tell one.
    pub(crate) fn of(run: &Run, already: bool) -> Option<Self> {
        let ending = match (run.phase(), run.promoted(), run.refusal()) {
            (Phase::RolledBack, ..) => Ending::RolledBack { commit: run.rolled_back()?.clone() },
            (phase, Some(promoted), _) if phase.has_landed() => Ending::Promoted {
                commit: promoted.commit.clone(),
                tree_matches: promoted.tree_matches,
                checked_in_queue: promoted.checked_in_queue,
                already,
            },
            (Phase::Failed, _, Some(refusal)) => Ending::Failed(refusal.clone()),
            (Phase::Blocked, _, Some(refusal)) => Ending::Blocked(refusal.clone()),
            (Phase::Abandoned, ..) => Ending::Abandoned,
            _ => return None,
        };
        Some(Self::new(run, ending, None))
    }

    pub(crate) fn new(run: &Run, ending: Ending, url: Option<String>) -> Self {
        let pull_request = run.pull_request().map(|number| PullRequestLink { number, url });
        Self { run: run.id().clone(), pull_request, ending }
    }
}

/// Why a call could not say how a run stands. Whatever was done is in the ledger; the call may be repeated.
#[derive(Debug, thiserror::Error)]
pub enum PromoteError {
    /// The ledger could not be read or written, so the next step was not taken.
    #[error("the ledger could not be read or written, so nothing more was done")]
    Ledger(#[from] LedgerError),
    /// The control could not be changed.
    #[error("the promotion control could not be changed")]
    Control(#[from] ControlError),
    /// The events of the run are not the life of a run.
    #[error("the ledger's events of this run do not fit together; `selfext events --run` shows them")]
    Fold(#[from] FoldError),
    /// The run's state does not allow what was asked.
    #[error("the run's state does not allow that")]
    Illegal(#[from] IllegalEvent),
    /// A message has no canonical form.
    #[error("the commit's metadata has no canonical form")]
    Meta(#[from] CanonicalError),
    /// The given run id belongs to another change set, repository or base branch.
    #[error("the run {0} is of another change set, repository or base branch; use another run id, or none")]
    RunTaken(RunId),
    /// The run is of another repository than this selfext works on.
    #[error("the run {run} is of the repository {repository}; name that one")]
    OtherRepository {
        /// The run.
        run: RunId,
        /// Its repository.
        repository: RepositoryName,
    },
    /// There is no such run.
    #[error("there is no run {0}; `selfext status` lists the latest")]
    NoRun(RunId),
    /// The run is of another base branch than this selfext works on.
    #[error("the run {run} is of the base branch {base}; name that one")]
    OtherBase {
        /// The run.
        run: RunId,
        /// Its base branch.
        base: BranchName,
    },
    /// Its change is not on the base branch, so there is nothing to take back.
    #[error("the run {run} is {phase}: its change has not landed, so there is nothing to take back")]
    NotLanded {
        /// The run.
        run: RunId,
        /// How it stands.
        phase: Phase,
    },
    /// It took another run back.
    #[error(
        "the run {0} took another one back, and is not taken back itself; promote that one's change again, and allow the run that \
         then begins"
    )]
    IsRollback(RunId),
    /// What takes a change back is no change set.
    #[error("what would take the change back is no change set")]
    Inverse(#[from] ChangeSetError),
    /// A branch could not be named.
    #[error("a branch could not be named")]
    Branch(#[source] InvalidValue),
    /// Other processes wrote to the run faster than this one could follow.
    #[error("other processes write to the run {0} all the time; try again")]
    Contended(RunId),
}
