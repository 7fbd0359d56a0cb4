//! Promoting over GitHub's API, which a twin serves here.

use std::path::PathBuf;
use std::process::Command;

use selfext_twin::{AutoCheck, CheckConclusion, Serving, StatusState, Twin, TwinConfig};

use crate::git_server::GitServer;
use crate::world::{RULES_WITH_CI, Ran, World, git};

const TOKEN: &str = "a-most-secret-token";

/// `x-access-token:` and the token, as git sends it.
const CODED: &str = "eC1hY2Nlc3MtdG9rZW46YS1tb3N0LXNlY3JldC10b2tlbg==";

/// A person's machine with a token, and a twin that serves the agent's repository as `o/agent`.
pub struct Github {
    pub world: World,
    pub bare: PathBuf,
    pub serving: Serving,
    pub git: GitServer,
}

impl Github {
    pub async fn new() -> Self {
        Self::with_rules(RULES_WITH_CI).await
    }

    pub async fn with_rules(rules: &str) -> Self {
        Self::with_world(World::with_agent(rules)).await
    }

    /// The repository of this world, behind a twin that asks for the token.
    pub async fn with_world(world: World) -> Self {
        Self::with(world, |config| config.require_token(TOKEN)).await
    }

    /// The repository of this world, behind a twin that is set up so.
    pub async fn with(world: World, adjust: impl FnOnce(TwinConfig) -> TwinConfig) -> Self {
        git(&world.path("."), ["clone", "-q", "--bare", "agent", "bare.git"]);
        let bare = world.path("bare.git");
        let twin = Twin::open(&bare, adjust(TwinConfig::new("o", "agent"))).await.unwrap();
        twin.handle().on_new_head_set([AutoCheck::status("ci", StatusState::Success)]);
        let serving = twin.serve("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let git = GitServer::start(&bare);
        Self { world, bare, serving, git }
    }

    /// A command with the token, that logs all it can.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.quiet_command(args);
        command.env("SELFEXT_LOG", "trace");
        command
    }

    /// A command with the token.
    pub fn quiet_command(&self, args: &[&str]) -> Command {
        let url = self.serving.base_url();
        let target = ["--github", "o/agent", "--github-url", &url, "--git-url", &self.git.url];
        let mut command = self.world.command(args.iter().chain(&target));
        command.env("SELFEXT_GITHUB_TOKEN", TOKEN);
        command
    }

    fn promote(&self, text: &str) -> Command {
        let from = self.world.write("x", text);
        self.command(&["promote", "--message", "Say why", "--file", &format!("agent.txt={from}")])
    }

    pub fn on_main(&self) -> String {
        git(&self.bare, ["cat-file", "blob", "main:agent.txt"])
    }
}

#[track_caller]
fn assert_secret(ran: &Ran) {
    let all = format!("{}{}", ran.stdout, ran.stderr);
    assert!(!all.contains(TOKEN) && !all.contains(CODED), "the token is in the output");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_goes_all_the_way_and_the_token_is_never_shown() {
    let github = Github::new().await;
    let ran = Ran::of(&mut github.promote("second\n"));
    assert_secret(&ran);
    let ran = ran.expect(0, &["promoted: ", "pull request 1 (http"]);
    assert_eq!(github.on_main(), "second");
    assert!(github.git.authorizations().iter().all(|sent| sent == &format!("Basic {CODED}")));
    assert!(!github.git.authorizations().is_empty());
    let events = github.world.run(["events", "--json", "--run", &ran.run_id()]).expect(0, &["promoted"]);
    assert_secret(&events);
    github.serving.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_red_check_blocks_and_the_run_can_be_abandoned() {
    let github = Github::new().await;
    let green = AutoCheck::status("ci", StatusState::Success);
    let red = AutoCheck::check_run("scan", CheckConclusion::Failure);
    github.serving.handle().on_new_head_set([green, red]);
    let ran = Ran::of(&mut github.promote("second\n"));
    assert_secret(&ran);
    let run = ran.expect(3, &["blocked: status-gate", "scan is red", "--by NAME --github o/agent"]).run_id();
    assert_eq!(github.on_main(), "first");
    Ran::of(&mut github.command(&["reconcile"])).expect(0, &["has no merge under way", &run]);
    Ran::of(&mut github.command(&["abandon", &run, "--by", "op"])).expect(0, &["abandoned"]);
    assert_eq!(git(&github.bare, ["for-each-ref", "refs/heads/selfext"]), "");
    github.serving.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_refused_blocks_and_is_not_shown() {
    let github = Github::new().await;
    let wrong = "another-most-secret-token";
    let mut command = github.promote("second\n");
    let ran =
        Ran::of(command.env("SELFEXT_GITHUB_TOKEN", wrong)).expect(3, &["blocked: forge-refused", "Check the token"]);
    assert!(!format!("{ran:?}").contains(wrong), "the token is in the output");
    github.serving.shutdown().await;
}

#[test]
fn without_a_token_the_variables_are_named() {
    let world = World::new();
    let from = world.write("x", "x\n");
    let file = format!("a={from}");
    for args in [
        &["promote", "--github", "o/agent", "--message", "m", "--file", &file][..],
        &["abandon", "run", "--by", "op", "--github", "o/agent"],
        &["reconcile", "--github", "o/agent"],
    ] {
        let mut command = world.command(args);
        let ran = Ran::of(command.env("GITHUB_TOKEN", " "));
        ran.expect(2, &["SELFEXT_GITHUB_TOKEN", "GITHUB_TOKEN", "GH_TOKEN"]);
    }
    assert!(!world.ledger().exists());
}

#[test]
fn addresses_that_would_give_the_token_away_are_refused() {
    let world = World::new();
    let from = world.write("x", "x\n");
    let file = format!("a={from}");
    for target in [
        ["--github-url", "http://github.example/api"],
        ["--github-url", "https://op:s3cr3t@ghe.example/api/v3"],
        ["--github-url", "http://op:s3cr3t@["],
        ["--git-url", "http://git.example/o/agent.git"],
        ["--git-url", "ssh://op:s3cr3t@git.example/o/agent.git"],
        ["--git-url", "https://op:s3cr3t@git.example/o/agent.git"],
    ] {
        let promote = ["promote", "--github", "o/agent", "--message", "m", "--file", &file];
        let mut command = world.command(promote.iter().chain(&target));
        let ran = Ran::of(command.env("GH_TOKEN", TOKEN)).expect(2, &[]);
        assert_secret(&ran);
        assert!(!format!("{ran:?}").contains("s3cr3t"), "{ran:?}");
    }
    assert!(!world.ledger().exists());
}

#[test]
fn a_token_that_cannot_be_one_is_refused_without_showing_it() {
    let world = World::new();
    let from = world.write("x", "x\n");
    let file = format!("a={from}");
    let mut command = world.command(["promote", "--github", "o/agent", "--message", "m", "--file", &file]);
    let ran = Ran::of(command.env("GITHUB_TOKEN", "two most-secret\nlines")).expect(2, &["token"]);
    assert!(!format!("{ran:?}").contains("most-secret"), "{ran:?}");
}
