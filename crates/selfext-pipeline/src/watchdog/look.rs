//! What the watchdog does with one run.

use chrono::{DateTime, Utc};
use selfext_domain::{
    CommitSha, HealthWindow, HealthWindowFailed, HealthWindowPassed, Phase, Reason, Refusal, RunId, Stage,
    WindowVerdict, guard_pause,
};

use super::Watchdog;
use crate::journal::{Journal, Stop};
use crate::{Observer, PromoteError, RollbackEnding};

/// One landed run, as the watchdog found and left it.
#[derive(Debug)]
pub struct Finding {
    /// The run.
    pub run: RunId,
    /// How it stands now.
    pub found: Found,
}

/// How a landed run stands after a look.
#[derive(Debug)]
pub enum Found {
    /// Its window is open.
    WindowOpen {
        /// The window.
        window: HealthWindow,
        /// How many samples of its commit there are.
        samples: u64,
        /// How many of them are unhealthy.
        unhealthy: u64,
        /// Since when the commit has been seen, if it has.
        seen_since: Option<DateTime<Utc>>,
    },
    /// It proved itself now: its commit is the baseline.
    Healthy {
        /// The commit.
        commit: CommitSha,
        /// How many samples it took.
        samples: u64,
        /// How long it was watched.
        seconds: u64,
    },
    /// It was taken back now.
    RolledBack {
        /// The commit that did so.
        commit: CommitSha,
    },
    /// It is sick, and taking it back was refused for now. It is tried again.
    Waiting(Refusal),
    /// It is sick, and whether what takes it back has landed is not known yet.
    InDoubt {
        /// What is known.
        detail: String,
    },
    /// It is sick and could not be taken back. Promotions wait for an operator's `selfext acknowledge`.
    RollbackFailed(Refusal),
    /// Another process decided about it meanwhile.
    Gone,
    /// It could not be looked at now. It is tried again.
    Unsettled(PromoteError),
}

impl Watchdog {
    pub(super) async fn look_at(&self, run: &RunId, now: DateTime<Utc>, observer: &dyn Observer) -> Finding {
        let found = match self.settle(run, now, observer).await {
            Ok(found) => found,
            Err(Stop::Error(error)) => Found::Unsettled(error),
            // Another process was faster: what it wrote is seen at the next look.
            Err(Stop::Overtaken | Stop::Again | Stop::Ended(_)) => Found::Gone,
        };
        Finding { run: run.clone(), found }
    }

    async fn settle(&self, run: &RunId, now: DateTime<Utc>, observer: &dyn Observer) -> Result<Found, Stop> {
        let mut journal = Journal::open(&self.pipeline.ports, run).await?;
        match journal.run().phase() {
            Phase::Promoted => match journal.run().window() {
                Some(window) => self.judge(&mut journal, window, now, observer).await,
                None => Ok(Found::Gone),
            },
            Phase::Sick | Phase::RollingBack => self.take_back(journal.run().id(), observer).await,
            Phase::RollbackFailed => {
                self.pipeline.prepare_for_a_human(&journal, observer).await;
                let refusal = journal.run().refusal().cloned().ok_or(Stop::Overtaken)?;
                Ok(Found::RollbackFailed(refusal))
            }
            _ => Ok(Found::Gone),
        }
    }

    async fn judge(
        &self,
        journal: &mut Journal<'_>,
        window: HealthWindow,
        now: DateTime<Utc>,
        observer: &dyn Observer,
    ) -> Result<Found, Stop> {
        let config = &self.pipeline.config;
        let samples = self.heartbeats.samples(&config.repository, &config.base, window.opened_at).await?;
        match window.judge(&samples, now) {
            WindowVerdict::Open { samples, unhealthy, seen_since } => {
                Ok(Found::WindowOpen { window, samples, unhealthy, seen_since })
            }
            WindowVerdict::Passed { samples, seconds } => {
                let commit = window.commit;
                journal
                    .record(HealthWindowPassed { commit: commit.clone(), samples, window_seconds: seconds }, None)
                    .await?;
                Ok(Found::Healthy { commit, samples, seconds })
            }
            WindowVerdict::Failed { detail } => {
                let detail = format!("{detail} It is taken back.");
                let refusal = Refusal::new(Stage::HealthWindow, Reason::Unhealthy, detail);
                journal.record(HealthWindowFailed { commit: window.commit, refusal }, None).await?;
                self.take_back(journal.run().id(), observer).await
            }
        }
    }

    async fn take_back(&self, run: &RunId, observer: &dyn Observer) -> Result<Found, Stop> {
        let pipeline = &self.pipeline;
        // A pause is looked at first, so that a long one does not fill the ledger with refusals.
        if let Err(refusal) = guard_pause(pipeline.ports.control.read().await.as_ref(), true) {
            return Ok(Found::Waiting(refusal));
        }
        let now = pipeline.ports.clock.now();
        if let Some(refusal) = self.with_memory(|memory| memory.patience.resting(run, now)) {
            return Ok(Found::Waiting(refusal));
        }
        let outcome = pipeline.roll_back(run, "its health window failed", observer).await?;
        Ok(match outcome.ending {
            RollbackEnding::Waiting(refusal) => {
                let now = pipeline.ports.clock.now();
                self.with_memory(|memory| memory.patience.rest(run, refusal.clone(), now));
                Found::Waiting(refusal)
            }
            RollbackEnding::InDoubt { detail } => Found::InDoubt { detail },
            RollbackEnding::RolledBack { commit } => {
                self.with_memory(|memory| memory.patience.forget(run));
                Found::RolledBack { commit }
            }
            RollbackEnding::Failed(refusal) => {
                self.with_memory(|memory| memory.patience.forget(run));
                Found::RollbackFailed(refusal)
            }
        })
    }
}
