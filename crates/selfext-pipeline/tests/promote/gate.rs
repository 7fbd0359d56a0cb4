//! The gate, the base and the pull request.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use chrono::Duration;
use selfext_domain::ports::PullRequestState;
use selfext_domain::*;
use selfext_pipeline::Ending;

use crate::ledger::time;
use crate::world::*;

fn reading(state: StatusState) -> GateReading {
    GateReading { statuses: vec![CommitStatus { context: "ci".into(), state }], check_runs: vec![] }
}

#[tokio::test]
async fn a_red_context_blocks_and_is_named() {
    let mut world = World::publishing();
    world.forge.expect_survey().times(1).returning(|_, _, _| Ok(survey(reading(StatusState::Failure))));
    let outcome = world.promote().await.unwrap();
    let Ending::Blocked(refusal) = outcome.ending else { panic!() };
    assert_eq!((refusal.reason, refusal.contexts[0].verdict), (Reason::StatusGate, ContextVerdict::Failing));
    assert_eq!(outcome.pull_request.unwrap().number, number());
}

#[tokio::test]
async fn a_pending_context_is_waited_for_up_to_the_limit() {
    let mut world = World::publishing();
    world.clock = ports::MockClock::new();
    let waited = Arc::new(AtomicI64::new(0));
    let (now, sleeping) = (waited.clone(), waited.clone());
    world.clock.expect_now().returning(move || time() + Duration::seconds(now.load(Ordering::Relaxed)));
    world.clock.expect_sleep().returning(move |pause| {
        sleeping.fetch_add(i64::try_from(pause.as_secs()).unwrap(), Ordering::Relaxed);
    });
    world.forge.expect_survey().returning(|_, _, _| Ok(survey(GateReading::default())));
    let outcome = world.promote().await.unwrap();
    assert_eq!(reason(&outcome), Some(Reason::ChecksPending));
    assert_eq!(waited.load(Ordering::Relaxed), 60);
}

#[tokio::test]
async fn a_pending_context_that_turns_green_lets_the_change_through() {
    let mut world = World::publishing();
    world.clock.expect_sleep().times(2).returning(|_| ());
    let looks = AtomicU32::new(0);
    world.forge.expect_survey().times(3).returning(move |_, _, _| {
        let state = if looks.fetch_add(1, Ordering::Relaxed) < 2 { StatusState::Pending } else { StatusState::Success };
        Ok(survey(reading(state)))
    });
    assert!(matches!(world.merging().promote().await.unwrap().ending, Ending::Promoted { .. }));
}

#[tokio::test]
async fn a_base_that_moved_is_verified_again_and_then_merged() {
    let mut world = World::publishing();
    let looks = AtomicU32::new(0);
    world.forge.expect_survey().returning(move |_, _, _| {
        let first = looks.fetch_add(1, Ordering::Relaxed) == 0;
        Ok(ports::Survey {
            base_head: commit('9'),
            ..survey(if first { reading(StatusState::Pending) } else { green() })
        })
    });
    world.verifier.expect_changed_between().times(1).returning(|_, _, _, _| Ok(vec![]));
    let ledger = world.ledger.clone();
    let outcome = world.merging().promote().await.unwrap();
    assert!(matches!(outcome.ending, Ending::Promoted { .. }));
    assert_eq!(ledger.types(), ["proposed", "tested", "tested", "merge_started", "promoted"]);
    assert_eq!(ledger.runs()[0].tested().unwrap().base_commit, commit('9'));
}

#[tokio::test]
async fn a_base_that_keeps_moving_blocks_after_the_limit() {
    let mut world = World::publishing();
    let looks = AtomicU32::new(0);
    world.forge.expect_survey().times(3).returning(move |_, _, _| {
        let digit = char::from_digit(looks.fetch_add(1, Ordering::Relaxed) + 3, 10).unwrap();
        Ok(ports::Survey { base_head: commit(digit), ..survey(green()) })
    });
    world.verifier.expect_changed_between().returning(|_, _, _, _| Ok(vec![]));
    assert_eq!(reason(&world.promote().await.unwrap()), Some(Reason::BaseMoved));
}

#[tokio::test]
async fn a_file_that_others_changed_on_the_base_since_is_not_overwritten() {
    let mut world = World::publishing().retiring();
    world.forge.expect_survey().returning(|_, _, _| Ok(ports::Survey { base_head: commit('9'), ..survey(green()) }));
    world.verifier.expect_changed_between().returning(|_, _, _, paths| Ok(paths.to_vec()));
    let outcome = world.promote().await.unwrap();
    assert_eq!(reason(&outcome), Some(Reason::BaseConflict));
    assert!(matches!(outcome.ending, Ending::Failed(_)));
}

#[tokio::test]
async fn a_pull_request_that_others_touched_is_not_merged() {
    for (spoil, expected) in [
        (PullRequestState::Closed, Reason::PullRequestClosed),
        (PullRequestState::Merged { commit: Some(landed()) }, Reason::MergedElsewhere),
    ] {
        let mut world = World::publishing();
        world
            .forge
            .expect_survey()
            .returning(move |_, _, _| Ok(ports::Survey { pull_request: request(spoil.clone()), ..survey(green()) }));
        assert_eq!(reason(&world.promote().await.unwrap()), Some(expected));
    }
    let mut moved = World::publishing();
    moved.forge.expect_survey().returning(|_, _, _| {
        let pull_request = ports::PullRequest { head: commit('7'), ..request(PullRequestState::Open) };
        Ok(ports::Survey { pull_request, ..survey(green()) })
    });
    assert_eq!(reason(&moved.promote().await.unwrap()), Some(Reason::HeadMoved));
}
