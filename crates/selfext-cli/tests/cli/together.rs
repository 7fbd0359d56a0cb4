//! Several commands on one repository at once.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::live::Live;
use crate::world::{RULES, World};

/// A repository whose stage says in its own folder that it began, and then waits there at a pipe: it reaches nothing else.
pub fn slow_agent() -> World {
    let world = World::with_agent(RULES);
    world.write("agent/test.sh", "mkfifo go && : > began && read line < go\n");
    world.commit("a slow test");
    world
}

/// Where the stages of a slow agent wait.
pub struct Gate {
    cache: PathBuf,
    stage: Option<PathBuf>,
}

impl Gate {
    pub fn new(world: &World) -> Self {
        Self { cache: world.path("cache"), stage: None }
    }

    /// Waits until a stage has begun, and answers its folder.
    pub fn wait_for_stage(&mut self) -> PathBuf {
        let since = Instant::now();
        loop {
            if let Some(began) = find(&self.cache, "began") {
                // The next stage is to be told from this one.
                std::fs::remove_file(&began).unwrap();
                let folder = began.parent().unwrap().to_owned();
                self.stage = Some(folder.clone());
                return folder;
            }
            assert!(since.elapsed() < Duration::from_mins(1), "no stage began");
            std::thread::yield_now();
        }
    }

    /// Lets it go on.
    pub fn open(&mut self) {
        let go = self.stage.take().unwrap().join("go");
        std::fs::File::options().write(true).open(go).unwrap().write_all(b"\n").unwrap();
    }
}

/// A file of this name below a folder that others change meanwhile.
fn find(below: &Path, name: &str) -> Option<PathBuf> {
    let mut folders = vec![below.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(entry.path());
            } else if entry.file_name() == name {
                return Some(entry.path());
            }
        }
    }
    None
}

#[test]
fn two_promotions_to_one_repository_take_turns() {
    let world = slow_agent();
    let mut gate = Gate::new(&world);
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
