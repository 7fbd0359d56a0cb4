//! Pull requests: finding, reading, closing.

use http::StatusCode;
use selfext_domain::ports::{ForgeError, PullRequest, PullRequestState};
use selfext_domain::{BranchName, PullRequestNumber};

use crate::client::Client;
use crate::wire::{CloseRequest, PullRequestBody};

/// A pull request was closed and still reads open.
#[derive(Debug, thiserror::Error)]
#[error("pull request {0} is still open")]
struct StillOpen(PullRequestNumber);

impl Client {
    pub(crate) async fn read_pull_request(&self, number: PullRequestNumber) -> Result<PullRequest, ForgeError> {
        let answer = self.get(self.at("pulls").pull_request(number)).await?;
        let body: PullRequestBody = answer.expect(StatusCode::OK, &format!("pull request {number}"))?;
        if body.number != number {
            return Err(ForgeError::Unreadable(format!("another pull request was given for {number}")));
        }
        self.must_be_here(&body)?;
        body.try_into()
    }

    /// The newest pull request from a branch to a base, in one of GitHub's states `open` and `all`.
    pub(crate) async fn newest_pull_request(
        &self,
        branch: &BranchName,
        base: &BranchName,
        state: &'static str,
    ) -> Result<Option<PullRequestBody>, ForgeError> {
        let route = self
            .at("pulls")
            .query("base", base.as_str())
            .query("state", state)
            .query("sort", "created")
            .query("direction", "desc")
            .query("per_page", "30")
            .head(branch);
        let answer = self.get(route).await?;
        let found: Vec<PullRequestBody> = answer.expect(StatusCode::OK, "repository")?;
        found.iter().try_for_each(|pull| self.must_be_here(pull))?;
        let mut ours = found.into_iter().filter(|pull| pull.goes(branch, base));
        let newest = ours.next();
        Ok(ours.fold(newest, |newest, other| newest.filter(|newest| newest.number > other.number).or(Some(other))))
    }

    /// Closes an open pull request; certain when it returns.
    pub(crate) async fn close(&self, number: PullRequestNumber) -> Result<(), ForgeError> {
        let mut waits = self.waits();
        while self.read_pull_request(number).await?.state == PullRequestState::Open {
            let answer = self.patch(self.at("pulls").pull_request(number), &CloseRequest { state: "closed" }).await?;
            let error = if answer.is(StatusCode::OK) {
                let after: PullRequest = answer.decode::<PullRequestBody>("the closed pull request")?.try_into()?;
                if after.state != PullRequestState::Open {
                    return Ok(());
                }
                ForgeError::unavailable(StillOpen(number))
            } else {
                answer.error(&format!("pull request {number}"))
            };
            // Somebody else may have merged it between the two requests.
            if !waits.again("closed pull request").await {
                return Err(error);
            }
        }
        Ok(())
    }
}
