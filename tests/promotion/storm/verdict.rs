//! What repository, pull requests and ledger must say after the storm.

use std::collections::{BTreeMap, BTreeSet};

use selfext::{RecordedEvent, RunId, StreamId};
use selfext_domain::{CommitMeta, Run};

use super::{BASES, evidence};
use crate::world::*;

/// What the storm came to.
#[derive(Default)]
pub struct Verdict {
    /// Changes that landed.
    pub merges: usize,
    /// Merges that were fenced off, or found to have landed while they were.
    pub fences: usize,
    /// Where repository, pull requests and ledger contradict each other or the invariants.
    pub wrong: Vec<String>,
}

impl Verdict {
    /// Looks at everything.
    pub async fn of(world: &World) -> Self {
        let mut verdict = Self::default();
        let mut landed = verdict.landings(world);
        let commits: BTreeSet<String> = landed.values().map(|(_, commit)| commit.clone()).collect();
        verdict.merges = commits.len();
        let status = world.operations.status(u32::MAX).await.unwrap();
        verdict.wrong.extend(status.in_flight.iter().map(|terms| format!("an open permit: {terms:?}")));
        for entry in status.latest {
            let StreamId::Run(run) = entry.last.event.stream else { panic!("the control is no run") };
            let events = world.operations.stream_events(&StreamId::Run(run.clone())).await.unwrap();
            verdict.fences += count(&events, "merge_fenced");
            if let Err(wrong) = judge(&run, &events, landed.remove(&run)) {
                verdict.wrong.push(format!("{wrong}\n{}", evidence::of_run(world, &run).await));
            }
        }
        verdict.wrong.extend(landed.iter().map(|landing| format!("the ledger knows nothing of {landing:?}")));
        let mut merged: Vec<String> = world.twin.pulls().await.into_iter().filter_map(|pull| pull.merged_as).collect();
        merged.sort();
        if !merged.iter().eq(&commits) {
            verdict.wrong.push(format!("pull requests were merged as {merged:?}, and runs landed as {commits:?}"));
        }
        verdict
    }

    /// Which runs landed, where and as which commit, by the repository.
    fn landings(&mut self, world: &World) -> BTreeMap<RunId, (&'static str, String)> {
        let mut landed = BTreeMap::new();
        for base in BASES {
            let log = world.git(&["log", "--first-parent", "--format=%H%n%B%x00", base]);
            let mut others = 0;
            for entry in log.split_terminator('\0').map(str::trim_start).filter(|entry| !entry.is_empty()) {
                let (commit, message) = entry.split_once('\n').unwrap();
                let Some(meta) = CommitMeta::find(message) else {
                    others += 1;
                    continue;
                };
                if let Some(before) = landed.insert(meta.run_id.clone(), (base, commit.to_owned())) {
                    self.wrong.push(format!("run {} landed as {commit} on {base}, and as {before:?}", meta.run_id));
                }
            }
            if others != 1 {
                self.wrong.push(format!("{base} has {others} commits that are no landings, its first one included"));
            }
        }
        landed
    }
}

fn judge(run: &RunId, events: &[RecordedEvent], landed: Option<(&'static str, String)>) -> Result<(), String> {
    let fold = Run::fold(events).map_err(|error| format!("run {run} does not fold: {error}"))?;
    if fold.phase().may_merge() {
        return Err(format!("run {run} may still merge"));
    }
    let promoted = fold.promoted().map(|promoted| (promoted.commit.to_string(), promoted.tree_matches));
    let times = count(events, "promoted");
    match (landed, promoted) {
        (None, None) if times == 0 => Ok(()),
        (Some((base, commit)), Some((recorded, true)))
            if times == 1
                && fold.phase().has_landed()
                && commit == recorded
                && fold.subject().base.as_str() == base =>
        {
            Ok(())
        }
        (landed, promoted) => Err(format!(
            "run {run} landed as {landed:?}; its ledger says {} and {promoted:?}, {times} times",
            fold.phase().as_str()
        )),
    }
}

fn count(events: &[RecordedEvent], event_type: &str) -> usize {
    events.iter().filter(|event| event.event.body.event_type() == event_type).count()
}
