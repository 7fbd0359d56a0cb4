//! Following a run that another process drives.

use std::time::Duration;

use selfext_domain::{Run, RunId};

use crate::journal::Journal;
use crate::{Observer, Outcome, Pipeline, PromoteError, Step};

/// How much longer a process that follows a change in a queue may write nothing.
const IN_QUEUE: u32 = 5;

/// How following ended.
pub(crate) enum Followed {
    /// The other process came to an end, which is this call's too.
    Ended(Box<Outcome>),
    /// Nobody drives it, because nothing was written for as long as a permit lasts, or because an operator has just allowed what
    /// blocked it: this process may take the run over.
    Stalled(Box<Run>),
}

impl Pipeline {
    /// Waits while another process takes the run on. Whoever came last drives, so that a process that was killed is replaced
    /// at once; whoever was overtaken follows, so that two do not take the run from each other for ever.
    pub(crate) async fn follow(&self, id: &RunId, observer: &dyn Observer) -> Result<Followed, PromoteError> {
        let mut idle = Duration::ZERO;
        let mut seen = 0;
        loop {
            let journal = Journal::open(&self.ports, id).await?;
            let run = journal.run();
            if run.allowable().is_ok_and(|allowable| allowable.is_already_allowed()) {
                return Ok(Followed::Stalled(Box::new(journal.into_run())));
            }
            if let Some(outcome) = Outcome::of(run, true) {
                if !run.phase().is_open() && !run.phase().has_landed() {
                    // Whoever ended the run may have cleaned up before this call published.
                    self.retire(&journal, observer).await;
                }
                return Ok(Followed::Ended(Box::new(outcome)));
            }
            if run.sequence() != seen {
                (seen, idle) = (run.sequence(), Duration::ZERO);
                observer.on(&Step::Following { holder: holder(run) });
            } else if idle >= self.config.permit_deadline * idle_permits(run) {
                return Ok(Followed::Stalled(Box::new(journal.into_run())));
            }
            self.ports.clock.sleep(self.config.retry_pause).await;
            idle += self.config.retry_pause;
        }
    }
}

/// How many permits' times whoever drives a run may write nothing. A change in a queue gives nothing to write.
fn idle_permits(run: &Run) -> u32 {
    if run.permit().is_some_and(|permit| permit.way.is_queue()) { IN_QUEUE } else { 1 }
}

/// The process that drives a run, as its events name it.
fn holder(run: &Run) -> String {
    let merging = run.permit().map(|permit| &permit.holder);
    merging
        .or_else(|| run.tested().map(|tested| &tested.holder))
        .cloned()
        .unwrap_or_else(|| "another process".to_owned())
}
