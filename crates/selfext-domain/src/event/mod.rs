//! Events: the immutable facts of a run.

mod body;
mod content;
mod judged;
mod payload;
mod reason;
mod recorded;
mod refusal;
mod stage;
mod without_reports;

pub use body::{EventBody, UnknownEvent};
pub use content::EventError;
pub use judged::JudgedContent;
pub use payload::{
    ChangeAllowed, Failed, FileAction, FileSummary, HealthWindowFailed, HealthWindowPassed, HistoryAccepted,
    MergeFenced, MergeStarted, Promoted, PromotionBlocked, PromotionPauseChanged, Proposed, RollbackAcknowledged,
    RollbackFailed, RollbackStarted, RolledBack, RunAbandoned, Tested,
};
pub use reason::{Disposition, Reason};
pub use recorded::{Position, RecordedEvent};
pub use refusal::Refusal;
pub use stage::Stage;

use crate::{
    ActorSource, BranchName, CorrelationId, EventId, ExecutionContext, Fingerprint, PullRequestNumber, RepositoryName,
    StreamId,
};

/// What a run is about: where it wants to go, and what it carries. One run at a time is open for a subject.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Subject {
    /// The repository.
    pub repository: RepositoryName,
    /// The branch that the change is to land on.
    pub base: BranchName,
    /// The content of the change set.
    pub fingerprint: Fingerprint,
}

/// One event as its writer sets it. What the database adds (sequence, time, who wrote it, hashes) is in
/// [`RecordedEvent`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Chosen before the first try, so that a repeated append is recognised.
    pub id: EventId,
    /// The stream it belongs to.
    pub stream: StreamId,
    /// What ties runs together that serve one request.
    pub correlation_id: CorrelationId,
    /// What kind of actor wrote it.
    pub actor_source: ActorSource,
    /// Where in the agent's work the change was made; absent in the control stream. Its actor source is stored once, as the
    /// event's own, and reads back as that.
    pub context: Option<ExecutionContext>,
    /// What the run is about; absent in the control stream.
    pub subject: Option<Subject>,
    /// The run's pull request, once it is known.
    pub pull_request: Option<PullRequestNumber>,
    /// What happened.
    pub body: EventBody,
}
