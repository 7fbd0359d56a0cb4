//! Taking away branches that no run needs any more.

use std::collections::HashMap;

use http::StatusCode;
use selfext_domain::ports::{ForgeError, PullRequest, PullRequestState, Retired};
use selfext_domain::{BranchName, CommitMeta, CommitSha};

use crate::client::Client;
use crate::fence::FENCE_MESSAGE;
use crate::refs::must_be_own;
use crate::wire::{PullRequestBody, ReferenceBody};

/// How many pull requests of one branch are looked at. Where there are more, the branch stays at its fence.
const MOST_PULL_REQUESTS: usize = 100;

impl Client {
    pub(crate) async fn retire(&self, branch: &BranchName) -> Result<Retired, ForgeError> {
        must_be_own(branch)?;
        let head = self.find_branch(branch).await?;
        if let Some(head) = &head {
            let message = self.read_commit(head).await?.message;
            if !is_fence(&message) {
                if CommitMeta::find(&message).is_none() {
                    return Err(ForgeError::BranchTaken { branch: branch.clone(), head: head.clone() });
                }
                self.fence(branch, head).await?;
            }
        }
        let pulls = self.pull_requests_of(branch).await?;
        let mut all_fenced = pulls.len() < MOST_PULL_REQUESTS;
        let mut fences = HashMap::new();
        for pull in pulls {
            let shown = match pull.state {
                PullRequestState::Merged { .. } => continue,
                PullRequestState::Closed => pull.head,
                PullRequestState::Open => {
                    self.close(pull.number).await?;
                    self.read_pull_request(pull.number).await?.head
                }
            };
            all_fenced &= self.is_fence_commit(&shown, &mut fences).await?;
        }
        if head.is_none() {
            return Ok(Retired::Gone);
        }
        if !all_fenced {
            return Ok(Retired::KeptAtFence);
        }
        self.delete_own_branch(branch).await?;
        Ok(Retired::Gone)
    }

    pub(crate) async fn own_branches(&self) -> Result<Vec<BranchName>, ForgeError> {
        let answer = self.get(self.at("git/matching-refs/heads/selfext")).await?;
        let found: Vec<ReferenceBody> = answer.expect(StatusCode::OK, "repository")?;
        let named = found.iter().filter_map(|reference| reference.name.strip_prefix("refs/heads/"));
        Ok(named.filter_map(|name| BranchName::parse(name).ok()).filter(BranchName::is_selfext).collect())
    }

    async fn pull_requests_of(&self, branch: &BranchName) -> Result<Vec<PullRequest>, ForgeError> {
        let route =
            self.at("pulls").query("state", "all").query("per_page", &MOST_PULL_REQUESTS.to_string()).head(branch);
        let found: Vec<PullRequestBody> = self.get(route).await?.expect(StatusCode::OK, "repository")?;
        found.iter().try_for_each(|pull| self.must_be_here(pull))?;
        let pulls: Result<Vec<PullRequest>, _> = found.into_iter().map(TryInto::try_into).collect();
        Ok(pulls?.into_iter().filter(|pull| pull.branch == *branch).collect())
    }

    async fn is_fence_commit(
        &self,
        commit: &CommitSha,
        known: &mut HashMap<CommitSha, bool>,
    ) -> Result<bool, ForgeError> {
        if let Some(known) = known.get(commit) {
            return Ok(*known);
        }
        let is = is_fence(&self.read_commit(commit).await?.message);
        known.insert(commit.clone(), is);
        Ok(is)
    }
}

fn is_fence(message: &str) -> bool {
    message.trim_end() == FENCE_MESSAGE
}
