//! What is told of a run that should not be as it is.

use std::fmt::Write as _;

use selfext::{RunId, StreamId};
use selfext_domain::{CommitMeta, Run};

use crate::world::*;

/// The landing commits between two tips, with what the ledger and the twin know of their runs.
pub async fn between(world: &World, before: &str, after: &str) -> String {
    let mut text = String::new();
    for commit in world.git(&["rev-list", "--first-parent", &format!("{before}..{after}")]).lines() {
        let message = world.git(&["show", "-s", "--format=%B", commit]);
        let of_run = match CommitMeta::find(&message) {
            Some(meta) => of_run(world, &meta.run_id).await,
            None => message,
        };
        writeln!(text, "commit {commit}\n{of_run}").unwrap();
    }
    text
}

/// A run's stream, and the exchanges about its pull request.
pub async fn of_run(world: &World, run: &RunId) -> String {
    let events = world.operations.stream_events(&StreamId::Run(run.clone())).await.unwrap();
    let mut text = format!("run {run}\n");
    for event in &events {
        writeln!(text, "  {} {} {}", event.sequence, event.recorded_at, event.content).unwrap();
    }
    let Some(number) = Run::fold(&events).ok().and_then(|run| run.pull_request()) else { return text };
    let about = format!("/pulls/{number}");
    for exchange in world.twin.exchanges() {
        let path = exchange.path_and_query.split('?').next().unwrap_or_default();
        if path.ends_with(&about) || path.contains(&format!("{about}/")) {
            writeln!(text, "  {exchange:?}").unwrap();
        }
    }
    text
}
