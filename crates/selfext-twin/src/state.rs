//! What the twin knows beside the repository itself: pull requests, statuses, check runs, comments, settings.

mod changes;
mod checks;
mod kept;
mod merge_request;
mod pull;
mod queue;
mod settings;
mod store;

pub(crate) use checks::{CheckRecord, StatusRecord};
pub(crate) use merge_request::{MergeAction, RequestOutcome, RequestedMerge};
pub(crate) use pull::{Comment, Group, Merged, Merging, Pull, Queued, Review};
pub(crate) use settings::Settings;
pub(crate) use store::{DIRECTORY, Lock, Store, StoreError};

use serde::{Deserialize, Serialize};

use crate::git::Oid;
use kept::Kept;

/// The whole state, as it stands in its file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct State {
    /// The version of the form.
    version: u32,
    /// Which file of changes goes on from here.
    #[serde(default)]
    generation: u64,
    /// The number that the last pull request got.
    last_number: u64,
    /// The id that the last thing of any kind got.
    last_id: u64,
    /// Pull requests by number.
    pub(crate) pulls: Kept<u64, Pull>,
    /// Statuses by commit, oldest first.
    pub(crate) statuses: Kept<Oid, Vec<StatusRecord>>,
    /// Check runs by commit, oldest first.
    pub(crate) checks: Kept<Oid, Vec<CheckRecord>>,
    /// Comments by the number of their pull request, oldest first.
    pub(crate) comments: Kept<u64, Vec<Comment>>,
    /// Reviews by the number of their pull request, oldest first.
    #[serde(default)]
    pub(crate) reviews: Kept<u64, Vec<Review>>,
    /// Asynchronous merges by the number of their pull request, oldest first.
    #[serde(default)]
    pub(crate) requests: Kept<u64, Vec<RequestedMerge>>,
    /// The repository's settings.
    pub(crate) settings: Settings,
}

impl Default for State {
    fn default() -> Self {
        Self {
            version: store::VERSION,
            generation: 0,
            last_number: 0,
            last_id: 1000,
            pulls: Kept::default(),
            statuses: Kept::default(),
            checks: Kept::default(),
            comments: Kept::default(),
            reviews: Kept::default(),
            requests: Kept::default(),
            settings: Settings::default(),
        }
    }
}

impl State {
    /// The next number of a pull request.
    pub(crate) fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    /// The next id of anything.
    pub(crate) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// The open pull request from one branch to another.
    pub(crate) fn open_pull(&self, head: &str, base: &str) -> Option<&Pull> {
        self.pulls.values().find(|pull| pull.open && pull.head == head && pull.base == base)
    }
}
