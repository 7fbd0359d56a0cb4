//! A repository behind a twin in which an App is installed, and a clock that the test holds.

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use selfext_contracts::GithubDescription;
use selfext_contracts::app_key::{PKCS1, PUBLIC};
use selfext_domain::ports::{Clock, Forge as _, ForgeError};
use selfext_domain::{BranchName, RepositoryName};
use selfext_github::{AppKey, Budget, GithubApp, OctocrabForge, OctocrabForgeBuilder, Patience, SecretToken};
use selfext_twin::{AppIdentity, Exchange, Fault, FaultKind, Serving, Twin, TwinApp, TwinConfig, TwinHandle};
use serde_json::{Value, json};
use tempfile::TempDir;
use url::Url;

pub const TOKEN: &str = "hush-hush-token";

/// A clock that stands, and goes forward when it is told to.
#[derive(Clone)]
pub struct HeldClock(Arc<Mutex<DateTime<Utc>>>);

impl HeldClock {
    #[expect(clippy::disallowed_methods, reason = "the twin lives in the real time, so the test begins there")]
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(Utc::now())))
    }

    pub fn advance(&self, by: TimeDelta) {
        *self.0.lock().unwrap() += by;
    }
}

#[async_trait]
impl Clock for HeldClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }

    async fn sleep(&self, _: Duration) {}
}

pub struct World {
    folder: TempDir,
    serving: Serving,
    pub twin: TwinHandle,
    pub clock: HeldClock,
}

impl World {
    /// With an App that has all that is needed, and a token.
    pub async fn new() -> Self {
        Self::with(|app| app).await
    }

    pub async fn with(adjust: impl FnOnce(TwinApp) -> TwinApp) -> Self {
        let folder = tempfile::tempdir().unwrap();
        git(folder.path(), &["init", "-q", "-b", "main", "agent"]);
        git(folder.path(), &["-C", "agent", "commit", "-q", "--allow-empty", "-m", "first"]);
        let app = adjust(TwinApp::new(AppIdentity::new(77, "selfext-agent"), PUBLIC));
        let config = TwinConfig::new("octo-org", "agent").repository_id(4001).require_token(TOKEN).github_app(app);
        let twin = Twin::open(&folder.path().join("agent"), config).await.unwrap();
        let serving = twin.serve(([127, 0, 0, 1], 0).into()).await.unwrap();
        Self { folder, twin: serving.handle(), serving, clock: HeldClock::new() }
    }

    pub fn builder(&self) -> OctocrabForgeBuilder {
        OctocrabForge::builder(name("octo-org/agent"))
            .base_url(Url::parse(&self.serving.base_url()).unwrap())
            .patience(Patience::new([Duration::from_millis(1)]))
            // Shorter than any limit that is played.
            .budget(Budget { max_wait: Duration::from_secs(3), ..Budget::UNPACED })
    }

    /// The forge with the App's identity.
    pub fn as_app(&self) -> OctocrabForge {
        self.as_app_with("77", PKCS1)
    }

    pub fn as_app_with(&self, id: &str, key: &str) -> OctocrabForge {
        let app = GithubApp::new(id, AppKey::from_pem(key).unwrap()).unwrap();
        self.builder().app(app, Arc::new(self.clock.clone())).build().unwrap()
    }

    /// The forge with a token.
    pub fn with_token(&self) -> OctocrabForge {
        self.builder().token(SecretToken::parse(TOKEN).unwrap()).build().unwrap()
    }

    /// Lets time pass, for the client and for GitHub.
    pub fn advance(&self, minutes: i64) {
        self.clock.advance(TimeDelta::minutes(minutes));
        self.twin.advance_app_clock(TimeDelta::minutes(minutes));
    }

    /// How often each kind of request was made since the last look: as `METHOD path`, the path without its query.
    pub fn asked(&self) -> Vec<String> {
        let exchanges = self.twin.exchanges();
        self.twin.clear_exchanges();
        self.check(&exchanges);
        exchanges.into_iter().map(|exchange| shown(&exchange)).collect()
    }

    /// All is as GitHub describes it but for what it does not describe: 401, which a wrong token gets everywhere, and places by
    /// number, to which its answers lead all the same. A redirect itself it describes for a few reads alone.
    fn check(&self, exchanges: &[Exchange]) {
        let description = GithubDescription::load();
        for exchange in exchanges {
            let undescribed = exchange.fault.is_some()
                || exchange.path_and_query.starts_with("/repositories/")
                || matches!(exchange.status, Some(301 | 307 | 401) | None);
            let checked = description.check(
                &exchange.method,
                &exchange.path_and_query,
                exchange.request_body.as_ref(),
                exchange.status.unwrap_or_default(),
                exchange.response_body.as_ref(),
            );
            assert!(undescribed || checked.is_ok(), "{checked:?}");
        }
        let all = format!("{exchanges:?}");
        assert!(self.twin.last_app_token().is_none_or(|token| !all.contains(&token)), "a token was recorded");
    }

    /// The bodies of the requests for a token since the last look.
    pub fn asked_for_tokens(&self) -> Vec<Value> {
        let exchanges = self.twin.exchanges();
        let posts = exchanges.into_iter().filter(|exchange| exchange.path_and_query.ends_with("/access_tokens"));
        posts.filter_map(|exchange| exchange.request_body).collect()
    }

    /// Answers so, once.
    pub fn refuse(&self, method: &str, path: &str, status: u16, message: &str) {
        let body = json!({"message": message});
        self.twin.add_fault(Fault::on(method, path, FaultKind::Answer { status, headers: vec![], body }));
    }

    pub fn git(&self, arguments: &[&str]) -> String {
        git(&self.folder.path().join("agent"), arguments)
    }
}

fn shown(exchange: &Exchange) -> String {
    let path = exchange.path_and_query.split('?').next().unwrap();
    // An answer that repeats a known one is as good as that.
    let status = exchange.status.map_or(0, |status| if status == 304 { 200 } else { status });
    format!("{} {path} {status}", exchange.method)
}

/// How many of them are these words.
pub fn count(asked: &[String], words: &str) -> usize {
    asked.iter().filter(|asked| asked.contains(words)).count()
}

pub fn name(text: &str) -> RepositoryName {
    RepositoryName::parse(text).unwrap()
}

pub fn main_branch() -> BranchName {
    BranchName::parse("main").unwrap()
}

/// The error of a read in every form in which it can be shown.
pub async fn refusal(forge: &OctocrabForge) -> (ForgeError, String) {
    let error = forge.branch_head(&main_branch()).await.unwrap_err();
    let shown = format!("{error} {error:?}");
    (error, shown)
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "commit.gpgsign=false"]).args(arguments);
    let output = command.current_dir(folder).env("GIT_CONFIG_GLOBAL", "/dev/null").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
