//! All commit statuses, with who set them.

use http::StatusCode;
use selfext_domain::ports::ForgeError;
use selfext_domain::{CommitSha, CommitStatus};

use crate::client::Client;
use crate::survey::must_be;
use crate::wire::StatusBody;

/// How many statuses a page has; GitHub's most.
const PER_PAGE: usize = 100;

/// How many pages of statuses are read at most. GitHub keeps a thousand statuses of each context.
const MAX_PAGES: usize = 50;

impl Client {
    /// Every status of a commit. GitHub's list of the latest of each context does not tell who set them, and in it a status of
    /// somebody else's hides the one before.
    pub(crate) async fn status_history(&self, head: &CommitSha) -> Result<Vec<CommitStatus>, ForgeError> {
        let mut all: Vec<StatusBody> = Vec::new();
        for page in 1..=MAX_PAGES {
            let route = self.at("commits").commit(head).then("statuses");
            let route = route.query("per_page", &PER_PAGE.to_string()).query("page", &page.to_string());
            let found: Vec<StatusBody> =
                self.get(route).await?.expect(StatusCode::OK, "the statuses with their creators")?;
            found.iter().filter_map(StatusBody::commit).try_for_each(|commit| must_be(&commit, head))?;
            let last = found.len() < PER_PAGE;
            all.extend(found);
            if last {
                // The newest come first: what was set meanwhile moved others to a later page, and lost none.
                all.sort_by_key(|status| status.id);
                all.dedup_by_key(|status| status.id);
                return Ok(all.into_iter().map(Into::into).collect());
            }
        }
        Err(ForgeError::Unreadable("there are too many statuses to judge".to_owned()))
    }
}
