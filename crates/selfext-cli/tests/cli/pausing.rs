//! Pausing while a merge is under way.

use rustix::process::Signal;

use crate::live::Live;
use crate::stuck::{ADVICE, LISTED, PAUSED, RUN, Stuck};
use crate::world::{RULES, Ran, World, git};

/// Checks that the pause held: the fenced run has failed, its pull request is closed, and a late request merges nothing.
async fn assert_fenced(stuck: Stuck) {
    let status = stuck.status();
    assert_eq!((&status["in_flight"], &status["runs"][0]["phase"]), (&serde_json::json!([]), &"failed".into()));
    let events = stuck.run(&["events", "--run", RUN]).expect(0, &["merge_fenced", "paused by op: looking"]);
    assert!(events.stdout.contains("failed") && events.stdout.contains("merge-fenced"), "{events:?}");
    let pulls = stuck.github.serving.handle().pulls().await;
    assert!(pulls.len() == 1 && !pulls[0].open && pulls[0].merged_as.is_none(), "{pulls:?}");
    let world = stuck.end().await;
    assert_eq!(git(&world.path("bare.git"), ["cat-file", "blob", "main:agent.txt"]), "first");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_still_merge_is_listed_and_reconciling_ends_the_wait() {
    let stuck = Stuck::after_the_merge().await;
    let ran = stuck.pause(&[]).expect(5, &[]);
    assert_eq!((ran.stdout, ran.stderr), (format!("{LISTED}\n{ADVICE}\n"), String::new()));
    let json = stuck.pause(&["--json"]).expect(5, &[]).json();
    assert_eq!((&json["outcome"], &json["paused"]), (&"paused".into(), &true.into()), "{json}");
    assert_eq!(
        (&json["nothing_can_merge"], &json["history"], &json["exit_code"]),
        (&false.into(), &().into(), &5.into())
    );
    assert_eq!((&json["in_flight"][0]["run"], &json["in_flight"][0]["repository"]), (&RUN.into(), &"o/agent".into()));

    let mut wait = Live::start(stuck.command(&["pause", "--reason", "r", "--by", "op", "--wait"]));
    wait.wait_for(LISTED);
    let mut in_json = Live::start(stuck.command(&["pause", "--reason", "r", "--by", "op", "--wait", "--json"]));
    Ran::of(&mut stuck.github(&["reconcile"])).expect(0, &["promoted: ", "run stuck, pull request 1"]);
    let landed = git(&stuck.github.bare, ["rev-parse", "main"]);
    let (code, seen) = wait.end();
    assert_eq!((code, seen), (Some(0), format!("{LISTED}\nrun stuck landed as {landed}\n{PAUSED}")));
    let json: serde_json::Value = serde_json::from_str(&in_json.wait_for("nothing_can_merge")).unwrap();
    assert_eq!((&json["nothing_can_merge"], &json["in_flight"]), (&true.into(), &serde_json::json!([])), "{json}");
    assert_eq!(in_json.end().0, Some(0));
    stuck.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fence_makes_sure_that_nothing_can_merge() {
    let stuck = Stuck::before_the_merge().await;
    let ran = Ran::of(&mut stuck.pause_with_target(&["--fence"])).expect(0, &[]);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    let detail = "  the merge was fenced off and cannot happen any more: paused by op: looking";
    assert_eq!(lines, [LISTED, "run stuck did not merge: merge-fenced", detail, PAUSED]);
    assert_fenced(stuck).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fence_on_postgres_answers_in_json() {
    let stuck = Stuck::before_the_merge_on_postgres().await;
    let ran = stuck.pause(&[]).expect(5, &[]);
    assert_eq!(ran.stdout, format!("{LISTED}\n{ADVICE}\n"));
    let json = Ran::of(&mut stuck.pause_with_target(&["--fence", "--json"])).expect(0, &[]).json();
    assert_eq!((&json["nothing_can_merge"], &json["exit_code"]), (&true.into(), &0.into()), "{json}");
    let ended = (&json["ended"][0]["outcome"], &json["ended"][0]["reason"], &json["ended"][0]["run"]);
    assert_eq!(ended, (&"not-merged".into(), &"merge-fenced".into(), &RUN.into()));
    assert_fenced(stuck).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fence_finds_what_has_landed() {
    let stuck = Stuck::after_the_merge().await;
    let landed = git(&stuck.github.bare, ["rev-parse", "main"]);
    let ran = Ran::of(&mut stuck.pause_with_target(&["--fence"])).expect(0, &[]);
    assert_eq!(ran.stdout, format!("{LISTED}\nrun stuck landed as {landed}\n{PAUSED}\n"));
    assert_eq!((stuck.github.on_main().as_str(), &stuck.status()["runs"][0]["phase"]), ("second", &"promoted".into()));
    stuck.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_fenced_is_paused_all_the_same() {
    let stuck = Stuck::before_the_merge().await;
    let agent = stuck.github.world.agent();
    let ran = stuck.pause(&["--fence", "--local", &agent]).expect(5, &[]);
    assert!(
        ran.stdout.contains(&format!("{LISTED}\n  it was not fenced off: it is of o/agent and its main")),
        "{ran:?}"
    );
    let ran = stuck.pause(&["--fence", "--local", "nowhere"]).expect(5, &["not fenced off", "there is no such folder"]);
    assert!(!ran.stdout.contains(PAUSED), "{ran:?}");
    let mut no_token = stuck.pause_with_target(&["--fence"]);
    Ran::of(no_token.env_remove("SELFEXT_GITHUB_TOKEN")).expect(5, &["not fenced off: no token for GitHub"]);
    assert_eq!(stuck.status()["control"]["state"], "paused");
    stuck.run(&["resume", "--by", "op"]).expect(0, &["run stuck was left with an open merge", "--github o/agent"]);

    let mut json = stuck.pause_with_target(&["--fence", "--json"]);
    let mut fence = stuck.pause_with_target(&["--fence"]);
    stuck
        .github
        .serving
        .handle()
        .add_fault(selfext_twin::Fault::on("*", "/**", selfext_twin::FaultKind::Drop).times(1000));
    let ran = Ran::of(&mut fence).expect(5, &["it was not fenced off: pull request 1 could not be fenced off"]);
    assert!(ran.stdout.ends_with(&format!("{ADVICE}\n")), "{ran:?}");
    let json = Ran::of(&mut json).expect(5, &[]).json();
    assert!(json["in_flight"][0]["not_fenced"].is_string(), "{json}");
    assert_eq!(stuck.status()["control"]["state"], "paused");
    stuck.end().await;
}

#[test]
fn a_fence_without_a_repository_pauses_nothing_and_says_so() {
    let world = World::new();
    let pause = ["pause", "--reason", "r", "--by", "op", "--fence"];
    world.run(pause).expect(2, &["--github <OWNER/NAME>|--local <PATH>", "nothing was paused"]);
    let json = world.run(pause.iter().chain(&["--json"])).expect(2, &[]).json();
    assert!(json["error"].as_str().unwrap().ends_with("nothing was paused"), "{json}");
    world.run(["pause", "--fenc"]).expect(2, &["nothing was paused"]);
    assert!(!world.ledger().exists());
}

#[test]
fn where_nothing_is_in_flight_neither_the_forge_nor_the_repository_is_asked() {
    let world = World::with_agent(RULES);
    let agent = world.agent();
    let lock = std::fs::File::create(world.path("agent/.git/selfext.lock")).unwrap();
    lock.lock().unwrap();
    for target in [["--local", &agent], ["--github", "o/agent"]] {
        let pause = ["pause", "--reason", "r", "--by", "op", "--fence", "--wait"];
        let ran = world.run(pause.iter().chain(&target)).expect(0, &[]);
        assert_eq!((ran.stdout, ran.stderr), (format!("{PAUSED}\n"), String::new()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pause_is_made_before_a_busy_repository_is_waited_for_and_an_interrupt_ends_that_well() {
    let stuck = Stuck::before_the_merge().await;
    let agent = stuck.github.world.agent();
    let lock = std::fs::File::create(stuck.github.world.path("agent/.git/selfext.lock")).unwrap();
    lock.lock().unwrap();
    let pause = ["pause", "--reason", "r", "--by", "op", "--fence", "--local", &agent];
    let mut fence = Live::start(stuck.command(&pause));
    fence.wait_for("waiting for another selfext");
    assert_eq!(stuck.status()["control"]["state"], "paused");
    fence.signal(Signal::INT);
    let (code, seen) = fence.end();
    assert_eq!(code, Some(5), "{seen}");
    assert!(seen.contains("interrupted; promotion stays paused") && !seen.contains(PAUSED), "{seen}");
    assert!(seen.contains(&format!("{LISTED}\n{ADVICE}")), "{seen}");
    stuck.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_never_says_that_nothing_can_merge_after_a_resume() {
    let stuck = Stuck::before_the_merge().await;
    let mut wait = Live::start(stuck.command(&["pause", "--reason", "r", "--by", "op", "--wait"]));
    wait.wait_for(LISTED);
    stuck.run(&["resume", "--by", "another"]).expect(0, &[]);
    let (code, seen) = wait.end();
    let resumed = "promotion was resumed meanwhile, so merges may happen; pause again to stop them";
    assert_eq!((code, seen), (Some(5), format!("{LISTED}\n{resumed}")));
    stuck.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_tells_what_settles_an_overdue_permit_or_settles_it() {
    let stuck = Stuck::before_the_merge().await;
    stuck.let_its_time_pass().await;
    let mut wait = Live::start(stuck.command(&["pause", "--reason", "r", "--by", "op", "--wait"]));
    wait.wait_for("run stuck: the time of its permit for pull request 1 was over at 2020-01-01 00:02:00Z");
    let ran = Ran::of(&mut stuck.pause_with_target(&["--wait"])).expect(0, &["did not merge: merge-fenced"]);
    assert!(ran.stdout.ends_with(&format!("{PAUSED}\n")), "{ran:?}");
    let (code, seen) = wait.end();
    assert_eq!((code, seen.lines().last()), (Some(0), Some(PAUSED)), "{seen}");
    stuck.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_takeover_reads_as_one() {
    let stuck = Stuck::before_the_merge().await;
    stuck.github.serving.handle().add_fault(selfext_twin::Fault::on(
        "PUT",
        "/repos/o/agent/pulls/*/merge",
        selfext_twin::FaultKind::Drop,
    ));
    Ran::of(&mut stuck.github(&["reconcile"])).expect(0, &["promoted: "]);
    stuck.run(&["events", "--run", RUN]).expect(0, &["pull request 1 at ", "merge of pull request 1 taken over by "]);
    stuck.end().await;
}
