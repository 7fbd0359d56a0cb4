//! Latency and misbehaviour.

use std::time::Duration;

use super::TwinHandle;
use crate::fault::Fault;
use crate::limits::Limits;

impl TwinHandle {
    /// Makes every request wait this long before anything is done. Zero turns it off.
    pub fn set_latency(&self, latency: Duration) {
        self.world.knobs.set_latency(latency);
    }

    /// Adds a fault to the queue. Of several that match a request the one that was added first is played; all of
    /// them count the request.
    pub fn add_fault(&self, fault: Fault) {
        self.world.knobs.add_fault(fault);
    }

    /// Forgets all faults that have not been played.
    pub fn clear_faults(&self) {
        self.world.knobs.clear_faults();
    }

    /// How many faults have not been played to their end.
    #[must_use]
    pub fn faults_left(&self) -> usize {
        self.world.knobs.faults_left()
    }

    /// Answers `mergeable: null` to this many reads of each pull request, and again whenever its head or base moves.
    pub fn set_mergeable_null_reads(&self, reads: u32) {
        self.world.knobs.set_null_reads(reads);
    }

    /// Shows each ref, after it was changed over the API, for this many reads (of the ref, of matching refs, or of
    /// the branch) as it was before.
    pub fn set_ref_lag(&self, reads: u32) {
        self.world.knobs.set_ref_lag(reads);
    }

    /// Limits how many requests are served from now on; `None` takes the limits away. What was counted so far is forgotten.
    pub fn set_limits(&self, limits: Option<Limits>) {
        self.world.meter.set(limits);
    }

    /// For each request that came although an earlier one had been refused for its writes and that limit was still in force:
    /// how long after that refusal it came. One that was on its way already comes soon after it.
    #[must_use]
    pub fn requests_while_limited(&self) -> Vec<Duration> {
        self.world.meter.while_refused()
    }
}
