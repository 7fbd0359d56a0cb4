//! What the contract needs of the service under an adapter.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use selfext_domain::ports::Forge;
use selfext_domain::{BranchName, CheckRun, CommitSha, PullRequestNumber, RepositoryName, RequiredContext, TeamName};
use serde_json::Value;

/// One kind of request to the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say which request it is")]
pub enum Step {
    ReadRepository,
    PublishAtOnce,
    ReadBranch,
    ReadBaseBranch,
    ReadRulesets,
    WriteTree,
    WriteCommit,
    ReadCommit,
    CreateBranch,
    MoveBranch,
    DeleteBranch,
    OpenPullRequest,
    EditPullRequest,
    ReadPullRequest,
    SetStatus,
    MakeCheckRun,
    ChangeCheckRun,
    ReadStatuses,
    ReadStatusHistory,
    ReadCheckRuns,
    ReadReviews,
    ReadPermission,
    Merge,
    MergeInBackground,
    MergeResult,
    IsMerged,
    Comment,
}

impl Step {
    /// The steps of a publication that is not made at once, in their order.
    pub const PUBLICATION: [Self; 4] = [Self::WriteTree, Self::WriteCommit, Self::CreateBranch, Self::OpenPullRequest];

    /// The request in GitHub's API: the method, and the path with `*` for one part and `**` for any number of them.
    #[must_use]
    pub const fn request(self) -> (&'static str, &'static str) {
        match self {
            Self::ReadRepository => ("GET", "/repos/*/*"),
            Self::PublishAtOnce => ("POST", "/graphql"),
            Self::ReadBranch => ("GET", "/repos/*/*/git/ref/**"),
            Self::ReadBaseBranch => ("GET", "/repos/*/*/branches/**"),
            Self::ReadRulesets => ("GET", "/repos/*/*/rules/branches/**"),
            Self::WriteTree => ("POST", "/repos/*/*/git/trees"),
            Self::WriteCommit => ("POST", "/repos/*/*/git/commits"),
            Self::ReadCommit => ("GET", "/repos/*/*/git/commits/*"),
            Self::CreateBranch => ("POST", "/repos/*/*/git/refs"),
            Self::MoveBranch => ("PATCH", "/repos/*/*/git/refs/**"),
            Self::DeleteBranch => ("DELETE", "/repos/*/*/git/refs/**"),
            Self::OpenPullRequest => ("POST", "/repos/*/*/pulls"),
            Self::EditPullRequest => ("PATCH", "/repos/*/*/pulls/*"),
            Self::ReadPullRequest => ("GET", "/repos/*/*/pulls/*"),
            Self::SetStatus => ("POST", "/repos/*/*/statuses/*"),
            Self::MakeCheckRun => ("POST", "/repos/*/*/check-runs"),
            Self::ChangeCheckRun => ("PATCH", "/repos/*/*/check-runs/*"),
            Self::ReadStatuses => ("GET", "/repos/*/*/commits/*/status"),
            Self::ReadStatusHistory => ("GET", "/repos/*/*/commits/*/statuses"),
            Self::ReadCheckRuns => ("GET", "/repos/*/*/commits/*/check-runs"),
            Self::ReadReviews => ("GET", "/repos/*/*/pulls/*/reviews"),
            Self::ReadPermission => ("GET", "/repos/*/*/collaborators/*/permission"),
            Self::Merge => ("PUT", "/repos/*/*/pulls/*/merge"),
            Self::MergeInBackground => ("PUT", "/repos/*/*/pulls/*/merge-async"),
            Self::MergeResult => ("GET", "/repos/*/*/pulls/*/merge-async/*"),
            Self::IsMerged => ("GET", "/repos/*/*/pulls/*/merge"),
            Self::Comment => ("POST", "/repos/*/*/issues/*/comments"),
        }
    }
}

/// What the service does with one request instead of what it should.
#[derive(Clone, Debug, PartialEq)]
pub enum Misbehaviour {
    /// It does nothing, and answers this.
    Answer {
        /// The status.
        status: u16,
        /// Headers besides the usual ones.
        headers: Vec<(&'static str, String)>,
        /// The body.
        body: Value,
    },
    /// It does the work, and answers this.
    AnswerAfterwards {
        /// The status.
        status: u16,
        /// The body.
        body: Value,
    },
    /// It does nothing and drops the connection.
    Drop,
    /// It does the work and drops the connection.
    LoseAnswer,
    /// It does nothing and never answers.
    Hang,
    /// It does the work and never answers.
    HangAfterwards,
    /// It does the work and sends half of the answer as if it were all.
    HalfJson,
    /// It does the work, announces the whole answer, sends half of it and drops the connection.
    CutBody,
}

impl Misbehaviour {
    /// GitHub's way of refusing, with these words.
    #[must_use]
    pub fn refusal(status: u16, message: &str) -> Self {
        Self::Answer { status, headers: Vec::new(), body: refusal_body(message) }
    }

    /// A refusal with one more header.
    #[must_use]
    pub fn with_header(self, name: &'static str, value: impl Into<String>) -> Self {
        match self {
            Self::Answer { status, mut headers, body } => {
                headers.push((name, value.into()));
                Self::Answer { status, headers, body }
            }
            other => other,
        }
    }
}

pub(super) fn refusal_body(message: &str) -> Value {
    serde_json::json!({ "message": message, "documentation_url": "https://docs.github.com/rest", "status": "0" })
}

/// One exchange as the service saw it.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// The method.
    pub method: String,
    /// The path and the query as they were sent, without the path of the API's base.
    pub path_and_query: String,
    /// The request's body, if it was JSON and small enough to be kept.
    pub request_body: Option<Value>,
    /// The status, if the client was sent one.
    pub status: Option<u16>,
    /// The answer's body, likewise.
    pub response_body: Option<Value>,
    /// Whether a [`Misbehaviour`] was played on it, so that the answer proves nothing.
    pub disturbed: bool,
}

/// A pull request as the service has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenPullRequest {
    /// Its number.
    pub number: PullRequestNumber,
    /// Its title.
    pub title: String,
    /// Its body.
    pub body: String,
    /// Whether it is open.
    pub open: bool,
}

/// The rules that the service itself has for a branch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Protected {
    /// Contexts that classic protection requires.
    pub classic: Vec<RequiredContext>,
    /// Contexts that a ruleset requires.
    pub ruleset: Vec<RequiredContext>,
    /// Approving reviews that a ruleset requires.
    pub approvals: u32,
    /// Whether a ruleset sends changes through a merge queue.
    pub merge_queue: bool,
}

/// The service under an adapter, over a bare repository on this machine. Everything that fails here panics.
#[async_trait]
pub trait ForgeWorld: Sized + Send + Sync + 'static {
    /// The request by which the adapter shows evidence on a commit: [`Step::SetStatus`], or [`Step::MakeCheckRun`] where its
    /// identity is an App.
    const EVIDENCE: Step = Step::SetStatus;

    /// Serves the repository under this name, to who sends this token.
    async fn serve(repository: &Path, name: &RepositoryName, token: &str) -> Self;

    /// The adapter, with this token and this limit on one request. What it repeats, it repeats at least three times, with
    /// pauses of milliseconds. It waits 3 s at most where the service asks to wait.
    fn forge(&self, token: &str, limit: Duration) -> Box<dyn Forge>;

    /// The token that the adapter sends now, where it is not the one that it was given: its identity fetches tokens, and another
    /// one when one is refused.
    fn fetched_token(&self) -> Option<String> {
        None
    }

    /// Sets a commit status; the state is GitHub's word.
    async fn set_status(&self, commit: &CommitSha, context: &str, state: &str);

    /// Sets a commit status in the name of this account.
    async fn set_status_as(&self, commit: &CommitSha, login: &str, context: &str, state: &str);

    /// Sets a check run; its id is the service's choice.
    async fn set_check_run(&self, commit: &CommitSha, run: &CheckRun);

    /// Gives a branch the service's own rules.
    async fn protect(&self, branch: &BranchName, protected: &Protected);

    /// Says what somebody may do in the repository; GitHub's word.
    async fn permit(&self, login: &str, permission: &str);

    /// Reviews a pull request in somebody's name; the state is GitHub's word, the commit the head where none is given.
    async fn review(&self, number: PullRequestNumber, login: &str, state: &str, commit: Option<&CommitSha>);

    /// Says who is in a team. An organization without a team is not known.
    async fn set_team(&self, team: &TeamName, members: &[&str]);

    /// The login in whose name the adapter's requests are made.
    fn own_login(&self) -> String;

    /// Answers that it does not know yet whether a pull request can be merged, to this many reads of each.
    fn set_mergeability_unknown(&self, reads: u32);

    /// Opens a closed pull request again, as a person would.
    async fn reopen(&self, number: PullRequestNumber);

    /// All pull requests, by number.
    async fn pull_requests(&self) -> Vec<SeenPullRequest>;

    /// What was said on a pull request, in its order.
    async fn comments(&self, number: PullRequestNumber) -> Vec<String>;

    /// Whether the service merges in the background; it does unless this says otherwise.
    fn merges_in_background(&self, there: bool);

    /// Keeps such merges from being carried out, or carries them out.
    async fn hold_merges(&self, hold: bool);

    /// The commit that the merge queue of its base has made of a pull request, if it stands there.
    async fn queue_commit(&self, number: PullRequestNumber) -> Option<CommitSha>;

    /// Throws a pull request out of its merge queue.
    async fn throw_out(&self, number: PullRequestNumber);

    /// Plays this on the next request of this kind.
    fn disturb(&self, step: Step, misbehaviour: Misbehaviour) {
        self.disturb_nth(step, 1, misbehaviour);
    }

    /// Plays this on the request of this kind that comes as this one from now on, counted from 1.
    fn disturb_nth(&self, step: Step, nth: u32, misbehaviour: Misbehaviour);

    /// Shows each branch, after it was changed over the API, for this many reads as it was before.
    fn set_lag(&self, reads: u32);

    /// Makes every request wait, so that those that are sent at the same time overlap.
    fn set_latency(&self, latency: Duration);

    /// Every exchange since [`forget_exchanges`](Self::forget_exchanges).
    fn exchanges(&self) -> Vec<Answered>;

    /// The greatest number of these exchanges of which each began after the one before it had ended.
    fn longest_chain(&self) -> usize;

    /// Begins the record anew.
    fn forget_exchanges(&self);
}
