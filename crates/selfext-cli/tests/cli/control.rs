//! Pausing, resuming, and looking at the ledger.

use rustix::process::Signal;

use crate::live::Live;
use crate::world::{RULES, World};

#[test]
fn a_pause_says_exactly_what_it_promises() {
    let world = World::new();
    let ran = world.run(["pause", "--reason", "looking", "--by", "op"]).expect(0, &[]);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("paused; nothing can merge until resume\n", ""));
    let ran = world.run(["status"]).expect(0, &["promotion is paused by op since ", ": looking", "no runs yet"]);
    assert!(ran.stdout.contains("`selfext resume --by NAME` frees it"), "{ran:?}");
    let ran = world.run(["resume", "--by", "op", "--reason", "all clear"]).expect(0, &[]);
    assert_eq!(ran.stdout, "resumed; promotion runs\n");
    world.run(["status"]).expect(0, &["promotion runs\n"]);
    let ran = world.run(["pause", "--reason", "r", "--by", "op", "--allow-rollbacks"]);
    assert_eq!(ran.expect(0, &[]).stdout, "paused; nothing but rollbacks can merge until resume\n");
}

#[test]
fn a_pause_needs_a_name_and_a_reason() {
    let world = World::new();
    world.run(["pause", "--reason", "r"]).expect(2, &["--by <NAME>"]);
    world.run(["pause", "--by", "op"]).expect(2, &["--reason <TEXT>"]);
    world.run(["pause", "--reason", " ", "--by", "op"]).expect(2, &["it says nothing"]);
    world.run(["pause", "--reason", "r", "--by", ""]).expect(2, &["operator name"]);
    assert!(!world.ledger().exists());
}

#[test]
fn pause_resume_and_status_answer_in_json() {
    let world = World::with_agent(RULES);
    let pause = world.run(["pause", "--json", "--reason", "r", "--by", "op"]).expect(0, &[]).json();
    assert_eq!(
        (&pause["paused"], &pause["in_flight"], &pause["exit_code"]),
        (&true.into(), &serde_json::json!([]), &0.into())
    );
    assert_eq!(pause["event"]["content"]["event_type"], "promotion_pause_changed", "{pause}");
    let status = world.run(["status", "--json"]).json();
    assert_eq!(
        (status["control"]["state"].as_str(), status["outcome"].as_str()),
        (Some("paused"), Some("status")),
        "{status}"
    );
    let resume = world.run(["resume", "--json", "--by", "op"]).json();
    assert_eq!((&resume["paused"], &resume["outcome"]), (&false.into(), &"resumed".into()));
    let run = world.promote_text("second\n").expect(0, &[]).run_id();
    let status = world.run(["status", "--json"]).json();
    assert_eq!((&status["runs"][0]["run"], &status["runs"][0]["phase"]), (&run.as_str().into(), &"promoted".into()));
}

#[test]
fn events_are_a_timeline_of_all_of_one_run_or_of_the_control() {
    let world = World::with_agent(RULES);
    let run = world.promote_text("second\n").expect(0, &[]).run_id();
    world.promote_text("broken\n").expect(4, &[]);
    world.run(["pause", "--reason", "r", "--by", "op"]).expect(0, &[]);
    let types = |args: &[&str]| {
        let ran = world.run(["events", "--json"].iter().chain(args)).expect(0, &[]);
        let events = ran.stdout.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        events.map(|event| event["content"]["event_type"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let of_run = ["proposed", "tested", "merge_started", "promoted"];
    assert_eq!(types(&["--run", &run]), of_run);
    assert_eq!(types(&["--run", "control"]), ["promotion_pause_changed"]);
    let mut all = of_run.to_vec();
    all.extend(["proposed", "failed", "promotion_pause_changed"]);
    assert_eq!(types(&[]), all);
    let ran = world.run(["events", "--run", &run]).expect(0, &["Say why (1 file)", "test passed", "landed as"]);
    assert_eq!(ran.stdout.lines().count(), 4, "{ran:?}");
    world.run(["events", "--run", "nobody"]).expect(2, &["there is no run nobody", "selfext runs"]);
}

#[test]
fn followed_events_come_as_they_happen_and_an_interrupt_ends_them_well() {
    let world = World::new();
    world.run(["pause", "--reason", "the first", "--by", "op"]).expect(0, &[]);
    let mut follow = Live::start(world.command(["events", "--follow"]));
    follow.wait_for("paused by op: the first");
    world.run(["resume", "--by", "op", "--reason", "the second"]).expect(0, &[]);
    follow.wait_for("resumed by op: the second");
    follow.signal(Signal::INT);
    let (code, seen) = follow.end();
    assert_eq!((code, seen.lines().count()), (Some(0), 2), "{seen}");
}

#[test]
fn one_run_can_be_followed_before_it_begins() {
    let world = World::with_agent(RULES);
    let mut follow = Live::start(world.command(["events", "--follow", "--run", "cycle-7", "--json"]));
    let from = world.write("x", "second\n");
    world.run(["pause", "--reason", "r", "--by", "op"]).expect(0, &[]);
    world.promote(["--run", "cycle-7", "--file", &format!("agent.txt={from}")]).expect(3, &[]);
    follow.wait_for("\"promotion_blocked\"");
    follow.signal(Signal::TERM);
    let (code, seen) = follow.end();
    assert_eq!(code, Some(0), "{seen}");
    assert!(!seen.contains("promotion_pause_changed"), "{seen}");
}

#[test]
fn a_control_row_that_is_gone_blocks_and_the_way_out_works() {
    let world = World::with_agent(RULES);
    world.run(["status"]).expect(0, &[]);
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        use sqlx::{Connection as _, SqliteConnection};
        let mut ledger = SqliteConnection::connect(world.ledger().to_str().unwrap()).await.unwrap();
        sqlx::query("DELETE FROM agent_state").execute(&mut ledger).await.unwrap();
        ledger.close().await.unwrap();
    });
    world.run(["status"]).expect(0, &["promotion is blocked: the control row is missing", "selfext pause"]);
    world.promote_text("second\n").expect(3, &["blocked: control-missing", "selfext pause", "selfext resume"]);
    world.run(["resume", "--by", "op"]).expect(1, &["control row is missing"]);
    world.run(["pause", "--reason", "r", "--by", "op"]).expect(0, &[]);
    world.run(["resume", "--by", "op"]).expect(0, &[]);
    world.promote_text("second\n").expect(0, &["promoted: "]);
}
