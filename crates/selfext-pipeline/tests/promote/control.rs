//! The pause.

use selfext_domain::Reason;
use selfext_pipeline::{Ending, Silent};

use crate::world::*;

#[tokio::test]
async fn a_pause_blocks_before_publication_and_the_same_run_is_promoted_after_it() {
    let world = World::gated().merging();
    let ledger = world.ledger.clone();
    ledger.pause("an incident");
    let pipeline = world.pipeline();
    let first = pipeline.promote(&change(), None, &Silent).await.unwrap();
    assert_eq!(reason(&first), Some(Reason::PromotionPaused));
    assert_eq!(ledger.types(), ["proposed", "tested", "promotion_blocked"]);
    ledger.resume();
    let second = pipeline.promote(&change(), None, &Silent).await.unwrap();
    assert!(matches!(second.ending, Ending::Promoted { .. }) && second.run == first.run);
    // The stages ran once, since the base did not move; the second `tested` says who goes on.
    assert_eq!(ledger.types(), ["proposed", "tested", "promotion_blocked", "tested", "merge_started", "promoted"]);
}

#[tokio::test]
async fn a_pause_that_comes_after_the_look_is_found_by_the_grant() {
    let mut world = World::publishing();
    let ledger = world.ledger.clone();
    let pausing = ledger.clone();
    world.forge.expect_survey().returning(move |_, _, _, _| {
        pausing.pause("just in time");
        Ok(survey(green()))
    });
    let outcome = world.promote().await.unwrap();
    assert_eq!(reason(&outcome), Some(Reason::PromotionPaused));
    assert_eq!(ledger.types(), ["proposed", "tested", "promotion_blocked"]);
}
