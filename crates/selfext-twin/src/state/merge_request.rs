//! Merges that were asked for and are carried out in the background.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::State;
use crate::control::MergeMethod;
use crate::git::Oid;

/// GitHub keeps results this long after the last change.
const KEPT: TimeDelta = TimeDelta::hours(24);

/// How many results of one pull request are kept at most.
const MOST_KEPT: usize = 50;

/// A merge that was asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RequestedMerge {
    pub(crate) uuid: String,
    /// The head that is meant.
    pub(crate) head: Oid,
    /// `None` leaves it to the repository.
    pub(crate) method: Option<MergeMethod>,
    pub(crate) action: MergeAction,
    pub(crate) title: Option<String>,
    pub(crate) message: Option<String>,
    /// When it was asked for, or when it ended.
    pub(crate) updated_at: DateTime<Utc>,
    /// `None` while it waits.
    pub(crate) outcome: Option<RequestOutcome>,
}

/// Where the merge is to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MergeAction {
    /// In the merge queue if the base has one.
    Default,
    DirectMerge,
    MergeQueue,
}

impl MergeAction {
    pub(crate) fn parse(word: &str) -> Option<Self> {
        match word {
            "default" => Some(Self::Default),
            "direct_merge" => Some(Self::DirectMerge),
            "merge_queue" => Some(Self::MergeQueue),
            _ => None,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::DirectMerge => "direct_merge",
            Self::MergeQueue => "merge_queue",
        }
    }
}

/// What came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RequestOutcome {
    Merged(Oid),
    Enqueued,
    Failed(String),
}

impl State {
    /// The request of a pull request that waits.
    pub(crate) fn waiting_merge(&self, number: u64) -> Option<&RequestedMerge> {
        self.requests.get(&number)?.iter().find(|request| request.outcome.is_none())
    }

    /// All requests that wait, by the number of their pull request.
    pub(crate) fn waiting_merges(&self) -> Vec<(u64, RequestedMerge)> {
        let waiting = |(number, requests): (&u64, &Vec<RequestedMerge>)| {
            let waiting = requests.iter().find(|request| request.outcome.is_none());
            waiting.map(|request| (*number, request.clone()))
        };
        self.requests.iter().filter_map(waiting).collect()
    }

    /// Adds a request, and drops results of the same pull request that are too old or too many.
    pub(crate) fn add_requested_merge(&mut self, number: u64, request: RequestedMerge) {
        let requests = self.requests.entry(number).or_default();
        let now = request.updated_at;
        requests.retain(|old| old.is_kept(now));
        let surplus = (requests.len() + 1).saturating_sub(MOST_KEPT);
        requests.drain(..surplus);
        requests.push(request);
    }

    /// A request and its result, as long as they are kept.
    pub(crate) fn requested_merge(&self, number: u64, uuid: &str, now: DateTime<Utc>) -> Option<&RequestedMerge> {
        let found = self.requests.get(&number)?.iter().find(|request| request.uuid == uuid);
        found.filter(|request| request.is_kept(now))
    }

    /// Says what came of a request.
    pub(crate) fn end_requested_merge(&mut self, number: u64, uuid: &str, outcome: RequestOutcome, now: DateTime<Utc>) {
        let mut requests = self.requests.get_mut(&number).into_iter().flatten();
        if let Some(request) = requests.find(|request| request.uuid == uuid) {
            request.outcome = Some(outcome);
            request.updated_at = now;
        }
    }

    /// Forgets all results.
    pub(crate) fn forget_requested_merges(&mut self) {
        let numbers: Vec<u64> = self.requests.keys().copied().collect();
        for number in numbers {
            if let Some(requests) = self.requests.get_mut(&number) {
                requests.retain(|request| request.outcome.is_none());
            }
        }
    }
}

impl RequestedMerge {
    fn is_kept(&self, now: DateTime<Utc>) -> bool {
        self.outcome.is_none() || now - self.updated_at < KEPT
    }
}
