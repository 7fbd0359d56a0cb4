//! The pull request of a publication, and the statuses on its commit.

use http::StatusCode;
use selfext_domain::ports::{Evidence, ForgeError, Publication};
use selfext_domain::{CommitSha, EVIDENCE_CONTEXT, PERMIT_CONTEXT};

use crate::client::{CREATED, Client};
use crate::wire::{EditRequest, NewPullRequest, NewStatus, PullRequestBody};

/// The longest description of a status that GitHub takes, in characters.
const MAX_DESCRIPTION: usize = 140;

/// GitHub said both that there is a pull request and that there is none.
#[derive(Debug, thiserror::Error)]
#[error("GitHub contradicts itself about the pull request of {0}")]
struct Contradiction(String);

impl Client {
    /// Opens the pull request, or finds the one that is open and gives it the title and the body.
    pub(super) async fn ensure_pull_request(&self, publication: &Publication) -> Result<PullRequestBody, ForgeError> {
        let mut waits = self.waits();
        loop {
            let body = NewPullRequest {
                title: &publication.title,
                head: publication.branch.as_str(),
                base: publication.base.as_str(),
                body: &publication.body,
            };
            let answer = self.post(self.at("pulls"), &body).await?;
            if answer.is(CREATED) {
                let made = answer.decode("the new pull request")?;
                self.must_be_here(&made)?;
                return Ok(made);
            }
            let error = if answer.is_invalid_for("already exists") {
                let (branch, base) = (&publication.branch, &publication.base);
                if let Some(open) = self.newest_pull_request(branch, base, "open").await? {
                    return self.bring_up_to_date(publication, open).await;
                }
                ForgeError::unavailable(Contradiction(branch.to_string()))
            } else if answer.refusal().is_some_and(|refusal| refusal.blames("head", "invalid")) {
                answer.error("repository")
            } else {
                return Err(answer.error("repository"));
            };
            // The branch was made or moved a moment ago, and not every server of GitHub's has heard of it.
            if !waits.again("pull request").await {
                return Err(error);
            }
        }
    }

    async fn bring_up_to_date(
        &self,
        publication: &Publication,
        open: PullRequestBody,
    ) -> Result<PullRequestBody, ForgeError> {
        let body = open.body.as_deref().unwrap_or_default().replace("\r\n", "\n");
        if open.title == publication.title && body == publication.body.replace("\r\n", "\n") {
            return Ok(open);
        }
        let edit = EditRequest { title: &publication.title, body: &publication.body };
        let answer = self.patch(self.at("pulls").pull_request(open.number), &edit).await?;
        answer.expect(StatusCode::OK, &format!("pull request {}", open.number))
    }

    /// Shows the evidence as a status on the commit.
    pub(super) async fn post_evidence_status(&self, head: &CommitSha, evidence: &Evidence) -> Result<(), ForgeError> {
        let state = if evidence.passed { "success" } else { "failure" };
        let description: String = evidence.summary.chars().take(MAX_DESCRIPTION).collect();
        self.post_status(head, &NewStatus { state, context: EVIDENCE_CONTEXT, description: &description }).await
    }

    /// Says on the commit whether a merge permit for it is open.
    pub(crate) async fn post_permit(&self, head: &CommitSha, open: bool) -> Result<(), ForgeError> {
        let (state, description) = if open {
            ("success", "selfext has a merge permit for this commit")
        } else {
            ("pending", "no merge permit is open")
        };
        self.post_status(head, &NewStatus { state, context: PERMIT_CONTEXT, description }).await
    }

    async fn post_status(&self, head: &CommitSha, status: &NewStatus<'_>) -> Result<(), ForgeError> {
        let mut waits = self.waits();
        loop {
            let answer = self.post(self.at("statuses").commit(head), status).await?;
            if answer.is(CREATED) {
                return Ok(());
            }
            let lag = answer.is_invalid_for("no commit found");
            if !(lag && waits.again("commit").await) {
                return Err(answer.error(&format!("commit {head}")));
            }
        }
    }
}
