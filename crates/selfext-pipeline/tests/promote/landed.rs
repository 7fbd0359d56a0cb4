//! What the ledger in memory knows of landed runs: who waits for them, and how they stand.

use std::time::Duration;

use chrono::{DateTime, Utc};
use selfext_domain::*;

/// All events, in their order.
pub struct Landed<'a> {
    events: &'a [RecordedEvent],
}

impl<'a> Landed<'a> {
    pub const fn of(events: &'a [RecordedEvent]) -> Self {
        Self { events }
    }

    fn run(&self, id: &RunId) -> Option<Run> {
        let events: Vec<_> = self.events.iter().filter(|event| event.event.stream.run() == Some(id)).cloned().collect();
        Run::fold(&events).ok()
    }

    fn last(&self, id: &RunId) -> &'a RecordedEvent {
        self.events.iter().rfind(|event| event.event.stream.run() == Some(id)).unwrap()
    }

    /// The runs that hold others back, with their last events, in the order in which they landed.
    fn watched(&self, repository: &RepositoryName, base: &BranchName) -> Vec<(RunId, &'a RecordedEvent)> {
        let landed = self.events.iter().filter(|event| {
            let subject = event.event.subject.as_ref();
            matches!(event.event.body, EventBody::Promoted(_))
                && subject.is_some_and(|subject| subject.repository == *repository && subject.base == *base)
        });
        let runs = landed.filter_map(|event| event.event.stream.run().cloned());
        runs.map(|run| (run.clone(), self.last(&run))).filter(|(_, last)| held_back_by(last).is_some()).collect()
    }

    /// The event by which a run is said to take another back, if both say so.
    pub fn rollback(&self, id: &RunId) -> Option<&'a RecordedEvent> {
        let run = self.run(id)?;
        let target = self.run(run.rollback_of()?)?;
        let same =
            (&target.subject().repository, &target.subject().base) == (&run.subject().repository, &run.subject().base);
        (same && target.phase() == Phase::RollingBack && target.rollback() == Some(id)).then(|| self.last(target.id()))
    }

    /// Why a run may not merge for what landed, if it may not.
    pub fn refusal(&self, id: &RunId) -> Option<Refusal> {
        let run = self.run(id)?;
        let started = self.rollback(id);
        if let (Some(target), None) = (run.rollback_of(), started) {
            return Some(not_being_taken_back(target, id));
        }
        let mut watched = self.watched(&run.subject().repository, &run.subject().base);
        if let Some(started) = started {
            watched.retain(|(_, last)| {
                matches!(last.event.body, EventBody::RollbackStarted(_)) && last.position.id < started.position.id
            });
        }
        let seriousness = |last: &RecordedEvent| match last.event.body {
            EventBody::RollbackFailed(_) => 1,
            EventBody::Promoted(_) => 3,
            _ => 2,
        };
        watched.into_iter().min_by_key(|(_, last)| seriousness(last)).and_then(|(_, last)| held_back_by(last))
    }

    pub fn standing(
        &self,
        repository: &RepositoryName,
        base: &BranchName,
        now: DateTime<Utc>,
        within: Duration,
    ) -> HealthStanding {
        let mut baseline = None;
        let mut rollbacks = 0;
        for event in self.events {
            let subject = event.event.subject.as_ref();
            if !subject.is_some_and(|subject| subject.repository == *repository && subject.base == *base) {
                continue;
            }
            match &event.event.body {
                EventBody::HealthWindowPassed(passed) => baseline = Some(passed.commit.clone()),
                EventBody::Promoted(Promoted { health: Some(_), .. }) if baseline.is_none() => {
                    baseline = self.verified_under(event);
                }
                EventBody::RolledBack(_) | EventBody::RollbackFailed(_) if now - event.recorded_at <= delta(within) => {
                    rollbacks += 1;
                }
                _ => {}
            }
        }
        let watched = self.watched(repository, base).into_iter().map(|(run, _)| run).collect();
        HealthStanding { watched, baseline, rollbacks, now }
    }

    /// The commit that was verified under what landed with this event.
    fn verified_under(&self, promoted: &RecordedEvent) -> Option<CommitSha> {
        let before = self.events.iter().rfind(|event| {
            event.event.stream == promoted.event.stream
                && event.sequence < promoted.sequence
                && matches!(event.event.body, EventBody::MergeStarted(_))
        })?;
        let EventBody::MergeStarted(started) = &before.event.body else { return None };
        Some(started.base_commit.clone())
    }
}

fn delta(within: Duration) -> chrono::TimeDelta {
    chrono::TimeDelta::from_std(within).unwrap_or(chrono::TimeDelta::MAX)
}
