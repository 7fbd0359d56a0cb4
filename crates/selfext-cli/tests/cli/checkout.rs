//! A checkout of the base branch, while that moves under it.

use crate::world::{RULES, World, git};

fn read(world: &World, path: &str) -> String {
    std::fs::read_to_string(world.path("agent").join(path)).unwrap()
}

#[test]
fn a_clean_checkout_follows() {
    let world = World::with_agent(RULES);
    let from = world.write("x", "new\n");
    world.promote(["--file", &format!("sub/new.txt={from}"), "--delete", "old.txt"]).expect(0, &[]);
    assert_eq!((read(&world, "sub/new.txt").as_str(), world.status().as_str()), ("new\n", ""));
    assert!(!world.path("agent/old.txt").exists());
}

#[test]
fn unrelated_changes_stay_and_the_rest_follows() {
    let world = World::with_agent(RULES);
    world.write("agent/old.txt", "mine\n");
    world.write("agent/mine.txt", "mine\n");
    let ran = world.promote_text("second\n").expect(0, &[]);
    assert!(!ran.stderr.contains("in the way"), "{ran:?}");
    assert_eq!((read(&world, "agent.txt").as_str(), read(&world, "old.txt").as_str()), ("second\n", "mine\n"));
    assert_eq!(world.status(), " M old.txt\n?? mine.txt");
}

#[test]
fn changes_in_the_way_stay_as_they_are_and_it_is_said() {
    let world = World::with_agent(RULES);
    world.write("agent/agent.txt", "mine\n");
    let ran =
        world.promote_text("second\n").expect(0, &["promoted: ", "changes of its own in the way", "left as they are"]);
    assert!(ran.stderr.contains("agent.txt") && ran.stderr.contains("git restore"), "{ran:?}");
    assert_eq!(
        (read(&world, "agent.txt").as_str(), world.on_main("agent.txt").as_deref()),
        ("mine\n", Some("second\n"))
    );
}

#[test]
fn an_untracked_file_in_the_way_stays_as_it_is() {
    let world = World::with_agent(RULES);
    world.write("agent/new.txt", "mine\n");
    let from = world.write("x", "theirs\n");
    world.promote(["--file", &format!("new.txt={from}")]).expect(0, &["in the way", "new.txt"]);
    assert_eq!(read(&world, "new.txt"), "mine\n");
}

#[test]
fn the_advice_brings_the_files_to_what_landed() {
    let world = World::with_agent(RULES);
    world.write("agent/agent.txt", "mine\n");
    let from = world.write("x", "second\n");
    world.promote(["--file", &format!("agent.txt={from}"), "--file", &format!("b.txt={from}")]).expect(0, &["b.txt"]);
    world.git(["restore", "--source=HEAD", "--staged", "--worktree", "agent.txt", "b.txt"]);
    assert_eq!((read(&world, "agent.txt").as_str(), world.status().as_str()), ("second\n", ""));
}

#[test]
fn the_worktree_whose_changes_were_promoted_is_clean_afterwards() {
    let world = World::with_agent(RULES);
    world.write("agent/agent.txt", "second\n");
    world.write("agent/new.txt", "new\n");
    std::fs::remove_file(world.path("agent/old.txt")).unwrap();
    let ran = world.promote(["--worktree"]).expect(0, &["promoted: "]);
    assert!(!ran.stderr.contains("in the way"), "{ran:?}");
    assert_eq!(world.status(), "");
    assert_eq!(world.on_main("new.txt").as_deref(), Some("new\n"));
}

#[test]
fn a_linked_worktree_of_the_base_follows_too() {
    let world = World::with_agent(RULES);
    world.git(["checkout", "-q", "--detach"]);
    world.git(["worktree", "add", "-q", "../linked", "main"]);
    let from = world.write("x", "second\n");
    let file = format!("agent.txt={from}");
    let ran = world.run(["promote", "--local", "linked", "--message", "m", "--file", &file]).expect(0, &[]);
    assert_eq!(std::fs::read_to_string(world.path("linked/agent.txt")).unwrap(), "second\n");
    assert_eq!(
        (git(&world.path("linked"), ["status", "--porcelain"]), read(&world, "agent.txt")),
        (String::new(), "first\n".to_owned())
    );
    // By whichever path: it is one repository.
    let again = world.promote(["--file", &file]).expect(0, &["was already promoted"]);
    assert_eq!(again.run_id(), ran.run_id());
}

#[test]
fn another_branch_that_is_checked_out_is_left_alone() {
    let world = World::with_agent(RULES);
    world.git(["checkout", "-q", "-b", "mine"]);
    world.promote_text("second\n").expect(0, &[]);
    assert_eq!((read(&world, "agent.txt").as_str(), world.status().as_str()), ("first\n", ""));
}
