//! What is there already of a publication.

use selfext_domain::BranchName;
use selfext_domain::ports::{ForgeError, Standing, StandingRequest};

use crate::client::Client;

impl Client {
    /// Two requests at the same time.
    pub(crate) async fn find_published(
        &self,
        branch: &BranchName,
        base: &BranchName,
    ) -> Result<Option<Standing>, ForgeError> {
        let (found, open) =
            tokio::join!(self.find_whole_branch(branch), self.newest_pull_request(branch, base, "open"));
        let Some(found) = found? else {
            return Ok(None);
        };
        let request = open?.map(|open| StandingRequest {
            number: open.number,
            url: open.url(),
            title: open.title,
            body: open.body.unwrap_or_default(),
        });
        Ok(Some(Standing { commit: found.commit.into(), request }))
    }
}
