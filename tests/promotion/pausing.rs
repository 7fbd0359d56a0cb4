//! A pause while a merge is under way, as an operator's program makes it.

use selfext::{MergeEnd, OperatorName, Reason, Silent};
use selfext_twin::{Fault, FaultKind, Gate};

use crate::world::*;

fn operator() -> OperatorName {
    OperatorName::parse("ops").unwrap()
}

/// A gate at which the next merge request waits.
fn hold_the_merge(world: &World) -> Gate {
    let gate = Gate::new();
    world.twin.add_fault(Fault::on("PUT", "/repos/o/agent/pulls/*/merge", FaultKind::Hold(gate.clone())));
    gate
}

on_both! {
    async fn what_a_pause_lists_can_be_followed_to_its_end(backend) {
        let world = World::new(backend).await;
        let gate = hold_the_merge(&world);
        let selfext = world.selfext.clone();
        let promotion = tokio::spawn(async move { selfext.promote(&change("second\n")).await.unwrap() });
        gate.arrived(1).await;
        let pause = world.operations.pause(&operator(), "incident", false).await.unwrap();
        assert!(!pause.nothing_can_merge());
        let [permit] = &pause.in_flight[..] else { panic!("{pause:?}") };
        assert_eq!(world.operations.in_flight().await.unwrap(), pause.in_flight);
        assert_eq!(world.operations.merge_end(permit).await.unwrap(), None);
        assert!(permit.deadline > world.operations.time().await.unwrap());
        let standing = world.operations.pause_again(&pause).await.unwrap();
        assert!(!standing.nothing_can_merge() && standing.in_flight == pause.in_flight);

        let (end, ()) = tokio::join!(world.operations.wait_for_merge(permit), async { gate.open() });
        let commit = promoted(&promotion.await.unwrap());
        let end = end.unwrap();
        assert!(matches!(&end, MergeEnd::Landed { commit: landed, tree_matches: true, .. } if landed.as_str() == commit), "{end:?}");
        assert!(world.operations.pause_again(&pause).await.unwrap().nothing_can_merge());
        world.operations.resume(&operator(), None).await.unwrap();
        let standing = world.operations.pause_again(&pause).await.unwrap();
        assert!(!standing.nothing_can_merge(), "it was resumed: {standing:?}");
        let control = world.operations.stream_events(&selfext::StreamId::Control).await.unwrap();
        assert_eq!(control.len(), 2, "looking again records nothing");
        world.end().await;
    }

    async fn what_a_pause_lists_can_be_fenced(backend) {
        let world = World::new(backend).await;
        let gate = hold_the_merge(&world);
        let selfext = world.selfext.clone();
        let promotion = tokio::spawn(async move { selfext.promote(&change("second\n")).await.unwrap() });
        gate.arrived(1).await;
        let before = world.main_tip();
        let pause = world.operations.pause(&operator(), "incident", false).await.unwrap();
        let permit = &pause.in_flight[0];
        let other = world.another_selfext().await;
        assert_eq!((&permit.repository, &permit.base), (other.repository(), other.base()));
        let fenced = other.fence_merge(&permit.run, "paused", &Silent).await.unwrap();
        assert_eq!(reason(&fenced), Some(Reason::MergeFenced));
        assert!(world.operations.pause_again(&pause).await.unwrap().nothing_can_merge());
        gate.open();
        assert_eq!(reason(&promotion.await.unwrap()), Some(Reason::MergeFenced));
        assert_eq!(world.main_tip(), before);
        let end = world.operations.wait_for_merge(permit).await.unwrap();
        assert!(matches!(&end, MergeEnd::NotMerged(refusal) if refusal.reason == Reason::MergeFenced), "{end:?}");
        // Again, and where nothing is open, it changes nothing.
        assert_eq!(reason(&other.fence_merge(&permit.run, "paused", &Silent).await.unwrap()), Some(Reason::MergeFenced));
        other.recover(&Silent).await.unwrap();
        world.end().await;
    }
}
