//! A ledger that ends anywhere: from every beginning of a good ledger, and every state that the repository can be in then, the
//! same promotion goes on to the same end.

use std::path::{Path, PathBuf};
use std::process::Command;

use selfext::StreamId;
use selfext_domain::{EventBody, RecordedEvent, Run, Tip};
use selfext_store::Store;
use selfext_twin::{Fault, FaultKind, Gate, Protection};

use crate::world::*;

/// A good promotion, and the repository at three moments of it.
struct Good {
    folder: tempfile::TempDir,
    events: Vec<RecordedEvent>,
}

impl Good {
    async fn promotion(backend: Backend) -> Self {
        let world = World::new(backend).await;
        let good = Self { folder: tempfile::tempdir().unwrap(), events: Vec::new() };
        good.keep(&world, "untouched");
        let gate = Gate::new();
        world.twin.add_fault(Fault::on("PUT", "/repos/*/*/pulls/*/merge", FaultKind::Hold(gate.clone())));
        let selfext = world.selfext.clone();
        let promotion = tokio::spawn(async move { selfext.promote(&change("second\n")).await.unwrap() });
        gate.arrived(1).await;
        good.keep(&world, "published");
        gate.open();
        let outcome = promotion.await.unwrap();
        promoted(&outcome);
        good.keep(&world, "merged");
        let events = world.operations.stream_events(&StreamId::Run(outcome.run)).await.unwrap();
        world.end().await;
        Self { events, ..good }
    }

    /// The same through a merge queue; the repository at one more moment, while the change stands there.
    async fn through_a_queue(backend: Backend) -> Self {
        let rules = RULES.replace("[[verification", "[merge]\nmerge_queue = \"enqueue\"\n[[verification");
        let world = World::with_rules(backend, &rules).await;
        world.twin.protect("main", Protection::ruleset(["ci"]).merge_queue()).await.unwrap();
        let good = Self { folder: tempfile::tempdir().unwrap(), events: Vec::new() };
        good.keep(&world, "untouched");
        // The mutation that publishes, the question how it stands, and the mutation that puts it in.
        let gate = Gate::new();
        world.twin.add_fault(Fault::on("POST", "/graphql", FaultKind::Hold(gate.clone())).nth(3));
        let selfext = world.selfext.clone();
        let promotion = tokio::spawn(async move { selfext.promote(&change("second\n")).await.unwrap() });
        gate.arrived(1).await;
        good.keep(&world, "published");
        let held = Gate::new();
        world.twin.add_fault(Fault::on("POST", "/graphql", FaultKind::HoldAnswer(held.clone())));
        gate.open();
        held.arrived(1).await;
        good.keep(&world, "queued");
        pass_in_queue(&world).await;
        held.open();
        let outcome = promotion.await.unwrap();
        promoted(&outcome);
        good.keep(&world, "merged");
        let events = world.operations.stream_events(&StreamId::Run(outcome.run)).await.unwrap();
        world.end().await;
        Self { events, ..good }
    }

    fn keep(&self, world: &World, name: &str) {
        let copied = Command::new("cp").arg("-a").arg(&world.bare).arg(self.repository(name)).status().unwrap();
        assert!(copied.success());
    }

    fn repository(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the first of its events into an empty ledger.
    async fn replay(&self, ledger: &str, count: usize) {
        let ledger = Store::connect(&ledger.parse().unwrap()).await.unwrap().ledger();
        let mut tip = Tip::START;
        for recorded in &self.events[..count] {
            let event = &recorded.event;
            match &event.body {
                EventBody::Proposed(_) => drop(ledger.propose(event, None).await.unwrap()),
                EventBody::MergeStarted(_) => drop(ledger.begin_merge(event, tip).await.unwrap()),
                _ => drop(ledger.append(event, tip).await.unwrap()),
            }
            tip = Tip { sequence: recorded.sequence, hash: recorded.link.hash };
        }
    }
}

/// Passes what stands in the queue.
async fn pass_in_queue(world: &World) {
    for group in world.twin.queue("main").await.into_iter().filter_map(|entry| entry.group) {
        world.twin.set_check(&group.sha, green()).await.unwrap();
    }
}

async fn goes_on(backend: Backend, good: &Good, count: usize, repository: &Path) {
    let world = World::restored(backend, repository).await;
    world.twin.on_queue_commit_set([green()]);
    pass_in_queue(&world).await;
    good.replay(&world.ledger_url(), count).await;
    let point = format!("{count} events, {}", repository.display());
    let outcome = world.promote(&change("second\n")).await;
    promoted(&outcome);
    assert_eq!(outcome.run.as_str(), good.events[0].event.stream.as_str(), "{point}: the same run");
    assert_eq!(world.git(&["rev-list", "--count", "main"]), "2", "{point}: one merge");
    assert_eq!(world.on_main("agent.txt").unwrap(), b"second\n", "{point}");
    let pulls = world.twin.pulls().await;
    assert!(pulls.len() == 1 && pulls[0].merged_as.is_some(), "{point}: one pull request, merged: {pulls:?}");
    let events = world.operations.stream_events(&StreamId::Run(outcome.run)).await.unwrap();
    assert!(Run::fold(&events).unwrap().phase().has_landed(), "{point}");
    assert!(events.iter().zip(&good.events[..count]).all(|(now, then)| now.link == then.link), "{point}");
    let count = |name: &str| events.iter().filter(|event| event.event.body.event_type() == name).count();
    assert_eq!((count("promoted"), count("failed")), (1, 0), "{point}");
    assert!(world.operations.in_flight().await.unwrap().is_empty(), "{point}");
    world.end().await;
}

/// What an event announces may have been done or not when the next one is not there: how many events there are, and how the
/// repository was kept.
async fn goes_on_from(backend: Backend, good: &Good, states: &[(usize, &str)]) {
    let types: Vec<_> = good.events.iter().map(|event| event.event.body.event_type()).collect();
    assert_eq!(types, ["proposed", "tested", "merge_started", "promoted"]);
    for (count, name) in states {
        goes_on(backend, good, *count, &good.repository(name)).await;
    }
}

const STATES: [(usize, &str); 6] =
    [(1, "untouched"), (2, "untouched"), (2, "published"), (3, "published"), (3, "merged"), (4, "merged")];

on_both! {
    async fn a_promotion_goes_on_from_every_beginning_of_its_ledger(backend) {
        goes_on_from(backend, &Good::promotion(backend).await, &STATES).await;
    }

    async fn so_does_one_that_goes_through_a_merge_queue(backend) {
        let good = Good::through_a_queue(backend).await;
        goes_on_from(backend, &good, &STATES).await;
        goes_on_from(backend, &good, &[(3, "queued")]).await;
    }
}
