//! Heartbeats, rollbacks by hand, and what frees promotion after them.

use std::os::unix::fs::PermissionsExt as _;

use crate::github::Github;
use crate::world::{RULES, Ran, World, git};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

#[test]
fn a_heartbeat_needs_the_ledger_alone() {
    let world = World::with_agent(RULES);
    let agent = world.agent();
    let beat = |args: &[&str]| {
        let mut all = vec!["heartbeat", "--commit", COMMIT];
        all.extend(args);
        world.run(all)
    };
    beat(&["--github", "o/agent"]).expect(0, &["recorded: 0123456789 is healthy at "]);
    let answer = beat(&["--local", &agent, "--unhealthy", "--detail", "no disk", "--json"]).expect(0, &[]).json();
    assert_eq!((&answer["outcome"], &answer["healthy"]), (&"recorded".into(), &false.into()));
    assert!(answer["repository"].as_str().unwrap().starts_with("local/agent-"), "{answer}");
    // What is reported for the repository on this machine is reported under the name that a promotion there has.
    let run = world.promote_text("second\n").run_id();
    let events = world.run(["events", "--run", &run, "--json"]).stdout;
    assert!(events.contains(answer["repository"].as_str().unwrap()), "{events}");
}

#[test]
fn a_heartbeat_of_nothing_is_refused_before_anything_is_recorded() {
    let world = World::new();
    for (args, word) in [
        (&["--commit", "0123456", "--github", "o/agent"][..], "--commit"),
        (&["--github", "o/agent"], "--commit"),
        (&["--commit", COMMIT], "--github"),
        (&["--commit", COMMIT, "--local", "/nowhere"], "/nowhere"),
        (&["--commit", COMMIT, "--github", "o/agent", "--reporter", ""], "--reporter"),
    ] {
        world.run([&["heartbeat"][..], args].concat()).expect(2, &[word]);
    }
    assert!(!world.ledger().exists());
}

/// A world with a change of four files on main: one rewritten, one deleted, one new, one made executable.
async fn with_a_change() -> (Github, String, String) {
    let github = Github::new().await;
    let first = git(&github.bare, ["rev-parse", "main"]);
    let (text, new) = (github.world.write("text", "second\n"), github.world.write("new", "#!/bin/sh\n"));
    std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o755)).unwrap();
    let (text, new) = (format!("agent.txt={text}"), format!("bin/new.sh={new}"));
    let args = ["promote", "--message", "Say why", "--file", &text, "--file", &new, "--delete", "old.txt"];
    let run = Ran::of(&mut github.quiet_command(&args)).expect(0, &["promoted: "]).run_id();
    (github, first, run)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_is_shown_before_it_is_done_and_restores_the_whole_change() {
    let (github, first, run) = with_a_change().await;
    let landed = git(&github.bare, ["rev-parse", "main"]);
    let events = || github.world.run(["events"]).stdout;
    let before = events();
    let mut shown = github.quiet_command(&["rollback", &run, "--dry-run"]);
    let shown = Ran::of(&mut shown).expect(
        0,
        &[
            "and nothing was done",
            "-second\n+first\n",
            "deleted file mode",
            "+++ b/old.txt",
            "stages that it must pass: test\ncontexts that must be green: ci\n",
        ],
    );
    assert!(!shown.stdout.contains("conflict"), "{shown:?}");
    let json = Ran::of(&mut github.quiet_command(&["rollback", &run, "--dry-run", "--json"])).expect(0, &[]).json();
    assert_eq!((&json["outcome"], &json["landed"]), (&"rollback-plan".into(), &landed.as_str().into()));
    assert_eq!(json["stages"], serde_json::json!(["test"]));
    assert_eq!((events(), git(&github.bare, ["rev-parse", "main"])), (before, landed), "looking changed something");
    let done = Ran::of(&mut github.quiet_command(&["rollback", &run, "--reason", "it greets badly", "--by", "op"]));
    done.expect(0, &["rolled back: ", "taken back by run "]);
    assert_eq!(git(&github.bare, ["diff", "--name-only", &first, "main"]), "");
    github
        .world
        .run(["events", "--run", &run])
        .expect(0, &["rollback_started", "by op: it greets badly", "rolled_back"]);
    let tip = git(&github.bare, ["rev-parse", "main"]);
    Ran::of(&mut github.quiet_command(&["rollback", &run, "--reason", "again"])).expect(0, &["rolled back: "]);
    assert_eq!(git(&github.bare, ["rev-parse", "main"]), tip, "it was taken back twice");
    github.serving.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_rolled_back_lands_again_only_by_an_operators_word() {
    let github = Github::new().await;
    let from = github.world.write("text", "second\n");
    let file = format!("agent.txt={from}");
    let promote = || Ran::of(&mut github.quiet_command(&["promote", "--message", "Say why", "--file", &file]));
    let run = promote().expect(0, &[]).run_id();
    Ran::of(&mut github.quiet_command(&["rollback", &run, "--reason", "sick"])).expect(0, &[]);
    let again = promote().expect(3, &["blocked: rolled-back-before", "selfext allow "]).run_id();
    github.world.run(["status"]).expect(0, &[&format!("`selfext allow {again} --by NAME` lets it land again")]);
    let words = format!("the same content landed before, and was rolled back, in run {run}");
    github.world.run(["allow", &again, "--look"]).expect(0, &["is blocked", &words, "--by NAME"]);
    github.world.run(["allow", &again, "--by", "op"]).expect(0, &[&words, "allowed, for this run"]);
    github.world.run(["events", "--run", &again]).expect(0, &[&format!("by op to land again, after run {run}")]);
    promote().expect(0, &["promoted: "]);
    assert_eq!(github.on_main(), "second");
    github.serving.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_rollback_that_failed_promotion_waits_until_an_operator_acknowledges_it() {
    let (github, _, run) = with_a_change().await;
    let others = github.world.path("others");
    git(&github.world.path("."), ["clone", "-q", github.bare.to_str().unwrap(), "others"]);
    std::fs::write(others.join("agent.txt"), "theirs\n").unwrap();
    git(&others, ["commit", "-q", "-a", "-m", "Ours"]);
    git(&others, ["push", "-q", "origin", "main"]);
    let rollback = |args: &[&str]| Ran::of(&mut github.quiet_command(&[&["rollback", &run], args].concat()));
    rollback(&["--dry-run"]).expect(1, &["conflict: agent.txt: ", "it would end as rollback_failed"]);
    rollback(&["--reason", "sick"])
        .expect(1, &["rollback-conflict", "agent.txt", &format!("`selfext acknowledge {run} --by NAME`")]);
    assert_eq!(github.on_main(), "theirs");
    github
        .world
        .run(["status"])
        .expect(0, &["COULD NOT BE TAKEN BACK", &format!("selfext acknowledge {run} --by NAME")]);
    let status = github.world.run(["status", "--json"]).json();
    assert_eq!(
        (&status["watched"][0]["run"], &status["watched"][0]["phase"]),
        (&run.as_str().into(), &"rollback-failed".into())
    );
    let from = github.world.write("other", "other\n");
    let file = format!("other.txt={from}");
    let promote = || Ran::of(&mut github.quiet_command(&["promote", "--message", "Other", "--file", &file]));
    promote().expect(3, &["rollback-unacknowledged", &format!("selfext acknowledge {run} --by NAME")]);
    let acknowledge = |args: &[&str]| github.world.run([&["acknowledge", &run, "--by", "op"], args].concat());
    acknowledge(&["--reason", "mended by hand"])
        .expect(0, &["acknowledged; run ", "does not hold promotion back any more"]);
    acknowledge(&[]).expect(0, &["already acknowledged"]);
    let json = acknowledge(&["--json"]).json();
    assert_eq!((&json["outcome"], &json["already"]), (&"acknowledged".into(), &true.into()));
    let events = github.world.run(["events", "--run", &run]).stdout;
    assert_eq!(events.matches("rollback_acknowledged").count(), 1, "{events}");
    assert!(events.contains("by op: mended by hand"), "{events}");
    promote().expect(0, &["promoted: "]);
    github.serving.shutdown().await;
}

#[test]
fn there_is_nothing_to_acknowledge_or_take_back_where_nothing_failed_or_landed() {
    let world = World::with_agent(RULES);
    let agent = world.agent();
    world.run(["acknowledge", "nobody", "--by", "op"]).expect(2, &["there is no run nobody"]);
    world.run(["rollback", "nobody", "--reason", "x", "--local", &agent]).expect(2, &["there is no run nobody"]);
    let landed = world.promote_text("second\n").expect(0, &[]).run_id();
    world.run(["acknowledge", &landed, "--by", "op"]).expect(1, &["is promoted: ", "nothing has failed yet"]);
    let failed = world.promote_text("broken\n").expect(4, &[]).run_id();
    world.run(["acknowledge", &failed, "--by", "op"]).expect(1, &["no rollback of it failed"]);
    world.run(["rollback", &failed, "--reason", "x", "--local", &agent]).expect(2, &["has not landed"]);
    world.run(["rollback", &landed, "--local", &agent]).expect(2, &["--reason"]);
}

#[test]
fn a_rollback_on_this_machine_brings_a_checkout_along() {
    let world = World::with_agent(RULES);
    let agent = world.agent();
    let run = world.promote_text("second\n").expect(0, &[]).run_id();
    assert_eq!(std::fs::read_to_string(world.path("agent/agent.txt")).unwrap(), "second\n");
    world.run(["rollback", &run, "--reason", "sick", "--local", &agent]).expect(0, &["rolled back: "]);
    assert_eq!(world.on_main("agent.txt").as_deref(), Some("first\n"));
    assert_eq!(std::fs::read_to_string(world.path("agent/agent.txt")).unwrap(), "first\n");
    let back = world.run(["events"]).stdout;
    let back = back.lines().find(|line| line.contains("takes back run")).unwrap().split_whitespace().nth(2).unwrap();
    world.run(["rollback", back, "--reason", "x", "--local", &agent]).expect(2, &["took another one back"]);
    let words = format!("takes back the run {run}; acknowledge that one");
    world.run(["acknowledge", back, "--by", "op"]).expect(2, &[&words]);
}
