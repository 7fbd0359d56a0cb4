//! The merge permit: the durable right to ask for one merge, of one head, once.
//!
//! A process that takes over a merge which another left open writes a `merge_started` event of the same terms. That event is
//! the permit from then on: the first holder's can neither be used nor closed any more.

use chrono::{DateTime, Duration, Utc};

use crate::{
    BranchName, CommitSha, Event, EventBody, EventId, HealthTerms, MergeMethod, MergeStarted, MergeWay,
    PullRequestNumber, RecordedEvent, RepositoryName, RunId, TreeSha,
};

/// What a merge permit is about: the facts of one `merge_started` event. Reading it gives no right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermitTerms {
    /// The `merge_started` event that is the permit.
    pub id: EventId,
    /// The run.
    pub run: RunId,
    /// The repository.
    pub repository: RepositoryName,
    /// The branch that the change is to land on.
    pub base: BranchName,
    /// The commit of it that was verified under the change.
    pub base_commit: CommitSha,
    /// The pull request.
    pub pull_request: PullRequestNumber,
    /// The pull request's branch.
    pub branch: BranchName,
    /// The one head that may be merged.
    pub head: CommitSha,
    /// The tree that must land.
    pub tree: TreeSha,
    /// How it is merged.
    pub method: MergeMethod,
    /// By which way it is asked for.
    pub way: MergeWay,
    /// The message that the commit on the base branch will have; its first line is the title.
    pub message: String,
    /// Whether the commit status [`PERMIT_CONTEXT`](crate::PERMIT_CONTEXT) on the head is green while it is open.
    pub permit_status: bool,
    /// What the change has to show once it landed, if it has to prove itself.
    pub health: Option<HealthTerms>,
    /// Which process it was granted to.
    pub holder: String,
    /// When the database recorded the grant.
    pub granted_at: DateTime<Utc>,
    /// Until when the holder may act on it, by the database's clock.
    pub deadline: DateTime<Utc>,
}

impl PermitTerms {
    /// The terms that a recorded `merge_started` event states; `None` for any other event, and for one that names no run,
    /// subject or pull request.
    #[must_use]
    pub fn of(recorded: &RecordedEvent) -> Option<Self> {
        Self::of_event(&recorded.event, recorded.recorded_at)
    }

    /// The same for an event that was recorded at `recorded_at`.
    pub(crate) fn of_event(event: &Event, recorded_at: DateTime<Utc>) -> Option<Self> {
        let EventBody::MergeStarted(started) = &event.body else { return None };
        let subject = event.subject.as_ref()?;
        Some(Self {
            id: event.id,
            run: event.stream.run()?.clone(),
            repository: subject.repository.clone(),
            base: subject.base.clone(),
            base_commit: started.base_commit.clone(),
            pull_request: event.pull_request?,
            branch: started.branch.clone(),
            head: started.head.clone(),
            tree: started.tree.clone(),
            method: started.method,
            way: started.way,
            message: started.message.clone(),
            permit_status: started.permit_status,
            health: started.health,
            holder: started.holder.clone(),
            granted_at: recorded_at,
            deadline: recorded_at + Duration::seconds(i64::from(started.deadline_seconds)),
        })
    }

    /// Whether both are permits for one and the same merge, whoever holds them and for however long.
    #[must_use]
    pub fn is_of_the_same_merge_as(&self, other: &Self) -> bool {
        let held_as_other = Self {
            id: other.id,
            holder: other.holder.clone(),
            granted_at: other.granted_at,
            deadline: other.deadline,
            ..self.clone()
        };
        held_as_other == *other
    }

    /// What a process records that takes this merge over.
    #[must_use]
    pub fn taken_over(&self, holder: String, deadline_seconds: u32) -> MergeStarted {
        MergeStarted {
            head: self.head.clone(),
            base_commit: self.base_commit.clone(),
            tree: self.tree.clone(),
            branch: self.branch.clone(),
            method: self.method,
            way: self.way,
            message: self.message.clone(),
            permit_status: self.permit_status,
            health: self.health,
            holder,
            deadline_seconds,
        }
    }
}

/// The durable right to ask for one merge, of one head, once.
///
/// It is neither `Clone` nor constructible outside a ledger adapter: [`Forge::merge`](crate::ports::Forge::merge) takes it
/// by value, and gives it back only where the forge said that the merge did not happen and may be tried again.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "an unused permit is an open merge in the ledger"]
pub struct MergePermit(Box<PermitTerms>);

impl MergePermit {
    /// The single constructor, for adapters of the ledger port alone, which call it for a `merge_started` event that is
    /// durable and open. `clippy.toml` forbids it everywhere else.
    pub fn from_ledger(terms: PermitTerms) -> Self {
        Self(Box::new(terms))
    }

    /// What it is about.
    #[must_use]
    pub fn terms(&self) -> &PermitTerms {
        &self.0
    }
}
