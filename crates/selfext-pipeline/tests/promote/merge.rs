//! The merge and its unclear answers.

use std::sync::atomic::{AtomicU32, Ordering};

use selfext_domain::ports::{LandedCommit, MergeAnswer, MergeRefusal, PullRequestState};
use selfext_domain::*;
use selfext_pipeline::{Ending, Silent};

use crate::ledger::time;
use crate::world::*;

#[tokio::test]
async fn a_merge_that_the_forge_refuses_closes_the_permit() {
    let mut world = World::gated();
    world.forge.expect_merge().times(1).returning(|_| {
        MergeAnswer::Refused(MergeRefusal { reason: Reason::MergeRefused, message: "squash is not allowed".into() })
    });
    let ledger = world.ledger.clone();
    let outcome = world.promote().await.unwrap();
    assert_eq!(reason(&outcome), Some(Reason::MergeRefused));
    assert_eq!(ledger.types(), ["proposed", "tested", "merge_started", "promotion_blocked"]);
    assert!(ledger.runs()[0].permit().is_none());
}

#[tokio::test]
async fn a_merge_that_may_pass_is_tried_again_under_the_same_permit() {
    let mut world = World::gated().landing();
    world.clock.expect_sleep().times(2).returning(|_| ());
    let tries = AtomicU32::new(0);
    world.forge.expect_merge().times(3).returning(move |permit| {
        if tries.fetch_add(1, Ordering::Relaxed) < 2 {
            MergeAnswer::MayPass { permit, message: "Base branch was modified".into() }
        } else {
            MergeAnswer::Merged { commit: landed() }
        }
    });
    let ledger = world.ledger.clone();
    assert!(matches!(world.promote().await.unwrap().ending, Ending::Promoted { .. }));
    assert_eq!(ledger.types(), ["proposed", "tested", "merge_started", "promoted"]);
}

#[tokio::test]
async fn a_base_that_moves_between_two_tries_is_verified_before_the_next() {
    let mut world = World::bare();
    let reads = AtomicU32::new(0);
    // Before verification, between the tries, and when the run is driven anew.
    world
        .forge
        .expect_branch_head()
        .returning(move |_| Ok(if reads.fetch_add(1, Ordering::Relaxed) == 0 { base() } else { commit('9') }));
    world.verifier.expect_read_file().returning(|_, _, _| Ok(Some(RULES.into())));
    world.verifier.expect_prepare().returning(|_, on, _| Ok(candidate(on)));
    world.verifier.expect_run_stages().times(2).returning(|_, _, _| Ok(vec![stage(StageResult::Passed)]));
    world.verifier.expect_changed_between().returning(|_, _, _, _| Ok(vec![]));
    world.clock.expect_now().returning(time);
    world
        .forge
        .expect_publish()
        .returning(|_| Ok(ports::Published { pull_request: number(), url: String::new(), head: head() }));
    let surveys = AtomicU32::new(0);
    world.forge.expect_survey().returning(move |_, _, _| {
        let base_head = if surveys.fetch_add(1, Ordering::Relaxed) == 0 { base() } else { commit('9') };
        Ok(ports::Survey { base_head, ..survey(green()) })
    });
    let tries = AtomicU32::new(0);
    world.forge.expect_merge().times(2).returning(move |permit| {
        if tries.fetch_add(1, Ordering::Relaxed) == 0 {
            MergeAnswer::MayPass { permit, message: "Base branch was modified".into() }
        } else {
            assert_eq!(permit.terms().base_commit, commit('9'));
            MergeAnswer::Merged { commit: landed() }
        }
    });
    let ledger = world.ledger.clone();
    assert!(matches!(world.landing().promote().await.unwrap().ending, Ending::Promoted { .. }));
    let expected = ["proposed", "tested", "merge_started", "promotion_blocked", "tested", "merge_started", "promoted"];
    assert_eq!(ledger.types(), expected);
}

#[tokio::test]
async fn a_pause_between_two_tries_closes_the_permit_without_a_merge() {
    let mut world = World::gated();
    let ledger = world.ledger.clone();
    let pausing = ledger.clone();
    world.clock.expect_sleep().times(1).returning(move |_| pausing.pause("now"));
    world.forge.expect_merge().times(1).returning(|permit| MergeAnswer::MayPass { permit, message: "later".into() });
    assert_eq!(reason(&world.promote().await.unwrap()), Some(Reason::PromotionPaused));
    assert!(ledger.runs()[0].permit().is_none());
}

#[tokio::test]
async fn a_lost_answer_of_a_merge_that_happened_ends_as_promoted() {
    let mut world = World::gated().landing();
    world.forge.expect_merge().times(1).returning(|_| MergeAnswer::InDoubt { message: "502".into() });
    world.forge.expect_pull_request().returning(|_| Ok(request(PullRequestState::Merged { commit: Some(landed()) })));
    let outcome = world.promote().await.unwrap();
    assert_eq!(outcome.ending, Ending::Promoted { commit: landed(), tree_matches: true, already: false });
}

#[tokio::test]
async fn a_merge_whose_pull_request_still_reads_open_is_found_on_the_base_branch() {
    let mut world = World::bare();
    let ledger = world.ledger.clone();
    let reads = AtomicU32::new(0);
    // The first read is the base before verification; then the merge has moved it.
    world
        .forge
        .expect_branch_head()
        .returning(move |_| Ok(if reads.fetch_add(1, Ordering::Relaxed) == 0 { base() } else { landed() }));
    world.verifier.expect_read_file().returning(|_, _, _| Ok(Some(RULES.into())));
    world.verifier.expect_prepare().returning(|_, on, _| Ok(candidate(on)));
    world.verifier.expect_run_stages().returning(|_, _, _| Ok(vec![stage(StageResult::Passed)]));
    world.clock.expect_now().returning(time);
    world
        .forge
        .expect_publish()
        .returning(|_| Ok(ports::Published { pull_request: number(), url: String::new(), head: head() }));
    world.forge.expect_survey().returning(|_, _, _| Ok(survey(green())));
    world.forge.expect_merge().times(1).returning(|_| MergeAnswer::InDoubt { message: "timeout".into() });
    world.forge.expect_pull_request().returning(|_| Ok(request(PullRequestState::Open)));
    world.forge.expect_delete_branch().returning(|_| Ok(()));
    let asked = ledger.clone();
    world.forge.expect_commit().returning(move |_| {
        let run = asked.runs().remove(0);
        let message = run.permit().map(|permit| permit.message.clone()).unwrap_or_default();
        Ok(LandedCommit { tree: tree('2'), parents: vec![base()], message })
    });
    let outcome = world.promote().await.unwrap();
    assert_eq!(outcome.ending, Ending::Promoted { commit: landed(), tree_matches: true, already: false });
}

#[tokio::test]
async fn a_merge_in_doubt_stays_in_doubt_until_its_deadline_and_is_fenced_after_it() {
    let mut world = World::gated().retiring();
    world.clock.expect_sleep().returning(|_| ());
    world.forge.expect_merge().returning(|_| MergeAnswer::InDoubt { message: "timeout".into() });
    world.forge.expect_pull_request().returning(|_| Ok(request(PullRequestState::Open)));
    world.forge.expect_fence_branch().times(1).returning(|_, _| Ok(()));
    let ledger = world.ledger.clone();
    let pipeline = world.pipeline();
    let first = pipeline.promote(&change(), None, &Silent).await.unwrap();
    assert!(matches!(first.ending, Ending::InDoubt { .. }));
    assert!(ledger.runs()[0].permit().is_some(), "a pause must be able to list it");
    ledger.pass(121);
    let second = pipeline.promote(&change(), None, &Silent).await.unwrap();
    assert_eq!(reason(&second), Some(Reason::MergeFenced));
    assert_eq!(ledger.types(), ["proposed", "tested", "merge_started", "merge_fenced", "failed"]);
}

#[tokio::test]
async fn a_landed_tree_that_differs_pauses_promotion_before_the_run_ends() {
    let mut world = World::gated();
    world.forge.expect_merge().times(1).returning(|_| MergeAnswer::Merged { commit: landed() });
    world.forge.expect_delete_branch().returning(|_| Ok(()));
    world
        .forge
        .expect_commit()
        .returning(|_| Ok(LandedCommit { tree: tree('6'), parents: vec![], message: String::new() }));
    let ledger = world.ledger.clone();
    let outcome = world.promote().await.unwrap();
    assert_eq!(outcome.ending, Ending::Promoted { commit: landed(), tree_matches: false, already: false });
    assert_eq!(ledger.types(), ["proposed", "tested", "merge_started", "promotion_pause_changed", "promoted"]);
}
