//! Ending runs, and settling them.

use crate::world::{RULES, RULES_WITH_CI, World};

#[test]
fn an_abandoned_runs_branch_is_gone() {
    let world = World::with_agent(RULES_WITH_CI);
    let agent = world.agent();
    let run = world.promote_text("second\n").expect(3, &["checks-pending"]).run_id();
    assert_ne!(world.git(["for-each-ref", "refs/heads/selfext"]), "");
    world.run(["status"]).expect(0, &["blocked", &format!("`selfext abandon {run} --by NAME --local PATH`")]);
    let ran = world.run(["abandon", &run, "--by", "op", "--reason", "not wanted", "--local", &agent]);
    ran.expect(0, &["abandoned", &run]);
    assert_eq!(world.git(["for-each-ref", "refs/heads/selfext"]), "");
    world.run(["events", "--run", &run]).expect(0, &["run_abandoned", "by op: not wanted"]);
    let again = world.run(["abandon", &run, "--by", "op", "--local", &agent, "--json"]).expect(0, &[]);
    assert_eq!((&again.json()["outcome"], &again.json()["exit_code"]), (&"abandoned".into(), &0.into()));
    world.promote_text("second\n").expect(3, &["begins"]);
}

#[test]
fn what_landed_cannot_be_abandoned() {
    let world = World::with_agent(RULES);
    let agent = world.agent();
    let run = world.promote_text("second\n").expect(0, &[]).run_id();
    world.run(["abandon", &run, "--by", "op", "--local", &agent]).expect(1, &["was already promoted"]);
}

#[test]
fn a_run_that_is_not_there_cannot_be_abandoned() {
    let world = World::with_agent(RULES);
    let agent = world.agent();
    world.run(["abandon", "nobody", "--by", "op", "--local", &agent]).expect(2, &["there is no run nobody"]);
    world.run(["abandon", "nobody", "--by", "op"]).expect(2, &["--github <OWNER/NAME>|--local <PATH>"]);
}

#[test]
fn with_nothing_to_reconcile_that_is_said() {
    let world = World::with_agent(RULES);
    let agent = world.agent();
    world.run(["reconcile", "--local", &agent]).expect(0, &["nothing to reconcile"]);
    world.promote_text("second\n").expect(0, &[]);
    let ran = world.run(["reconcile", "--local", &agent, "--json"]).expect(0, &[]);
    assert_eq!(ran.json(), serde_json::json!({"outcome": "reconciled", "runs": [], "exit_code": 0}));
}
