//! What a delivery is about.

use selfext_domain::RepositoryName;
use serde::Deserialize;

/// The events after which the gate may see something else.
const TELLING: [&str; 7] =
    ["status", "check_run", "check_suite", "pull_request", "pull_request_review", "push", "merge_group"];

/// The one thing that is read of a body.
#[derive(Deserialize)]
struct Body {
    repository: Option<Repository>,
}

#[derive(Deserialize)]
struct Repository {
    full_name: String,
}

/// Whether an event of this name may change what the gate sees.
pub(super) fn tells(event: &str) -> bool {
    TELLING.contains(&event)
}

/// Whether a body is about a repository. `None` if it is no JSON object of GitHub's.
pub(super) fn is_about(body: &[u8], repository: &RepositoryName) -> Option<bool> {
    let body: Body = serde_json::from_slice(body).ok()?;
    Some(body.repository.is_some_and(|found| found.full_name.eq_ignore_ascii_case(repository.as_str())))
}
