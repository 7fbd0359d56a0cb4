//! Who waits in which merge queue.

use std::collections::BTreeSet;

use super::{Pull, State};
use crate::control::{QueueCommit, QueueEntry};

impl State {
    /// The numbers of the pull requests in the queue of a branch, from its front.
    pub(crate) fn queue(&self, base: &str) -> Vec<u64> {
        let mut queue: Vec<(i64, u64)> = self
            .pulls
            .values()
            .filter(|pull| pull.base == base)
            .filter_map(|pull| Some((pull.queued.as_ref()?.place, pull.number)))
            .collect();
        queue.sort_unstable();
        queue.into_iter().map(|(_, number)| number).collect()
    }

    /// The branches whose queues have entries, or have left something behind.
    pub(crate) fn queues(&self) -> BTreeSet<String> {
        let busy = |pull: &&Pull| pull.queued.is_some() || pull.group.is_some();
        self.pulls.values().filter(busy).map(|pull| pull.base.clone()).collect()
    }

    /// The first place of a queue, or the one behind its last.
    pub(crate) fn next_place(&self, base: &str, first: bool) -> i64 {
        let queue = self.pulls.values().filter(|pull| pull.base == base);
        let places = queue.filter_map(|pull| pull.queued.as_ref()).map(|queued| queued.place);
        if first { places.min().map_or(0, |place| place - 1) } else { places.max().map_or(0, |place| place + 1) }
    }
}

impl Pull {
    /// The pull request as an entry of a queue.
    pub(crate) fn queue_entry(&self) -> QueueEntry {
        QueueEntry { number: self.number, head_sha: self.head_sha.to_string(), group: self.queue_commit() }
    }

    /// The commit that the queue has made for it.
    pub(crate) fn queue_commit(&self) -> Option<QueueCommit> {
        self.group.as_ref().map(|group| QueueCommit {
            number: self.number,
            base: self.base.clone(),
            base_sha: group.base.to_string(),
            branch: group.branch.clone(),
            sha: group.commit.to_string(),
        })
    }
}
