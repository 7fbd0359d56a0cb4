//! `runs`, and what `status` and `events` find.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::live::Live;
use crate::world::{RULES, RULES_WITH_CI, Ran, World};

fn promote(world: &World, text: &str, more: &[&str]) -> Ran {
    let file = format!("agent.txt={}", world.write("new.txt", text));
    let agent = world.agent();
    world.run(["promote", "--local", &agent, "--message", "Say why", "--file", &file].iter().chain(more))
}

fn names(runs: &Value) -> Vec<&str> {
    runs.as_array().unwrap().iter().map(|run| run["run"].as_str().unwrap()).collect()
}

#[test]
fn runs_are_listed_by_what_they_serve_and_page_by_page() {
    let world = World::with_agent(RULES);
    for (run, text, more) in [
        ("one", "second\n", &["--goal", "faster", "--tool", "patch"][..]),
        ("two", "broken\n", &["--goal", "faster"]),
        ("three", "third\n", &["--tool", "patch"]),
    ] {
        promote(&world, text, &[&["--run", run][..], more].concat());
    }
    let list = |args: &[&str]| world.run(["runs", "--json"].iter().chain(args)).expect(0, &[]).json();
    for (args, expected) in [
        (&[][..], &["three", "two", "one"][..]),
        (&["--goal", "faster"], &["two", "one"]),
        (&["--tool", "patch"], &["three", "one"]),
        (&["--tool", "selfext-cli"], &["two"]),
        (&["--open"], &[]),
        (&["--since", "1h"], &["three", "two", "one"]),
        (&["--until", "1h"], &[]),
        (&["--goal", "faster", "--since", "2020-01-01T00:00:00Z", "--until", "2020-01-02T00:00:00Z"], &[]),
    ] {
        assert_eq!(names(&list(args)["runs"]), expected, "{args:?}");
    }
    let number =
        list(&["--limit", "1"])["runs"][0]["last_event"]["content"]["pull_request"].as_u64().unwrap().to_string();
    let repository = list(&[])["runs"][0]["last_event"]["content"]["repository"].as_str().unwrap().to_owned();
    assert_eq!(names(&list(&["--pull-request", &number, "--repository", &repository])["runs"]), ["three"]);

    let page = list(&["--limit", "2"]);
    assert_eq!((names(&page["runs"]), page["exit_code"].as_u64()), (vec!["three", "two"], Some(0)));
    let next = page["next"].as_str().unwrap();
    let last = list(&["--limit", "2", "--before", next]);
    assert_eq!((names(&last["runs"]), &last["next"]), (vec!["one"], &json!(null)));
    world
        .run(["runs", "--limit", "2"])
        .expect(0, &["three", "promoted", "failed", &format!("for more: --before {next}")]);
    world.run(["runs", "--goal", "none"]).expect(0, &["no such runs"]);
}

#[test]
fn a_blocked_run_is_found_with_its_reason_and_what_frees_it_however_old_it_is() {
    let world = World::with_agent(RULES_WITH_CI);
    promote(&world, "second\n", &["--run", "stuck"]).expect(3, &[]);
    for text in ["broken\n", "broken twice\n"] {
        promote(&world, text, &[]).expect(4, &[]);
    }
    let freed = "next: promote the same change again, or end it: `selfext abandon stuck";
    world.run(["runs", "--blocked"]).expect(0, &["stuck", "checks-pending: ", freed]);
    let ran = world.run(["status", "--limit", "2"]).expect(0, &["older, and still open:", "checks-pending: ", freed]);
    assert_eq!(ran.stdout.matches("stuck").count(), 2, "{ran:?}");
    let status = world.run(["status", "--limit", "1", "--json"]).json();
    assert_eq!((&status["open_runs"], names(&status["open"])), (&json!(1), vec!["stuck"]));
    assert_eq!(status["runs"].as_array().unwrap().len(), 1);

    promote(&world, "third\n", &["--run", "stuck too"]).expect(3, &[]);
    world.run(["status", "--limit", "1"]).expect(0, &["stuck too", "and 1 more: `selfext runs --open` lists them"]);
}

#[test]
fn a_promotion_that_waits_is_seen_until_its_run_is_over() {
    let world = World::with_agent(&RULES_WITH_CI.replace("wait_seconds = 0", "wait_seconds = 1000"));
    let file = format!("agent.txt={}", world.write("new.txt", "second\n"));
    let agent = world.agent();
    let args = ["promote", "--local", &agent, "--message", "Say why", "--run", "patient", "--file", &file];
    let mut waiting = Live::start(world.command(args));
    waiting.wait_for("ci");
    let waits = || world.run(["status", "--json"]).expect(0, &[]).json()["waits"].clone();
    let begun = Instant::now();
    while waits() == json!([]) {
        assert!(begun.elapsed() < Duration::from_mins(1), "it is not seen to wait");
    }
    let seen = waits();
    let [wait] = &seen.as_array().unwrap()[..] else { panic!("one waits: {seen}") };
    assert_eq!((wait["run"].as_str(), wait["what"].as_str()), (Some("patient"), Some("checks (ci is missing)")));
    let holder = wait["holder"].as_str().unwrap();
    assert!(wait["since"].as_str().unwrap() < wait["until"].as_str().unwrap(), "{wait}");
    let told = ["run patient waits for checks (ci is missing), since 2", "Z at most, in ", holder];
    world.run(["status"]).expect(0, &told);
    // Whoever is killed takes nothing back.
    waiting.signal(Signal::KILL);
    waiting.end();
    world.run(["status"]).expect(0, &told);
    world.run(["abandon", "patient", "--by", "op", "--local", &agent]).expect(0, &[]);
    assert_eq!(waits(), json!([]));
}

#[test]
fn events_are_found_by_type_and_time_alone_in_a_run_and_behind_a_position() {
    let world = World::with_agent(RULES);
    promote(&world, "second\n", &["--run", "one"]).expect(0, &[]);
    promote(&world, "broken\n", &["--run", "two"]).expect(4, &[]);
    let events = |args: &[&str]| {
        let ran = world.run(["events", "--json"].iter().chain(args)).expect(0, &[]);
        let event = |line: &str| serde_json::from_str::<Value>(line).unwrap();
        ran.stdout.lines().map(event).collect::<Vec<_>>()
    };
    let types = |args: &[&str]| {
        let name = |event: Value| event["content"]["event_type"].as_str().unwrap().to_owned();
        events(args).into_iter().map(name).collect::<Vec<_>>()
    };
    let all = ["proposed", "tested", "merge_started", "promoted", "proposed", "failed"];
    for (args, expected) in [
        (&["--type", "proposed", "--type", "failed"][..], &["proposed", "proposed", "failed"][..]),
        (&["--type", "promotion_blocked"], &[]),
        (&["--since", "1h"], &all),
        (&["--until", "1h"], &[]),
        (&["--since", "1h", "--type", "promoted"], &["promoted"]),
        (&["--run", "one", "--type", "proposed"], &["proposed"]),
        (&["--run", "two", "--until", "1h"], &[]),
    ] {
        assert_eq!(types(args), expected, "{args:?}");
    }
    let tested = events(&["--type", "tested"]);
    let behind = tested[0]["position"].as_str().unwrap();
    assert_eq!(types(&["--after", behind, "--type", "proposed"]), ["proposed"]);
}

#[test]
fn what_cannot_be_looked_for_is_refused() {
    let world = World::new();
    for (args, told) in [
        (&["runs", "--open", "--blocked"][..], "cannot be used with"),
        (&["runs", "--pull-request", "1"], "--repository"),
        (&["runs", "--pull-request", "0", "--repository", "a/b"], "out of range"),
        (&["runs", "--before", "x"], "two numbers with a dot"),
        (&["runs", "--since", "yesterday"], "neither a time as"),
        (&["events", "--type", "promotd"], "there are proposed, tested"),
        (&["events", "--follow", "--since", "1h"], "cannot be used with"),
    ] {
        world.run(args).expect(2, &[told]);
    }
    assert!(!world.ledger().exists());
}
