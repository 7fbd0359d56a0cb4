//! Odd inputs and readers that go away.

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::process::Stdio;

use crate::world::{RULES, Ran, World};

#[test]
fn files_that_cannot_be_read_are_named() {
    let world = World::with_agent(RULES);
    let folder = world.agent();
    world.promote(["--file", "a=nowhere"]).expect(2, &["nowhere could not be read"]);
    world.promote(["--file", &format!("a={folder}")]).expect(2, &["Is a directory"]);
    world.promote(["--patch", &folder]).expect(2, &["Is a directory"]);
    world.promote(["--patch", "nowhere"]).expect(2, &["nowhere could not be read"]);
    world.promote(["--file", "a"]).expect(2, &["PATH=FROM"]);
    world.promote(["--worktree", "--in", "nowhere"]).expect(2, &["nowhere is no folder"]);
    world.promote(["--worktree", "--in", "home"]).expect(2, &["home is no git repository"]);
    assert!(!world.ledger().exists());
}

#[test]
fn odd_words_are_refused() {
    let world = World::with_agent(RULES);
    let odd = OsStr::from_bytes(b"a\xff=x");
    world.run([OsStr::new("promote"), OsStr::new("--file"), odd]).expect(2, &["invalid UTF-8"]);
    world
        .run([OsStr::new("promote"), OsStr::new("--local"), odd, OsStr::new("--message"), OsStr::new("m")])
        .expect(2, &[]);
    let from = world.write("x", "x\n");
    let (agent, file) = (world.agent(), format!("a={from}"));
    let message = |text: &str| world.run(["promote", "--local", &agent, "--file", &file, "--message", text]);
    message("").expect(2, &["the message is empty"]);
    message(&"x".repeat(70_000)).expect(2, &["longer than 65,536 bytes"]);
    world.promote(["--file", &file, "--tool", ""]).expect(2, &["tool name"]);
    world.promote(["--file", &file, "--run", "a\u{202e}b"]).expect(2, &["run id"]);
    world.promote(["--file", &file, "--base", "a..b"]).expect(2, &["branch"]);
    world.promote(["--file", &file, "--github", "o/agent"]).expect(2, &["cannot be used with"]);
    world.promote(["--file", &file, "--github-url", "https://ghe.example"]).expect(2, &["cannot be used with"]);
    world.run(["status", "--limit", "0"]).expect(2, &["1..=1000"]);
    world.run(std::iter::empty::<&str>()).expect(2, &["Usage"]);
    assert!(!world.ledger().exists());
}

#[test]
fn a_wrong_command_line_is_answered_in_json_where_that_is_asked_for() {
    let world = World::new();
    let ran = world.run(["pause", "--json"]).expect(2, &[]);
    assert_eq!((&ran.json()["exit_code"], &ran.json()["outcome"]), (&2.into(), &"error".into()));
    assert!(ran.json()["error"].as_str().unwrap().contains("--reason <TEXT>"));
}

#[test]
fn a_message_cannot_play_tricks_on_the_terminal() {
    let world = World::with_agent(RULES);
    let (agent, from) = (world.agent(), world.write("x", "broken \u{1b}[31m red\n"));
    let file = format!("agent.txt={from}");
    let message = "\u{1b}]0;owned\u{7} \u{202e}txet";
    world.run(["promote", "--local", &agent, "--message", message, "--file", &file]).expect(4, &[]);
    for args in [["events"], ["status"]] {
        let ran = world.run(args).expect(0, &[]);
        assert!(!ran.stdout.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{ran:?}");
    }
}

#[test]
fn a_reader_that_has_gone_is_no_reason_to_panic_or_to_stop_half_way() {
    let world = World::with_agent(RULES);
    let closed = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        writer
    };
    world.run(["pause", "--reason", "r", "--by", "op"]).expect(0, &[]);
    for args in
        [&["events"][..], &["status"], &["status", "--json"], &["--help"], &["resume", "--by", "op"], &["nonsense"]]
    {
        let mut command = world.command(args);
        let code = command.stdout(closed()).stderr(closed()).status().unwrap().code();
        assert_eq!(code, Some(if args == ["nonsense"] { 2 } else { 0 }), "{args:?}");
    }
    let (agent, from) = (world.agent(), world.write("x", "second\n"));
    let file = format!("agent.txt={from}");
    let mut command = world.command(["promote", "--local", &agent, "--message", "m", "--file", &file]);
    command.env("SELFEXT_LOG", "trace");
    assert_eq!(command.stdout(closed()).stderr(closed()).status().unwrap().code(), Some(0));
    assert_eq!(world.on_main("agent.txt").as_deref(), Some("second\n"));
}

#[test]
fn the_first_line_of_many_events_can_be_had_alone() {
    let world = World::new();
    for _ in 0..3 {
        world.run(["pause", "--reason", "r", "--by", "op"]).expect(0, &[]);
    }
    let mut events = world.command(["events"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut head = std::process::Command::new("head");
    let head = head.args(["-n", "1"]).stdin(events.stdout.take().unwrap()).output().unwrap();
    assert_eq!(String::from_utf8(head.stdout).unwrap().lines().count(), 1);
    Ran::from(events.wait_with_output().unwrap()).expect(0, &[]);
}

#[test]
fn an_output_that_is_full_is_told_once() {
    let world = World::new();
    let Ok(full) = File::options().write(true).open("/dev/full") else { return };
    let mut command = world.command(["status"]);
    let output = command.stdout(full).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.matches("standard output could not be written").count(), 1, "{said}");
}

#[test]
fn help_tells_the_exit_codes_and_every_option() {
    let world = World::new();
    world.run(["--help"]).expect(0, &["Exit codes:", "5  in doubt", "demo"]);
    world.run(["promote", "--help"]).expect(0, &["Examples:", "--worktree", "SELFEXT_GITHUB_TOKEN", "content_base64"]);
    world.run(["--version"]).expect(0, &["selfext 0."]);
}
