//! `demo`: the whole way on a small repository of its own, for real, on this machine alone.

mod scenes;
mod world;

use anyhow::Result;
use selfext::Position;
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::interrupt::unless_interrupted;
use crate::show;
use world::World;

/// How one scene ended.
struct Scene {
    title: &'static str,
    expected: &'static str,
    seen: String,
    /// Whether the outcome, the repository's main branch and the ledger agree that it ended as it should.
    holds: bool,
}

pub async fn run(json: bool) -> Result<Exit> {
    unless_interrupted("everything that the demo made is gone", show_it_all(json)).await
}

async fn show_it_all(json: bool) -> Result<Exit> {
    let world = World::make(json).await?;
    let scenes = [
        scenes::a_good_change(&world).await?,
        scenes::a_failing_test(&world).await?,
        scenes::a_red_check_run(&world).await?,
        scenes::a_pause(&world).await?,
        scenes::a_sick_change(&world).await?,
    ];
    let events = world.operations.events_after(Position::START, 1_000).await?;
    let held = scenes.iter().all(|scene| scene.holds);
    let exit = if held { Exit::Done } else { Exit::Failed };
    if json {
        let scenes: Vec<Value> = scenes
            .iter()
            .map(|scene| json!({"scene": scene.title, "expected": scene.expected, "seen": scene.seen, "holds": scene.holds}))
            .collect();
        let events: Vec<Value> = events.iter().map(show::event_json).collect();
        let exit_code = exit as u8;
        show::print_json(
            &json!({"outcome": "demo", "held": held, "scenes": scenes, "events": events, "exit_code": exit_code}),
        );
    } else {
        show::print("\nThe ledger, as `selfext events` shows it:\n");
        let mut timeline = show::Timeline::default();
        for event in &events {
            show::print(&timeline.line(event));
        }
        show::print("");
        for scene in &scenes {
            let mark = if scene.holds { "ok  " } else { "FAIL" };
            show::print(&format!(
                "{mark}  {}: expected {}, saw {}",
                scene.title,
                scene.expected,
                show::clean(&scene.seen)
            ));
        }
        show::print(&format!("\n{OWN}"));
    }
    world.end().await;
    if !held {
        show::note("a scene did not end as it should");
    }
    Ok(exit)
}

const OWN: &str = "\
The same on your own repository:
  selfext init                      in it; then read selfext.toml and commit it to main
  selfext promote --local . --message 'Say why' --worktree
                                    takes the uncommitted changes to main, through all of the above
  selfext promote --github OWNER/NAME --message 'Say why' --file src/x.rs=./x.rs
                                    the same on GitHub, with SELFEXT_GITHUB_TOKEN set
  selfext status | events | pause | resume";
