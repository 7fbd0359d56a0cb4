//! Checks that appear by themselves, as a continuous integration service would set them.

use super::{AppIdentity, CheckConclusion, CheckOutcome, StatusState};

/// A head that a pull request has come to have: it was opened, reopened, or its branch moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewHead {
    /// The number of the pull request.
    pub number: u64,
    /// The title of the pull request.
    pub title: String,
    /// The branch that is to be merged.
    pub branch: String,
    /// The branch that it is to be merged into.
    pub base: String,
    /// The commit at the head.
    pub sha: String,
}

/// A status or a check run to be set on a new head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AutoCheck {
    /// A commit status, set by the user `ci`.
    Status {
        /// The status's context.
        context: String,
        /// Its state.
        state: StatusState,
        /// Its description.
        description: Option<String>,
    },
    /// A check run.
    CheckRun {
        /// The name of the run.
        name: String,
        /// Where it stands.
        outcome: CheckOutcome,
        /// The app that reports it.
        app: AppIdentity,
    },
}

impl AutoCheck {
    /// A commit status.
    pub fn status(context: impl Into<String>, state: StatusState) -> Self {
        Self::Status { context: context.into(), state, description: None }
    }

    /// A check run of GitHub Actions that has ended.
    pub fn check_run(name: impl Into<String>, conclusion: CheckConclusion) -> Self {
        Self::CheckRun {
            name: name.into(),
            outcome: CheckOutcome::Completed(conclusion),
            app: AppIdentity::github_actions(),
        }
    }
}
