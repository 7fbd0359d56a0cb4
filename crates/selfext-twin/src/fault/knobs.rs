//! What can be turned while the twin runs. Nothing here outlives the process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Fault, FaultKind};
use crate::control::{AutoCheck, NewHead, QueueCommit};
use crate::git::{Oid, RefName, RefTarget};

/// A rule that says which checks appear on a new head.
pub(crate) type OnNewHead = Arc<dyn Fn(&NewHead) -> Vec<AutoCheck> + Send + Sync>;

/// A rule that says which checks appear on a commit of a merge queue.
pub(crate) type OnQueueCommit = Arc<dyn Fn(&QueueCommit) -> Vec<AutoCheck> + Send + Sync>;

/// All knobs of a twin.
#[derive(Default)]
pub(crate) struct Knobs {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    latency: Duration,
    faults: Vec<Fault>,
    on_new_head: Option<OnNewHead>,
    on_queue_commit: Option<OnQueueCommit>,
    merges_held: bool,
    without_async_merges: bool,
    null_reads: u32,
    nulls_given: HashMap<(u64, Oid, Oid), u32>,
    ref_lag: u32,
    stale: HashMap<RefName, Stale>,
}

/// What a reader sees of a ref.
pub(crate) enum Sight {
    /// The ref as it is.
    Current,
    /// The ref as it was before it was last changed.
    Stale(Option<RefTarget>),
}

struct Stale {
    reads_left: u32,
    shown: Option<RefTarget>,
}

impl Knobs {
    pub(crate) fn set_latency(&self, latency: Duration) {
        self.inner().latency = latency;
    }

    pub(crate) fn latency(&self) -> Duration {
        self.inner().latency
    }

    pub(crate) fn add_fault(&self, fault: Fault) {
        self.inner().faults.push(fault);
    }

    pub(crate) fn clear_faults(&self) {
        self.inner().faults.clear();
    }

    pub(crate) fn faults_left(&self) -> usize {
        self.inner().faults.len()
    }

    /// The fault to play on a request. Every rule that matches counts the request; the oldest that is due is
    /// played.
    pub(crate) fn fault_for(&self, method: &str, path: &[String]) -> Option<FaultKind> {
        let mut inner = self.inner();
        let mut played = None;
        for fault in &mut inner.faults {
            if !fault.pattern.matches(method, path) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
            } else if played.is_none() && fault.left > 0 {
                fault.left -= 1;
                played = Some(fault.kind.clone());
            }
        }
        inner.faults.retain(|fault| fault.left > 0);
        played
    }

    pub(crate) fn set_on_new_head(&self, rule: Option<OnNewHead>) {
        self.inner().on_new_head = rule;
    }

    pub(crate) fn on_new_head(&self) -> Option<OnNewHead> {
        self.inner().on_new_head.clone()
    }

    pub(crate) fn set_on_queue_commit(&self, rule: Option<OnQueueCommit>) {
        self.inner().on_queue_commit = rule;
    }

    pub(crate) fn on_queue_commit(&self) -> Option<OnQueueCommit> {
        self.inner().on_queue_commit.clone()
    }

    /// Keeps merges in the background from being carried out.
    pub(crate) fn hold_merges(&self, held: bool) {
        self.inner().merges_held = held;
    }

    pub(crate) fn holds_merges(&self) -> bool {
        self.inner().merges_held
    }

    /// Takes the operations for merging in the background out of the API, as in a server from before they were there.
    pub(crate) fn set_without_async_merges(&self, without: bool) {
        self.inner().without_async_merges = without;
    }

    pub(crate) fn is_without_async_merges(&self) -> bool {
        self.inner().without_async_merges
    }

    pub(crate) fn set_null_reads(&self, reads: u32) {
        let mut inner = self.inner();
        inner.null_reads = reads;
        inner.nulls_given.clear();
    }

    /// Whether this read of a pull request must find its mergeability not yet worked out.
    pub(crate) fn mergeable_unknown(&self, number: u64, head: Oid, base: Oid) -> bool {
        let mut inner = self.inner();
        let most = inner.null_reads;
        if most == 0 {
            return false;
        }
        let given = inner.nulls_given.entry((number, head, base)).or_default();
        let unknown = *given < most;
        *given = given.saturating_add(1);
        unknown
    }

    pub(crate) fn set_ref_lag(&self, reads: u32) {
        let mut inner = self.inner();
        inner.ref_lag = reads;
        inner.stale.clear();
    }

    /// Notes that a ref has just been changed from `before`.
    pub(crate) fn ref_changed(&self, name: &RefName, before: Option<RefTarget>) {
        let mut inner = self.inner();
        let reads_left = inner.ref_lag;
        if reads_left > 0 {
            let shown = before;
            inner.stale.insert(name.clone(), Stale { reads_left, shown });
        }
    }

    /// What a reader is to see of a ref.
    pub(crate) fn sight_of(&self, name: &RefName) -> Sight {
        let mut inner = self.inner();
        let Some(stale) = inner.stale.get_mut(name) else {
            return Sight::Current;
        };
        if stale.reads_left == 0 {
            inner.stale.remove(name);
            return Sight::Current;
        }
        stale.reads_left -= 1;
        Sight::Stale(stale.shown.clone())
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_played_at_its_turn_and_then_never_again() {
        let knobs = Knobs::default();
        knobs.add_fault(Fault::on("GET", "/user", FaultKind::Drop).nth(2).times(2));
        let path = ["user".to_owned()];
        let played: Vec<bool> = (0..5).map(|_| knobs.fault_for("GET", &path).is_some()).collect();
        assert_eq!(played, [false, true, true, false, false]);
        assert_eq!(knobs.faults_left(), 0);
        assert!(knobs.fault_for("POST", &path).is_none());
    }
}
