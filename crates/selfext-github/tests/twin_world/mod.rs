//! The twin as the service under the contract.
#![expect(clippy::unwrap_used, reason = "what the tests stand on ends them where it fails")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use selfext_contracts::app_key::{PKCS1, PUBLIC};
use selfext_contracts::forge::{Answered, ForgeWorld, Misbehaviour, Protected, SeenPullRequest, Step};
use selfext_domain::ports::{Clock, Forge};
use selfext_domain::{
    BranchName, CheckRun, CommitSha, Pin, PullRequestNumber, RepositoryName, RequiredContext, TeamName,
};
use selfext_github::{AppKey, Budget, GithubApp, OctocrabForge, Patience, SecretToken, Timeouts};
use selfext_twin::{
    AppIdentity, CheckConclusion, CheckOutcome, Fault, FaultKind, Permission, Protection, RequiredCheck, ReviewState,
    Serving, StatusState, Twin, TwinApp, TwinConfig, TwinHandle,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::Url;

/// The id of the App.
const APP_ID: u64 = 4242;

/// The time as it is.
struct MachineClock;

#[async_trait]
impl Clock for MachineClock {
    #[expect(clippy::disallowed_methods, reason = "a test is the edge")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// A served twin, and adapters with a token, or with an App's identity.
pub struct TwinWorld<const APP: bool = false> {
    serving: Serving,
    name: RepositoryName,
    token: String,
}

impl<const APP: bool> TwinWorld<APP> {
    fn handle(&self) -> TwinHandle {
        self.serving.handle()
    }
}

#[async_trait]
impl<const APP: bool> ForgeWorld for TwinWorld<APP> {
    const EVIDENCE: Step = if APP { Step::MakeCheckRun } else { Step::SetStatus };

    async fn serve(repository: &Path, name: &RepositoryName, token: &str) -> Self {
        let mut config = TwinConfig::new(name.owner(), name.name()).require_token(token);
        if APP {
            config = config.github_app(TwinApp::new(AppIdentity::new(APP_ID, "selfext-agent"), PUBLIC).long_tokens());
        }
        let twin = Twin::open(repository, config).await.unwrap();
        let serving = twin.serve(([127, 0, 0, 1], 0).into()).await.unwrap();
        Self { serving, name: name.clone(), token: token.to_owned() }
    }

    fn forge(&self, token: &str, limit: Duration) -> Box<dyn Forge> {
        let timeouts = Timeouts { connect: limit, read: limit, write: limit, request: limit };
        let forge = OctocrabForge::builder(self.name.clone());
        let forge = if APP && token == self.token {
            let app = GithubApp::new(&APP_ID.to_string(), AppKey::from_pem(PKCS1).unwrap()).unwrap();
            forge.app(app, Arc::new(MachineClock))
        } else {
            forge.token(SecretToken::parse(token).unwrap())
        };
        let forge = forge
            .base_url(Url::parse(&self.serving.base_url()).unwrap())
            .timeouts(timeouts)
            .patience(Patience::new([1, 5, 20].map(Duration::from_millis)))
            .merge_patience(Patience::new([50; 10].map(Duration::from_millis)))
            .budget(unhurried())
            .build()
            .unwrap();
        Box::new(forge)
    }

    fn fetched_token(&self) -> Option<String> {
        self.handle().last_app_token().filter(|_| APP)
    }

    async fn set_status(&self, commit: &CommitSha, context: &str, state: &str) {
        self.handle().set_status(commit.as_str(), context, status_state(state), None).await.unwrap();
    }

    async fn set_status_as(&self, commit: &CommitSha, login: &str, context: &str, state: &str) {
        self.handle().set_status_as(commit.as_str(), login, context, status_state(state)).await.unwrap();
    }

    async fn set_check_run(&self, commit: &CommitSha, run: &CheckRun) {
        let outcome = match (run.status.as_str(), run.conclusion.as_deref()) {
            ("queued", None) => CheckOutcome::Queued,
            ("in_progress", None) => CheckOutcome::InProgress,
            ("completed", Some(conclusion)) => CheckOutcome::Completed(match conclusion {
                "success" => CheckConclusion::Success,
                "failure" => CheckConclusion::Failure,
                "neutral" => CheckConclusion::Neutral,
                "cancelled" => CheckConclusion::Cancelled,
                "skipped" => CheckConclusion::Skipped,
                "timed_out" => CheckConclusion::TimedOut,
                "action_required" => CheckConclusion::ActionRequired,
                other => panic!("{other}"),
            }),
            other => panic!("{other:?}"),
        };
        let app = AppIdentity::new(run.app_id.unwrap_or(1), "an-app");
        self.handle().set_check_run(commit.as_str(), &run.name, outcome, app).await.unwrap();
    }

    async fn protect(&self, branch: &BranchName, protected: &Protected) {
        let checks = |required: &[RequiredContext]| {
            required
                .iter()
                .map(|required| RequiredCheck {
                    context: required.context.clone(),
                    app_id: app_of(required.pin.as_ref()),
                })
                .collect::<Vec<_>>()
        };
        let mut ruleset = Protection::ruleset([""; 0]).approvals(protected.approvals);
        ruleset.merge_queue = protected.merge_queue;
        ruleset.required = checks(&protected.ruleset);
        let mut classic = Protection::classic([""; 0]);
        classic.required = checks(&protected.classic);
        for protection in [classic, ruleset] {
            self.handle().protect(branch.as_str(), protection).await.unwrap();
        }
    }

    async fn permit(&self, login: &str, permission: &str) {
        let permission = match permission {
            "admin" => Permission::Admin,
            "write" => Permission::Write,
            "read" => Permission::Read,
            "none" => Permission::None,
            other => panic!("{other}"),
        };
        self.handle().permit(login, permission).await.unwrap();
    }

    async fn review(&self, number: PullRequestNumber, login: &str, state: &str, commit: Option<&CommitSha>) {
        let state = match state {
            "APPROVED" => ReviewState::Approved,
            "CHANGES_REQUESTED" => ReviewState::ChangesRequested,
            "COMMENTED" => ReviewState::Commented,
            "DISMISSED" => ReviewState::Dismissed,
            other => panic!("{other}"),
        };
        self.handle().review(number.get(), login, state, commit.map(CommitSha::as_str)).await.unwrap();
    }

    async fn set_team(&self, team: &TeamName, members: &[&str]) {
        self.handle().set_team(team.organization(), team.slug(), members).await.unwrap();
    }

    fn own_login(&self) -> String {
        if APP { "selfext-agent[bot]".to_owned() } else { "twin-user".to_owned() }
    }

    fn set_mergeability_unknown(&self, reads: u32) {
        self.handle().set_mergeable_null_reads(reads);
    }

    async fn reopen(&self, number: PullRequestNumber) {
        let address = self.serving.addr();
        let body = r#"{"state":"open"}"#;
        let request = format!(
            "PATCH /repos/{}/pulls/{number} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            self.name,
            self.token,
            body.len(),
        );
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    async fn pull_requests(&self) -> Vec<SeenPullRequest> {
        let pulls = self.handle().pulls().await.into_iter();
        pulls
            .map(|pull| SeenPullRequest {
                number: PullRequestNumber::new(pull.number).unwrap(),
                title: pull.title,
                body: pull.body.unwrap_or_default(),
                open: pull.open,
            })
            .collect()
    }

    async fn comments(&self, number: PullRequestNumber) -> Vec<String> {
        self.handle().comments(number.get()).await
    }

    fn merges_in_background(&self, there: bool) {
        self.handle().set_async_merges(there);
    }

    async fn hold_merges(&self, hold: bool) {
        if hold {
            self.handle().hold_async_merges();
        } else {
            self.handle().release_async_merges().await.unwrap();
        }
    }

    async fn queue_commit(&self, number: PullRequestNumber) -> Option<CommitSha> {
        let base = self.handle().pulls().await.into_iter().find(|pull| pull.number == number.get())?.base;
        let entry = self.handle().queue(&base).await.into_iter().find(|entry| entry.number == number.get())?;
        Some(CommitSha::parse(entry.group?.sha).unwrap())
    }

    async fn throw_out(&self, number: PullRequestNumber) {
        self.handle().throw_out(number.get()).await.unwrap();
    }

    fn disturb_nth(&self, step: Step, nth: u32, misbehaviour: Misbehaviour) {
        let kind = match misbehaviour {
            Misbehaviour::Answer { status, headers, body } => {
                let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
                FaultKind::Answer { status, headers, body }
            }
            Misbehaviour::AnswerAfterwards { status, body } => FaultKind::AnswerAfterwards { status, body },
            Misbehaviour::Drop => FaultKind::Drop,
            Misbehaviour::LoseAnswer => FaultKind::LoseAnswer,
            Misbehaviour::Hang => FaultKind::Hang,
            Misbehaviour::HangAfterwards => FaultKind::HangAfterwards,
            Misbehaviour::HalfJson => FaultKind::HalfJson,
            Misbehaviour::CutBody => FaultKind::CutBody,
        };
        let (method, path) = step.request();
        self.handle().add_fault(Fault::on(method, path, kind).nth(nth));
    }

    fn set_lag(&self, reads: u32) {
        self.handle().set_ref_lag(reads);
    }

    fn set_latency(&self, latency: Duration) {
        self.handle().set_latency(latency);
    }

    fn exchanges(&self) -> Vec<Answered> {
        let exchanges = self.handle().exchanges().into_iter();
        exchanges
            .map(|exchange| Answered {
                method: exchange.method,
                path_and_query: exchange.path_and_query,
                request_body: exchange.request_body,
                status: exchange.status,
                response_body: exchange.response_body,
                disturbed: exchange.fault.is_some(),
            })
            .collect()
    }

    fn longest_chain(&self) -> usize {
        self.handle().longest_chain()
    }

    fn forget_exchanges(&self) {
        self.handle().clear_exchanges();
    }
}

fn app_of(pin: Option<&Pin>) -> Option<u64> {
    match pin {
        Some(Pin::App(app)) => Some(*app),
        Some(Pin::Creator(_)) => panic!("GitHub pins no context to an account"),
        None => None,
    }
}

fn status_state(word: &str) -> StatusState {
    match word {
        "error" => StatusState::Error,
        "failure" => StatusState::Failure,
        "pending" => StatusState::Pending,
        "success" => StatusState::Success,
        other => panic!("{other}"),
    }
}

/// A wait that is shorter than the limits that the cases play: they want the error.
fn unhurried() -> Budget {
    Budget { max_wait: Duration::from_secs(3), ..Budget::UNPACED }
}
