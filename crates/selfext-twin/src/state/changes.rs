//! What has changed since the state was last written, as one line.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{CheckRecord, Comment, Pull, RequestedMerge, Review, Settings, State, StatusRecord};
use crate::git::Oid;

/// Entries that take the place of those before them, and what is small enough to be said each time.
#[derive(Serialize)]
pub(super) struct Changes<'a> {
    last_number: u64,
    last_id: u64,
    settings: &'a Settings,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pulls: BTreeMap<u64, &'a Pull>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    statuses: BTreeMap<Oid, &'a Vec<StatusRecord>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    checks: BTreeMap<Oid, &'a Vec<CheckRecord>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    comments: BTreeMap<u64, &'a Vec<Comment>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    reviews: BTreeMap<u64, &'a Vec<Review>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    requests: BTreeMap<u64, &'a Vec<RequestedMerge>>,
}

/// The same, read back.
#[derive(Deserialize)]
pub(super) struct WrittenChanges {
    last_number: u64,
    last_id: u64,
    settings: Settings,
    #[serde(default)]
    pulls: BTreeMap<u64, Pull>,
    #[serde(default)]
    statuses: BTreeMap<Oid, Vec<StatusRecord>>,
    #[serde(default)]
    checks: BTreeMap<Oid, Vec<CheckRecord>>,
    #[serde(default)]
    comments: BTreeMap<u64, Vec<Comment>>,
    #[serde(default)]
    reviews: BTreeMap<u64, Vec<Review>>,
    #[serde(default)]
    requests: BTreeMap<u64, Vec<RequestedMerge>>,
}

impl<'a> Changes<'a> {
    /// What has changed in a state; `None` if that is not known, and the whole of it has to be written.
    pub(super) fn of(state: &'a State) -> Option<Self> {
        // Taken apart so that a member that is added to the state cannot be forgotten here.
        let State {
            version: _,
            generation: _,
            last_number,
            last_id,
            pulls,
            statuses,
            checks,
            comments,
            reviews,
            requests,
            settings,
        } = state;
        Some(Self {
            last_number: *last_number,
            last_id: *last_id,
            settings,
            pulls: pulls.changed()?,
            statuses: statuses.changed()?,
            checks: checks.changed()?,
            comments: comments.changed()?,
            reviews: reviews.changed()?,
            requests: requests.changed()?,
        })
    }
}

impl State {
    /// Goes on to where the changes lead.
    pub(super) fn take_over(&mut self, changes: WrittenChanges) {
        let WrittenChanges { last_number, last_id, settings, pulls, statuses, checks, comments, reviews, requests } =
            changes;
        self.last_number = last_number;
        self.last_id = last_id;
        self.settings = settings;
        self.pulls.take_over(pulls);
        self.statuses.take_over(statuses);
        self.checks.take_over(checks);
        self.comments.take_over(comments);
        self.reviews.take_over(reviews);
        self.requests.take_over(requests);
    }

    /// Everything is written.
    pub(super) fn written(&mut self) {
        self.pulls.written();
        self.statuses.written();
        self.checks.written();
        self.comments.written();
        self.reviews.written();
        self.requests.written();
    }
}
