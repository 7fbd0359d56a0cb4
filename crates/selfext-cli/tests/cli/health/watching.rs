//! The watch as a service: it waits, takes over, tells what fails, seals, and ends when it is asked to.

use rustix::process::Signal;

use crate::github::Github;
use crate::live::Live;
use crate::world::{RULES, Ran, World};

/// A window that stays open for as long as a test runs.
const LONG: &str = "[health]\nstart_seconds = 3600\nsilence_seconds = 3600\nwindow_seconds = 36000\n";

fn ended(watch: Live) -> String {
    watch.signal(Signal::TERM);
    let (code, seen) = watch.end();
    assert_eq!(code, Some(0), "{seen}");
    seen
}

#[test]
fn one_look_tells_what_has_to_prove_itself_and_status_names_what_frees_it() {
    let world = World::with_agent(&format!("{RULES}{LONG}"));
    let agent = world.agent();
    let watch = |args: &[&str]| world.run([&["watch", "--local", &agent, "--once"], args].concat());
    watch(&[]).expect(0, &[&format!("watching --local {agent}")]);
    let run = world.promote_text("second\n").expect(0, &[]).run_id();
    let tip = world.tip();
    let words = format!("run {run} has to prove itself as {}", &tip[..10]);
    watch(&[]).expect(0, &[&words, "not seen yet, and to be within 3600 s, 0 of 10 samples, 0 unhealthy"]);
    world.run(["heartbeat", "--local", &agent, "--commit", &tip]).expect(0, &[]);
    let json = watch(&["--json"]).expect(0, &[]).stdout;
    let found = json.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let found = found.into_iter().find(|line| line["watch"] == "run").unwrap();
    assert_eq!(
        (&found["found"], &found["samples"], &found["run"]),
        (&"window-open".into(), &1.into(), &run.as_str().into())
    );
    world.run(["status"]).expect(
        0,
        &[&words, "seen within 3600 s, healthy for 300 s in 10 samples", "`selfext watch --local PATH` decides it"],
    );
    let status = world.run(["status", "--json"]).json();
    assert_eq!(status["watched"][0]["terms"]["start_seconds"], 3600);
    // What waits for it is told the same.
    world.promote_text("third\n").expect(3, &["blocked: health-window-open", "selfext watch"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_watch_waits_and_takes_over_when_the_first_one_ends() {
    let github = Github::new().await;
    let start = || Live::start(github.quiet_command(&["watch", "--interval-seconds", "1"]));
    let mut first = start();
    first.wait_for("watching --github o/agent");
    let mut second = start();
    second.wait_for("this one waits");
    assert!(!ended(first).contains("waits"));
    second.wait_for("watching --github o/agent");
    ended(second);
    github.serving.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_does_not_answer_is_told_once_and_tried_again() {
    let github = Github::new().await;
    let database = "postgres://op:s3cr3t@127.0.0.1:1/selfext";
    let mut watch = Live::start(github.quiet_command(&["--database", database, "watch", "--interval-seconds", "1"]));
    let line = watch.wait_for("tried again");
    assert!(!line.contains("s3cr3t"), "{line}");
    ended(watch);
    Ran::of(&mut github.quiet_command(&["--database", database, "watch", "--once"]))
        .expect(1, &["could not be opened"]);
    github.serving.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_seals_on_schedule_what_an_audit_then_judges() {
    let github = Github::new().await;
    let key = github.world.path("seal.key").to_str().unwrap().to_owned();
    let made = github.world.run(["seal", "--new-key", "example.com/agent", "--key-file", &key]).expect(0, &[]);
    let to = github.world.path("checkpoint").to_str().unwrap().to_owned();
    let args = ["watch", "--interval-seconds", "1", "--seal-every", "1", "--key-file", &key, "--seal-to", &to];
    let mut watch = Live::start(github.quiet_command(&args));
    watch.wait_for("watching");
    github.world.run(["pause", "--reason", "x", "--by", "op"]).expect(0, &[]);
    watch.wait_for("sealed ");
    ended(watch);
    let public = made.stdout.trim();
    github.world.run(["audit", "--key", public, "--checkpoint", &to]).expect(0, &[]);
    github.serving.shutdown().await;
}

#[test]
fn a_watch_that_cannot_begin_is_a_wrong_command_line() {
    let world = World::with_agent(RULES);
    let agent = world.agent();
    world.run(["watch"]).expect(2, &["--github"]);
    world.run(["watch", "--github", "o/agent"]).expect(2, &["SELFEXT_GITHUB_TOKEN"]);
    world.run(["watch", "--local", &agent, "--seal-every", "60"]).expect(2, &["--key-file"]);
    world.run(["watch", "--local", &agent, "--seal-to", "x"]).expect(2, &["--seal-every"]);
    world.run(["watch", "--local", &agent, "--once", "--seal-every", "60"]).expect(2, &["cannot be used with"]);
    world.run(["watch", "--local", &agent, "--interval-seconds", "0"]).expect(2, &["--interval-seconds"]);
    assert!(!world.ledger().exists());
}
