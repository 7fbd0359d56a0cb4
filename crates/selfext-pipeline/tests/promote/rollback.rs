//! Taking a landed change back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use selfext_domain::ports::{MergeAnswer, PullRequestState};
use selfext_domain::*;
use selfext_pipeline::{Ending, Pipeline, PromoteError, RollbackEnding, Silent};

use crate::ledger::MemoryLedger;
use crate::world::*;

pub fn changed_path() -> RepoPath {
    RepoPath::parse("src/a.rs").unwrap()
}

pub fn inverse() -> Inverse {
    Inverse { files: BTreeMap::from([(changed_path(), FileChange::Delete)]), conflicts: Vec::new() }
}

impl World {
    /// A change lands, and so does what takes it back.
    pub fn merging_twice(mut self) -> Self {
        self.forge.expect_merge().times(2).returning(|_| MergeAnswer::Merged { commit: landed() });
        self.landing()
    }

    pub fn inverting(mut self) -> Self {
        self.verifier.expect_invert().returning(|_, _, _| Ok(inverse()));
        self
    }
}

async fn land(pipeline: &Pipeline) -> RunId {
    let outcome = pipeline.promote(&change(), None, &Silent).await.unwrap();
    assert!(matches!(outcome.ending, Ending::Promoted { .. }), "{outcome:?}");
    outcome.run
}

fn run(ledger: &MemoryLedger, id: &RunId) -> Run {
    ledger.runs().into_iter().find(|run| run.id() == id).unwrap()
}

const LANDED: [&str; 4] = ["proposed", "tested", "merge_started", "promoted"];

#[tokio::test]
async fn a_landed_change_is_taken_back_by_a_run_of_its_own() {
    let world = World::gated().merging_twice().inverting();
    let ledger = world.ledger.clone();
    let pipeline = world.pipeline();
    let target = land(&pipeline).await;
    let outcome = pipeline.roll_back(&target, "it is sick", &Silent).await.unwrap();
    assert_eq!(outcome.ending, RollbackEnding::RolledBack { commit: landed() });
    let announced = ["rollback_started"];
    assert_eq!(ledger.types(), [&LANDED[..], &announced, &LANDED, &["rolled_back"]].concat());
    let rollback = run(&ledger, outcome.rollback_run.as_ref().unwrap());
    assert_eq!((rollback.rollback_of(), rollback.first_base()), (Some(&target), Some(&base())));
    assert_eq!(rollback.context().actor(), ActorSource::selfext());
    assert_eq!(run(&ledger, &target).phase(), Phase::RolledBack);
    // Again, nothing is done.
    assert_eq!(pipeline.roll_back(&target, "again", &Silent).await.unwrap(), outcome);
    assert_eq!(ledger.types().len(), 10);
}

#[tokio::test]
async fn a_rollback_goes_on_wherever_its_ledger_broke_off() {
    for recorded in [false, true] {
        for number in 5..=10 {
            let mut world = World::gated().inverting().still();
            let merges = Arc::new(AtomicU32::new(0));
            let asked = merges.clone();
            world.forge.expect_merge().times(2).returning(move |_| {
                asked.fetch_add(1, Ordering::SeqCst);
                MergeAnswer::Merged { commit: landed() }
            });
            world.forge.expect_pull_request().returning(move |_| {
                let has_landed = merges.load(Ordering::SeqCst) == 2;
                let commit = has_landed.then(landed);
                Ok(request(if has_landed { PullRequestState::Merged { commit } } else { PullRequestState::Open }))
            });
            let world = world.landing();
            let ledger = world.ledger.clone();
            let pipeline = world.pipeline();
            let target = land(&pipeline).await;
            ledger.fail_write(number, recorded);
            let first = pipeline.roll_back(&target, "it is sick", &Silent).await;
            assert!(matches!(first, Err(PromoteError::Ledger(_))), "write {number}: {first:?}");
            let second = pipeline.roll_back(&target, "it is sick", &Silent).await.unwrap();
            assert!(matches!(second.ending, RollbackEnding::RolledBack { .. }), "write {number}: {second:?}");
            let types = ledger.types();
            for (name, times) in [("rollback_started", 1), ("proposed", 2), ("promoted", 2), ("rolled_back", 1)] {
                let count = types.iter().filter(|found| *found == name).count();
                assert_eq!(count, times, "write {number}, recorded: {recorded}: {types:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_conflict_is_given_to_a_human_with_what_could_be_restored() {
    let mut world = World::gated().merging();
    world.verifier.expect_invert().returning(|_, _, _| {
        let marked = InverseConflict {
            path: changed_path(),
            detail: "others changed the same lines".into(),
            marked: Some(Arc::from(&b"<<<<"[..])),
        };
        Ok(Inverse { files: BTreeMap::new(), conflicts: vec![marked] })
    });
    world.forge.expect_find_pull_request().returning(|_, _| Ok(None));
    let ledger = world.ledger.clone();
    let pipeline = world.pipeline();
    let target = land(&pipeline).await;
    let outcome = pipeline.roll_back(&target, "it is sick", &Silent).await.unwrap();
    let RollbackEnding::Failed(refusal) = outcome.ending else { panic!("{outcome:?}") };
    assert_eq!((refusal.reason, refusal.paths), (Reason::RollbackConflict, vec![changed_path()]));
    assert!(refusal.detail.contains("selfext acknowledge"), "{}", refusal.detail);
    let target = run(&ledger, &target);
    assert_eq!(target.phase(), Phase::RollbackFailed);
    assert!(target.prepared().unwrap().is_selfext());
    assert_eq!(ledger.types()[4..], ["rollback_started", "rollback_failed"]);
}

#[tokio::test]
async fn what_others_changed_meanwhile_makes_the_rollback_anew() {
    let moved = commit('9');
    let mut world = World::bare();
    let looks = AtomicU32::new(0);
    let tip = moved.clone();
    // The promotion and the first inverse are made on the base; then it moves.
    world
        .forge
        .expect_branch_head()
        .returning(move |_| Ok(if looks.fetch_add(1, Ordering::SeqCst) < 2 { base() } else { tip.clone() }));
    world.forge.expect_find_published().returning(|_, _| Ok(None));
    world.verifier.expect_read_file().returning(|_, _, _| Ok(Some(RULES.into())));
    world.verifier.expect_prepare().returning(|_, on, _| Ok(candidate(on)));
    world.verifier.expect_run_stages().returning(|_, _, _| Ok(vec![stage(StageResult::Passed)]));
    world.verifier.expect_changed_between().returning(|_, _, _, _| Ok(vec![changed_path()]));
    world.clock.expect_now().returning(crate::ledger::time);
    world
        .forge
        .expect_publish()
        .returning(|_| Ok(selfext_domain::ports::Published { pull_request: number(), url: "u".into(), head: head() }));
    world.forge.expect_show_evidence().returning(|_, _| Ok(()));
    let surveys = AtomicU32::new(0);
    let tip = moved.clone();
    world.forge.expect_survey().returning(move |_, _, _, _| {
        let mut seen = survey(green());
        if surveys.fetch_add(1, Ordering::SeqCst) > 0 {
            seen.base_head = tip.clone();
        }
        Ok(seen)
    });
    world.forge.expect_branch_since().returning(|_, _| Ok(since(vec![])));
    let world = world.merging_twice().retiring().inverting();
    let ledger = world.ledger.clone();
    let pipeline = world.pipeline();
    let target = land(&pipeline).await;
    let outcome = pipeline.roll_back(&target, "it is sick", &Silent).await.unwrap();
    assert!(matches!(outcome.ending, RollbackEnding::RolledBack { .. }), "{outcome:?}");
    let expected = [
        &["rollback_started", "proposed", "failed", "rollback_failed", "rollback_started"],
        &LANDED[..],
        &["rolled_back"],
    ];
    assert_eq!(ledger.types()[4..], expected.concat());
    let rollback = run(&ledger, outcome.rollback_run.as_ref().unwrap());
    assert_eq!(rollback.first_base(), Some(&moved));
}

#[tokio::test]
async fn what_somebody_else_took_back_needs_no_run() {
    let mut world = World::gated().merging();
    world.verifier.expect_invert().returning(|_, _, _| Ok(Inverse::default()));
    let ledger = world.ledger.clone();
    let pipeline = world.pipeline();
    let target = land(&pipeline).await;
    let outcome = pipeline.roll_back(&target, "it is sick", &Silent).await.unwrap();
    assert_eq!(outcome.ending, RollbackEnding::RolledBack { commit: base() });
    assert_eq!(ledger.types()[4..], ["rollback_started", "rolled_back"]);
}

#[tokio::test]
async fn a_rollback_that_is_refused_for_now_waits_and_goes_on() {
    let world = World::gated().merging_twice().inverting();
    let ledger = world.ledger.clone();
    let pipeline = world.pipeline();
    let target = land(&pipeline).await;
    ledger.pause("an incident");
    let first = pipeline.roll_back(&target, "it is sick", &Silent).await.unwrap();
    let RollbackEnding::Waiting(refusal) = &first.ending else { panic!("{first:?}") };
    assert_eq!(refusal.reason, Reason::PromotionPaused);
    ledger.resume();
    let second = pipeline.roll_back(&target, "it is sick", &Silent).await.unwrap();
    assert_eq!(second.ending, RollbackEnding::RolledBack { commit: landed() });
    assert_eq!(second.rollback_run, first.rollback_run);
}

#[tokio::test]
async fn a_rollback_that_cannot_be_made_now_leaves_no_trace() {
    let mut world = World::gated().merging();
    world.verifier.expect_invert().returning(|_, _, base| Err(ports::VerifierError::BaseMissing(base.clone())));
    let ledger = world.ledger.clone();
    let pipeline = world.pipeline();
    let target = land(&pipeline).await;
    let outcome = pipeline.roll_back(&target, "it is sick", &Silent).await.unwrap();
    assert!(matches!(outcome.ending, RollbackEnding::Waiting(_)), "{outcome:?}");
    assert_eq!(ledger.types(), LANDED);
}

#[tokio::test]
async fn a_rollback_that_an_operator_ended_has_failed() {
    let world = World::gated().merging().inverting().retiring();
    let ledger = world.ledger.clone();
    let pipeline = world.pipeline();
    let target = land(&pipeline).await;
    ledger.pause("an incident");
    let waiting = pipeline.roll_back(&target, "it is sick", &Silent).await.unwrap();
    let by = OperatorName::parse("ops").unwrap();
    pipeline.abandon(waiting.rollback_run.as_ref().unwrap(), &by, None, &Silent).await.unwrap();
    let outcome = pipeline.roll_back(&target, "it is sick", &Silent).await.unwrap();
    let RollbackEnding::Failed(refusal) = outcome.ending else { panic!("{outcome:?}") };
    assert_eq!(refusal.reason, Reason::RollbackAbandoned);
    assert_eq!(run(&ledger, &target).phase(), Phase::RollbackFailed);
}

#[tokio::test]
async fn only_what_landed_is_taken_back_and_no_rollback_is() {
    let world = World::gated().merging_twice().inverting();
    let ledger = world.ledger.clone();
    let pipeline = world.pipeline();
    ledger.pause("an incident");
    let blocked = pipeline.promote(&change(), None, &Silent).await.unwrap();
    let refused = pipeline.roll_back(&blocked.run, "why", &Silent).await;
    assert!(matches!(refused, Err(PromoteError::NotLanded { phase: Phase::Blocked, .. })), "{refused:?}");
    ledger.resume();
    let target = land(&pipeline).await;
    let outcome = pipeline.roll_back(&target, "why", &Silent).await.unwrap();
    let refused = pipeline.roll_back(outcome.rollback_run.as_ref().unwrap(), "why", &Silent).await;
    assert!(matches!(refused, Err(PromoteError::IsRollback(_))), "{refused:?}");
}

#[tokio::test]
async fn what_was_rolled_back_lands_again_only_if_an_operator_says_so() {
    let mut world = World::gated().inverting();
    world.forge.expect_merge().times(3).returning(|_| MergeAnswer::Merged { commit: landed() });
    let world = world.landing();
    let ledger = world.ledger.clone();
    let pipeline = world.pipeline();
    let target = land(&pipeline).await;
    pipeline.roll_back(&target, "it is sick", &Silent).await.unwrap();
    for _ in 0..2 {
        let again = pipeline.promote(&change(), None, &Silent).await.unwrap();
        assert_eq!(reason(&again), Some(Reason::RolledBackBefore), "{again:?}");
    }
    let blocked = ledger.runs().into_iter().find(|run| run.phase() == Phase::Blocked).unwrap();
    let allowable = blocked.allowable().unwrap();
    assert_eq!(allowable.again_after(), Some(&target));
    assert!(!allowable.is_already_allowed());
    ledger.write_as_other(&blocked, allowable.by(&OperatorName::parse("ops").unwrap(), None, None).into());
    let landed = pipeline.promote(&change(), None, &Silent).await.unwrap();
    assert!(matches!(landed.ending, Ending::Promoted { already: false, .. }), "{landed:?}");
    // The allowance was of that one run.
    assert_eq!(landed.run, *blocked.id());
    assert_eq!(run(&ledger, blocked.id()).comes_after_rollback_of(), Some(&target));
}

#[tokio::test]
async fn protected_paths_and_sizes_do_not_keep_what_was_there_from_coming_back() {
    let mut world = World::bare();
    world.forge.expect_branch_head().returning(|_| Ok(base()));
    world.forge.expect_find_published().returning(|_, _| Ok(None));
    let reads = AtomicU32::new(0);
    // After the change landed, the rules protect its path and allow no file of any size.
    world.verifier.expect_read_file().returning(move |_, _, _| {
        let stricter = "[paths]\nprotected = [\"src/**\"]\n[limits]\nmax_total_bytes = 1\n";
        let rules = if reads.fetch_add(1, Ordering::SeqCst) == 0 { RULES.to_owned() } else { strict(stricter) };
        Ok(Some(rules.into_bytes()))
    });
    world.verifier.expect_prepare().returning(|_, on, _| Ok(candidate(on)));
    world.verifier.expect_run_stages().returning(|_, _, _| Ok(vec![stage(StageResult::Passed)]));
    world.verifier.expect_invert().returning(|_, _, _| {
        let write = FileChange::Write { content: Arc::from(&b"more than a byte"[..]), executable: Some(false) };
        Ok(Inverse { files: BTreeMap::from([(changed_path(), write)]), conflicts: Vec::new() })
    });
    world.clock.expect_now().returning(crate::ledger::time);
    world
        .forge
        .expect_publish()
        .returning(|_| Ok(ports::Published { pull_request: number(), url: "u".into(), head: head() }));
    world.forge.expect_show_evidence().returning(|_, _| Ok(()));
    world.forge.expect_survey().returning(|_, _, _, _| Ok(survey(green())));
    let pipeline = world.merging_twice().pipeline();
    let target = land(&pipeline).await;
    let outcome = pipeline.roll_back(&target, "it is sick", &Silent).await.unwrap();
    assert!(matches!(outcome.ending, RollbackEnding::RolledBack { .. }), "{outcome:?}");
}

fn strict(more: &str) -> String {
    RULES.replacen("[[verification.stage]]", &format!("{more}[[verification.stage]]"), 1)
}

#[tokio::test]
async fn a_plan_writes_nothing_and_names_what_the_rollback_must_pass() {
    let world = World::gated().merging().inverting();
    let ledger = world.ledger.clone();
    let pipeline = world.pipeline();
    let target = land(&pipeline).await;
    let plan = pipeline.plan_rollback(&target).await.unwrap().unwrap();
    assert_eq!((plan.landed, plan.base, plan.inverse), (landed(), base(), inverse()));
    assert_eq!(plan.rules.stages[0].name, "test");
    assert_eq!(ledger.types(), LANDED);
}
