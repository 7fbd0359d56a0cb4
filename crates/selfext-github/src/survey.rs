//! Everything that decides whether a merge may be asked for.

use selfext_domain::ports::{ForgeError, PullRequest, PullRequestState, Survey, SurveyScope};
use selfext_domain::{BranchName, CheckRun, CommitSha, CommitStatus, GateReading, PullRequestNumber};

use crate::client::Client;
use crate::paging::{Listing, Page};
use crate::route::Route;
use crate::wire::{CheckRunBody, CheckRunPage, StatusBody, StatusPage};

/// A pull request that shows an older head than its branch.
#[derive(Debug, thiserror::Error)]
#[error("pull request {number} still shows {shown} although its branch is at {head}")]
struct Lagging {
    number: PullRequestNumber,
    shown: CommitSha,
    head: CommitSha,
}

impl Client {
    /// Five requests at the same time, one for each further page, and the reviews beside them or, where only GitHub's rules ask
    /// for approvals, after them.
    pub(crate) async fn survey(
        &self,
        number: PullRequestNumber,
        head: &CommitSha,
        base: &BranchName,
        scope: SurveyScope,
    ) -> Result<Survey, ForgeError> {
        let early = async { if scope.reviews { self.reviews(number, head).await.map(Some) } else { Ok(None) } };
        let (pull_request, (base_head, rules), statuses, check_runs, early) = tokio::try_join!(
            self.pull_request_at(number, head),
            self.base_with_rules(base),
            async { if scope.creators { self.status_history(head).await } else { self.statuses_of(head).await } },
            self.check_runs_of(head),
            early,
        )?;
        let mut reviews = match early {
            Some(reviews) => reviews,
            None if rules.approvals > 0 => self.reviews(number, head).await?,
            None => Vec::new(),
        };
        // Nobody approves their own pull request.
        for review in &mut reviews {
            review.counts &= !is_of(&pull_request, &review.reviewer);
        }
        let gate = GateReading { statuses, check_runs };
        Ok(Survey { pull_request, base_head, gate, rules, reviews })
    }

    /// The latest status of each context of a commit.
    pub(crate) async fn statuses_of(&self, head: &CommitSha) -> Result<Vec<CommitStatus>, ForgeError> {
        Ok(self.read_all(&Statuses { head }).await?.into_iter().map(Into::into).collect())
    }

    /// The latest check runs of a commit.
    pub(crate) async fn check_runs_of(&self, head: &CommitSha) -> Result<Vec<CheckRun>, ForgeError> {
        Ok(self.read_all(&CheckRuns { head }).await?.into_iter().map(Into::into).collect())
    }

    /// The pull request; if it shows another head although its branch is at `head`, its record lags behind, so it is read
    /// again. A head that somebody moved is shown as it is.
    async fn pull_request_at(&self, number: PullRequestNumber, head: &CommitSha) -> Result<PullRequest, ForgeError> {
        let mut waits = self.waits();
        loop {
            let pull = self.read_pull_request(number).await?;
            let settled = pull.head == *head || pull.state != PullRequestState::Open;
            if settled || self.find_branch(&pull.branch).await?.as_ref() != Some(head) {
                return Ok(pull);
            }
            if !waits.again("pull request's head").await {
                return Err(ForgeError::unavailable(Lagging { number, shown: pull.head, head: head.clone() }));
            }
        }
    }
}

/// Whether somebody opened a pull request. GitHub tells logins apart without regard to case.
fn is_of(pull_request: &PullRequest, login: &str) -> bool {
    pull_request.author.as_ref().is_some_and(|author| author.eq_ignore_ascii_case(login))
}

/// The latest status of each context of a commit.
struct Statuses<'a> {
    head: &'a CommitSha,
}

impl Listing for Statuses<'_> {
    type Body = StatusPage;
    type Entry = StatusBody;
    type Key = String;
    const WHAT: &'static str = "statuses";

    fn route<'a>(&self, client: &'a Client) -> Route<'a> {
        client.at("commits").commit(self.head).then("status")
    }

    fn page(&self, body: StatusPage) -> Result<Page<StatusBody>, ForgeError> {
        must_be(&body.sha, self.head)?;
        Ok(Page { total: body.total_count, entries: body.statuses })
    }

    fn key(entry: &StatusBody) -> String {
        entry.context.clone()
    }
}

/// The latest check runs of a commit.
struct CheckRuns<'a> {
    head: &'a CommitSha,
}

impl Listing for CheckRuns<'_> {
    type Body = CheckRunPage;
    type Entry = CheckRunBody;
    type Key = u64;
    const WHAT: &'static str = "check runs";

    fn route<'a>(&self, client: &'a Client) -> Route<'a> {
        client.at("commits").commit(self.head).then("check-runs").query("filter", "latest")
    }

    fn page(&self, body: CheckRunPage) -> Result<Page<CheckRunBody>, ForgeError> {
        body.check_runs.iter().try_for_each(|run| must_be(&run.head_sha, self.head))?;
        Ok(Page { total: body.total_count, entries: body.check_runs })
    }

    fn key(entry: &CheckRunBody) -> u64 {
        entry.id
    }
}

pub(crate) fn must_be(found: &CommitSha, head: &CommitSha) -> Result<(), ForgeError> {
    if found == head {
        return Ok(());
    }
    Err(ForgeError::Unreadable(format!("what was said of {found} was given for {head}")))
}
