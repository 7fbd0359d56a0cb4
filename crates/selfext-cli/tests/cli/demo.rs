//! The demo.

use crate::world::World;

#[test]
fn the_demo_holds_and_leaves_nothing_behind() {
    let world = World::new();
    let temporary = world.path("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let mut command = world.command(["demo", "--json"]);
    let ran = crate::world::Ran::of(command.env("TMPDIR", &temporary)).expect(0, &[]);
    let answer = ran.json();
    assert_eq!((&answer["held"], &answer["exit_code"]), (&true.into(), &0.into()));
    assert_eq!(answer["scenes"].as_array().map(Vec::len), Some(5));
    assert_eq!(std::fs::read_dir(temporary).unwrap().count(), 0);
    assert!(!world.ledger().exists(), "the demo wrote to the person's own ledger");
}

#[test]
fn the_demo_tells_what_it_shows_and_how_to_go_on() {
    let ran = World::new()
        .run(["demo"])
        .expect(0, &["A good change", "status-gate", "promotion_pause_changed", "health_window_failed", "rolled_back"]);
    assert_eq!(ran.stdout.lines().filter(|line| line.starts_with("ok  ")).count(), 5, "{ran:?}");
    assert!(ran.stdout.contains("selfext promote --local . "), "{ran:?}");
}

#[test]
fn the_demo_does_not_depend_on_how_the_persons_git_is_set_up() {
    let world = World::new();
    let settings = "[init]\n defaultBranch = trunk\n defaultObjectFormat = sha256\n[core]\n autocrlf = true\n hooksPath = /nowhere\n\
                    [commit]\n gpgSign = true\n[safe]\n bareRepository = explicit\n";
    world.write("home/.gitconfig", settings);
    let mut command = world.command(["demo", "--json"]);
    let ran = crate::world::Ran::of(command.env("GIT_DIR", "/nowhere")).expect(0, &[]);
    assert_eq!(ran.json()["held"], true);
}
