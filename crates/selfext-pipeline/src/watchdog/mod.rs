//! The watchdog: judges health windows and takes back what turned out sick, from outside of the agent.
//!
//! It keeps nothing that it could not read anew: whatever it begins is in the ledger before it is done, and each step is taken behind
//! the event that it was decided on. The lease saves two watchdogs from doing everything twice; that they do not is not for safety.

mod breaker;
mod look;
mod patience;
mod rules;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::future::{Either, select};
use selfext_domain::ports::{Heartbeats, Lease, Leases};
use selfext_domain::{BreakerRules, CommitSha, HealthRules};

pub use look::{Finding, Found};

use self::patience::Patience;
use crate::{Observer, Pipeline, PromoteError};

/// How a watchdog works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchConfig {
    /// For how long the lease is taken; it is renewed three times in that time. Another watchdog takes over when it has run out.
    pub lease: Duration,
    /// For how long heartbeats are kept. Those of an open window are kept in any case.
    pub keep: Duration,
}

impl Default for WatchConfig {
    /// A lease of 30 s; heartbeats are kept for a week.
    fn default() -> Self {
        Self { lease: Duration::from_secs(30), keep: Duration::from_hours(7 * 24) }
    }
}

/// What one look gave.
#[derive(Debug)]
pub enum Tick {
    /// Another watchdog has the lease; nothing was done.
    Elsewhere {
        /// Which one.
        holder: String,
        /// Until when it has the lease, if it is not renewed.
        until: DateTime<Utc>,
    },
    /// This one looked.
    Looked {
        /// What it found and did, one entry for each landed run that holds others back or did until now.
        findings: Vec<Finding>,
        /// The last commit that is known to be healthy, at the beginning of the look.
        baseline: Option<CommitSha>,
        /// Whether repeated harm paused promotion now.
        tripped: bool,
        /// The rules of health of the base's tip, where there was something to look at.
        rules: Option<HealthRules>,
    },
}

impl Tick {
    /// Whether a window is still open, so that the agent is to be looked at.
    #[must_use]
    pub fn has_open_window(&self) -> bool {
        match self {
            Self::Elsewhere { .. } => false,
            Self::Looked { findings, .. } => {
                findings.iter().any(|finding| matches!(finding.found, Found::WindowOpen { .. }))
            }
        }
    }
}

/// Watches one base branch of one repository.
pub struct Watchdog {
    pipeline: Pipeline,
    heartbeats: Arc<dyn Heartbeats>,
    leases: Arc<dyn Leases>,
    config: WatchConfig,
    memory: Mutex<Memory>,
}

/// What a watchdog may forget.
#[derive(Default)]
struct Memory {
    patience: Patience,
    /// The rules of health, and the tip that they are of.
    rules: Option<(CommitSha, Option<HealthRules>)>,
    forgot_at: Option<DateTime<Utc>>,
}

impl Watchdog {
    /// A watchdog over a pipeline and what is recorded beside its ledger.
    #[must_use]
    pub fn new(
        pipeline: Pipeline,
        heartbeats: Arc<dyn Heartbeats>,
        leases: Arc<dyn Leases>,
        config: WatchConfig,
    ) -> Self {
        Self { pipeline, heartbeats, leases, config, memory: Mutex::default() }
    }

    /// Looks once: takes or renews the lease, settles merges that nobody waits for any more, judges the open windows, goes on with
    /// rollbacks, and pauses promotion after repeated harm. Where there is nothing to do it costs three round trips to the
    /// database. May be repeated, and called by several processes at once.
    ///
    /// # Errors
    /// [`PromoteError`] if the ledger could not be read or written. What is wrong with one run alone is in its finding.
    pub async fn tick(&self, observer: &dyn Observer) -> Result<Tick, PromoteError> {
        match self.acquire().await? {
            Lease::Elsewhere { holder, until } => Ok(Tick::Elsewhere { holder, until }),
            Lease::Held { .. } => Box::pin(self.while_renewing(self.look(observer))).await,
        }
    }

    /// Gives the lease up, so that another watchdog need not wait until it has run out. May be repeated.
    ///
    /// # Errors
    /// [`PromoteError::Ledger`]; the lease runs out by itself then.
    pub async fn release(&self) -> Result<(), PromoteError> {
        Ok(self.leases.release(&self.lease_name(), &self.pipeline.config.holder).await?)
    }

    async fn acquire(&self) -> Result<Lease, PromoteError> {
        Ok(self.leases.acquire(&self.lease_name(), &self.pipeline.config.holder, self.config.lease).await?)
    }

    fn lease_name(&self) -> String {
        let config = &self.pipeline.config;
        format!("watch {} {}", config.repository, config.base)
    }

    /// A rollback may take longer than a lease. One that cannot be renewed is no reason to stop: see [`Leases`].
    async fn while_renewing<T>(&self, work: impl Future<Output = T>) -> T {
        let renewing = async {
            loop {
                self.pipeline.ports.clock.sleep(self.config.lease / 3).await;
                let _ = self.acquire().await;
            }
        };
        match select(std::pin::pin!(work), std::pin::pin!(renewing)).await {
            Either::Left((done, _)) => done,
            Either::Right((never, _)) => never,
        }
    }

    async fn look(&self, observer: &dyn Observer) -> Result<Tick, PromoteError> {
        self.pipeline.recover(observer).await?;
        let config = &self.pipeline.config;
        let within = self.known_rules().map_or(BreakerRules::default().within, |rules| rules.breaker.within);
        let standing = self.pipeline.ports.ledger.health_standing(&config.repository, &config.base, within).await?;
        let eventful = !standing.watched.is_empty() || standing.rollbacks > 0;
        let rules = if eventful { self.read_health_rules().await } else { None };
        let mut findings = Vec::new();
        for run in &standing.watched {
            findings.push(self.look_at(run, standing.now, observer).await);
        }
        let has_ended_one =
            |finding: &Finding| matches!(finding.found, Found::RolledBack { .. } | Found::RollbackFailed(_));
        let tripped = match rules.as_ref().map(|rules| rules.breaker) {
            // An open window alone is no harm, and is looked at often.
            Some(breaker) if standing.rollbacks > 0 || findings.iter().any(has_ended_one) => self.trip(breaker).await?,
            _ => false,
        };
        self.forget_heartbeats().await;
        Ok(Tick::Looked { findings, baseline: standing.baseline, tripped, rules })
    }

    /// Once an hour. What could not be forgotten is, an hour later.
    async fn forget_heartbeats(&self) {
        let now = self.pipeline.ports.clock.now();
        let is_due = self.with_memory(|memory| {
            let is_due = memory.forgot_at.is_none_or(|at| now - at > chrono::Duration::hours(1));
            if is_due {
                memory.forgot_at = Some(now);
            }
            is_due
        });
        if is_due {
            let config = &self.pipeline.config;
            let _ = self.heartbeats.forget(&config.repository, &config.base, self.config.keep).await;
        }
    }

    fn with_memory<T>(&self, use_it: impl FnOnce(&mut Memory) -> T) -> T {
        use_it(&mut self.memory.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}
