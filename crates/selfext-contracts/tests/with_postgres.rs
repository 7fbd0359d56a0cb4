//! The program that runs a command under a test server.

#![expect(clippy::unwrap_used, reason = "a test stops where something fails that it stands on")]

use std::{
    io::{BufRead, BufReader},
    process::{Command, Output, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use selfext_contracts::TEST_DATABASE_URL;

/// The program, told to use the server that these tests run on themselves.
fn with_postgres() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_with-postgres"));
    command.env("SELFEXT_TEST_POSTGRES", "url");
    command
}

fn run(command: &mut Command) -> (Output, String) {
    let output = command.output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    (output, words)
}

#[test]
fn the_command_gets_the_url_and_its_exit_code_is_passed_on() {
    let (output, words) = run(with_postgres().args(["sh", "-c", "echo \"url: $SELFEXT_TEST_DATABASE_URL\"; exit 7"]));
    assert_eq!(output.status.code(), Some(7), "{words}");
    let lines: Vec<String> = output.stdout.lines().map(Result::unwrap).collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("the tests run on PostgreSQL "), "{lines:?}");
    assert!(lines[1].starts_with("url: postgres"), "{lines:?}");
}

#[test]
fn the_line_that_names_the_server_holds_neither_user_nor_password() {
    let (output, _) = run(with_postgres().arg("true"));
    let line = String::from_utf8(output.stdout).unwrap();
    assert!(!line.contains('@'), "{line}");
}

#[test]
fn a_command_that_a_signal_ended_gives_a_shells_exit_code() {
    let (output, words) = run(with_postgres().args(["sh", "-c", "kill -KILL $$"]));
    assert_eq!(output.status.code(), Some(137), "{words}");
}

#[test]
fn nothing_is_skipped_where_there_is_no_server() {
    let (output, words) = run(with_postgres().env_remove(TEST_DATABASE_URL).arg("true"));
    assert_eq!(output.status.code(), Some(1));
    assert!(words.contains("SELFEXT_TEST_DATABASE_URL is not set"), "{words}");

    let nowhere = "postgres://postgres:secret@127.0.0.1:1/postgres";
    let (output, words) = run(with_postgres().env(TEST_DATABASE_URL, nowhere).arg("true"));
    assert_eq!(output.status.code(), Some(1));
    assert!(words.contains("127.0.0.1"), "{words}");
    assert!(!words.contains("secret"), "{words}");
}

#[test]
fn an_unknown_way_to_a_server_is_refused_by_name() {
    let (output, words) = run(with_postgres().env("SELFEXT_TEST_POSTGRES", "clsuter").arg("true"));
    assert_eq!(output.status.code(), Some(1));
    assert!(words.contains("`clsuter`"), "{words}");
}

#[test]
fn a_signal_reaches_all_that_the_command_started() {
    // The grandchild ignores the signal that the shell heeds.
    let script = "sh -c 'trap \"\" TERM; echo started; while :; do sleep 1; done' & wait";
    let mut program = with_postgres().args(["sh", "-c", script]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let _server = lines.next().unwrap().unwrap();
    let grandchild = lines.next().unwrap().unwrap();
    assert_eq!(grandchild, "started");

    let id = Pid::from_raw(program.id().cast_signed()).unwrap();
    kill_process(id, Signal::TERM).unwrap();
    assert_eq!(program.wait().unwrap().code(), Some(143));
    // The grandchild holds the pipe's other end for as long as it lives.
    assert!(lines.next().is_none());
}
