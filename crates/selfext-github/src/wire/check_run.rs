//! Check runs.

use selfext_domain::{CheckRun, CommitSha};
use serde::Deserialize;

/// One page of the latest check runs.
#[derive(Deserialize)]
pub(crate) struct CheckRunPage {
    pub(crate) total_count: u64,
    pub(crate) check_runs: Vec<CheckRunBody>,
}

/// A check run as it is read.
#[derive(Deserialize)]
pub(crate) struct CheckRunBody {
    pub(crate) id: u64,
    pub(crate) head_sha: CommitSha,
    name: String,
    status: String,
    conclusion: Option<String>,
    app: Option<App>,
}

#[derive(Deserialize)]
struct App {
    id: u64,
}

impl From<CheckRunBody> for CheckRun {
    fn from(body: CheckRunBody) -> Self {
        Self {
            id: body.id,
            name: body.name,
            app_id: body.app.map(|app| app.id),
            status: body.status,
            conclusion: body.conclusion,
        }
    }
}
