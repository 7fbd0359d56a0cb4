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
    let mut world = World::gated().unmerged().landing();
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
    // Before verification, and when the run is driven anew.
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
    world.forge.expect_show_evidence().returning(|_, _| Ok(()));
    world.forge.expect_find_published().returning(|_, _| Ok(None));
    let surveys = AtomicU32::new(0);
    world.forge.expect_survey().returning(move |_, _, _, _| {
        let base_head = if surveys.fetch_add(1, Ordering::Relaxed) == 0 { base() } else { commit('9') };
        Ok(ports::Survey { base_head, ..survey(green()) })
    });
    world.forge.expect_pull_request().returning(|_| Ok(request(PullRequestState::Open)));
    let theirs = LandedCommit { sha: commit('9'), ..landed_commit('3', "Somebody's") };
    world.forge.expect_branch_since().returning(move |_, _| Ok(since(vec![theirs.clone()])));
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
    let mut world = World::gated().unmerged();
    let ledger = world.ledger.clone();
    let pausing = ledger.clone();
    world.clock.expect_sleep().times(1).returning(move |_| pausing.pause("now"));
    world.forge.expect_merge().times(1).returning(|permit| MergeAnswer::MayPass { permit, message: "later".into() });
    assert_eq!(reason(&world.promote().await.unwrap()), Some(Reason::PromotionPaused));
    assert!(ledger.runs()[0].permit().is_none());
}

#[tokio::test]
async fn a_lost_answer_of_a_merge_that_happened_ends_as_promoted() {
    let mut world = World::gated().still().landing();
    world.forge.expect_merge().times(1).returning(|_| MergeAnswer::InDoubt { message: "502".into() });
    world.forge.expect_pull_request().returning(|_| Ok(request(PullRequestState::Merged { commit: Some(landed()) })));
    let outcome = world.promote().await.unwrap();
    assert_eq!(
        outcome.ending,
        Ending::Promoted { commit: landed(), tree_matches: true, checked_in_queue: false, already: false }
    );
}

#[tokio::test]
async fn a_merge_whose_pull_request_still_reads_open_is_found_on_the_base_branch() {
    let mut world = World::gated().landing();
    world.forge.expect_merge().times(1).returning(|_| MergeAnswer::InDoubt { message: "timeout".into() });
    world.forge.expect_pull_request().returning(|_| Ok(request(PullRequestState::Open)));
    let ledger = world.ledger.clone();
    world.forge.expect_branch_since().returning(move |_, _| {
        let run = ledger.runs().remove(0);
        let message = run.permit().map(|permit| permit.message.clone()).unwrap_or_default();
        // What was merged into the base after it, and a commit of its own branch, which the base did not go through.
        let theirs = LandedCommit { sha: commit('9'), parents: vec![landed()], ..landed_commit('3', "Somebody's") };
        let inner = LandedCommit { sha: head(), ..landed_commit('2', &message) };
        Ok(since(vec![inner, landed_commit('2', &message), theirs]))
    });
    let outcome = world.promote().await.unwrap();
    assert_eq!(
        outcome.ending,
        Ending::Promoted { commit: landed(), tree_matches: true, checked_in_queue: false, already: false }
    );
}

#[tokio::test]
async fn a_merge_in_doubt_is_not_asked_for_again_once_the_base_moved() {
    let mut world = World::gated();
    world.forge.expect_merge().times(1).returning(|_| MergeAnswer::InDoubt { message: "timeout".into() });
    world.forge.expect_pull_request().returning(|_| Ok(request(PullRequestState::Open)));
    world.forge.expect_branch_since().returning(|_, _| Ok(since(vec![landed_commit('3', "Somebody's")])));
    let ledger = world.ledger.clone();
    let pipeline = world.pipeline();
    for _ in 0..2 {
        let outcome = pipeline.promote(&change(), None, &Silent).await.unwrap();
        assert!(matches!(outcome.ending, Ending::InDoubt { .. }), "{outcome:?}");
    }
    assert!(ledger.runs()[0].permit().is_some(), "a pause must be able to list it");
}

#[tokio::test]
async fn a_takeover_is_recorded_and_only_the_forge_or_a_fence_ends_what_was_taken_over() {
    let mut world = World::gated().unmerged();
    world.clock.expect_sleep().returning(|_| ());
    let merges = AtomicU32::new(0);
    world.forge.expect_merge().times(6).returning(move |_| match merges.fetch_add(1, Ordering::Relaxed) {
        0..3 => MergeAnswer::InDoubt { message: "timeout".into() },
        _ => MergeAnswer::Refused(MergeRefusal { reason: Reason::MergeRefused, message: "no".into() }),
    });
    let ledger = world.ledger.clone();
    let pipeline = world.pipeline();
    let first = pipeline.promote(&change(), None, &Silent).await.unwrap();
    assert!(matches!(first.ending, Ending::InDoubt { .. }));
    let held = ledger.runs()[0].permit().unwrap().clone();
    // The forge refuses the second one, but a request of the first may still be on its way.
    let second = pipeline.promote(&change(), None, &Silent).await.unwrap();
    assert!(matches!(second.ending, Ending::InDoubt { .. }), "{second:?}");
    let taken = ledger.runs()[0].permit().unwrap().clone();
    assert!(taken.id != held.id && taken.is_of_the_same_merge_as(&held));
    assert_eq!(ledger.types(), ["proposed", "tested", "merge_started", "merge_started"]);
}

#[tokio::test]
async fn a_merge_in_doubt_stays_in_doubt_until_its_deadline_and_is_fenced_after_it() {
    let mut world = World::gated().unmerged().retiring();
    world.clock.expect_sleep().returning(|_| ());
    world.forge.expect_merge().returning(|_| MergeAnswer::InDoubt { message: "timeout".into() });
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
    world.forge.expect_commit().returning(|_| Ok(landed_commit('6', "")));
    let ledger = world.ledger.clone();
    let outcome = world.promote().await.unwrap();
    assert_eq!(
        outcome.ending,
        Ending::Promoted { commit: landed(), tree_matches: false, checked_in_queue: false, already: false }
    );
    assert_eq!(ledger.types(), ["proposed", "tested", "merge_started", "promotion_pause_changed", "promoted"]);
}

/// A world whose check is green after this many seconds, and in which merges are refused for a reason until so many more are over.
fn held_up(green_after: i64, reason: Reason, seconds: i64) -> World {
    let rules = RULES.replace("wait_seconds = 60", "wait_seconds = 6000");
    let mut world = World::publishing_by(&rules);
    let ledger = world.ledger.clone();
    let begun = ledger.now();
    world.forge.expect_survey().returning(move |_, _, _, _| {
        let passed = (ledger.now() - begun).num_seconds();
        let free = passed >= green_after + seconds;
        ledger.refuse_merges((!free).then_some(reason));
        Ok(survey(if passed < green_after { GateReading::default() } else { green() }))
    });
    world
}

#[tokio::test]
async fn what_was_waited_for_before_does_not_shorten_the_wait_for_another_merge() {
    for reason in [Reason::MergeInFlight, Reason::BaseMoved] {
        // Longer than a permit is valid.
        let world = held_up(1_000, reason, 60).merging();
        let ledger = world.ledger.clone();
        let outcome = world.pipeline_by(ledger.clone()).promote(&change(), None, &Silent).await.unwrap();
        assert!(matches!(outcome.ending, Ending::Promoted { .. }), "{outcome:?}");
    }
}

#[tokio::test]
async fn another_merge_is_waited_for_as_long_as_its_permit_is_valid() {
    for reason in [Reason::MergeInFlight, Reason::BaseMoved] {
        let world = held_up(0, reason, 10_000);
        let ledger = world.ledger.clone();
        let outcome = world.pipeline_by(ledger.clone()).promote(&change(), None, &Silent).await.unwrap();
        assert_eq!(self::reason(&outcome), Some(reason));
        let waited = (ledger.now() - time()).num_seconds();
        assert!((120..130).contains(&waited), "{waited} s");
    }
}
