//! What happens before anything is published.

use std::sync::atomic::{AtomicU32, Ordering};

use selfext_domain::ports::{ForgeError, VerifierError};
use selfext_domain::*;
use selfext_pipeline::{Ending, Silent};

use crate::world::*;

#[tokio::test]
async fn a_good_change_is_promoted_in_the_order_of_the_design() {
    let world = World::gated().merging();
    let ledger = world.ledger.clone();
    let outcome = world.promote().await.unwrap();
    assert_eq!(
        outcome.ending,
        Ending::Promoted { commit: landed(), tree_matches: true, checked_in_queue: false, already: false }
    );
    assert_eq!(ledger.types(), ["proposed", "tested", "merge_started", "promoted"]);
}

#[tokio::test]
async fn a_stage_that_does_not_pass_ends_the_run_before_anything_is_published() {
    for result in
        [StageResult::Failed { exit_code: Some(1), signal: None }, StageResult::TimedOut, StageResult::CouldNotStart]
    {
        let world = World::verifying(vec![stage(result)]);
        let ledger = world.ledger.clone();
        let outcome = world.promote().await.unwrap();
        assert!(matches!(outcome.ending, Ending::VerificationFailed { .. }), "{result:?}");
        assert_eq!(ledger.types(), ["proposed", "failed"]);
    }
}

#[tokio::test]
async fn a_stage_without_a_report_is_no_success() {
    let outcome = World::verifying(vec![]).promote().await.unwrap();
    assert_eq!(reason(&outcome), Some(Reason::VerificationFailed));
}

#[tokio::test]
async fn no_rules_or_bad_rules_block_before_anything_runs() {
    for (rules, expected) in [
        (None, Reason::RulesMissing),
        (Some(b"version = 9".to_vec()), Reason::RulesInvalid),
        (Some(vec![0xff]), Reason::RulesInvalid),
    ] {
        let mut world = World::bare();
        world.forge.expect_branch_head().returning(|_| Ok(base()));
        world.verifier.expect_read_file().returning(move |_, _, _| Ok(rules.clone()));
        let outcome = world.promote().await.unwrap();
        assert_eq!(reason(&outcome), Some(expected));
        assert!(matches!(outcome.ending, Ending::Blocked(_)));
    }
}

#[tokio::test]
async fn a_protected_path_blocks_before_anything_runs_and_is_listed() {
    let mut world = World::bare();
    world.forge.expect_branch_head().returning(|_| Ok(base()));
    let rules = format!("{RULES}\n[paths]\nprotected = [\"src/**\"]\n");
    world.verifier.expect_read_file().returning(move |_, _, _| Ok(Some(rules.clone().into())));
    let outcome = world.promote().await.unwrap();
    let Ending::Blocked(refusal) = outcome.ending else { panic!() };
    assert_eq!((refusal.reason, refusal.paths), (Reason::ProtectedPath, vec![RepoPath::parse("src/a.rs").unwrap()]));
}

#[tokio::test]
async fn a_run_that_an_operator_allows_while_it_is_being_driven_goes_on() {
    let mut world = World::publishing().merging();
    world.forge.expect_survey().returning(|_, _, _, _| Ok(survey(green())));
    world.verifier.checkpoint();
    let rules = format!("{RULES}\n[paths]\nprotected = [\"src/**\"]\n");
    let (ledger, looks) = (world.ledger.clone(), AtomicU32::new(0));
    world.verifier.expect_read_file().returning(move |_, _, _| {
        // The driver has read the run, and has yet to write that it is blocked.
        if looks.fetch_add(1, Ordering::Relaxed) == 1 {
            let run = ledger.runs().pop().unwrap();
            let by = OperatorName::parse("ops").unwrap();
            ledger.write_as_other(&run, run.allowable().unwrap().by(&by, None, None).into());
        }
        Ok(Some(rules.clone().into()))
    });
    world.verifier.expect_prepare().returning(|_, on, _| Ok(candidate(on)));
    world.verifier.expect_run_stages().returning(|_, _, _| Ok(vec![stage(StageResult::Passed)]));
    let ledger = world.ledger.clone();
    let pipeline = world.pipeline();
    let blocked = pipeline.promote(&change(), None, &Silent).await.unwrap();
    assert_eq!(reason(&blocked), Some(Reason::ProtectedPath));
    let outcome = pipeline.promote(&change(), None, &Silent).await.unwrap();
    assert!(matches!(outcome.ending, Ending::Promoted { .. }), "{outcome:?}");
    let expected = ["proposed", "promotion_blocked", "change_allowed", "tested", "merge_started", "promoted"];
    assert_eq!(ledger.types(), expected);
}

#[tokio::test]
async fn a_change_that_changes_nothing_or_does_not_apply_ends_the_run() {
    let mut same = World::bare();
    same.forge.expect_branch_head().returning(|_| Ok(base()));
    same.verifier.expect_read_file().returning(|_, _, _| Ok(Some(RULES.into())));
    same.verifier.expect_prepare().returning(|_, on, _| Ok(Candidate { tree: tree('1'), ..candidate(on) }));
    assert_eq!(reason(&same.promote().await.unwrap()), Some(Reason::NothingToChange));

    let mut impossible = World::bare();
    impossible.forge.expect_branch_head().returning(|_| Ok(base()));
    impossible.verifier.expect_read_file().returning(|_, _, _| Ok(Some(RULES.into())));
    impossible
        .verifier
        .expect_prepare()
        .returning(|_, _, _| Err(VerifierError::DoesNotApply { detail: "gone".into(), paths: vec![] }));
    assert_eq!(reason(&impossible.promote().await.unwrap()), Some(Reason::DoesNotApply));
}

#[tokio::test]
async fn a_forge_that_does_not_answer_blocks_and_the_run_may_go_on() {
    let mut world = World::bare();
    world.forge.expect_branch_head().returning(|_| Err(ForgeError::unavailable("connection reset")));
    let ledger = world.ledger.clone();
    let outcome = world.promote().await.unwrap();
    assert_eq!(reason(&outcome), Some(Reason::ForgeUnavailable));
    assert_eq!(ledger.types(), ["proposed", "promotion_blocked"]);
}

#[tokio::test]
async fn nothing_is_done_that_the_ledger_cannot_record() {
    // Write 1 is `proposed`, 2 is `tested`, 3 is `merge_started`: what each precedes must not happen.
    for (number, world) in
        [(1, World::bare()), (2, World::verifying(vec![stage(StageResult::Passed)])), (3, World::gated())]
    {
        world.ledger.fail_write(number, false);
        assert!(world.promote().await.is_err(), "write {number}");
    }
}
