//! The events' types with their payloads.

use serde_json::Value;

use super::Stage;
use super::payload::{
    ChangeAllowed, Failed, HealthWindowFailed, HealthWindowPassed, HistoryAccepted, MergeFenced, MergeStarted,
    Promoted, PromotionBlocked, PromotionPauseChanged, Proposed, RollbackAcknowledged, RollbackFailed, RollbackStarted,
    RolledBack, RunAbandoned, Tested,
};

/// An event that this version does not know, kept as it was read. A run that holds one can be read, not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownEvent {
    /// Its type.
    pub event_type: String,
    /// Its stage.
    pub stage: String,
    /// The schema it was written in.
    pub schema: u64,
    /// Its payload.
    pub payload: Value,
}

macro_rules! bodies {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal at $stage:expr;)+) => {
        /// What happened.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum EventBody {
            $($(#[doc = $doc])+ $name($name),)+
            /// An event of a later version.
            Unknown(UnknownEvent),
        }

        impl EventBody {
            /// Every type that this version knows.
            pub const TYPES: &'static [&'static str] = &[$($word,)+];

            /// The type as the ledger stores it.
            #[must_use]
            pub fn event_type(&self) -> &str {
                match self {
                    $(Self::$name(_) => $word,)+
                    Self::Unknown(unknown) => &unknown.event_type,
                }
            }

            /// Where in the run's life it belongs.
            #[must_use]
            pub fn stage(&self) -> &str {
                match self {
                    $(Self::$name(payload) => {
                        let stage: fn(&$name) -> Stage = $stage;
                        stage(payload).as_str()
                    })+
                    Self::Unknown(unknown) => &unknown.stage,
                }
            }

            pub(super) fn payload(&self) -> Result<Value, serde_json::Error> {
                match self {
                    $(Self::$name(payload) => serde_json::to_value(payload),)+
                    Self::Unknown(unknown) => Ok(unknown.payload.clone()),
                }
            }

            pub(super) fn read(event_type: &str, payload: &str) -> Option<Result<Self, serde_json::Error>> {
                match event_type {
                    $($word => Some(serde_json::from_str(payload).map(Self::$name)),)+
                    _ => None,
                }
            }
        }

        $(impl From<$name> for EventBody {
            fn from(payload: $name) -> Self {
                Self::$name(payload)
            }
        })+
    };
}

bodies! {
    /// A change set was taken in.
    Proposed = "proposed" at |_| Stage::Staging;
    /// It passed verification.
    Tested = "tested" at |_| Stage::Verification;
    /// It was refused, and may be taken up again.
    PromotionBlocked = "promotion_blocked" at |blocked| blocked.refusal.stage;
    /// A merge permit was granted.
    MergeStarted = "merge_started" at |_| Stage::PromotionMerge;
    /// A merge is being made impossible.
    MergeFenced = "merge_fenced" at |_| Stage::PromotionMerge;
    /// It landed.
    Promoted = "promoted" at |_| Stage::PromotionMerge;
    /// The run is over without having landed.
    Failed = "failed" at |failed| failed.refusal.stage;
    /// An operator ended the run.
    RunAbandoned = "run_abandoned" at |_| Stage::PromotionControl;
    /// An operator allowed one change set.
    ChangeAllowed = "change_allowed" at |_| Stage::PromotionGuard;
    /// Promotion was paused or resumed.
    PromotionPauseChanged = "promotion_pause_changed" at |_| Stage::PromotionControl;
    /// A database's history was accepted.
    HistoryAccepted = "history_accepted" at |_| Stage::PromotionControl;
    /// The promoted change proved itself.
    HealthWindowPassed = "health_window_passed" at |_| Stage::HealthWindow;
    /// The promoted change turned out sick.
    HealthWindowFailed = "health_window_failed" at |_| Stage::HealthWindow;
    /// It is being taken back.
    RollbackStarted = "rollback_started" at |_| Stage::Rollback;
    /// It was taken back.
    RolledBack = "rolled_back" at |_| Stage::Rollback;
    /// It could not be taken back.
    RollbackFailed = "rollback_failed" at |_| Stage::Rollback;
    /// An operator has seen that.
    RollbackAcknowledged = "rollback_acknowledged" at |_| Stage::Rollback;
}

impl EventBody {
    /// Whether only an operator may say it, or a watchdog of an operator's: a database with roles takes it from nobody else. These
    /// are the words that free what was held back.
    #[must_use]
    pub fn is_an_operators(&self) -> bool {
        matches!(
            self.event_type(),
            "change_allowed" | "run_abandoned" | "health_window_passed" | "rolled_back" | "rollback_acknowledged"
        )
    }

    /// As [`EventBody::read`], without the stage reports that some types carry.
    pub(super) fn read_without_reports(event_type: &str, payload: &str) -> Option<Result<Self, serde_json::Error>> {
        match event_type {
            "tested" => Some(Tested::read_without_reports(payload).map(Self::Tested)),
            "failed" => Some(Failed::read_without_reports(payload).map(Self::Failed)),
            _ => Self::read(event_type, payload),
        }
    }
}
