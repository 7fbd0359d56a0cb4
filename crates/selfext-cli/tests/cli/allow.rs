//! Allowing one change set to touch protected paths.

use crate::world::{RULES, RULES_WITH_CI, Ran, World};

/// Promotes a change of the protected folder.
fn promote_infra(world: &World, text: &str) -> Ran {
    let from = world.write("infra-file", text);
    world.promote(["--file", &format!("infra/x={from}")])
}

#[test]
fn an_allowed_run_goes_on_when_the_same_change_is_promoted_again() {
    let world = World::with_agent(RULES);
    let blocked = promote_infra(&world, "one\n");
    let run = blocked.expect(3, &["blocked: protected-path", "infra/x"]).run_id();
    let command = format!("`selfext allow {run} --by NAME`");
    promote_infra(&world, "one\n")
        .expect(3, &[&format!("next: {command}, then promote the same change again; or end")]);
    world.run(["status"]).expect(0, &[&format!("next: {command} lets it touch them")]);
    let looked = world.run(["allow", &run, "--look"]).expect(0, &["is blocked", "\n  infra/x\nfingerprint ", &command]);
    let before = world.run(["events", "--run", &run]).stdout;
    assert_eq!(before.lines().count(), 3, "looking was recorded: {before}");
    let allowed = world.run(["allow", &run, "--by", "op", "--reason", "asked for"]);
    let allowed =
        allowed.expect(0, &["allowed, for this run and this content alone\nnext: promote the same change again"]);
    let fingerprint = |ran: &Ran| ran.stdout.lines().find(|line| line.starts_with("fingerprint ")).map(str::to_owned);
    assert_eq!((fingerprint(&allowed), fingerprint(&looked).map(|line| line.len())), (fingerprint(&looked), Some(76)));
    world.run(["events", "--run", &run]).expect(0, &["change_allowed", "by op: asked for to touch infra/x"]);
    world.run(["status"]).expect(0, &["next: promote the same change again, or end it"]);
    let promoted = promote_infra(&world, "one\n").expect(0, &["promoted: "]);
    assert_eq!((promoted.run_id(), world.on_main("infra/x").as_deref()), (run, Some("one\n")));
}

#[test]
fn an_allowance_is_of_one_run_and_one_content() {
    let world = World::with_agent(RULES);
    let agent = world.agent();
    let run = promote_infra(&world, "one\n").run_id();
    world.run(["allow", &run, "--by", "op"]).expect(0, &[]);
    promote_infra(&world, "two\n").expect(3, &["blocked: protected-path"]);
    world.run(["abandon", &run, "--by", "op", "--local", &agent]).expect(0, &[]);
    let later = promote_infra(&world, "one\n").expect(3, &["blocked: protected-path"]);
    assert_ne!(later.run_id(), run);
    world.run(["allow", &run, "--by", "op"]).expect(1, &[&format!("the run {run} is abandoned, and what is over")]);
}

#[test]
fn what_the_base_protects_later_is_not_covered_by_what_was_allowed_before() {
    let world = World::with_agent(RULES);
    let from = world.write("x", "one\n");
    let (infra, deploy) = (format!("infra/x={from}"), format!("deploy/x={from}"));
    let promote = || world.promote(["--file", &infra, "--file", &deploy]);
    let run = promote().run_id();
    world.run(["allow", &run, "--by", "op"]).expect(0, &["\n  infra/x\nfingerprint"]);
    world.write("agent/selfext.toml", RULES.replace("\"infra/**\"", "\"infra/**\", \"deploy/**\""));
    world.commit("protect more");
    let blocked = promote().expect(3, &["protected paths that were not allowed with the others: deploy/x"]);
    assert_eq!(blocked.run_id(), run);
    world.run(["allow", &run, "--by", "op"]).expect(0, &["protected paths:\n  deploy/x\nfingerprint"]);
    promote().expect(0, &["promoted: "]);
}

#[test]
fn allowing_twice_is_recorded_once_and_answered_in_json() {
    let world = World::with_agent(RULES);
    let run = promote_infra(&world, "one\n").run_id();
    let allow = |args: &[&str]| world.run(["allow", &run, "--json"].iter().chain(args)).expect(0, &[]).json();
    let looked = allow(&["--look"]);
    assert_eq!(
        (&looked["outcome"], &looked["already"], &looked["event"]),
        (&"allowable".into(), &false.into(), &().into())
    );
    let first = allow(&["--by", "op"]);
    assert_eq!(
        (&first["outcome"], &first["already"], &first["exit_code"]),
        (&"allowed".into(), &false.into(), &0.into())
    );
    assert_eq!((&first["run"], &first["paths"]), (&run.as_str().into(), &serde_json::json!(["infra/x"])));
    let recorded = &first["event"]["content"];
    assert_eq!(recorded["event_type"], "change_allowed");
    assert_eq!(
        (&recorded["payload"]["by"], &recorded["payload"]["fingerprint"]),
        (&"op".into(), &first["fingerprint"])
    );
    let second = allow(&["--by", "another"]);
    assert_eq!((&second["already"], &second["event"]), (&true.into(), &().into()));
    world.run(["allow", &run, "--by", "op"]).expect(0, &["already allowed, for this run"]);
    assert_eq!(world.run(["events", "--run", &run]).stdout.matches("change_allowed").count(), 1);
}

#[test]
fn a_run_that_no_protected_path_blocks_is_refused_with_what_to_do() {
    let world = World::with_agent(RULES_WITH_CI);
    let pending = world.promote_text("second\n").expect(3, &["checks-pending"]).run_id();
    world.run(["allow", &pending, "--by", "op"]).expect(1, &["is blocked by checks-pending, not by protected-path"]);
    world.run(["allow", "nobody", "--by", "op"]).expect(2, &["there is no run nobody; `selfext status` lists"]);
    world.run(["allow", &pending]).expect(2, &["--by <NAME>"]);
    world.run(["allow", &pending, "--by", "op", "--look"]).expect(2, &["cannot be used with"]);
    let error = world.run(["allow", &pending, "--by", "op", "--json"]).expect(1, &[]).json();
    assert_eq!((&error["outcome"], &error["exit_code"]), (&"error".into(), &1.into()));
    assert!(!world.run(["events"]).stdout.contains("change_allowed"));
    let landed = World::with_agent(RULES);
    let run = landed.promote_text("second\n").expect(0, &[]).run_id();
    landed.run(["allow", &run, "--by", "op"]).expect(1, &["is promoted, and what is over cannot be allowed"]);
}
