//! One repository, one twin, one ledger, one selfext.

use std::path::{Path, PathBuf};
use std::process::Command;

use selfext::{
    BranchName, ChangeSet, ChangeSetBuilder, DatabaseUrl, Ending, ExecutionContext, GitSource, Operations, Outcome,
    Reason, RepoPath, RepositoryName, Selfext, SelfextBuilder, StreamId, ToolName,
};
use selfext_contracts::{GithubDescription, TempSqlite, TestDatabase, app_key};
use selfext_twin::{AppIdentity, AutoCheck, Serving, StatusState, Twin, TwinApp, TwinConfig, TwinHandle};
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use tempfile::TempDir;
use url::Url;

/// The rules that most tests use: one stage, one required context, no waiting.
pub const RULES: &str = "version = 1\n[gate]\nrequired = [\"ci\"]\nwait_seconds = 0\npoll_seconds = 1\n\
                         [[verification.stage]]\nname = \"test\"\ncommand = [\"sh\", \"test.sh\"]\ntimeout_seconds = 60\n";

/// On which database a test runs.
#[derive(Clone, Copy, Debug)]
pub enum Backend {
    Postgres,
    Sqlite,
}

enum Database {
    Postgres(TestDatabase),
    Sqlite(TempSqlite),
    /// On a Postgres server of the test's own.
    Given(String),
}

impl Database {
    async fn create(backend: Backend) -> Self {
        match backend {
            Backend::Postgres => Self::Postgres(TestDatabase::create().await),
            Backend::Sqlite => Self::Sqlite(TempSqlite::new()),
        }
    }

    fn url(&self) -> String {
        match self {
            Self::Postgres(database) => database.url().to_owned(),
            Self::Sqlite(database) => database.url().to_owned(),
            Self::Given(url) => url.clone(),
        }
    }
}

/// Makes each test twice, once a database.
macro_rules! on_both {
    ($($(#[$attribute:meta])* async fn $name:ident($backend:ident) $body:block)+) => {$(
        mod $name {
            use super::*;

            $(#[$attribute])*
            async fn run($backend: $crate::world::Backend) $body

            #[tokio::test]
            async fn on_postgres() {
                run($crate::world::Backend::Postgres).await;
            }

            #[tokio::test]
            async fn on_sqlite() {
                run($crate::world::Backend::Sqlite).await;
            }
        }
    )+};
}
pub(crate) use on_both;

/// Where the API is on the twin, and which branch changes land on.
#[derive(Clone, Copy)]
struct Setting {
    path: &'static str,
    base: &'static str,
}

impl Setting {
    /// A path of the API as GitHub's description has it.
    fn inside(self, path: &str) -> &str {
        // GitHub Enterprise Server's GraphQL is beside its API.
        if path == "/api/graphql" { "/graphql" } else { path.strip_prefix(self.path).unwrap() }
    }
}

const USUAL: Setting = Setting { path: "", base: "main" };

pub struct World {
    folder: TempDir,
    pub bare: PathBuf,
    pub twin: TwinHandle,
    serving: Serving,
    /// The path that the API lies below, and the branch that changes land on.
    setting: Setting,
    database: Database,
    pub selfext: Selfext,
    pub operations: Operations,
}

impl World {
    pub async fn new(backend: Backend) -> Self {
        Self::with_rules(backend, RULES).await
    }

    /// A world in which selfext acts as a GitHub App.
    pub async fn as_app(backend: Backend) -> Self {
        let database = Database::create(backend).await;
        let (url, folder) = (database.url(), tempfile::tempdir().unwrap());
        let bare = make_repository(folder.path(), RULES);
        let app = TwinApp::new(AppIdentity::new(77, "selfext-agent"), app_key::PUBLIC).long_tokens();
        let config = TwinConfig::new("o", "agent").github_app(app);
        Self::served(database, &url, folder, bare, config, USUAL, unopened_as_app).await
    }

    pub async fn with_rules(backend: Backend, rules: &str) -> Self {
        let database = Database::create(backend).await;
        let url = database.url();
        Self::with_ledger(database, &url, rules).await
    }

    /// A world like one of GitHub Enterprise Server's: the API lies below a path. Changes land on a branch of this name.
    pub async fn below(backend: Backend, rules: &str, path: &'static str, base: &'static str) -> Self {
        let database = Database::create(backend).await;
        let (url, folder) = (database.url(), tempfile::tempdir().unwrap());
        let bare = make_repository(folder.path(), rules);
        git(&bare, &["branch", "-m", "main", base]);
        Self::serving(database, &url, folder, bare, Setting { path, base }).await
    }

    /// A world whose ledger is reached through another address, for example a proxy's.
    pub async fn on_postgres_through(database: TestDatabase, url: &str, rules: &str) -> Self {
        Self::with_ledger(Database::Postgres(database), url, rules).await
    }

    /// A world on a Postgres server of the test's own, whose empty database is migrated, reached through another address.
    pub async fn on_server_through(database: &str, url: &str) -> Self {
        Operations::migrate(&DatabaseUrl::parse(database).unwrap()).await.unwrap();
        Self::with_ledger(Database::Given(database.to_owned()), url, RULES).await
    }

    /// A world on a copy of a repository that a twin served before, with an empty ledger.
    pub async fn restored(backend: Backend, repository: &Path) -> Self {
        let database = Database::create(backend).await;
        let (url, folder) = (database.url(), tempfile::tempdir().unwrap());
        let bare = folder.path().join("agent.git");
        let copied = Command::new("cp").arg("-a").arg(repository).arg(&bare).status().unwrap();
        assert!(copied.success());
        Self::serving(database, &url, folder, bare, USUAL).await
    }

    async fn with_ledger(database: Database, url: &str, rules: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bare = make_repository(folder.path(), rules);
        Self::serving(database, url, folder, bare, USUAL).await
    }

    async fn serving(database: Database, url: &str, folder: TempDir, bare: PathBuf, setting: Setting) -> Self {
        let config = TwinConfig::new("o", "agent").require_token("the-token").path(setting.path);
        Self::served(database, url, folder, bare, config, setting, unopened).await
    }

    async fn served(
        database: Database,
        url: &str,
        folder: TempDir,
        bare: PathBuf,
        config: TwinConfig,
        setting: Setting,
        unopened: impl FnOnce(&str, &Path, PathBuf, DatabaseUrl) -> SelfextBuilder,
    ) -> Self {
        let twin = Twin::open(&bare, config).await.unwrap();
        let handle = twin.handle();
        handle.on_new_head_set([green()]);
        let serving = twin.serve("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let url = DatabaseUrl::parse(url).unwrap();
        let unopened = unopened(&serving.base_url(), &bare, folder.path().join("cache"), url.clone());
        let selfext = unopened.base(BranchName::parse(setting.base).unwrap()).open().await.unwrap();
        let operations = Operations::open(&url).await.unwrap();
        Self { folder, bare, twin: handle, serving, setting, database, selfext, operations }
    }

    /// The twin's address.
    pub fn api(&self) -> String {
        self.serving.base_url()
    }

    /// The ledger's address, past any proxy.
    pub fn ledger_url(&self) -> String {
        self.database.url()
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// selfext in another process's place: the same repository and ledger, its own cache and connections.
    pub async fn another_selfext(&self) -> Selfext {
        let url = DatabaseUrl::parse(&self.database.url()).unwrap();
        open(&self.serving.base_url(), &self.bare, self.folder.path().join("other-cache"), url).await
    }

    pub async fn promote(&self, change: &ChangeSet) -> Outcome {
        self.selfext.promote(change).await.unwrap()
    }

    /// The types of a run's events.
    pub async fn types(&self, outcome: &Outcome) -> Vec<String> {
        let events = self.operations.stream_events(&StreamId::Run(outcome.run.clone())).await.unwrap();
        events.iter().map(|event| event.event.body.event_type().to_owned()).collect()
    }

    pub fn git(&self, args: &[&str]) -> String {
        String::from_utf8(git(&self.bare, args)).unwrap().trim_end().to_owned()
    }

    pub fn main_tip(&self) -> String {
        self.git(&["rev-parse", &format!("refs/heads/{}", self.setting.base)])
    }

    /// A file as the base branch has it.
    pub fn on_main(&self, path: &str) -> Option<Vec<u8>> {
        let name = format!("{}:{path}", self.setting.base);
        let output = Command::new("git").arg("-C").arg(&self.bare).args(["cat-file", "blob", &name]).output().unwrap();
        output.status.success().then_some(output.stdout)
    }

    /// Branches of selfext's that are left.
    pub fn branches(&self) -> Vec<String> {
        self.git(&["for-each-ref", "--format=%(refname)", "refs/heads/selfext/"])
            .lines()
            .map(ToOwned::to_owned)
            .collect()
    }

    /// Runs a statement on the ledger's database, past selfext.
    pub async fn sql(&self, statement: &'static str) {
        let url = self.database.url();
        if matches!(self.database, Database::Sqlite(_)) {
            let mut connection = SqliteConnection::connect(&url).await.unwrap();
            sqlx::query(statement).execute(&mut connection).await.unwrap();
        } else {
            let mut connection = PgConnection::connect(&url).await.unwrap();
            sqlx::query(statement).execute(&mut connection).await.unwrap();
        }
    }

    /// The whole ledger as text. Stream by stream: on a shared server followers wait behind other tests' transactions.
    pub async fn ledger_text(&self) -> String {
        let runs = self.operations.status(1_000).await.unwrap().latest;
        let mut text = String::new();
        for stream in runs.into_iter().map(|entry| entry.last.event.stream).chain([StreamId::Control]) {
            let events = self.operations.stream_events(&stream).await.unwrap();
            text.extend(events.into_iter().map(|event| event.content));
        }
        text
    }

    /// Ends a world in which requests were cut off, so that not every exchange is whole.
    pub async fn end_disturbed(self) {
        self.serving.shutdown().await;
        if let Database::Postgres(database) = self.database {
            drop((self.selfext, self.operations));
            database.drop().await;
        }
    }

    /// Everything that passed between selfext and the twin must be as GitHub describes it, and carry no token.
    pub async fn end(self) {
        let description = GithubDescription::load();
        for exchange in self.twin.exchanges() {
            let checked = description.check(
                &exchange.method,
                self.setting.inside(&exchange.path_and_query),
                exchange.request_body.as_ref(),
                exchange.status.unwrap_or_default(),
                exchange.response_body.as_ref(),
            );
            assert_eq!(checked, Ok(()), "{} {}", exchange.method, exchange.path_and_query);
        }
        assert_eq!(self.twin.unknown_routes(), Vec::<String>::new());
        assert!(!self.ledger_text().await.contains("the-token"));
        self.end_disturbed().await;
    }
}

pub async fn open(api: &str, bare: &Path, cache: PathBuf, database: DatabaseUrl) -> Selfext {
    unopened(api, bare, cache, database).open().await.unwrap()
}

/// For tests that want more said before it is opened.
pub fn unopened(api: &str, bare: &Path, cache: PathBuf, database: DatabaseUrl) -> SelfextBuilder {
    let builder = Selfext::builder(RepositoryName::parse("o/agent").unwrap()).github_token("the-token").unwrap();
    placed(builder, api, bare, cache, database)
}

/// The same as a GitHub App.
pub fn unopened_as_app(api: &str, bare: &Path, cache: PathBuf, database: DatabaseUrl) -> SelfextBuilder {
    let builder = Selfext::builder(RepositoryName::parse("o/agent").unwrap());
    placed(builder.github_app("77", app_key::PKCS1).unwrap(), api, bare, cache, database)
}

fn placed(builder: SelfextBuilder, api: &str, bare: &Path, cache: PathBuf, database: DatabaseUrl) -> SelfextBuilder {
    builder
        .github_url(Url::parse(api).unwrap())
        .git_source(GitSource::Path(bare.to_owned()))
        .cache(cache)
        .database(database)
}

pub fn green() -> AutoCheck {
    AutoCheck::status("ci", StatusState::Success)
}

pub fn path(text: &str) -> RepoPath {
    RepoPath::parse(text).unwrap()
}

pub fn builder(message: &str) -> ChangeSetBuilder {
    ChangeSet::builder(message, ExecutionContext::new(ToolName::parse("write").unwrap()))
}

/// A change of one text file.
pub fn change(text: &str) -> ChangeSet {
    builder("Say why").write(path("agent.txt"), text).build().unwrap()
}

pub fn reason(outcome: &Outcome) -> Option<Reason> {
    match &outcome.ending {
        Ending::Blocked(refusal) | Ending::Failed(refusal) | Ending::VerificationFailed { refusal, .. } => {
            Some(refusal.reason)
        }
        _ => None,
    }
}

pub fn promoted(outcome: &Outcome) -> String {
    match &outcome.ending {
        Ending::Promoted { commit, tree_matches: true, .. } => commit.to_string(),
        other => panic!("{other:?}"),
    }
}

pub fn git(folder: &Path, args: &[&str]) -> Vec<u8> {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "commit.gpgsign=false"])
        .args(args)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// A repository whose test passes unless the agent's text says `broken`.
fn make_repository(folder: &Path, rules: &str) -> PathBuf {
    let work = folder.join("work");
    std::fs::create_dir(&work).unwrap();
    git(folder, &["init", "-q", "-b", "main", "work"]);
    let test = "cat agent.txt\nif grep -q broken agent.txt; then exit 1; fi\n";
    for (name, text) in [("agent.txt", "first\n"), ("old.txt", "old\n"), ("test.sh", test), ("selfext.toml", rules)] {
        std::fs::write(work.join(name), text).unwrap();
    }
    git(&work, &["add", "-A"]);
    git(&work, &["commit", "-q", "-m", "first"]);
    git(folder, &["clone", "-q", "--bare", "work", "agent.git"]);
    folder.join("agent.git")
}
