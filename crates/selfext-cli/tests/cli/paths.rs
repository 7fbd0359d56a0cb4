//! A path that could leave the repository, or change on the way, is refused before anything is done.

use std::io::ErrorKind;
use std::net::TcpListener;

use crate::world::{RULES, Ran, World};

const BAD: &[(&str, &str)] = &[
    ("../pulls/1/merge", "has a part `.` or `..`"),
    ("src/../.github/workflows/x.yml", "has a part `.` or `..`"),
    ("a%2f..%2fb", "percent-encoded slash"),
];

/// Something that listens and is never to be called.
struct Silence {
    listener: TcpListener,
    url: String,
}

impl Silence {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        Self { listener, url }
    }

    /// Nobody has called: the operating system takes calls by itself, so none is missed here.
    #[track_caller]
    fn assert_kept(&self) {
        assert_eq!(self.listener.accept().map(drop).unwrap_err().kind(), ErrorKind::WouldBlock);
    }
}

#[track_caller]
fn assert_refused(world: &World, ran: Ran, problem: &str) {
    ran.expect(2, &["repository path", problem]);
    assert!(!world.ledger().exists(), "a ledger was made");
}

fn promote(world: &World, silence: &Silence, change: &[&str], input: &str) -> Ran {
    let (github, git) = (silence.url.as_str(), format!("{}/o/agent.git", silence.url));
    let target = ["promote", "--github", "o/agent", "--github-url", github, "--git-url", &git];
    let mut command = world.command(target.iter().chain(change));
    command.env("SELFEXT_GITHUB_TOKEN", "a-token");
    if input.is_empty() {
        return Ran::of(&mut command);
    }
    let file = world.write("input", input);
    Ran::of(command.stdin(std::fs::File::open(file).unwrap()))
}

#[test]
fn bad_paths_are_refused_in_every_form_before_any_request() {
    let (world, silence) = (World::with_agent(RULES), Silence::new());
    let from = world.write("x", "x\n");
    for (path, problem) in BAD {
        let file = format!("{path}={from}");
        assert_refused(&world, promote(&world, &silence, &["--message", "m", "--file", &file], ""), problem);
        assert_refused(&world, promote(&world, &silence, &["--message", "m", "--delete", path], ""), problem);
        let json =
            format!(r#"{{"message":"m","context":{{"tool_name":"t"}},"files":[{{"path":"{path}","content":"x"}}]}}"#);
        assert_refused(&world, promote(&world, &silence, &["--stdin"], &json), problem);
        silence.assert_kept();
    }
}

#[test]
fn bad_paths_of_a_patch_are_refused_before_any_request() {
    let (world, silence) = (World::with_agent(RULES), Silence::new());
    let agent = world.agent();
    for (path, _) in BAD {
        let patch = world.write("x.patch", format!("--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+x\n"));
        let change = ["--message", "m", "--patch", &patch, "--in", &agent];
        // git itself refuses to apply the first two.
        let ran = promote(&world, &silence, &change, "").expect(2, &["path"]);
        assert!(ran.stderr.contains("invalid path") || ran.stderr.contains("percent-encoded slash"), "{ran:?}");
    }
    silence.assert_kept();
    assert!(!world.ledger().exists() && !world.path("agent/x.patch").exists());
}

#[test]
fn bad_paths_do_nothing_to_a_local_repository() {
    let world = World::with_agent(RULES);
    let (before, from) = (world.tip(), world.write("x", "x\n"));
    for (path, problem) in BAD {
        assert_refused(&world, world.promote(["--file", &format!("{path}={from}")]), problem);
        assert_refused(&world, world.promote(["--delete", path]), problem);
    }
    assert_eq!((world.tip(), world.git(["for-each-ref", "refs/heads/selfext"])), (before, String::new()));
}

#[test]
fn a_good_path_does_call() {
    let (world, silence) = (World::new(), Silence::new());
    drop(silence.listener);
    let from = world.write("x", "x\n");
    let silence = Silence { listener: TcpListener::bind("127.0.0.1:0").unwrap(), ..silence };
    let ran = promote(&world, &silence, &["--message", "m", "--file", &format!("a={from}")], "");
    ran.expect(3, &["blocked: forge-unavailable", "next: "]);
}
