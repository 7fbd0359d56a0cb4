//! The port of the operator's pause switch.

use async_trait::async_trait;

use super::Source;
use crate::{
    ControlState, EventId, History, HistoryChange, MalformedControl, OperatorName, PermitTerms, RecordedEvent,
};

/// Why the control could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// There is no control row. Only the first migration writes one by itself.
    #[error("the control row is missing")]
    Missing,
    /// The row is there, but its value is not understood.
    #[error("the control row is malformed")]
    Malformed(#[source] MalformedControl),
    /// The database has another history than the one that an operator accepted: it may have lost its last commits, a pause or
    /// a merge permit among them.
    #[error("{0}")]
    HistoryChanged(HistoryChange),
    /// The request's event id was used for another event before.
    #[error("the event id {0} was used for another event")]
    IdReused(EventId),
    /// The database lets this role read the control, but not do this. Nothing was changed.
    #[error("this login may not do that: {detail}")]
    NotPermitted {
        /// What the database said.
        detail: String,
    },
    /// The database did not answer, or refused. Whether a change was made is not known; the same request may be repeated.
    #[error("the database is not available")]
    Unavailable(#[source] Source),
}

impl ControlError {
    /// An unavailable database, by what it said.
    #[must_use]
    pub fn unavailable(source: impl Into<Source>) -> Self {
        Self::Unavailable(source.into())
    }
}

/// An operator's wish to pause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PauseRequest {
    /// The id of the event that will record it.
    pub event: EventId,
    /// The name that was given.
    pub by: OperatorName,
    /// Why. The adapter stores it as it is: redact before.
    pub reason: String,
    /// Whether rollbacks may still merge.
    pub allow_rollbacks: bool,
    /// The operating system's user, if it is known.
    pub os_user: Option<String>,
}

/// An operator's wish to resume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResumeRequest {
    /// The id of the event that will record it.
    pub event: EventId,
    /// The name that was given.
    pub by: OperatorName,
    /// Why, if it was said. The adapter stores it as it is: redact before.
    pub reason: Option<String>,
    /// The operating system's user, if it is known.
    pub os_user: Option<String>,
    /// The changed history of the database that the operator accepts, knowing that no merge of the lost part is on its way.
    pub accept: Option<AcceptedHistory>,
}

/// A history that an operator accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedHistory {
    /// The id of the event that will record it.
    pub event: EventId,
    /// The history, as a refusal or the status names it.
    pub history: History,
}

/// What a pause found, after it was durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PauseAnswer {
    /// The event that recorded it.
    pub event: RecordedEvent,
    /// The permits that were open after the pause was durable: their merges may still happen.
    pub in_flight: Vec<PermitTerms>,
    /// Whether promotion was still paused like this when the permits were read: somebody else may have resumed since.
    pub still_paused: bool,
    /// The database had another history then than the accepted one: permits may have been lost with its last commits, and
    /// their merges may still happen too.
    pub history: Option<HistoryChange>,
}

impl PauseAnswer {
    /// Whether nothing of selfext's can merge from here on until `resume`.
    #[must_use]
    pub const fn nothing_can_merge(&self) -> bool {
        self.in_flight.is_empty() && self.still_paused && self.history.is_none()
    }
}

/// What a resume found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResumeAnswer {
    /// The event that recorded it.
    pub event: RecordedEvent,
    /// The permits that were open at that moment.
    pub in_flight: Vec<PermitTerms>,
}

/// The operator's pause switch.
///
/// It is one row, under one lock, which [`Ledger::begin_merge`](super::Ledger::begin_merge) takes too. Nothing else decides
/// whether promotion runs: the row `kill_switch` of the same table is neither read nor written.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait PromotionControl: Send + Sync {
    /// Reads the control, and compares the database's history with the accepted one. One round trip.
    ///
    /// # Errors
    /// [`ControlError`]: every one of them is to be taken for "paused".
    async fn read(&self) -> Result<ControlState, ControlError>;

    /// Pauses, whatever the control was before, also if the row was missing or malformed: the change and its event in the
    /// stream `control` are one transaction, durable before the open permits are read in a new one. Pausing what is paused
    /// is a new pause. May be repeated with the same request: it is recorded once, and the answer is of the moment.
    ///
    /// # Errors
    /// [`ControlError::IdReused`], [`ControlError::Unavailable`].
    async fn pause(&self, request: &PauseRequest) -> Result<PauseAnswer, ControlError>;

    /// Resumes, and accepts a changed history where the request names it: the change and its events are one transaction.
    /// Resuming what runs under the accepted history records the wish and changes nothing. May be repeated with the same
    /// request.
    ///
    /// # Errors
    /// [`ControlError::HistoryChanged`] changes nothing, if the history is neither the accepted one nor the one that the request
    /// accepts. [`ControlError::Missing`] and [`ControlError::Malformed`] change nothing: what the row was is not known, so an operator
    /// pauses first. [`ControlError::IdReused`], [`ControlError::Unavailable`].
    async fn resume(&self, request: &ResumeRequest) -> Result<ResumeAnswer, ControlError>;
}
