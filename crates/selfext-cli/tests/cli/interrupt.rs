//! A promotion that is interrupted.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::process::Signal;

use crate::live::Live;
use crate::together::{Gate, slow_agent};

#[test]
fn an_interrupted_promotion_takes_its_stage_along_and_can_go_on() {
    let world = slow_agent();
    let mut gate = Gate::new(&world);
    let from = world.write("x", "second\n");
    let (agent, file) = (world.agent(), format!("agent.txt={from}"));
    let args = ["promote", "--local", &agent, "--message", "m", "--run", "slow", "--file", &file];
    let mut first = Live::start(world.command(args));
    first.wait_for("verifying on");
    let stage = gate.wait_for_stage();
    first.signal(Signal::INT);
    let (code, seen) = first.end();
    assert_eq!(code, Some(1));
    assert!(seen.contains("interrupted") && seen.contains("promoting the same change again goes on"), "{seen}");
    assert!(!stage.exists() && !is_at_work(stage.parent().unwrap()), "the stage outlived its promotion");

    let mut second = Live::start(world.command(args));
    second.wait_for("run slow goes on");
    gate.wait_for_stage();
    gate.open();
    assert_eq!(second.end().0, Some(0));
    assert_eq!(world.on_main("agent.txt").as_deref(), Some("second\n"));
}

/// Whether a process has its temporary folder below this one, as those of a stage do.
fn is_at_work(below: &Path) -> bool {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let mut environments = entries.map(|entry| fs::read(entry.path().join("environ")).unwrap_or_default());
    environments.any(|variables| {
        variables.split(|byte| *byte == 0).any(|variable| {
            variable.strip_prefix(b"TMPDIR=").is_some_and(|value| value.starts_with(below.as_os_str().as_bytes()))
        })
    })
}
