//! Promoting as a GitHub App.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use selfext_contracts::app_key::{ELLIPTIC, PKCS1, PKCS8, PUBLIC};
use selfext_twin::{AppIdentity, TwinApp};

use crate::github::Github;
use crate::world::{RULES_WITH_CI, Ran, World};

/// A world whose stage gets all that the rules can let pass, and fails if anything of the App is there.
fn prying() -> World {
    let rules = format!("{RULES_WITH_CI}environment = [\"*\"]\n");
    let world = World::with_agent(&rules);
    world.write("agent/test.sh", "env\n! env | grep -i -e GITHUB -e 'PRIVATE KEY' -e app.pem\n");
    world.commit("pry");
    world
}

async fn installed(world: World) -> Github {
    let app = TwinApp::new(AppIdentity::new(77, "selfext-agent"), PUBLIC).long_tokens();
    Github::with(world, |config| config.github_app(app)).await
}

/// The key's file, which nobody else can read.
fn key_file(world: &World) -> String {
    let file = world.write("app.pem", PKCS1);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    file
}

/// A command on the served repository without a token, that logs all it can.
fn command(github: &Github, args: &[&str]) -> Command {
    let mut command = github.quiet_command(args);
    command.env_remove("SELFEXT_GITHUB_TOKEN").env("SELFEXT_LOG", "trace");
    command
}

fn promote(github: &Github, more: &[&str]) -> Command {
    let from = github.world.write("x", "second\n");
    let file = format!("agent.txt={from}");
    let args = ["promote", "--message", "Say why", "--file", &file];
    command(github, &[&args[..], more].concat())
}

#[track_caller]
fn assert_secret(ran: &Ran, github: &Github) {
    let all = format!("{}{}", ran.stdout, ran.stderr);
    let token = github.serving.handle().last_app_token();
    assert!(token.is_none_or(|token| !all.contains(&token)), "the token is in the output");
    assert!(!all.contains("PRIVATE KEY") && !all.contains(PKCS1.lines().nth(1).unwrap()), "the key is in the output");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_takes_a_change_all_the_way_and_no_stage_learns_of_it() {
    let github = installed(prying()).await;
    let key = key_file(&github.world);
    let mut by_options = promote(&github, &["--github-app-id", "77", "--github-app-key-file", &key]);
    let ran = Ran::of(by_options.env("GITHUB_TOKEN", "another-programs"));
    assert_secret(&ran, &github);
    let ran = ran.expect(0, &["promoted: ", "pull request 1 (http"]);
    assert!(!ran.stderr.contains("warning"), "{ran:?}");
    let events = github.world.run(["events", "--json", "--run", &ran.run_id()]).expect(0, &["promoted"]);
    assert_secret(&events, &github);
    // git was given the App's token, and nothing else.
    let sent = github.git.authorizations();
    assert!(
        !sent.is_empty() && sent.iter().all(|sent| sent.starts_with("Basic eC1hY2Nlc3MtdG9rZW46Z2hzXzc3X2V5S")),
        "x-access-token:ghs_77_eyJ"
    );

    let mut by_variables = promote(&github, &["--repository-id", "1"]);
    by_variables
        .env("SELFEXT_GITHUB_APP_ID", "Iv1.000000000000004d")
        .env("SELFEXT_GITHUB_APP_KEY", PKCS8.replace('\n', "\\n"));
    let ran = Ran::of(&mut by_variables);
    assert_secret(&ran, &github);
    ran.expect(0, &["promoted: "]);
    github.serving.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_is_not_installed_is_told_how_to_be() {
    let github = installed(World::with_agent(RULES_WITH_CI)).await;
    github.serving.handle().set_app_installed(false);
    let key = key_file(&github.world);
    let mut promote = promote(&github, &["--github-app-id", "77", "--github-app-key-file", &key]);
    let ran = Ran::of(&mut promote);
    assert_secret(&ran, &github);
    ran.expect(3, &["blocked: forge-refused", "selfext-agent is not installed on o/agent", "Install App"]);
    github.serving.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_repository_under_the_name_is_refused_by_its_number() {
    let github = installed(World::with_agent(RULES_WITH_CI)).await;
    let key = key_file(&github.world);
    github.serving.handle().make_again().await.unwrap();
    let mut promote = promote(&github, &["--github-app-id", "77", "--github-app-key-file", &key]);
    let ran = Ran::of(promote.env("SELFEXT_GITHUB_REPOSITORY_ID", "1"));
    // GitHub gives an App no token for a repository that is gone.
    ran.expect(3, &["blocked: forge-refused", "deleted and made again"]);
    assert_eq!(github.on_main(), "first");
    github.serving.shutdown().await;
}

#[test]
fn a_key_that_others_can_read_is_used_with_a_warning() {
    let world = World::new();
    let (key, from) = (key_file(&world), world.write("x", "x\n"));
    let file = format!("a={from}");
    for (mode, warned) in [(0o600, false), (0o400, false), (0o640, true), (0o604, true)] {
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
        // The address is refused right after the key was read.
        let address = ["--github-url", "ftp://nowhere.example"];
        let args = ["promote", "--github", "o/a", "--message", "m", "--file", &file, "--github-app-id", "7"];
        let key = ["--github-app-key-file", &key];
        let ran = Ran::of(&mut world.command(args.iter().chain(&key).chain(&address)));
        assert_eq!(ran.stderr.contains("warning: other users of this machine can read"), warned, "{mode:o} {ran:?}");
    }
}

#[test]
fn what_is_wrong_with_an_apps_identity_is_said_and_nothing_is_begun() {
    let world = World::new();
    let key = key_file(&world);
    let (other, text) = (world.write("elliptic.pem", ELLIPTIC), world.write("text", "hush, no key\n"));
    let file = format!("a={}", world.write("x", "x\n"));
    let missing = world.path("missing.pem").to_str().unwrap().to_owned();
    let with = |id: &'static str, key: &str| {
        vec!["--github-app-id".to_owned(), id.to_owned(), "--github-app-key-file".to_owned(), key.to_owned()]
    };
    let id_alone = with("7", "")[..2].to_vec();
    let key_alone = with("", &key)[2..].to_vec();
    for (args, variables, words) in [
        (with("7", &key), &[("SELFEXT_GITHUB_TOKEN", "hush")][..], &["both a GitHub App and the token"][..]),
        (with("7", &missing), &[], &["missing.pem", "cannot be read"]),
        (with("7", "."), &[], &["cannot be read"]),
        (with("7", &text), &[], &["holds no private key"]),
        (with("7", &other), &[], &["not an RSA key"]),
        (with("my app", &key), &[], &["--github-app-id", "client id"]),
        (id_alone, &[], &["the GitHub App has no key", "--github-app-key-file", "SELFEXT_GITHUB_APP_KEY"]),
        (key_alone, &[], &["--github-app-id", "SELFEXT_GITHUB_APP_ID"]),
        (
            vec![],
            &[("SELFEXT_GITHUB_APP_ID", "7"), ("SELFEXT_GITHUB_APP_KEY", "hush")],
            &["SELFEXT_GITHUB_APP_KEY: it holds no"],
        ),
        (
            vec![],
            &[("GH_TOKEN", "hush"), ("SELFEXT_GITHUB_REPOSITORY_ID", "seven")],
            &["SELFEXT_GITHUB_REPOSITORY_ID is no number"],
        ),
    ] {
        let promote = ["promote", "--github", "o/agent", "--message", "m", "--file", &file].map(str::to_owned);
        let mut command = world.command(promote.iter().chain(&args));
        let ran = Ran::of(command.envs(variables.iter().copied())).expect(2, words);
        assert!(!ran.stderr.contains("hush") && !ran.stdout.contains("hush"), "{ran:?}");
        assert!(!ran.stderr.contains("PRIVATE"), "{ran:?}");
    }
    assert!(!world.ledger().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_tells_whether_an_app_may_make_check_runs() {
    let given = [("contents", "write"), ("metadata", "read"), ("pull_requests", "write"), ("statuses", "write")];
    for (checks, told) in [("write", "good"), ("read", "warning")] {
        let app = TwinApp::new(AppIdentity::new(77, "selfext-agent"), PUBLIC);
        let app = app.permissions(given.into_iter().chain([("checks", checks)]));
        let github = Github::with(World::with_agent(RULES_WITH_CI), |config| config.github_app(app)).await;
        let key = key_file(&github.world);
        let args = ["doctor", "--json", "--github-app-id", "77", "--github-app-key-file", &key];
        let ran = Ran::of(&mut command(&github, &args)).expect(0, &[]);
        let answer: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        let of = |finding: &&serde_json::Value| finding["says"].as_str().unwrap().starts_with("Checks: read and write");
        let finding = answer["findings"].as_array().unwrap().iter().find(of).unwrap();
        assert_eq!(finding["condition"], told, "{finding}");
    }
}
