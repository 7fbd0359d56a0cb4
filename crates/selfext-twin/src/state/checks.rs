//! Statuses and check runs.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::State;
use crate::clock;
use crate::control::{AppIdentity, AutoCheck, CheckOutcome, StatusState};
use crate::git::Oid;

/// GitHub keeps this many statuses of one commit and context.
const MOST_STATUSES: usize = 1000;

/// The login under which statuses are set that do not come over the API.
const OUTSIDE: &str = "ci";

/// A commit status. Statuses are never changed: a later one of the same context covers an earlier one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StatusRecord {
    pub(crate) id: u64,
    pub(crate) context: String,
    pub(crate) state: StatusState,
    pub(crate) description: Option<String>,
    pub(crate) target_url: Option<String>,
    /// The login of the user who set it.
    pub(crate) creator: String,
    pub(crate) at: DateTime<Utc>,
}

/// A check run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CheckRecord {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) outcome: CheckOutcome,
    pub(crate) app: AppIdentity,
    pub(crate) external_id: Option<String>,
    pub(crate) details_url: Option<String>,
    pub(crate) started_at: DateTime<Utc>,
    pub(crate) completed_at: Option<DateTime<Utc>>,
    pub(crate) title: Option<String>,
    pub(crate) summary: Option<String>,
    pub(crate) text: Option<String>,
    #[serde(default)]
    pub(crate) annotations: Vec<Value>,
}

impl CheckRecord {
    /// A check run that has just come to be.
    pub(crate) fn new(id: u64, name: String, outcome: CheckOutcome, app: AppIdentity) -> Self {
        let at = clock::now();
        Self {
            id,
            name,
            outcome,
            app,
            external_id: None,
            details_url: None,
            started_at: at,
            completed_at: outcome.conclusion().map(|_| at),
            title: None,
            summary: None,
            text: None,
            annotations: Vec::new(),
        }
    }
}

impl State {
    /// Adds a status, or says with `false` that the commit has too many of the context.
    pub(crate) fn add_status(&mut self, sha: Oid, status: StatusRecord) -> bool {
        let statuses = self.statuses.entry(sha).or_default();
        let same = statuses.iter().filter(|old| old.context == status.context).count();
        if same >= MOST_STATUSES {
            return false;
        }
        statuses.push(status);
        true
    }

    /// The newest status of each context of a commit, newest first.
    pub(crate) fn latest_statuses(&self, sha: Oid) -> Vec<&StatusRecord> {
        let mut seen = HashSet::new();
        let all = self.statuses.get(&sha).map(Vec::as_slice).unwrap_or_default();
        all.iter().rev().filter(|status| seen.insert(status.context.as_str())).collect()
    }

    /// The newest check run of each name and app of a commit, newest first.
    pub(crate) fn latest_checks(&self, sha: Oid) -> Vec<&CheckRecord> {
        let mut seen = HashSet::new();
        let all = self.checks.get(&sha).map(Vec::as_slice).unwrap_or_default();
        all.iter().rev().filter(|check| seen.insert((check.name.as_str(), check.app.id))).collect()
    }

    /// The check run with this id, and its commit.
    pub(crate) fn check_mut(&mut self, id: u64) -> Option<(Oid, &mut CheckRecord)> {
        let holds = |checks: &[CheckRecord]| checks.iter().position(|check| check.id == id);
        let (sha, at) = self.checks.iter().find_map(|(sha, checks)| Some((*sha, holds(checks)?)))?;
        Some((sha, self.checks.get_mut(&sha)?.get_mut(at)?))
    }

    /// Sets a status from outside the API.
    pub(crate) fn set_status(
        &mut self,
        sha: Oid,
        creator: &str,
        context: String,
        state: StatusState,
        description: Option<String>,
    ) {
        let id = self.next_id();
        let (creator, at) = (creator.to_owned(), clock::now());
        self.add_status(sha, StatusRecord { id, context, state, description, target_url: None, creator, at });
    }

    /// Sets a status or a check run from outside the API. A check run of the same name and app is changed rather
    /// than covered by another one.
    pub(crate) fn set_check(&mut self, sha: Oid, check: AutoCheck) {
        match check {
            AutoCheck::Status { context, state, description } => {
                self.set_status(sha, OUTSIDE, context, state, description);
            }
            AutoCheck::CheckRun { name, outcome, app } => {
                let id = self.next_id();
                let checks = self.checks.entry(sha).or_default();
                match checks.iter_mut().rev().find(|old| old.name == name && old.app.id == app.id) {
                    Some(old) => {
                        old.outcome = outcome;
                        old.completed_at = outcome.conclusion().map(|_| clock::now());
                    }
                    None => checks.push(CheckRecord::new(id, name, outcome, app)),
                }
            }
        }
    }
}
