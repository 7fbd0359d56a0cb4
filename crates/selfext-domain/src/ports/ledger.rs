//! The port of the append-only ledger.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Follower, Source};
use crate::{
    BranchName, Event, EventError, EventId, HealthStanding, MergePermit, PermitTerms, Position, RecordedEvent, Refusal,
    RepositoryName, RunId, StreamId, Subject, Tip,
};

/// Why the ledger could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Another writer was faster, or the caller skipped a number. Read the stream again and decide anew.
    #[error("the stream {stream} has {actual} events, so the next is not number {expected}")]
    Conflict {
        /// The stream.
        stream: StreamId,
        /// The number that the caller wanted to write.
        expected: u64,
        /// The number of the last event there.
        actual: u64,
    },
    /// The stream is as long as the caller thinks, but its last event is another one: the database lost events, and others
    /// took their places. Read the stream again and decide anew.
    #[error("event {sequence} of the stream {stream} is not the one that this writer knows")]
    Diverged {
        /// The stream.
        stream: StreamId,
        /// The number of its last event.
        sequence: u64,
    },
    /// Another run of the same subject began in between. Read it and decide anew.
    #[error("the run {run} has the same subject and began in between")]
    RunExists {
        /// The latest run of the subject.
        run: RunId,
    },
    /// The event id was used for another event before.
    #[error("the event id {0} was used for another event")]
    IdReused(EventId),
    /// The run's last event is not the permit that was asked for: it was taken over, is being fenced, or is closed. Read the
    /// run again and decide anew.
    #[error("the merge permit of the run {run} is taken over, closed or being fenced")]
    PermitClosed {
        /// The run.
        run: RunId,
    },
    /// A follower's last event is not in the database, or the database has another history than before: a standby took its
    /// place, or a copy was restored. Look at what the database has, and follow anew from a position of it.
    #[error("this is not the ledger any more that was followed: {detail}")]
    OtherHistory {
        /// What is different.
        detail: String,
    },
    /// The event cannot be written in the documented form.
    #[error("the event has no stored form")]
    Event(#[source] EventError),
    /// What is stored cannot be what was written.
    #[error("the ledger is corrupt: {detail}")]
    Corrupt {
        /// Which event, and what is wrong with it.
        detail: String,
    },
    /// The database refused the statement: a role without the right, or a rule of the schema.
    #[error("the database refused: {detail}")]
    Refused {
        /// What it said.
        detail: String,
    },
    /// The database did not answer. Whether an event was written is not known; the same append may be repeated.
    #[error("the database is not available")]
    Unavailable(#[source] Source),
}

impl LedgerError {
    /// An unavailable database, by what it said.
    #[must_use]
    pub fn unavailable(source: impl Into<Source>) -> Self {
        Self::Unavailable(source.into())
    }
}

/// What asking for a merge permit gave.
#[derive(Debug)]
pub enum MergeGrant {
    /// The `merge_started` event is durable and open: the merge may be asked for, once.
    Granted(MergePermit, Box<RecordedEvent>),
    /// Nothing was written: paused, the control missing or malformed, another history, another merge under way, a landed change
    /// that has yet to prove itself or is taken back, or the base moved.
    Refused(Refusal),
}

/// The append-only ledger: the only truth about what happened.
///
/// Whatever a method returns as recorded is durable: it survives the crash of this process and of the database's.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Appends one event to its stream, behind the event `after`. One round trip. May be repeated with the same event: it is
    /// recorded once, and the answer is the record. The stream `control` is written by
    /// [`PromotionControl`](super::PromotionControl) alone, `proposed` by [`Ledger::propose`] and `merge_started` by
    /// [`Ledger::begin_merge`] alone; all three are refused here. A database with roles takes what only an operator may say
    /// ([`EventBody::is_an_operators`](crate::EventBody::is_an_operators)) from operators alone.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] or [`LedgerError::Diverged`] if the stream does not end with `after`,
    /// [`LedgerError::IdReused`] if the id has other content.
    async fn append(&self, event: &Event, after: Tip) -> Result<RecordedEvent, LedgerError>;

    /// Appends several events of one stream, in their order, behind the event `after`: all of them, or none. One transaction and
    /// one round trip. May be repeated with the same events: they are recorded once, and the answer is their records. What
    /// [`Ledger::append`] refuses is refused here, and so is what only an operator may say, whoever asks. Without events, nothing is
    /// asked and nothing answered.
    ///
    /// # Errors
    /// As [`Ledger::append`]: [`LedgerError::IdReused`] names one of the events whose ids have other content.
    /// [`LedgerError::Refused`] if the events are of several streams, two have the same id, or some were recorded before and
    /// others were not.
    async fn append_all(&self, events: &[Event], after: Tip) -> Result<Vec<RecordedEvent>, LedgerError>;

    /// Begins a run with its `proposed` event, if the latest run of its subject is still `after` (`None`: there is none).
    /// One round trip. May be repeated with the same event.
    ///
    /// # Errors
    /// [`LedgerError::RunExists`] if another run of the subject began in between, [`LedgerError::Conflict`] if the run id is
    /// taken, [`LedgerError::IdReused`].
    async fn propose(&self, event: &Event, after: Option<RunId>) -> Result<RecordedEvent, LedgerError>;

    /// All events of a stream, in order; none if there is no such stream. One round trip.
    ///
    /// # Errors
    /// [`LedgerError::Corrupt`] if an event cannot be read.
    async fn stream_events(&self, stream: &StreamId) -> Result<Vec<RecordedEvent>, LedgerError>;

    /// All events of the latest run of a subject; none if there was none. One round trip.
    ///
    /// # Errors
    /// As [`Ledger::stream_events`].
    async fn latest_run(&self, subject: &Subject) -> Result<Vec<RecordedEvent>, LedgerError>;

    /// Asks for the merge permit. Under the control's lock it checks that promotion is not paused, that the database's history
    /// is the accepted one, that the run's stream ends with `after`, that no other permit is open for the pull request or the
    /// base branch, and that nothing was `promoted` into the base since the run's last `tested`; then it writes the
    /// `merge_started` event. All of it is one atomic step, which a pause either precedes or follows. One round trip; no lock
    /// is held when it returns. May be repeated with the same event after a lost answer: it yields the same permit while that
    /// is open.
    ///
    /// For a run whose own permit is open, this takes the merge over, if the event is of the same merge: it is the permit from
    /// then on, and the earlier one is neither yielded again nor closed by its holder any more. Whoever takes over does not know
    /// what the earlier holder asked the forge for.
    ///
    /// While a landed run of the same repository and base is watched ([`HealthStanding::watched`]), no other run merges. A run whose
    /// own `proposed` event says that it takes another back merges while that one's last event is the `rollback_started` that names
    /// it, and then waits for nothing but rollbacks that were started before it; a pause that allows rollbacks lets it pass. All of it
    /// is read from the ledger, and nothing is the caller's to say.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`], [`LedgerError::Diverged`], [`LedgerError::IdReused`]; [`LedgerError::PermitClosed`] if the same
    /// event was recorded before and is not the run's last any more; [`LedgerError::Refused`] if the event is no `merge_started`
    /// with a pull request and a subject, takes over another merge than the open one, or one that is being fenced. A pause is no
    /// error but [`MergeGrant::Refused`].
    async fn begin_merge(&self, event: &Event, after: Tip) -> Result<MergeGrant, LedgerError>;

    /// Yields a permit of a run to its holder again, after an unclear answer, if promotion is not paused and the database's
    /// history is the accepted one. Writes nothing. One round trip. What is being taken back by the run is read as in
    /// [`Ledger::begin_merge`]; whether others are watched is not asked again.
    ///
    /// # Errors
    /// [`LedgerError::PermitClosed`] if the run's last event is not this permit.
    async fn reopen_merge(&self, run: &RunId, permit: EventId) -> Result<MergeGrant, LedgerError>;

    /// The time of the clock by which permits are granted and expire. One round trip.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`].
    async fn time(&self) -> Result<DateTime<Utc>, LedgerError>;

    /// The permits that are open, oldest first. One round trip.
    ///
    /// # Errors
    /// As [`Ledger::stream_events`].
    async fn open_permits(&self) -> Result<Vec<PermitTerms>, LedgerError>;

    /// The runs that are open, oldest first. One round trip.
    ///
    /// # Errors
    /// As [`Ledger::stream_events`].
    async fn open_runs(&self) -> Result<Vec<RunId>, LedgerError>;

    /// How the landed changes of a base branch stand; the rollbacks are counted that ended within the last `within`. One round
    /// trip.
    ///
    /// # Errors
    /// As [`Ledger::stream_events`].
    async fn health_standing(
        &self,
        repository: &RepositoryName,
        base: &BranchName,
        within: Duration,
    ) -> Result<HealthStanding, LedgerError>;

    /// Up to `limit` events behind a position, in the order of positions, which never changes: an event is given only when
    /// none before it can appear any more. One round trip.
    ///
    /// # Errors
    /// As [`Ledger::stream_events`].
    async fn read_after(&self, position: Position, limit: u32) -> Result<Vec<RecordedEvent>, LedgerError>;

    /// Begins to follow the ledger behind a position: [`Position::START`], or that of an event in this ledger. Does nothing
    /// yet; [`Follower::next`] does.
    fn follow(&self, after: Position) -> Box<dyn Follower>;
}
