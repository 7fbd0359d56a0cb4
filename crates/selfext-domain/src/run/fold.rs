//! A run as its events tell it.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::Phase;
use crate::{
    BranchName, CommitSha, CorrelationId, Digest32, Event, EventBody, EventId, ExecutionContext, HealthWindow, Link,
    PermitTerms, Promoted, PullRequestNumber, RecordedEvent, Refusal, RepoPath, RollbackFailed, RolledBack, RunId,
    StreamId, Subject, Tested, Tip,
};

/// An event that may not follow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event {event_type} may not follow in {state}")]
pub struct IllegalEvent {
    /// The run's state: its phase, or that it has not begun.
    pub state: String,
    /// The event's type.
    pub event_type: String,
}

/// Why events are not the life of a run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// There are none.
    #[error("the run has no events")]
    Empty,
    /// One belongs to another stream or another subject than the first.
    #[error("event {event} belongs to another run or subject")]
    Foreign {
        /// The event.
        event: EventId,
    },
    /// The first names no context or subject, or a merge no pull request.
    #[error("event {event} lacks what its type needs: a context and a subject, or a pull request")]
    Unfounded {
        /// The event.
        event: EventId,
    },
    /// A number is missing or out of order.
    #[error("event {event} has the sequence {found} where {expected} belongs")]
    Sequence {
        /// The event.
        event: EventId,
        /// The number that belongs there.
        expected: u64,
        /// The number it has.
        found: u64,
    },
    /// A merge that is under way is taken over, but to be another merge.
    #[error("event {event} takes over a merge permit of other terms")]
    OtherTerms {
        /// The event.
        event: EventId,
    },
    /// The hashes do not fit.
    #[error("event {event} is not chained to the one before it, or its bytes are not those that were hashed")]
    Broken {
        /// The event.
        event: EventId,
    },
    /// It may not follow.
    #[error("event {event} is illegal")]
    Illegal {
        /// The event.
        event: EventId,
        /// Which state it met.
        #[source]
        source: IllegalEvent,
    },
}

/// A run as its events tell it. It is never stored: the ledger is the only truth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    id: RunId,
    phase: Phase,
    subject: Subject,
    context: ExecutionContext,
    correlation_id: CorrelationId,
    branch: BranchName,
    rollback_of: Option<RunId>,
    rolled_back_before: Option<RunId>,
    again: bool,
    rollback: Option<RunId>,
    rolled_back: Option<CommitSha>,
    prepared: Option<BranchName>,
    tested: Option<Tested>,
    claim: Option<EventId>,
    first_base: Option<CommitSha>,
    unanswered: bool,
    pull_request: Option<PullRequestNumber>,
    permit: Option<PermitTerms>,
    refusal: Option<Refusal>,
    promoted: Option<Promoted>,
    promoted_at: Option<DateTime<Utc>>,
    allowed: BTreeSet<RepoPath>,
    sequence: u64,
    head: Digest32,
    last: EventId,
    proposed_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl Run {
    /// Reads a run from all of its events, in order: numbers, hashes and legality are checked.
    ///
    /// # Errors
    /// [`FoldError`] names the first event that is wrong, and how.
    pub fn fold(events: &[RecordedEvent]) -> Result<Self, FoldError> {
        let (first, rest) = events.split_first().ok_or(FoldError::Empty)?;
        check_link(first, 1, Link::GENESIS)?;
        let mut run = Self::begin(&first.event, first.link.hash, first.recorded_at)?;
        for event in rest {
            run.apply(event)?;
        }
        Ok(run)
    }

    /// Begins a run with its first event, whose bytes the caller has hashed: the fold for readers that check the links
    /// themselves, one event at a time.
    ///
    /// # Errors
    /// [`FoldError::Illegal`] or [`FoldError::Unfounded`] if no run begins like this.
    pub fn begin(event: &Event, hash: Digest32, recorded_at: DateTime<Utc>) -> Result<Self, FoldError> {
        let phase = Phase::after(None, false, &event.body).ok_or_else(|| illegal(event, None))?;
        let (StreamId::Run(id), Some(context), Some(subject), EventBody::Proposed(proposed)) =
            (&event.stream, &event.context, &event.subject, &event.body)
        else {
            return Err(FoldError::Unfounded { event: event.id });
        };
        Ok(Self {
            id: id.clone(),
            phase,
            subject: subject.clone(),
            context: context.clone(),
            correlation_id: event.correlation_id.clone(),
            branch: proposed.branch.clone(),
            rollback_of: proposed.rollback_of.clone(),
            rolled_back_before: proposed.rolled_back_before.clone(),
            again: false,
            rollback: None,
            rolled_back: None,
            prepared: None,
            last: event.id,
            tested: None,
            claim: None,
            first_base: proposed.made_on.clone(),
            unanswered: false,
            pull_request: event.pull_request,
            permit: None,
            refusal: None,
            promoted: None,
            promoted_at: None,
            allowed: BTreeSet::new(),
            sequence: 1,
            head: hash,
            proposed_at: recorded_at,
            updated_at: recorded_at,
        })
    }

    /// Whether an event may be written next.
    ///
    /// # Errors
    /// [`IllegalEvent`] names the state and the event.
    pub fn may_follow(&self, body: &EventBody) -> Result<Phase, IllegalEvent> {
        let has_what_it_closes = match body {
            EventBody::HealthWindowPassed(passed) => self.window().is_some_and(|window| window.commit == passed.commit),
            EventBody::HealthWindowFailed(failed) => self.window().is_some_and(|window| window.commit == failed.commit),
            EventBody::RolledBack(RolledBack { rollback_run, .. })
            | EventBody::RollbackFailed(RollbackFailed { rollback_run, .. }) => {
                self.rollback.as_ref() == Some(rollback_run)
            }
            _ => true,
        };
        Phase::after(Some(self.phase), self.tested.is_some(), body)
            .filter(|_| has_what_it_closes)
            .ok_or_else(|| IllegalEvent { state: self.phase.to_string(), event_type: body.event_type().to_owned() })
    }

    /// Takes one more recorded event.
    ///
    /// # Errors
    /// [`FoldError`]; the run is then unchanged.
    pub fn apply(&mut self, recorded: &RecordedEvent) -> Result<(), FoldError> {
        check_link(recorded, self.sequence + 1, self.head)?;
        self.take(&recorded.event, recorded.link.hash, recorded.recorded_at)
    }

    /// Takes one more event, whose number and link the caller has checked: it is the next, and `hash` is its hash.
    ///
    /// # Errors
    /// [`FoldError`] if it may not follow; the run is then unchanged.
    pub fn take(&mut self, event: &Event, hash: Digest32, recorded_at: DateTime<Utc>) -> Result<(), FoldError> {
        if event.stream.run() != Some(&self.id) || event.subject.as_ref() != Some(&self.subject) {
            return Err(FoldError::Foreign { event: event.id });
        }
        let phase = self.may_follow(&event.body).map_err(|source| FoldError::Illegal { event: event.id, source })?;
        self.permit = match &event.body {
            EventBody::MergeStarted(_) => {
                let terms =
                    PermitTerms::of_event(event, recorded_at).ok_or(FoldError::Unfounded { event: event.id })?;
                if self.permit.as_ref().is_some_and(|open| !terms.is_of_the_same_merge_as(open)) {
                    return Err(FoldError::OtherTerms { event: event.id });
                }
                Some(terms)
            }
            _ if phase.may_merge() => self.permit.take(),
            _ => None,
        };
        self.pull_request = event.pull_request.or(self.pull_request);
        match &event.body {
            EventBody::Tested(tested) => {
                self.first_base.get_or_insert_with(|| tested.base_commit.clone());
                self.unanswered |= self.claim.is_some() && self.pull_request.is_none();
                self.tested = Some(tested.clone());
                self.claim = Some(event.id);
            }
            EventBody::PromotionBlocked(blocked) => self.refusal = Some(blocked.refusal.clone()),
            EventBody::Failed(failed) => self.refusal = Some(failed.refusal.clone()),
            EventBody::ChangeAllowed(allowed) if allowed.fingerprint == self.subject.fingerprint => {
                self.allowed.extend(allowed.paths.iter().cloned());
                self.again |= allowed.again_after.is_some() && allowed.again_after == self.rolled_back_before;
            }
            EventBody::Promoted(promoted) => {
                self.promoted = Some(promoted.clone());
                self.promoted_at = Some(recorded_at);
            }
            EventBody::HealthWindowFailed(failed) => self.refusal = Some(failed.refusal.clone()),
            EventBody::RollbackStarted(started) => {
                self.rollback = Some(started.rollback_run.clone());
                self.prepared = None;
            }
            EventBody::RolledBack(back) => self.rolled_back = Some(back.commit.clone()),
            EventBody::RollbackFailed(failed) => {
                self.refusal = Some(failed.refusal.clone());
                self.prepared.clone_from(&failed.prepared);
            }
            _ => {}
        }
        if !matches!(phase, Phase::Blocked | Phase::Failed | Phase::Sick | Phase::RollingBack | Phase::RollbackFailed) {
            self.refusal = None;
        }
        self.phase = phase;
        self.sequence += 1;
        self.head = hash;
        self.last = event.id;
        self.updated_at = recorded_at;
        Ok(())
    }

    /// The event that would be written next with this body.
    ///
    /// # Errors
    /// [`IllegalEvent`] if it may not follow.
    pub fn next_event(&self, id: EventId, body: EventBody) -> Result<Event, IllegalEvent> {
        self.may_follow(&body)?;
        Ok(Event {
            id,
            stream: self.id.clone().into(),
            correlation_id: self.correlation_id.clone(),
            actor_source: self.context.actor(),
            context: Some(self.context.clone()),
            subject: Some(self.subject.clone()),
            pull_request: self.pull_request,
            body,
        })
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> &RunId {
        &self.id
    }

    /// Where it stands.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// What it is about.
    #[must_use]
    pub const fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Where in the agent's work the change was made.
    #[must_use]
    pub const fn context(&self) -> &ExecutionContext {
        &self.context
    }

    /// What ties it to other runs.
    #[must_use]
    pub const fn correlation_id(&self) -> &CorrelationId {
        &self.correlation_id
    }

    /// The branch that it publishes.
    #[must_use]
    pub const fn branch(&self) -> &BranchName {
        &self.branch
    }

    /// The run that it takes back, if it is a rollback.
    #[must_use]
    pub const fn rollback_of(&self) -> Option<&RunId> {
        self.rollback_of.as_ref()
    }

    /// The run in which the same content was rolled back before, where no operator has let it land again.
    #[must_use]
    pub fn rolled_back_before(&self) -> Option<&RunId> {
        self.rolled_back_before.as_ref().filter(|_| !self.again)
    }

    /// The run that takes this one back, or took it back, or tried to: the last.
    #[must_use]
    pub const fn rollback(&self) -> Option<&RunId> {
        self.rollback.as_ref()
    }

    /// The run in which the same content was rolled back before, be it that an operator has let it land again.
    #[must_use]
    pub const fn comes_after_rollback_of(&self) -> Option<&RunId> {
        self.rolled_back_before.as_ref()
    }

    /// The commit that took its change back.
    #[must_use]
    pub const fn rolled_back(&self) -> Option<&CommitSha> {
        self.rolled_back.as_ref()
    }

    /// The branch on which a rollback that failed is prepared for a human.
    #[must_use]
    pub const fn prepared(&self) -> Option<&BranchName> {
        self.prepared.as_ref()
    }

    /// The id of its last event.
    #[must_use]
    pub const fn last_event(&self) -> EventId {
        self.last
    }

    /// Its health window, while that is open.
    #[must_use]
    pub fn window(&self) -> Option<HealthWindow> {
        let (promoted, opened_at) = (self.promoted.as_ref()?, self.promoted_at?);
        let terms = promoted.health.filter(|_| self.phase == Phase::Promoted)?;
        Some(HealthWindow { terms, commit: promoted.commit.clone(), opened_at })
    }

    /// The last verification that it passed.
    #[must_use]
    pub const fn tested(&self) -> Option<&Tested> {
        self.tested.as_ref()
    }

    /// The `tested` event that says who publishes, if there is one: the last.
    #[must_use]
    pub const fn claim(&self) -> Option<EventId> {
        self.claim
    }

    /// Whether a publication may still be on its way: somebody claimed the run anew before any event named its pull request, so
    /// that it is not known what became of the earlier claim's.
    #[must_use]
    pub const fn may_be_published_late(&self) -> bool {
        self.unanswered
    }

    /// The commit on which it first passed verification; for a rollback, the one that it was made for.
    #[must_use]
    pub const fn first_base(&self) -> Option<&CommitSha> {
        self.first_base.as_ref()
    }

    /// Its pull request, as soon as an event has named it.
    #[must_use]
    pub const fn pull_request(&self) -> Option<PullRequestNumber> {
        self.pull_request
    }

    /// The open permit: its merge may still happen.
    #[must_use]
    pub const fn permit(&self) -> Option<&PermitTerms> {
        self.permit.as_ref()
    }

    /// Why it is blocked or failed, or why its change is sick or could not be taken back.
    #[must_use]
    pub const fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_ref()
    }

    /// What landed.
    #[must_use]
    pub const fn promoted(&self) -> Option<&Promoted> {
        self.promoted.as_ref()
    }

    /// The protected paths that operators were shown and allowed this run to touch. Of no use to any other run.
    #[must_use]
    pub const fn allowed_paths(&self) -> &BTreeSet<RepoPath> {
        &self.allowed
    }

    /// The number of its last event.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Its last event: the next one is written behind it.
    #[must_use]
    pub const fn tip(&self) -> Tip {
        Tip { sequence: self.sequence, hash: self.head }
    }

    /// When it was proposed, by the database's clock.
    #[must_use]
    pub const fn proposed_at(&self) -> DateTime<Utc> {
        self.proposed_at
    }

    /// When its last event was recorded, by the database's clock.
    #[must_use]
    pub const fn updated_at(&self) -> DateTime<Utc> {
        self.updated_at
    }
}

fn illegal(event: &Event, phase: Option<Phase>) -> FoldError {
    let state = phase.map_or_else(|| "a run that has not begun".to_owned(), |phase| phase.to_string());
    FoldError::Illegal {
        event: event.id,
        source: IllegalEvent { state, event_type: event.body.event_type().to_owned() },
    }
}

fn check_link(recorded: &RecordedEvent, sequence: u64, prev: Digest32) -> Result<(), FoldError> {
    let event = recorded.event.id;
    if recorded.sequence != sequence {
        return Err(FoldError::Sequence { event, expected: sequence, found: recorded.sequence });
    }
    if recorded.link != Link::new(prev, recorded.content.as_bytes()) {
        return Err(FoldError::Broken { event });
    }
    Ok(())
}
