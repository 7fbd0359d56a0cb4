//! A promotion that is interrupted.

use rustix::process::{Signal, test_kill_process};

use crate::live::Live;
use crate::together::{Gate, slow_agent};

#[test]
fn an_interrupted_promotion_takes_its_stage_along_and_can_go_on() {
    let world = slow_agent();
    let gate = Gate::new(&world);
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
    assert!(test_kill_process(stage).is_err(), "the stage outlived its promotion");

    let mut second = Live::start(world.command(args));
    second.wait_for("run slow goes on");
    gate.wait_for_stage();
    gate.open();
    assert_eq!(second.end().0, Some(0));
    assert_eq!(world.on_main("agent.txt").as_deref(), Some("second\n"));
}
