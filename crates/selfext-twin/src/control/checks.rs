//! Commit statuses and check runs.

use serde::{Deserialize, Serialize};

/// The state of a commit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusState {
    /// The check itself went wrong.
    Error,
    /// The check found a fault.
    Failure,
    /// The check has not ended yet.
    Pending,
    /// The check passed.
    Success,
}

impl StatusState {
    pub(crate) fn parse(word: &str) -> Option<Self> {
        match word {
            "error" => Some(Self::Error),
            "failure" => Some(Self::Failure),
            "pending" => Some(Self::Pending),
            "success" => Some(Self::Success),
            _ => None,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Failure => "failure",
            Self::Pending => "pending",
            Self::Success => "success",
        }
    }
}

/// How a check run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words are GitHub's own and say what they mean")]
pub enum CheckConclusion {
    ActionRequired,
    Cancelled,
    Failure,
    Neutral,
    Skipped,
    Success,
    TimedOut,
}

impl CheckConclusion {
    pub(crate) fn parse(word: &str) -> Option<Self> {
        match word {
            "action_required" => Some(Self::ActionRequired),
            "cancelled" => Some(Self::Cancelled),
            "failure" => Some(Self::Failure),
            "neutral" => Some(Self::Neutral),
            "skipped" => Some(Self::Skipped),
            "success" => Some(Self::Success),
            "timed_out" => Some(Self::TimedOut),
            _ => None,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::ActionRequired => "action_required",
            Self::Cancelled => "cancelled",
            Self::Failure => "failure",
            Self::Neutral => "neutral",
            Self::Skipped => "skipped",
            Self::Success => "success",
            Self::TimedOut => "timed_out",
        }
    }

    /// Whether GitHub lets a required check with this conclusion pass.
    pub(crate) fn passes(self) -> bool {
        matches!(self, Self::Neutral | Self::Skipped | Self::Success)
    }
}

/// Where a check run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    /// It waits to be run.
    Queued,
    /// It runs.
    InProgress,
    /// It has ended so.
    Completed(CheckConclusion),
}

impl CheckOutcome {
    pub(crate) fn status(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::InProgress => "in_progress",
            Self::Completed(_) => "completed",
        }
    }

    pub(crate) fn conclusion(self) -> Option<CheckConclusion> {
        match self {
            Self::Completed(conclusion) => Some(conclusion),
            Self::Queued | Self::InProgress => None,
        }
    }
}

/// The app that made a check run.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AppIdentity {
    pub(crate) id: u64,
    pub(crate) slug: String,
}

impl AppIdentity {
    /// An app with this id and slug.
    pub fn new(id: u64, slug: impl Into<String>) -> Self {
        let slug = slug.into();
        Self { id, slug }
    }

    /// The app under which GitHub Actions reports.
    #[must_use]
    pub fn github_actions() -> Self {
        Self::new(15_368, "github-actions")
    }

    /// The app's id.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The app's slug.
    #[must_use]
    pub fn slug(&self) -> &str {
        &self.slug
    }
}
