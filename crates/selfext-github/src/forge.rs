//! The port.

use std::fmt;

use async_trait::async_trait;
use selfext_domain::ports::{
    BranchSince, Evidence, Forge, ForgeError, LandedCommit, MergeAnswer, Publication, Published, PullRequest,
    QueueEntry, Retired, Standing, Survey, SurveyScope,
};
use selfext_domain::{BranchName, CommitSha, MergePermit, PullRequestNumber, RepositoryName, TeamName};

use crate::builder::OctocrabForgeBuilder;
use crate::client::Client;

/// One repository on GitHub, as the port [`Forge`]. Cheap to clone; the clones share their connections.
#[derive(Clone)]
pub struct OctocrabForge {
    client: Client,
}

impl OctocrabForge {
    /// Begins to make a forge for one repository.
    pub fn builder(repository: RepositoryName) -> OctocrabForgeBuilder {
        OctocrabForgeBuilder::new(repository)
    }

    pub(crate) const fn new(client: Client) -> Self {
        Self { client }
    }

    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }
}

impl fmt::Debug for OctocrabForge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OctocrabForge").field("repository", self.client.inner.binding.told()).finish_non_exhaustive()
    }
}

#[async_trait]
impl Forge for OctocrabForge {
    async fn branch_head(&self, branch: &BranchName) -> Result<CommitSha, ForgeError> {
        self.client.get_branch(branch).await
    }

    async fn publish(&self, publication: &Publication) -> Result<Published, ForgeError> {
        self.client.publish(publication).await
    }

    async fn find_published(&self, branch: &BranchName, base: &BranchName) -> Result<Option<Standing>, ForgeError> {
        self.client.find_published(branch, base).await
    }

    async fn show_evidence(&self, head: &CommitSha, evidence: &Evidence) -> Result<(), ForgeError> {
        self.client.show_evidence(head, evidence).await
    }

    async fn survey(
        &self,
        pull_request: PullRequestNumber,
        head: &CommitSha,
        base: &BranchName,
        scope: SurveyScope,
    ) -> Result<Survey, ForgeError> {
        self.client.survey(pull_request, head, base, scope).await
    }

    async fn members_among(&self, team: &TeamName, logins: &[String]) -> Result<Vec<String>, ForgeError> {
        self.client.members_among(team, logins).await
    }

    async fn show_permit(&self, head: &CommitSha, open: bool) -> Result<(), ForgeError> {
        self.client.post_permit(head, open).await
    }

    async fn merge(&self, permit: MergePermit) -> MergeAnswer {
        self.client.merge(permit).await
    }

    async fn queue_entry(&self, number: PullRequestNumber) -> Result<Option<QueueEntry>, ForgeError> {
        self.client.queue_entry(number).await
    }

    async fn leave_queue(&self, number: PullRequestNumber) -> Result<(), ForgeError> {
        self.client.leave_queue(number).await
    }

    async fn commit(&self, commit: &CommitSha) -> Result<LandedCommit, ForgeError> {
        self.client.landed_commit(commit).await
    }

    async fn branch_since(&self, branch: &BranchName, since: &CommitSha) -> Result<BranchSince, ForgeError> {
        self.client.branch_since(branch, since).await
    }

    async fn pull_request(&self, number: PullRequestNumber) -> Result<PullRequest, ForgeError> {
        self.client.read_pull_request(number).await
    }

    async fn find_pull_request(
        &self,
        branch: &BranchName,
        base: &BranchName,
    ) -> Result<Option<PullRequest>, ForgeError> {
        let newest = self.client.newest_pull_request(branch, base, "all").await?;
        newest.map(TryInto::try_into).transpose()
    }

    async fn fence_branch(&self, branch: &BranchName, head: &CommitSha) -> Result<(), ForgeError> {
        self.client.fence(branch, head).await
    }

    async fn comment(&self, number: PullRequestNumber, text: &str) -> Result<(), ForgeError> {
        self.client.comment(number, text).await
    }

    async fn close_pull_request(&self, number: PullRequestNumber) -> Result<(), ForgeError> {
        self.client.close(number).await
    }

    async fn retire_branch(&self, branch: &BranchName) -> Result<Retired, ForgeError> {
        self.client.retire(branch).await
    }

    async fn park_branch(&self, branch: &BranchName, at: &CommitSha) -> Result<(), ForgeError> {
        self.client.park(branch, at).await
    }

    async fn own_branches(&self) -> Result<Vec<BranchName>, ForgeError> {
        self.client.own_branches().await
    }

    async fn delete_branch(&self, branch: &BranchName) -> Result<(), ForgeError> {
        self.client.delete_own_branch(branch).await
    }
}
