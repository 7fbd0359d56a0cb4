//! Probes of real servers and real programs, well-behaved and hostile.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, test_kill_process};
use selfext::{CommitSha, Look, Probe, ProbeRules, ProbeTarget};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// Longer than any of these answers takes, and much longer than what is waited for below.
const PATIENCE: Duration = Duration::from_secs(20);

fn seen(healthy: bool, detail: Option<&str>) -> Look {
    Look::Seen { commit: CommitSha::parse(COMMIT).unwrap(), healthy, detail: detail.map(str::to_owned) }
}

#[track_caller]
fn assert_nothing(look: &Look, word: &str) {
    match look {
        Look::Nothing { detail } => assert!(detail.contains(word), "{detail}"),
        Look::Seen { .. } => panic!("{look:?}"),
    }
}

fn probe(target: ProbeTarget, timeout: Duration) -> Probe {
    Probe::new(&ProbeRules { target, interval: Duration::from_secs(1), timeout }).unwrap()
}

/// A server that reads a request, answers with these bytes, over and over if it is endless, and closes.
async fn served(head: impl Into<Vec<u8>>, endless: Option<&'static [u8]>) -> String {
    let head: Vec<u8> = head.into();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/health?key=value", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            read_request(&mut stream).await;
            // Whoever asked may be gone already.
            let mut sent = stream.write_all(&head).await;
            while let (Ok(()), Some(more)) = (&sent, endless) {
                sent = stream.write_all(more).await;
            }
        }
    });
    url
}

async fn read_request(stream: &mut TcpStream) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut request).await.unwrap() == 0 {
            break;
        }
    }
}

fn response(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

async fn asked(url: String, timeout: Duration) -> Look {
    probe(ProbeTarget::Http(url), timeout).look().await
}

#[tokio::test]
async fn a_server_says_which_commit_runs_and_whether_it_is_well() {
    let well = format!("{{\"commit\": \"{COMMIT}\"}}");
    assert_eq!(asked(served(response("200 OK", &well), None).await, PATIENCE).await, seen(true, None));
    let unwell = format!("{{\"commit\": \"{COMMIT}\", \"healthy\": false, \"detail\": \"no disk\"}}");
    assert_eq!(asked(served(response("200 OK", &unwell), None).await, PATIENCE).await, seen(false, Some("no disk")));
    let status = response("503 Service Unavailable", &well);
    assert_eq!(asked(served(status, None).await, PATIENCE).await, seen(false, Some("status 503")));
    let without = response("500 Internal Server Error", "oops");
    assert_nothing(&asked(served(without, None).await, PATIENCE).await, "status 500, and its answer is no JSON object");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let there = served(response("200 OK", &format!("{{\"commit\": \"{COMMIT}\"}}")), None).await;
    let redirect = format!("HTTP/1.1 302 Found\r\nlocation: {there}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    assert_nothing(&asked(served(redirect, None).await, PATIENCE).await, "status 302, and its answer is empty");
}

#[tokio::test]
async fn an_endless_answer_is_cut_off_long_before_the_time_is_up() {
    let began = Instant::now();
    let head = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"commit\": \"";
    assert_nothing(&asked(served(head, Some(b"0123456789abcdef")).await, PATIENCE).await, "longer than 65536 bytes");
    let headers = asked(served("HTTP/1.1 200 OK\r\n", Some(b"x-more: and more\r\n")).await, PATIENCE).await;
    assert_nothing(&headers, "did not answer");
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_slow_server_an_unreachable_one_and_one_that_breaks_off_give_no_sample() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    // It accepts, and never answers.
    let slow = asked(format!("http://{address}/"), Duration::from_millis(200)).await;
    assert_nothing(&slow, "no answer within 0.2 s");
    drop(listener);
    assert_nothing(&asked(format!("http://{address}/"), PATIENCE).await, "did not answer");
    let short = format!("HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{{\"commit\": \"{COMMIT}\"}}");
    assert_nothing(&asked(served(short, None).await, PATIENCE).await, "broke off");
    assert_nothing(&asked(served("220 smtp.example ready\r\n", None).await, PATIENCE).await, "did not answer");
}

#[test]
fn an_address_with_a_password_is_refused_and_a_query_is_not_in_the_reporters_name() {
    let rules = |url: &str| ProbeRules {
        target: ProbeTarget::Http(url.to_owned()),
        interval: Duration::from_secs(1),
        timeout: Duration::from_secs(1),
    };
    for url in ["http://user:hunter2@localhost/", "http://user@localhost/", "http://[::1/", "http://a b/"] {
        let error = Probe::new(&rules(url)).unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
    let probe = Probe::new(&rules("http://localhost:1/health?token=x#y")).unwrap();
    assert_eq!(probe.reporter().as_str(), "probe http://localhost:1/health");
    let long = Probe::new(&rules(&format!("http://localhost/{}", "x".repeat(500)))).unwrap();
    assert_eq!(long.reporter().as_str().len(), 128);
}

/// A program of these lines.
fn program(folder: &Path, lines: &str) -> Vec<String> {
    let path = folder.join("health");
    fs::write(&path, format!("#!/bin/sh\n{lines}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    // Started by the shell, so that no other test's fork holds the file open for writing as it is executed.
    vec!["sh".to_owned(), path.to_str().unwrap().to_owned(), "an argument".to_owned()]
}

async fn ran(lines: &str, timeout: Duration) -> Look {
    let folder = tempfile::tempdir().unwrap();
    probe(ProbeTarget::Command(program(folder.path(), lines)), timeout).look().await
}

#[tokio::test]
async fn a_program_says_which_commit_runs_and_its_exit_code_whether_it_is_well() {
    let say = format!("echo '{{\"commit\": \"{COMMIT}\"}}'");
    assert_eq!(ran(&say, PATIENCE).await, seen(true, None));
    assert_eq!(ran(&format!("{say}; exit 3"), PATIENCE).await, seen(false, Some("exit code 3")));
    assert_nothing(&ran("exit 3", PATIENCE).await, "exit code 3, and its answer is empty");
    let detail = format!("printf '{{\"commit\": \"{COMMIT}\", \"detail\": \"%s\"}}' \"$1\"");
    assert_eq!(ran(&detail, PATIENCE).await, seen(true, Some("an argument")));
    let missing = probe(ProbeTarget::Command(vec!["/nowhere/health".to_owned()]), PATIENCE);
    assert_nothing(&missing.look().await, "could not be run");
}

#[tokio::test]
async fn a_program_gets_no_variables_but_path_home_and_lang() {
    let names = "names=$(env | sed 's/=.*//' | grep -vE '^(PATH|HOME|LANG|PWD|OLDPWD|SHLVL|_)$' | tr '\\n' ' ')";
    let lines = format!("{names}; printf '{{\"commit\": \"{COMMIT}\", \"detail\": \"%s\"}}' \"$names\"");
    assert_eq!(ran(&lines, PATIENCE).await, seen(true, None));
}

#[tokio::test]
async fn a_program_that_writes_without_end_is_ended_long_before_the_time_is_up() {
    let began = Instant::now();
    assert_nothing(&ran("yes '{'", PATIENCE).await, "longer than 65536 bytes");
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_program_that_hangs_is_ended_with_what_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("pids");
    let lines = format!("sleep 600 & echo $$ $! > {0}.new; mv {0}.new {0}; wait", pids.display());
    let probe = probe(ProbeTarget::Command(program(folder.path(), &lines)), Duration::from_secs(2));
    assert_nothing(&probe.look().await, "no answer within 2 s");
    let pids = fs::read_to_string(pids).unwrap();
    for pid in pids.split_whitespace() {
        let pid = Pid::from_raw(pid.parse().unwrap()).unwrap();
        let gone = async {
            // What is killed is there until it was reaped.
            while test_kill_process(pid).is_ok() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, gone).await.unwrap();
    }
}

#[tokio::test]
async fn what_a_program_leaves_behind_with_its_output_open_is_not_waited_for() {
    let began = Instant::now();
    let say = format!("echo '{{\"commit\": \"{COMMIT}\"}}'");
    assert_eq!(ran(&format!("sleep 600 & {say}"), PATIENCE).await, seen(true, None));
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
}
