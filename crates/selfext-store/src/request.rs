//! What is to be written, made ready before the database is asked.

use std::collections::HashSet;

use chrono::DateTime;
use selfext_domain::ports::{AcceptedHistory, ControlError, LedgerError, PauseRequest, ResumeRequest};
use selfext_domain::{
    ActorSource, ControlState, CorrelationId, Event, EventBody, EventId, HistoryAccepted, Pause, PromotionPauseChanged,
    PullRequestNumber, RunId, StoredControl, StreamId, Subject, Tip, canonical,
};

use crate::stored_text::unstored;

/// An event with its bytes.
#[derive(Debug)]
pub(crate) struct Ready {
    /// As everybody reads it from them.
    pub event: Event,
    pub content: String,
}

/// An event that a plain append may write.
pub(crate) fn appended(event: &Event) -> Result<Ready, LedgerError> {
    if event.stream == StreamId::Control {
        return Err(refused("the control stream is written by the promotion control alone"));
    }
    if matches!(event.body, EventBody::MergeStarted(_)) || event.body.event_type() == "merge_started" {
        return Err(refused("merge_started is written by begin_merge alone"));
    }
    if event.body.event_type() == "proposed" {
        return Err(refused("proposed is written by propose alone"));
    }
    let content = content(event)?;
    Ok(Ready { event: event.as_read(&content).map_err(LedgerError::Event)?, content })
}

/// Events of one stream that are written together.
pub(crate) struct Batch<'a> {
    pub stream: &'a StreamId,
    pub events: Vec<Ready>,
}

impl<'a> Batch<'a> {
    /// `None` if there are no events.
    pub fn of(events: &'a [Event]) -> Result<Option<Self>, LedgerError> {
        let Some(first) = events.first() else { return Ok(None) };
        let mut ids = HashSet::new();
        for event in events {
            if event.stream != first.stream {
                return Err(refused("events that are written together are of one stream"));
            }
            if !ids.insert(event.id) {
                return Err(refused("two of the events that are written together have the same id"));
            }
            if event.body.is_an_operators() {
                return Err(refused("what only an operator may say is written one by one"));
            }
        }
        let ready = events.iter().map(appended).collect::<Result<_, _>>()?;
        Ok(Some(Self { stream: &first.stream, events: ready }))
    }
}

/// The error of a batch of which a part was recorded before.
pub(crate) fn recorded_in_part() -> LedgerError {
    refused("some of the events that are written together are recorded already, and others are not")
}

/// A `proposed` event, taken apart.
pub(crate) struct Proposal<'a> {
    pub run: &'a RunId,
    pub subject: &'a Subject,
    pub content: String,
}

impl<'a> Proposal<'a> {
    pub fn of(event: &'a Event) -> Result<Self, LedgerError> {
        match (&event.stream, &event.subject, &event.body) {
            (StreamId::Run(run), Some(subject), EventBody::Proposed(_)) => {
                Ok(Self { run, subject, content: content(event)? })
            }
            _ => Err(refused("a run begins with a proposed event that names its subject")),
        }
    }
}

/// A `merge_started` event, taken apart.
pub(crate) struct MergeRequest<'a> {
    pub run: &'a RunId,
    pub subject: &'a Subject,
    pub pull_request: PullRequestNumber,
    pub content: String,
}

impl<'a> MergeRequest<'a> {
    pub fn of(event: &'a Event) -> Result<Self, LedgerError> {
        match (&event.stream, &event.subject, event.pull_request, &event.body) {
            (StreamId::Run(run), Some(subject), Some(pull_request), EventBody::MergeStarted(_)) => {
                Ok(Self { run, subject, pull_request, content: content(event)? })
            }
            _ => Err(refused("a merge begins with a merge_started event that names its subject and its pull request")),
        }
    }
}

/// A change of the control: its event's content, and the value that the row gets.
pub(crate) struct ControlChange {
    pub id: EventId,
    pub content: String,
    pub value: String,
}

impl ControlChange {
    pub fn pause(request: &PauseRequest) -> Result<Self, ControlError> {
        let changed = PromotionPauseChanged {
            paused: true,
            by: request.by.clone(),
            reason: Some(request.reason.clone()),
            allow_rollbacks: request.allow_rollbacks,
            os_user: request.os_user.clone(),
        };
        // The time of a pause is its row's own, so none is stored in the value.
        let state = ControlState::Paused(Pause {
            by: request.by.clone(),
            reason: request.reason.clone(),
            allow_rollbacks: request.allow_rollbacks,
            since: DateTime::UNIX_EPOCH,
        });
        Self::new(request.event, changed, state)
    }

    pub fn resume(request: &ResumeRequest) -> Result<Self, ControlError> {
        let changed = PromotionPauseChanged {
            paused: false,
            by: request.by.clone(),
            reason: request.reason.clone(),
            allow_rollbacks: false,
            os_user: request.os_user.clone(),
        };
        Self::new(request.event, changed, ControlState::Running)
    }

    /// The database adds the accepted history to the value, where it has one.
    fn new(id: EventId, changed: PromotionPauseChanged, state: ControlState) -> Result<Self, ControlError> {
        let value = StoredControl { state, history: None }.to_value();
        Ok(Self {
            id,
            content: control_content(id, changed)?,
            value: canonical::to_string(&value).map_err(ControlError::unavailable)?,
        })
    }
}

/// The content of the event with which a resume accepts a changed history.
pub(crate) fn history_accepted(request: &ResumeRequest, accept: &AcceptedHistory) -> Result<String, ControlError> {
    control_content(accept.event, HistoryAccepted { by: request.by.clone(), history: accept.history.clone() })
}

fn control_content(id: EventId, body: impl Into<EventBody>) -> Result<String, ControlError> {
    let event = Event {
        id,
        stream: StreamId::Control,
        correlation_id: CorrelationId::parse(StreamId::CONTROL).map_err(ControlError::unavailable)?,
        actor_source: ActorSource::operator(),
        context: None,
        subject: None,
        pull_request: None,
        body: body.into(),
    };
    event.to_content().map_err(ControlError::unavailable)
}

/// Why an event may not be written behind `after`, where the stream ends otherwise.
pub(crate) fn misplaced(stream: &StreamId, after: Tip, actual: u64) -> LedgerError {
    if after.sequence == actual {
        LedgerError::Diverged { stream: stream.clone(), sequence: actual }
    } else {
        LedgerError::Conflict { stream: stream.clone(), expected: after.sequence.saturating_add(1), actual }
    }
}

/// The number of a repository, as the database has it.
pub(crate) fn remembered(number: i64) -> Result<u64, LedgerError> {
    u64::try_from(number).map_err(|_| LedgerError::Corrupt { detail: format!("a repository has the number {number}") })
}

/// A number as the database holds it. None of the ledger's numbers is near the limit, so one beyond it is simply wrong.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The error of a proposal whose subject has another latest run, or none, than its writer knows.
pub(crate) fn run_exists(latest: Option<RunId>, after: Option<&RunId>) -> LedgerError {
    match (latest, after) {
        (Some(run), _) => LedgerError::RunExists { run },
        (None, Some(after)) => refused(&format!("the run {after}, which this one was to follow, is not there")),
        (None, None) => refused("the latest run of the subject is not known"),
    }
}

/// A run id as a column has it, read back.
pub(crate) fn run_id(stored: &str) -> Result<RunId, LedgerError> {
    let run = unstored(stored).and_then(|text| RunId::parse(text).ok());
    run.ok_or_else(|| LedgerError::Corrupt { detail: format!("{stored:?} is no run id") })
}

fn content(event: &Event) -> Result<String, LedgerError> {
    event.to_content().map_err(LedgerError::Event)
}

fn refused(detail: &str) -> LedgerError {
    LedgerError::Refused { detail: detail.to_owned() }
}
