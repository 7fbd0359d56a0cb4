//! A refusal: where, why, and what a reader needs to act on it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Disposition, Reason, Stage};
use crate::{ContextFinding, RepoPath, redact};

/// A refusal or failure, as events and results carry it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Where in the run's life it happened.
    pub stage: Stage,
    /// The word to match on.
    pub reason: Reason,
    /// What happened and what to do about it, for people; redacted.
    pub detail: String,
    /// The paths that it is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<RepoPath>,
    /// What the gate found, context by context.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contexts: Vec<ContextFinding>,
}

impl Refusal {
    /// A refusal without paths or contexts. The detail is redacted here.
    #[must_use]
    pub fn new(stage: Stage, reason: Reason, detail: impl AsRef<str>) -> Self {
        Self { stage, reason, detail: redact(detail.as_ref()).into_owned(), paths: Vec::new(), contexts: Vec::new() }
    }

    /// The same refusal with the paths that it is about.
    #[must_use]
    pub fn with_paths(self, paths: Vec<RepoPath>) -> Self {
        Self { paths, ..self }
    }

    /// The same refusal with what the gate found.
    #[must_use]
    pub fn with_contexts(self, contexts: Vec<ContextFinding>) -> Self {
        Self { contexts, ..self }
    }

    /// Whether it ends its run.
    #[must_use]
    pub const fn disposition(&self) -> Disposition {
        self.reason.disposition()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.reason, self.stage, self.detail)
    }
}
