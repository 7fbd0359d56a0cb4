//! Several commands on one repository at once.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use rustix::process::Pid;

use crate::live::Live;
use crate::world::{RULES, World};

/// A repository whose stage says that it began, and then waits, at two pipes in the world's folder.
pub fn slow_agent() -> World {
    let world = World::with_agent(RULES);
    let (began, go) = (world.path("began"), world.path("go"));
    world.write("agent/test.sh", format!("echo $$ > '{}'\nread line < '{}'\n", began.display(), go.display()));
    world.commit("a slow test");
    world
}

/// The pipes at which the stage of a slow agent waits.
pub struct Gate {
    began: PathBuf,
    go: PathBuf,
}

impl Gate {
    pub fn new(world: &World) -> Self {
        let (began, go) = (world.path("began"), world.path("go"));
        assert!(Command::new("mkfifo").args([&began, &go]).status().unwrap().success());
        Self { began, go }
    }

    /// Waits until a stage has begun, and answers its process.
    pub fn wait_for_stage(&self) -> Pid {
        let id = std::fs::read_to_string(&self.began).unwrap();
        Pid::from_raw(id.trim().parse().unwrap()).unwrap()
    }

    /// Lets it go on.
    pub fn open(&self) {
        std::fs::File::options().write(true).open(&self.go).unwrap().write_all(b"\n").unwrap();
    }
}

#[test]
fn two_promotions_to_one_repository_take_turns() {
    let world = slow_agent();
    let gate = Gate::new(&world);
    let agent = world.agent();
    let promote = |name: &str| {
        let from = world.write(&format!("{name}-content"), name);
        let file = format!("{name}.txt={from}");
        world.command(["promote", "--local", &agent, "--message", name, "--file", &file])
    };
    let mut first = Live::start(promote("first"));
    first.wait_for("verifying on");
    gate.wait_for_stage();
    let mut second = Live::start(promote("second"));
    second.wait_for("waiting for another selfext that works on");
    gate.open();
    let (code, seen) = first.end();
    assert_eq!(code, Some(0), "{seen}");
    assert!(seen.contains("pull request 1"), "{seen}");
    gate.wait_for_stage();
    gate.open();
    let (code, seen) = second.end();
    assert_eq!(code, Some(0), "{seen}");
    assert!(seen.contains("pull request 2"), "{seen}");
    assert_eq!(world.on_main("first.txt").as_deref(), Some("first"));
    assert_eq!(world.on_main("second.txt").as_deref(), Some("second"));
    assert_eq!(world.status(), "");
    let state = std::fs::read_to_string(world.path("agent/.git/selfext-twin/state.json")).unwrap();
    let state: serde_json::Value = serde_json::from_str(&state).unwrap();
    assert_eq!(state["pulls"].as_object().map(serde_json::Map::len), Some(2), "{state}");
}

#[test]
fn many_promotions_at_the_same_moment_all_land() {
    let world = World::with_agent(RULES);
    let agent = world.agent();
    let all: Vec<Live> = (0..4)
        .map(|number| {
            let from = world.write(&format!("content-{number}"), number.to_string());
            let file = format!("file-{number}.txt={from}");
            Live::start(world.command(["promote", "--local", &agent, "--message", "m", "--file", &file]))
        })
        .collect();
    let mut numbers: Vec<String> = all
        .into_iter()
        .map(|one| {
            let (code, seen) = one.end();
            assert_eq!(code, Some(0), "{seen}");
            seen.lines().find_map(|line| Some(line.split_once(", pull request ")?.1.to_owned())).unwrap()
        })
        .collect();
    numbers.sort();
    assert_eq!(numbers, ["1", "2", "3", "4"]);
    assert_eq!((world.git(["rev-list", "--count", "main"]).as_str(), world.status().as_str()), ("5", ""));
}

#[test]
fn the_same_change_from_two_processes_is_one_run() {
    let world = World::with_agent(RULES);
    let (agent, from) = (world.agent(), world.write("x", "second\n"));
    let file = format!("agent.txt={from}");
    let start = || Live::start(world.command(["promote", "--local", &agent, "--message", "m", "--file", &file]));
    let ends = [start(), start()].map(Live::end);
    assert!(ends.iter().all(|(code, _)| *code == Some(0)), "{ends:?}");
    assert_eq!(ends.iter().filter(|(_, seen)| seen.contains("was already promoted")).count(), 1, "{ends:?}");
    assert_eq!(world.git(["rev-list", "--count", "main"]), "2");
}
