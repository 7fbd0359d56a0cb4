//! What GitHub lets a credential do in a repository, found without changing anything.

use std::collections::BTreeSet;

use http::StatusCode;
use selfext_domain::ports::ForgeError;
use selfext_domain::{BranchName, BranchRules, CommitSha, EVIDENCE_CONTEXT, MergeMethod};

use crate::answer::Answer;
use crate::client::Client;
use crate::forge::OctocrabForge;
use crate::wire::{
    CheckRunOutput, NewCheckRun, NewPullRequest, NewReference, NewStatus, PullRequestBody, RepositorySettings,
    UpdatedCheckRun, User,
};

/// How many of the latest pull requests are looked at for the contexts that somebody sets.
const RECENT: usize = 10;

/// A commit that is in no repository.
const NO_COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A branch that selfext never makes.
const NO_BRANCH: &str = "selfext/doctor/no-such-branch";

/// A right that selfext needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// To write contents: branches and commits.
    Contents,
    /// To write pull requests.
    PullRequests,
    /// To write commit statuses.
    Statuses,
    /// To read checks.
    Checks,
    /// To make check runs, which only an App may. Without it the evidence is a commit status.
    CheckRuns,
}

impl Right {
    /// GitHub's name of it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Contents => "Contents: read and write",
            Self::PullRequests => "Pull requests: read and write",
            Self::Statuses => "Commit statuses: read and write",
            Self::Checks => "Checks: read",
            Self::CheckRuns => "Checks: read and write",
        }
    }
}

/// What a repository lets a credential do.
#[derive(Debug)]
pub struct Access {
    /// Whose credential it is; nothing where GitHub does not say, as to an App's.
    pub login: Option<String>,
    /// The repository's number.
    pub id: u64,
    /// What it is called.
    pub name: String,
    /// Its default branch.
    pub default_branch: String,
    /// Whether nothing can be written to it any more.
    pub archived: bool,
    /// The ways of merging that it allows, where GitHub shows them.
    pub methods: Option<Vec<MergeMethod>>,
    /// The tip of the base branch, and what GitHub itself asks of a merge into it.
    pub base: Result<(CommitSha, BranchRules), ForgeError>,
    /// The rights that selfext needs, each tried.
    pub rights: Vec<(Right, Result<(), ForgeError>)>,
    /// The contexts that were set on the base's tip and on the latest pull requests.
    pub seen: Result<BTreeSet<String>, ForgeError>,
}

impl OctocrabForge {
    /// What the credential may do in the repository. Nothing is changed there: a right to write is tried by a request that GitHub
    /// refuses as invalid to whoever has it. May be repeated; about thirty requests.
    ///
    /// # Errors
    /// [`ForgeError`] if the repository itself cannot be read.
    pub async fn access(&self, base: &BranchName) -> Result<Access, ForgeError> {
        self.client().access(base).await
    }
}

impl Client {
    async fn access(&self, base: &BranchName) -> Result<Access, ForgeError> {
        let bound = self.bound().await?;
        let answer = self.get(self.repository_route()).await?;
        let settings: RepositorySettings = answer.expect(StatusCode::OK, &format!("repository {}", bound.name))?;
        let (login, base_found) = tokio::join!(self.login(), self.base_with_rules(base));
        let tip = base_found.as_ref().ok().map(|(tip, _)| tip.clone());
        let mut rights = vec![
            (Right::Contents, self.try_contents().await),
            (Right::PullRequests, self.try_pull_requests(base).await),
            (Right::Statuses, self.try_statuses().await),
            (Right::Checks, self.try_checks(tip.as_ref()).await),
        ];
        if self.is_app() {
            rights.push((Right::CheckRuns, self.try_check_runs().await));
        }
        let seen = self.contexts_seen(tip).await;
        let methods = settings.methods();
        Ok(Access {
            login: login?,
            id: settings.id,
            name: settings.full_name,
            default_branch: settings.default_branch,
            archived: settings.archived,
            methods,
            base: base_found,
            rights,
            seen,
        })
    }

    async fn login(&self) -> Result<Option<String>, ForgeError> {
        let answer = self.get(self.beside("user")).await?;
        match answer.status {
            StatusCode::FORBIDDEN | StatusCode::NOT_FOUND if answer.asked_wait().is_none() => Ok(None),
            _ => Ok(Some(answer.expect::<User>(StatusCode::OK, "user")?.login)),
        }
    }

    async fn try_contents(&self) -> Result<(), ForgeError> {
        let (name, sha) = (format!("refs/heads/{NO_BRANCH}"), no_commit()?);
        may(&self.post(self.at("git/refs"), &NewReference { name: &name, sha: &sha }).await?)
    }

    async fn try_pull_requests(&self, base: &BranchName) -> Result<(), ForgeError> {
        let title = "selfext doctor: no such branch";
        let body = NewPullRequest { title, head: NO_BRANCH, base: base.as_str(), body: "" };
        may(&self.post(self.at("pulls"), &body).await?)
    }

    async fn try_statuses(&self) -> Result<(), ForgeError> {
        let status = NewStatus { state: "pending", context: EVIDENCE_CONTEXT, description: "selfext doctor" };
        may(&self.post(self.at("statuses").commit(&no_commit()?), &status).await?)
    }

    async fn try_check_runs(&self) -> Result<(), ForgeError> {
        let output = CheckRunOutput::new("selfext doctor", "", &[]);
        let update = UpdatedCheckRun { status: "completed", conclusion: "neutral", output };
        let run = NewCheckRun { name: EVIDENCE_CONTEXT, head_sha: &no_commit()?, update };
        may(&self.post(self.at("check-runs"), &run).await?)
    }

    async fn try_checks(&self, tip: Option<&CommitSha>) -> Result<(), ForgeError> {
        let Some(tip) = tip else { return Err(ForgeError::NotFound("base branch to try it on".to_owned())) };
        self.check_runs_of(tip).await.map(drop)
    }

    /// The contexts that somebody has set lately.
    async fn contexts_seen(&self, tip: Option<CommitSha>) -> Result<BTreeSet<String>, ForgeError> {
        let route = self.at("pulls").query("state", "all").query("per_page", &RECENT.to_string());
        let pulls: Vec<PullRequestBody> = self.get(route).await?.expect(StatusCode::OK, "pull requests")?;
        let mut seen = BTreeSet::new();
        for commit in tip.into_iter().chain(pulls.into_iter().map(PullRequestBody::head_sha)) {
            let (statuses, runs) = tokio::try_join!(self.statuses_of(&commit), self.check_runs_of(&commit))?;
            seen.extend(statuses.into_iter().map(|status| status.context));
            seen.extend(runs.into_iter().map(|run| run.name));
        }
        Ok(seen)
    }
}

fn no_commit() -> Result<CommitSha, ForgeError> {
    CommitSha::parse(NO_COMMIT).map_err(|_| ForgeError::Unreadable("a commit".to_owned()))
}

/// Whoever lacks a right is told so before GitHub looks at what was asked for.
fn may(answer: &Answer) -> Result<(), ForgeError> {
    if answer.is(StatusCode::UNPROCESSABLE_ENTITY) { Ok(()) } else { Err(answer.error("repository, or a right")) }
}
