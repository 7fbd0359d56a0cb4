//! Which event may follow which.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::EventBody;

/// Where a run stands after its last event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Taken in; nothing has been tried.
    Proposed,
    /// Verified; it may be published.
    Tested,
    /// Refused; it may be taken up again.
    Blocked,
    /// A merge permit is open: the merge may happen at any moment.
    Merging,
    /// The open permit is being fenced off.
    Fencing,
    /// It landed.
    Promoted,
    /// It is over without having landed.
    Failed,
    /// An operator ended it.
    Abandoned,
    /// It landed and proved itself.
    Healthy,
    /// It landed and turned out sick.
    Sick,
    /// It is being taken back.
    RollingBack,
    /// It was taken back.
    RolledBack,
    /// It could not be taken back.
    RollbackFailed,
    /// It could not be taken back, and an operator knows.
    RollbackAcknowledged,
}

impl Phase {
    /// The phase after one more event, or `None` where the event may not follow. This is the one rule, for writing and for
    /// reading back. `tested` says whether the run has ever passed verification; nothing that may follow in a run that is no
    /// longer open depends on it.
    #[must_use]
    pub fn after(current: Option<Self>, tested: bool, body: &EventBody) -> Option<Self> {
        use Phase::{
            Blocked, Fencing, Healthy, Merging, Promoted, Proposed, RollbackAcknowledged, RollbackFailed, RollingBack,
            Sick, Tested,
        };
        let Some(current) = current else {
            return if matches!(body, EventBody::Proposed(_)) { Some(Proposed) } else { None };
        };
        let before: &[Self] = match body {
            EventBody::Tested(_) => &[Proposed, Tested, Blocked],
            EventBody::PromotionBlocked(_) => &[Proposed, Tested, Blocked, Merging],
            EventBody::ChangeAllowed(_) => &[Proposed, Blocked],
            EventBody::MergeStarted(_) if tested => &[Tested, Blocked, Merging],
            EventBody::MergeFenced(_) | EventBody::Promoted(_) => &[Merging, Fencing],
            EventBody::Failed(_) => &[Proposed, Tested, Blocked, Merging, Fencing],
            EventBody::RunAbandoned(_) => &[Proposed, Tested, Blocked, Fencing],
            EventBody::HealthWindowPassed(_) | EventBody::HealthWindowFailed(_) => &[Promoted],
            EventBody::RollbackStarted(_) => &[Promoted, Healthy, Sick, RollbackFailed, RollbackAcknowledged],
            EventBody::RolledBack(_) | EventBody::RollbackFailed(_) => &[RollingBack],
            EventBody::RollbackAcknowledged(_) => &[RollbackFailed],
            EventBody::Proposed(_)
            | EventBody::MergeStarted(_)
            | EventBody::PromotionPauseChanged(_)
            | EventBody::HistoryAccepted(_)
            | EventBody::Unknown(_) => &[],
        };
        if before.contains(&current) { Self::of_last(body) } else { None }
    }

    /// The phase of a run whose last event this is, for lists that read only last events.
    #[must_use]
    pub const fn of_last(body: &EventBody) -> Option<Self> {
        match body {
            EventBody::Proposed(_) => Some(Self::Proposed),
            EventBody::Tested(_) => Some(Self::Tested),
            EventBody::PromotionBlocked(_) | EventBody::ChangeAllowed(_) => Some(Self::Blocked),
            EventBody::MergeStarted(_) => Some(Self::Merging),
            EventBody::MergeFenced(_) => Some(Self::Fencing),
            EventBody::Promoted(_) => Some(Self::Promoted),
            EventBody::Failed(_) => Some(Self::Failed),
            EventBody::RunAbandoned(_) => Some(Self::Abandoned),
            EventBody::HealthWindowPassed(_) => Some(Self::Healthy),
            EventBody::HealthWindowFailed(_) => Some(Self::Sick),
            EventBody::RollbackStarted(_) => Some(Self::RollingBack),
            EventBody::RolledBack(_) => Some(Self::RolledBack),
            EventBody::RollbackFailed(_) => Some(Self::RollbackFailed),
            EventBody::RollbackAcknowledged(_) => Some(Self::RollbackAcknowledged),
            EventBody::PromotionPauseChanged(_) | EventBody::HistoryAccepted(_) | EventBody::Unknown(_) => None,
        }
    }

    /// Whether the run is still on its way to the base branch. Only then may its change set not start another run.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Proposed | Self::Tested | Self::Blocked | Self::Merging | Self::Fencing)
    }

    /// Whether its merge may still happen.
    #[must_use]
    pub const fn may_merge(self) -> bool {
        matches!(self, Self::Merging | Self::Fencing)
    }

    /// Whether its change landed.
    #[must_use]
    pub const fn has_landed(self) -> bool {
        !self.is_open() && !matches!(self, Self::Failed | Self::Abandoned)
    }

    /// The word for people and programs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Tested => "tested",
            Self::Blocked => "blocked",
            Self::Merging => "merging",
            Self::Fencing => "fencing",
            Self::Promoted => "promoted",
            Self::Failed => "failed",
            Self::Abandoned => "abandoned",
            Self::Healthy => "healthy",
            Self::Sick => "sick",
            Self::RollingBack => "rolling-back",
            Self::RolledBack => "rolled-back",
            Self::RollbackFailed => "rollback-failed",
            Self::RollbackAcknowledged => "rollback-acknowledged",
        }
    }

    /// The types of event after which a run is open, for stores that look for open runs.
    pub const OPEN_AFTER: &'static [&'static str] =
        &["proposed", "tested", "promotion_blocked", "change_allowed", "merge_started", "merge_fenced"];

    /// The types of event after which a permit is open, for stores that look for open permits.
    pub const MAY_MERGE_AFTER: &'static [&'static str] = &["merge_started", "merge_fenced"];
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
