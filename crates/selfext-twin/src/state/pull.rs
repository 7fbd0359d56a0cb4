//! Pull requests and their comments.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::State;
use crate::control::{PullSnapshot, ReviewState};
use crate::git::Oid;

/// A pull request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Pull {
    pub(crate) number: u64,
    pub(crate) id: u64,
    pub(crate) title: String,
    pub(crate) body: Option<String>,
    /// The login of the user who opened it.
    pub(crate) user: String,
    /// The branch to be merged, without `refs/heads/`.
    pub(crate) head: String,
    /// The branch to be merged into, without `refs/heads/`.
    pub(crate) base: String,
    /// Where the head was last seen; never changed again once the pull request is closed.
    pub(crate) head_sha: Oid,
    /// Where the base was when the head was last seen to move. GitHub does not follow the base either.
    pub(crate) base_sha: Oid,
    pub(crate) open: bool,
    pub(crate) draft: bool,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) closed_at: Option<DateTime<Utc>>,
    pub(crate) merged: Option<Merged>,
    /// Set before the base ref is moved and cleared with the merge's result: what is found here after a crash is
    /// settled by looking whether the commit is in the base.
    pub(crate) merging: Option<Merging>,
    /// Its place in the merge queue of its base.
    #[serde(default)]
    pub(crate) queued: Option<Queued>,
    /// The commit that its queue has made for it. It outlives the place in the queue until its branch is deleted.
    #[serde(default)]
    pub(crate) group: Option<Group>,
}

/// A place in a merge queue.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Queued {
    pub(crate) id: u64,
    /// Entries land in the order of their places.
    pub(crate) place: i64,
    pub(crate) at: DateTime<Utc>,
    /// The login of the user who put it there.
    pub(crate) by: String,
    pub(crate) jump: bool,
}

/// A commit to be tested, and the branch that leads to it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Group {
    /// What it lies on.
    pub(crate) base: Oid,
    pub(crate) commit: Oid,
    /// Without `refs/heads/`.
    pub(crate) branch: String,
}

/// How a pull request was merged.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Merged {
    /// The commit that the base came to.
    pub(crate) sha: Oid,
    pub(crate) at: DateTime<Utc>,
    /// The login of the user who merged it.
    pub(crate) by: String,
}

/// A merge that has been decided on but may not have happened.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Merging {
    /// The commit that the base is to come to.
    pub(crate) commit: Oid,
    /// When it was decided.
    pub(crate) at: DateTime<Utc>,
    /// The login of the user who asked for it.
    pub(crate) by: String,
}

impl Pull {
    /// Closes the pull request without merging it.
    pub(crate) fn close(&mut self, at: DateTime<Utc>) {
        self.open = false;
        self.queued = None;
        self.closed_at = Some(at);
        self.updated_at = at;
    }

    /// Records that the pull request was merged.
    pub(crate) fn merge(&mut self, merged: Merged) {
        self.close(merged.at);
        self.merging = None;
        self.merged = Some(merged);
    }

    pub(crate) fn snapshot(&self) -> PullSnapshot {
        PullSnapshot {
            number: self.number,
            title: self.title.clone(),
            body: self.body.clone(),
            head: self.head.clone(),
            base: self.base.clone(),
            head_sha: self.head_sha.to_string(),
            open: self.open,
            merged_as: self.merged.as_ref().map(|merged| merged.sha.to_string()),
        }
    }
}

/// A review of a pull request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Review {
    pub(crate) id: u64,
    pub(crate) user: String,
    pub(crate) state: ReviewState,
    pub(crate) commit: Oid,
    pub(crate) at: DateTime<Utc>,
}

impl State {
    /// The comment with this id, and the number of its pull request.
    pub(crate) fn comment_mut(&mut self, id: u64) -> Option<(u64, &mut Comment)> {
        let holds = |comments: &[Comment]| comments.iter().position(|comment| comment.id == id);
        let (number, at) = self.comments.iter().find_map(|(number, comments)| Some((*number, holds(comments)?)))?;
        Some((number, self.comments.get_mut(&number)?.get_mut(at)?))
    }
}

/// A comment on a pull request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Comment {
    pub(crate) id: u64,
    pub(crate) body: String,
    pub(crate) user: String,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}
