//! Where a change comes from.

use std::os::unix::fs::{PermissionsExt as _, symlink};

use crate::world::{RULES, World};

fn make_executable(world: &World, name: &str) {
    std::fs::set_permissions(world.path(name), std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn mode(world: &World, path: &str) -> String {
    world.git(["ls-tree", "main", "--", path]).split(' ').next().unwrap().to_owned()
}

/// The difference of two states of the agent's worktree, as a patch; the worktree is as before afterwards.
fn patch_of(world: &World, change: impl FnOnce()) -> String {
    change();
    world.git(["add", "-A"]);
    let patch = world.git(["diff", "--cached", "--binary", "-M", "HEAD"]);
    world.git(["reset", "-q", "--hard"]);
    world.write("x.patch", format!("{patch}\n"))
}

#[test]
fn files_and_deletes_are_named() {
    let world = World::with_agent(RULES);
    let (text, binary) = (world.write("x", "second\n"), world.write("y", [0, 255, 10]));
    make_executable(&world, "y");
    let files = [format!("agent.txt={text}"), format!("bin/tool={binary}")];
    world.promote(["--file", &files[0], "--file", &files[1], "--delete", "old.txt"]).expect(0, &[]);
    assert_eq!(world.on_main("agent.txt").as_deref(), Some("second\n"));
    assert_eq!((mode(&world, "agent.txt"), mode(&world, "bin/tool")), ("100644".to_owned(), "100755".to_owned()));
    assert_eq!(std::fs::read(world.path("agent/bin/tool")).unwrap(), [0, 255, 10]);
    assert_eq!(world.on_main("old.txt"), None);
}

#[test]
fn a_delete_of_what_is_not_there_does_not_apply() {
    let world = World::with_agent(RULES);
    world.promote(["--delete", "nothing.txt"]).expect(1, &["failed: does-not-apply", "nothing.txt"]);
}

#[test]
fn a_patch_adds_changes_deletes_renames_and_sets_the_executable_bit() {
    let world = World::with_agent(RULES);
    world.write("agent/moved.txt", "1\n2\n3\n4\n5\n");
    world.commit("more");
    let patch = patch_of(&world, || {
        world.write("agent/agent.txt", "second\n");
        world.write("agent/sub/new.txt", "new\n");
        world.write("agent/blob", [0, 1, 2]);
        std::fs::remove_file(world.path("agent/old.txt")).unwrap();
        std::fs::rename(world.path("agent/moved.txt"), world.path("agent/there.txt")).unwrap();
        make_executable(&world, "agent/test.sh");
    });
    world.promote(["--patch", &patch]).expect(0, &["promoted: "]);
    assert_eq!(world.on_main("agent.txt").as_deref(), Some("second\n"));
    assert_eq!(world.on_main("sub/new.txt").as_deref(), Some("new\n"));
    assert_eq!(world.on_main("there.txt").as_deref(), Some("1\n2\n3\n4\n5\n"));
    assert_eq!((world.on_main("old.txt"), world.on_main("moved.txt")), (None, None));
    assert_eq!((mode(&world, "test.sh"), world.status()), ("100755".to_owned(), String::new()));
}

#[test]
fn a_patch_is_applied_whole_from_a_folder_inside_and_to_a_bare_repository() {
    let world = World::with_agent(RULES);
    let patch = patch_of(&world, || drop(world.write("agent/agent.txt", "second\n")));
    world.write("agent/sub/x.log", "");
    crate::world::git(&world.path("."), ["clone", "-q", "--bare", "agent", "bare.git"]);
    world.promote(["--patch", &patch, "--in", "agent/sub"]).expect(0, &["promoted: "]);
    let bare = ["promote", "--local", "bare.git", "--message", "m", "--patch", &patch];
    world.run(bare).expect(0, &["promoted: "]);
}

#[test]
fn a_patch_that_does_not_apply_is_refused_with_gits_words() {
    let world = World::with_agent(RULES);
    let patch = patch_of(&world, || drop(world.write("agent/agent.txt", "second\n")));
    world.write("agent/agent.txt", "other\n");
    world.commit("other");
    world.promote(["--patch", &patch]).expect(2, &["does not apply", "agent.txt"]);
    let odd = world.write("odd.patch", "nothing\n");
    world.promote(["--patch", &odd]).expect(2, &["does not apply", "No valid patches"]);
    let objects = world.git(["count-objects"]);
    assert!(!world.ledger().exists());
    world.promote(["--patch", &patch]).expect(2, &[]);
    assert_eq!(world.git(["count-objects"]), objects, "objects were left in the repository");
}

#[test]
fn a_worktree_gives_what_is_staged_unstaged_and_new_but_not_what_is_ignored() {
    let world = World::with_agent(RULES);
    world.write("agent/agent.txt", "second\n");
    world.git(["add", "agent.txt"]);
    world.write("agent/test.sh", "true\n");
    world.write("agent/sub/new.txt", "new\n");
    world.write("agent/x.log", "ignored\n");
    make_executable(&world, "agent/sub/new.txt");
    world.promote(["--worktree"]).expect(0, &["promoted: "]);
    assert_eq!(world.on_main("agent.txt").as_deref(), Some("second\n"));
    assert_eq!(world.on_main("test.sh").as_deref(), Some("true\n"));
    assert_eq!((world.on_main("sub/new.txt").as_deref(), world.on_main("x.log")), (Some("new\n"), None));
    assert_eq!((mode(&world, "sub/new.txt"), mode(&world, "test.sh")), ("100755".to_owned(), "100644".to_owned()));
}

#[test]
fn a_worktree_is_read_and_left_as_it_is() {
    let world = World::with_agent(RULES);
    world.write("agent/agent.txt", "staged\n");
    world.git(["add", "agent.txt"]);
    world.write("agent/agent.txt", "broken\n");
    world.write("agent/new.txt", "new\n");
    let (before, objects) = (world.status(), world.git(["count-objects"]));
    world.promote(["--worktree"]).expect(4, &[]);
    assert_eq!(world.status(), before);
    assert_eq!(world.git(["cat-file", "blob", ":agent.txt"]), "staged");
    assert_eq!(world.git(["count-objects"]), objects, "objects were left in the repository");
}

#[test]
fn a_worktree_gives_what_git_would_commit() {
    let world = World::with_agent(RULES);
    world.write("agent/.gitattributes", "*.win text eol=crlf\n");
    world.commit("attributes, which no change may touch");
    world.write("agent/a.win", "one\r\n");
    world.git(["rm", "-q", "--cached", "old.txt"]);
    world.promote(["--worktree"]).expect(0, &[]);
    assert_eq!(world.on_main("a.win").as_deref(), Some("one\n"), "git's filters were not heeded");
    assert_eq!(world.on_main("old.txt").as_deref(), Some("old\n"), "it is still in the worktree");
}

#[test]
fn what_is_no_regular_file_is_refused_with_words() {
    let world = World::with_agent(RULES);
    symlink("agent.txt", world.path("agent/link")).unwrap();
    world.promote(["--worktree"]).expect(2, &["link is a symbolic link", "regular files only"]);
    std::fs::remove_file(world.path("agent/link")).unwrap();
    crate::world::git(&world.path("agent"), ["init", "-q", "nested"]);
    crate::world::git(&world.path("agent/nested"), ["commit", "-q", "--allow-empty", "-m", "x"]);
    world.promote(["--worktree"]).expect(2, &["nested is a repository of its own"]);
    assert!(!world.ledger().exists());
}

#[test]
fn an_unfinished_merge_is_refused() {
    let world = World::with_agent(RULES);
    world.git(["checkout", "-q", "-b", "other"]);
    world.write("agent/agent.txt", "theirs\n");
    world.commit("theirs");
    world.git(["checkout", "-q", "main"]);
    world.write("agent/agent.txt", "ours\n");
    world.commit("ours");
    let mut merge = std::process::Command::new("git");
    merge.arg("-C").arg(world.path("agent")).args(["-c", "user.name=t", "-c", "user.email=t@t", "merge", "other"]);
    assert!(!merge.output().unwrap().status.success());
    world.promote(["--worktree"]).expect(2, &["agent.txt is in the middle of a merge"]);
}

#[test]
fn a_worktree_behind_the_base_cannot_undo_what_others_did_there() {
    let world = World::with_agent(RULES);
    world.git(["checkout", "-q", "-b", "mine"]);
    world.promote_text("theirs\n").expect(0, &[]);
    world.write("agent/agent.txt", "mine\n");
    world
        .promote(["--worktree"])
        .expect(2, &["agent.txt was changed on main", "undo", "bring the checkout up to main"]);
    world.git(["checkout", "-q", "agent.txt"]);
    world.write("agent/new.txt", "mine\n");
    world.promote(["--worktree"]).expect(0, &["promoted: "]);
    assert_eq!(world.on_main("agent.txt").as_deref(), Some("theirs\n"));
}

#[test]
fn json_from_standard_input_holds_text_bytes_and_deletes() {
    let world = World::with_agent(RULES);
    let json = r#"{"message": "Say why\n\nat length", "context": {"tool_name": "editor", "goal_id": "g-1"}, "files": [
        {"path": "agent.txt", "content": "second\n"}, {"path": "bytes", "content_base64": "AP8K", "executable": true},
        {"path": "old.txt", "delete": true}]}"#;
    let agent = world.agent();
    world.run_with_input(["promote", "--local", &agent, "--stdin"], json).expect(0, &["promoted: "]);
    assert_eq!(std::fs::read(world.path("agent/bytes")).unwrap(), [0, 255, 10]);
    assert_eq!((mode(&world, "bytes").as_str(), world.on_main("old.txt")), ("100755", None));
    let message = world.git(["log", "-1", "--format=%B", "main"]);
    assert!(message.starts_with("Say why") && message.contains("\"goal_id\":\"g-1\""), "{message}");
}

#[test]
fn json_that_is_not_as_documented_is_refused_with_the_place() {
    let world = World::with_agent(RULES);
    let agent = world.agent();
    for (json, word) in [
        ("", "not as documented"),
        (r#"{"message": "m", "files": []}"#, "missing field `context`"),
        (r#"{"message": "m", "context": {"tool_name": "t"}, "files": []}"#, "has no files"),
        (
            r#"{"message": "m", "context": {"tool_name": "t"}, "files": [{"path": "a"}]}"#,
            "needs exactly one of content",
        ),
        (
            r#"{"message": "m", "context": {"tool_name": "t"}, "files": [{"path": "a", "content_base64": "%"}]}"#,
            "base64",
        ),
        (
            r#"{"message": " ", "context": {"tool_name": "t"}, "files": [{"path": "a", "content": ""}]}"#,
            "message is empty",
        ),
    ] {
        world.run_with_input(["promote", "--local", &agent, "--stdin"], json).expect(2, &[word]);
    }
    assert!(!world.ledger().exists());
}

#[test]
fn nothing_changed_is_said_so() {
    let world = World::with_agent(RULES);
    world.promote(["--worktree"]).expect(2, &["has no uncommitted changes"]);
    world.promote([]).expect(2, &["has no files"]);
    world.promote(["--in", "agent"]).expect(2, &["--patch and --worktree"]);
    let from = world.write("x", "x\n");
    let twice = format!("a={from}");
    world.promote(["--file", &twice, "--file", &twice]).expect(2, &["a is named twice"]);
    assert!(!world.ledger().exists());
}
