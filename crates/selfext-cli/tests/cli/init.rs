//! Writing a rules file, and promoting without one.

use crate::world::{RULES, World};

#[test]
fn a_rules_file_is_written_for_each_kind_of_project() {
    for (file, kind, stage) in [
        ("Cargo.toml", "Rust", "cargo"),
        ("package.json", "Node", "npm"),
        ("pyproject.toml", "Python", "unittest"),
        ("requirements.txt", "Python", "unittest"),
        ("go.mod", "Go", "\"go\", \"test\""),
        ("Makefile", "make", "make"),
        ("README", "unknown", "exit 1"),
    ] {
        let world = World::new();
        world.write(&format!("project/{file}"), "");
        let ran = world.run(["init", "project", "--json"]).expect(0, &[]);
        assert_eq!((&ran.json()["project"], &ran.json()["exit_code"]), (&kind.into(), &0.into()));
        let rules = std::fs::read_to_string(world.path("project/selfext.toml")).unwrap();
        assert!(rules.contains(stage) && rules.starts_with('#'), "{rules}");
    }
}

#[test]
fn what_is_there_is_left_as_it_is() {
    let world = World::with_agent(RULES);
    world.run(["init", "agent"]).expect(2, &["is there already and was left as it is"]);
    assert_eq!(world.on_main("selfext.toml").as_deref(), Some(RULES));
}

#[test]
fn the_rules_belong_to_the_top_of_a_repository() {
    let world = World::with_agent(RULES);
    world.write("agent/src/x", "");
    world.run(["init", "agent/src"]).expect(2, &["is inside of the repository", "selfext init /"]);
    world.run(["init", "nowhere"]).expect(2, &["is no folder"]);
}

#[test]
fn without_rules_on_the_base_a_promotion_is_blocked_and_told_how_to_mend() {
    let world = World::with_agent(RULES);
    world.git(["rm", "-q", "--cached", "selfext.toml"]);
    world.git(["commit", "-q", "-m", "no rules"]);
    let blocked =
        world.promote_text("second\n").expect(3, &["blocked: rules-missing", "`selfext init`", "base branch"]);
    world.commit("rules");
    let promoted = world.promote_text("second\n").expect(0, &["promoted: "]);
    assert_eq!(promoted.run_id(), blocked.run_id());
}

#[test]
fn rules_that_are_wrong_block_with_what_is_wrong() {
    let world = World::with_agent("version = 1\n[gates]\n");
    world.promote_text("second\n").expect(3, &["blocked: rules-invalid", "gates", "Mend it on the base branch"]);
}
