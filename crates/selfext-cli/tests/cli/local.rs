//! Promoting to a repository on this machine.

use crate::world::{RULES, RULES_WITH_CI, World, git};

#[test]
fn a_good_change_is_on_main_afterwards() {
    let world = World::with_agent(RULES);
    let ran = world.promote_text("second\n").expect(0, &["promoted: ", "verifying on", "test passed", "landed as"]);
    assert_eq!(world.on_main("agent.txt").as_deref(), Some("second\n"));
    assert!(ran.stdout.starts_with(&format!("promoted: {}", world.tip())), "{ran:?}");
    assert_eq!(world.git(["for-each-ref", "refs/heads/selfext"]), "", "the branch is still there");
}

#[test]
fn a_bare_repository_is_promoted_to() {
    let world = World::with_agent(RULES);
    git(&world.path("."), ["clone", "-q", "--bare", "agent", "bare.git"]);
    let from = world.write("x", "second\n");
    let file = format!("agent.txt={from}");
    world.run(["promote", "--local", "bare.git", "--message", "m", "--file", &file]).expect(0, &["promoted: "]);
    assert_eq!(git(&world.path("bare.git"), ["cat-file", "blob", "main:agent.txt"]), "second");
}

#[test]
fn another_base_branch_is_promoted_to_by_its_own_rules() {
    let world = World::with_agent(RULES);
    world.git(["branch", "release/1.x"]);
    let from = world.write("x", "second\n");
    let before = world.tip();
    world.promote(["--base", "release/1.x", "--file", &format!("agent.txt={from}")]).expect(0, &["promoted: "]);
    assert_eq!(world.git(["cat-file", "blob", "release/1.x:agent.txt"]), "second");
    assert_eq!(world.tip(), before);
}

#[test]
fn a_pause_and_a_protected_path_block() {
    let world = World::with_agent(RULES);
    world.run(["pause", "--reason", "looking", "--by", "op"]).expect(0, &[]);
    let paused = world.promote_text("second\n").expect(3, &["blocked: promotion-paused", "looking", "selfext resume"]);
    world.run(["resume", "--by", "op"]).expect(0, &[]);
    assert_eq!(world.promote_text("second\n").expect(0, &["goes on"]).run_id(), paused.run_id());
    let from = world.write("x", "x\n");
    for path in ["infra/x", "selfext.toml", ".github/workflows/x.yml"] {
        let ran = world.promote(["--file", &format!("{path}={from}")]);
        ran.expect(3, &["blocked: protected-path", path, "selfext abandon ", "--by NAME --local /"]);
    }
}

#[test]
fn a_failing_stage_ends_the_run_and_shows_the_end_of_its_output() {
    let world = World::with_agent(RULES);
    let before = world.tip();
    let first =
        world.promote_text("broken\n").expect(4, &["verification failed", "  | the agent is broken", "new run"]);
    assert_eq!(world.tip(), before);
    let second = world.promote_text("broken\n").expect(4, &["begins"]);
    assert_ne!(first.run_id(), second.run_id(), "a run that is over must not go on");
}

#[test]
fn a_context_that_nobody_reports_blocks_and_it_is_said_where_to_report_it() {
    let world = World::with_agent(RULES_WITH_CI);
    let waiting = RULES_WITH_CI.replace("wait_seconds = 0", "wait_seconds = 1");
    world.write("agent/selfext.toml", waiting);
    world.commit("rules");
    let blocked = world.promote_text("second\n");
    let blocked =
        blocked.expect(3, &["blocked: checks-pending", "ci is missing", "waiting for ci", "/statuses/COMMIT"]);
    let agent = world.agent();
    world.run(["reconcile", "--local", &agent]).expect(0, &["has no merge under way", &blocked.run_id()]);
}

#[test]
fn promoting_again_reports_the_run() {
    let world = World::with_agent(RULES);
    let first = world.promote_text("second\n").expect(0, &[]);
    let again = world.promote_text("second\n").expect(0, &["was already promoted"]);
    assert_eq!(first.run_id(), again.run_id());
}

#[test]
fn content_that_main_has_is_nothing_to_change() {
    let world = World::with_agent(RULES);
    world.promote_text("first\n").expect(1, &["failed: nothing-to-change", "already holds exactly this content"]);
}

#[test]
fn a_run_id_of_the_callers_names_one_change() {
    let world = World::with_agent(RULES);
    let (second, third) = (world.write("b", "second\n"), world.write("c", "third\n"));
    let second = format!("agent.txt={second}");
    let ran = world.promote(["--run", "cycle-7", "--file", &second]).expect(0, &["run cycle-7 begins"]);
    assert_eq!(ran.run_id(), "cycle-7");
    world.promote(["--run", "cycle-7", "--file", &second]).expect(0, &["was already promoted"]);
    let taken = world.promote(["--run", "cycle-7", "--file", &format!("agent.txt={third}")]);
    taken.expect(2, &["the run cycle-7 is of another change set"]);
}

#[test]
fn json_is_one_document_with_outcome_and_exit_code_and_progress_is_elsewhere() {
    let world = World::with_agent(RULES);
    let promote = |text: &str| {
        let from = world.write("x", text);
        let ran = world.promote(["--json", "--file", &format!("agent.txt={from}")]);
        assert_eq!(Some(ran.json()["exit_code"].as_i64().unwrap()), ran.code.map(i64::from));
        (ran.json()["outcome"].as_str().unwrap().to_owned(), ran)
    };
    let (outcome, ran) = promote("second\n");
    assert_eq!((outcome.as_str(), ran.code), ("promoted", Some(0)));
    assert_eq!(ran.json()["commit"], world.tip());
    assert!(ran.stderr.contains("verifying on"), "{ran:?}");
    let (outcome, ran) = promote("broken\n");
    assert_eq!((outcome.as_str(), ran.code), ("verification-failed", Some(4)));
    assert!(ran.json()["stages"][0]["output"].as_str().unwrap().contains("the agent is broken"));
    world.run(["pause", "--reason", "r", "--by", "op"]).expect(0, &[]);
    let (outcome, ran) = promote("third\n");
    assert_eq!((outcome.as_str(), ran.code), ("blocked", Some(3)));
    assert_eq!(ran.json()["reason"], "promotion-paused");
    let ran = world.promote(["--json", "--delete", "../x"]);
    assert_eq!((ran.json()["outcome"].as_str(), ran.json()["exit_code"].as_i64()), (Some("error"), Some(2)));
}

#[test]
fn what_is_no_repository_to_promote_to_is_said_in_plain_words() {
    let world = World::with_agent(RULES);
    std::fs::create_dir(world.path("plain")).unwrap();
    git(&world.path("."), ["init", "-q", "-b", "main", "empty"]);
    let from = world.write("x", "x\n");
    let file = format!("a={from}");
    let promote = |args: &[&str]| world.run(["promote", "--message", "m", "--file", &file].iter().chain(args));
    promote(&["--local", "nowhere"]).expect(2, &["there is no such folder"]);
    promote(&["--local", "plain"]).expect(2, &["is no git repository"]);
    promote(&["--local", "empty"]).expect(2, &["has no commits yet", "selfext init", "first commit on main"]);
    promote(&["--local", "agent", "--base", "dev"]).expect(2, &["no branch dev", "--base", "it has main"]);
    assert!(!world.ledger().exists());
}

#[test]
fn an_address_of_an_api_in_the_environment_is_no_concern_of_a_local_repository() {
    let world = World::with_agent(RULES);
    let from = world.write("x", "second\n");
    let (agent, file) = (world.agent(), format!("agent.txt={from}"));
    let mut command = world.command(["promote", "--local", &agent, "--message", "m", "--file", &file]);
    crate::world::Ran::of(command.env("SELFEXT_GITHUB_URL", "https://ghe.example/api/v3")).expect(0, &["promoted"]);
}
