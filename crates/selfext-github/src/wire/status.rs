//! Commit statuses.

use selfext_domain::{CommitSha, CommitStatus, StatusState};
use serde::{Deserialize, Serialize};

/// A status to be set.
#[derive(Serialize)]
pub(crate) struct NewStatus<'a> {
    pub(crate) state: &'static str,
    pub(crate) context: &'a str,
    pub(crate) description: &'a str,
}

/// One page of the latest status of each context.
#[derive(Deserialize)]
pub(crate) struct StatusPage {
    pub(crate) sha: CommitSha,
    pub(crate) total_count: u64,
    pub(crate) statuses: Vec<StatusBody>,
}

/// A status as it is read.
#[derive(Deserialize)]
pub(crate) struct StatusBody {
    pub(crate) id: u64,
    pub(crate) context: String,
    state: String,
    /// Null where the account is gone; missing in the list of the latest.
    #[serde(default)]
    creator: Option<Creator>,
    #[serde(default)]
    url: String,
}

#[derive(Deserialize)]
struct Creator {
    login: String,
}

impl StatusBody {
    /// The commit that it is of, where its address tells.
    pub(crate) fn commit(&self) -> Option<CommitSha> {
        CommitSha::parse(self.url.rsplit('/').next()?).ok()
    }
}

impl From<StatusBody> for CommitStatus {
    fn from(body: StatusBody) -> Self {
        let state = match body.state.as_str() {
            "success" => StatusState::Success,
            "pending" => StatusState::Pending,
            "failure" => StatusState::Failure,
            "error" => StatusState::Error,
            _ => StatusState::Other(body.state),
        };
        Self { id: body.id, context: body.context, creator: body.creator.map(|creator| creator.login), state }
    }
}
