//! A run that landed: what becomes of it.

use std::sync::Arc;

use selfext_domain::ports::{Ledger, LedgerError};
use selfext_domain::{
    CommitSha, Event, HealthTerms, HealthWindowFailed, HealthWindowPassed, Promoted, Reason, RecordedEvent,
    RollbackAcknowledged, RollbackFailed, RollbackStarted, RolledBack, RunId,
};

use super::story::{Story, append, commit, operator, refusal, tree};

impl Story {
    /// The same, which says that it takes another run back.
    #[must_use]
    pub fn taking_back(mut self, other: &Self) -> Self {
        self.rollback_of = Some(other.run.clone());
        self
    }

    /// `promoted`, with a health window.
    #[must_use]
    pub fn promoted_with_window(&self) -> Event {
        let health = Some(HealthTerms::default());
        self.event(Promoted { commit: commit('c'), tree: tree(), tree_matches: true, checked_in_queue: false, health })
    }

    /// `health_window_passed`, with the commit of a digit.
    #[must_use]
    pub fn passed(&self, digit: char) -> Event {
        self.event(HealthWindowPassed { commit: commit(digit), samples: 10, window_seconds: 300 })
    }

    /// `health_window_failed`
    #[must_use]
    pub fn sick(&self) -> Event {
        self.event(HealthWindowFailed { commit: commit('c'), refusal: refusal(Reason::Unhealthy) })
    }

    /// `rollback_started`, by another run.
    #[must_use]
    pub fn rollback_started(&self, by: &RunId) -> Event {
        self.event(RollbackStarted { rollback_run: by.clone(), detail: "it is sick".to_owned() })
    }

    /// `rolled_back`, by another run.
    #[must_use]
    pub fn rolled_back(&self, by: &RunId) -> Event {
        self.event(RolledBack { rollback_run: by.clone(), commit: commit('e') })
    }

    /// `rollback_failed`, by another run.
    #[must_use]
    pub fn rollback_failed(&self, by: &RunId) -> Event {
        let refusal = refusal(Reason::RollbackConflict);
        self.event(RollbackFailed { rollback_run: by.clone(), refusal, prepared: None })
    }

    /// `rollback_acknowledged`
    #[must_use]
    pub fn acknowledged(&self) -> Event {
        self.event(RollbackAcknowledged { by: operator("ops"), reason: None })
    }

    /// Writes everything up to `promoted`, with a health window or without.
    ///
    /// # Panics
    /// If the ledger refuses.
    pub async fn land(&self, ledger: &Arc<dyn Ledger>, window: bool) {
        let _ = self.begin_merging(ledger).await;
        let promoted = if window { self.promoted_with_window() } else { self.promoted() };
        append(ledger, &promoted, 4).await.expect("it lands");
    }

    /// Appends an event to the end of its stream, wherever that is.
    ///
    /// # Errors
    /// Those of the ledger.
    ///
    /// # Panics
    /// If the stream cannot be read.
    pub async fn goes_on(&self, ledger: &Arc<dyn Ledger>, event: &Event) -> Result<RecordedEvent, LedgerError> {
        let events = ledger.stream_events(&self.run.clone().into()).await.expect("the stream is read");
        append(ledger, event, events.len() as u64 + 1).await
    }

    /// Lands, and begins a run that takes it back: that one is ready to merge.
    ///
    /// # Panics
    /// If the ledger refuses.
    pub async fn land_and_be_taken_back(&self, ledger: &Arc<dyn Ledger>, name: &str) -> Self {
        self.land(ledger, true).await;
        let back = Self {
            subject: selfext_domain::Subject {
                fingerprint: Self::new(name).subject.fingerprint,
                ..self.subject.clone()
            },
            ..Self::new(name)
        }
        .taking_back(self);
        self.goes_on(ledger, &self.rollback_started(&back.run)).await.expect("it is being taken back");
        back.begin(ledger).await;
        back
    }
}

/// The commit of a digit, forty times.
#[must_use]
pub fn commit_of(digit: char) -> CommitSha {
    commit(digit)
}
