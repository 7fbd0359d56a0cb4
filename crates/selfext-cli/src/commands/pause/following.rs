//! The merges that a pause found under way, followed in the ledger.

use std::time::Duration;

use selfext::{ControlState, EventId, LedgerError, MergeEnd, Operations, PermitTerms, RunId};

use crate::show;

/// How long it waits between two looks.
const POLL: Duration = Duration::from_millis(500);

/// How long after a deadline somebody who settles it may take before it is told how to.
const GRACE: Duration = Duration::from_secs(30);

/// Merges under way, and what became of them.
pub struct Following<'a> {
    operations: &'a Operations,
    open: Vec<PermitTerms>,
    quiet: bool,
    pub ended: Vec<(PermitTerms, MergeEnd)>,
    pub obstacles: Vec<(RunId, String)>,
}

impl<'a> Following<'a> {
    /// With `quiet`, what ends is kept and not told.
    pub const fn new(operations: &'a Operations, open: Vec<PermitTerms>, quiet: bool) -> Self {
        Self { operations, open, quiet, ended: Vec::new(), obstacles: Vec::new() }
    }

    /// Those that were open at the last look.
    pub fn open(&self) -> &[PermitTerms] {
        &self.open
    }

    /// Tells which are open, so that it is seen that promotion is paused before anything is waited for.
    pub fn list(&self) {
        if !self.quiet {
            for permit in &self.open {
                show::print(&show::may_merge(permit));
            }
        }
    }

    /// Keeps what stood in the way of fencing a run.
    pub fn was_not_fenced(&mut self, run: &RunId, why: impl Into<String>) {
        self.obstacles.push((run.clone(), why.into()));
    }

    /// Looks, and tells what has ended since the last look.
    pub async fn look(&mut self) -> Result<(), LedgerError> {
        let now = self.operations.in_flight().await?;
        for permit in &self.open {
            if now.iter().any(|open| open.run == permit.run) {
                continue;
            }
            if let Some(end) = self.operations.merge_end(permit).await? {
                if !self.quiet {
                    show::print(&show::merge_end(permit, &end));
                }
                self.ended.push((permit.clone(), end));
            }
        }
        self.open = now;
        Ok(())
    }

    /// Looks until all have ended, or promotion is not paused any more.
    pub async fn wait(&mut self, somebody_settles: bool) -> Result<(), LedgerError> {
        let mut told = Vec::new();
        loop {
            self.look().await?;
            let resumed = matches!(self.operations.control().await, Ok(ControlState::Running));
            if self.open.is_empty() || resumed {
                return Ok(());
            }
            self.tell_overdue(if somebody_settles { GRACE } else { Duration::ZERO }, &mut told).await?;
            tokio::time::sleep(POLL).await;
        }
    }

    /// Tells of each permit whose time is over, once, what settles it. Without that, one whose holder has gone stays open.
    async fn tell_overdue(&self, grace: Duration, told: &mut Vec<EventId>) -> Result<(), LedgerError> {
        let now = self.operations.time().await?;
        for permit in &self.open {
            if now > permit.deadline + grace && !told.contains(&permit.id) {
                told.push(permit.id);
                show::note(&show::overdue(permit));
            }
        }
        Ok(())
    }
}
