//! Where in a run's life an event was written.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where in a run's life an event was written; kebab-case as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The change set is taken in.
    Staging,
    /// The change set is tried on its base.
    Verification,
    /// The pause, the protected paths, the limits.
    PromotionGuard,
    /// The required contexts on the pull request.
    PromotionGate,
    /// The merge.
    PromotionMerge,
    /// The steps between: base, branch, commit, pull request.
    PromotionPipeline,
    /// The operator's switch.
    PromotionControl,
    /// A promoted change is taken back.
    Rollback,
    /// A promoted change proves itself.
    HealthWindow,
}

impl Stage {
    /// The word in the ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Staging => "staging",
            Self::Verification => "verification",
            Self::PromotionGuard => "promotion-guard",
            Self::PromotionGate => "promotion-gate",
            Self::PromotionMerge => "promotion-merge",
            Self::PromotionPipeline => "promotion-pipeline",
            Self::PromotionControl => "promotion-control",
            Self::Rollback => "rollback",
            Self::HealthWindow => "health-window",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
