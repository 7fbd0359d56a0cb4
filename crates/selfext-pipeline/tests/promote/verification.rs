//! What happens before anything is published.

use selfext_domain::ports::{ForgeError, VerifierError};
use selfext_domain::*;
use selfext_pipeline::Ending;

use crate::world::*;

#[tokio::test]
async fn a_good_change_is_promoted_in_the_order_of_the_design() {
    let world = World::gated().merging();
    let ledger = world.ledger.clone();
    let outcome = world.promote().await.unwrap();
    assert_eq!(outcome.ending, Ending::Promoted { commit: landed(), tree_matches: true, already: false });
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
