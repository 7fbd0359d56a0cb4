//! Repetition: after an end, after a crash, beside another process, by an operator.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use selfext_domain::ports::{LandedCommit, PullRequestState, Standing, StandingRequest};
use selfext_domain::*;
use selfext_pipeline::{Ending, PromoteError, Reconciled, Silent};

use crate::world::*;

#[tokio::test]
async fn a_promoted_change_is_reported_and_not_promoted_again() {
    let pipeline = World::gated().merging().pipeline();
    let first = pipeline.promote(&change(), None, &Silent).await.unwrap();
    let second = pipeline.promote(&change(), None, &Silent).await.unwrap();
    assert_eq!(first.run, second.run);
    assert_eq!(
        second.ending,
        Ending::Promoted { commit: landed(), tree_matches: true, checked_in_queue: false, already: true }
    );
}

#[tokio::test]
async fn a_failed_change_starts_a_new_run_unless_its_id_is_given() {
    let world = World::verifying(vec![stage(StageResult::TimedOut)]);
    let ledger = world.ledger.clone();
    let pipeline = world.pipeline();
    let first = pipeline.promote(&change(), None, &Silent).await.unwrap();
    let reported = pipeline.promote(&change(), Some(&first.run), &Silent).await.unwrap();
    assert_eq!((reported.run, ledger.runs().len()), (first.run.clone(), 1));
    let second = pipeline.promote(&change(), None, &Silent).await.unwrap();
    assert_ne!(first.run, second.run);
}

#[tokio::test]
async fn a_run_id_of_another_change_is_refused() {
    let pipeline = World::verifying(vec![stage(StageResult::TimedOut)]).pipeline();
    let first = pipeline.promote(&change(), None, &Silent).await.unwrap();
    let other =
        ChangeSet::builder("Other", change().context().clone()).delete(RepoPath::parse("b").unwrap()).build().unwrap();
    let error = pipeline.promote(&other, Some(&first.run), &Silent).await.unwrap_err();
    assert!(matches!(error, PromoteError::RunTaken(run) if run == first.run));
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_taken_up_by_the_next_call() {
    // Every write of a promotion: proposed, tested, merge_started, promoted.
    for number in 1..=4 {
        for recorded in [false, true] {
            let mut world = World::gated();
            let merges = Arc::new(AtomicU32::new(0));
            let count = merges.clone();
            world.forge.expect_merge().returning(move |_| {
                count.fetch_add(1, Ordering::Relaxed);
                ports::MergeAnswer::Merged { commit: landed() }
            });
            let seen = merges.clone();
            world.forge.expect_pull_request().returning(move |_| {
                let done = seen.load(Ordering::Relaxed) > 0;
                Ok(request(if done {
                    PullRequestState::Merged { commit: Some(landed()) }
                } else {
                    PullRequestState::Open
                }))
            });
            let ledger = world.ledger.clone();
            ledger.fail_write(number, recorded);
            let pipeline = world.still().landing().pipeline();
            assert!(pipeline.promote(&change(), None, &Silent).await.is_err(), "write {number}");
            let outcome = pipeline.promote(&change(), None, &Silent).await.unwrap();
            assert!(matches!(outcome.ending, Ending::Promoted { .. }), "write {number}, recorded {recorded}");
            // Where `tested` was recorded before, a second one says that this call goes on.
            let mut types = ledger.types();
            types.dedup();
            assert_eq!(
                types,
                ["proposed", "tested", "merge_started", "promoted"],
                "write {number}, recorded {recorded}"
            );
            assert_eq!(merges.load(Ordering::Relaxed), 1, "write {number}, recorded {recorded}");
        }
    }
}

/// What the forge has of the publication, at a commit of this tree.
fn standing(tree_digit: char, body: &str) -> Standing {
    let commit = LandedCommit { sha: head(), ..landed_commit(tree_digit, "") };
    let request =
        StandingRequest { number: number(), url: "http://forge/12".into(), title: "Say why".into(), body: body.into() };
    Standing { commit, request: Some(request) }
}

#[tokio::test]
async fn what_is_published_already_is_not_published_again() {
    let mut world = World::verifying(vec![stage(StageResult::Passed)]);
    world.forge.checkpoint();
    world.forge.expect_branch_head().returning(|_| Ok(base()));
    let published = Arc::new(Mutex::new(Vec::new()));
    let (seen, known) = (published.clone(), published.clone());
    world.forge.expect_publish().times(3).returning(move |publication| {
        seen.lock().unwrap().push((publication.fresh, publication.body.clone()));
        Ok(ports::Published { pull_request: number(), url: "http://forge/12".into(), head: head() })
    });
    // The first call does not look. Nothing is found then, then another tree, then all of it.
    let looks = AtomicU32::new(0);
    world.forge.expect_find_published().times(3).returning(move |_, _| {
        let body = known.lock().unwrap()[0].1.clone();
        Ok(match looks.fetch_add(1, Ordering::Relaxed) {
            0 => None,
            1 => Some(standing('3', &body)),
            _ => Some(standing('2', &body)),
        })
    });
    world.forge.expect_show_evidence().times(4).returning(|_, _| Ok(()));
    world.forge.expect_survey().returning(|_, _, _, _| {
        let red = CommitStatus { id: 1, context: "ci".into(), creator: None, state: StatusState::Failure };
        Ok(survey(GateReading { statuses: vec![red], check_runs: vec![] }))
    });
    let pipeline = world.pipeline();
    for _ in 0..4 {
        let outcome = pipeline.promote(&change(), None, &Silent).await.unwrap();
        assert_eq!(reason(&outcome), Some(Reason::StatusGate));
    }
    let fresh: Vec<bool> = published.lock().unwrap().iter().map(|(fresh, _)| *fresh).collect();
    assert_eq!(fresh, [true, true, false]);
}

#[tokio::test]
async fn the_branch_of_a_change_that_may_be_published_once_more_is_kept_at_what_landed() {
    for lost in [true, false] {
        let mut world = World::verifying(vec![stage(StageResult::Passed)]);
        let calls = AtomicU32::new(0);
        world.forge.expect_publish().returning(move |_| {
            if lost && calls.fetch_add(1, Ordering::Relaxed) == 0 {
                return Err(ports::ForgeError::unavailable("no answer"));
            }
            Ok(ports::Published { pull_request: number(), url: "http://forge/12".into(), head: head() })
        });
        world.forge.expect_show_evidence().returning(|_, _| Ok(()));
        let looks = AtomicU32::new(0);
        world.forge.expect_survey().returning(move |_, _, _, _| {
            let state = if looks.fetch_add(1, Ordering::Relaxed) == 0 && !lost {
                StatusState::Failure
            } else {
                StatusState::Success
            };
            let status = CommitStatus { id: 1, context: "ci".into(), creator: None, state };
            Ok(survey(GateReading { statuses: vec![status], check_runs: vec![] }))
        });
        world.forge.expect_merge().times(1).returning(|_| ports::MergeAnswer::Merged { commit: landed() });
        world.forge.expect_commit().returning(|_| Ok(landed_commit('2', "")));
        let (parked, deleted) = if lost { (1, 0) } else { (0, 1) };
        world.forge.expect_park_branch().withf(|_, at| *at == landed()).times(parked).returning(|_, _| Ok(()));
        world.forge.expect_delete_branch().times(deleted).returning(|_| Ok(()));
        let pipeline = world.pipeline();
        assert!(reason(&pipeline.promote(&change(), None, &Silent).await.unwrap()).is_some());
        let outcome = pipeline.promote(&change(), None, &Silent).await.unwrap();
        assert!(matches!(outcome.ending, Ending::Promoted { .. }), "{outcome:?}");
    }
}

#[tokio::test]
async fn nothing_is_merged_whose_evidence_is_not_shown() {
    let mut world = World::verifying(vec![stage(StageResult::Passed)]);
    world
        .forge
        .expect_publish()
        .returning(|_| Ok(ports::Published { pull_request: number(), url: "http://forge/12".into(), head: head() }));
    world.forge.expect_survey().returning(|_, _, _, _| Ok(survey(green())));
    world.forge.expect_show_evidence().returning(|_, _| Err(ports::ForgeError::Refused("No".into())));
    assert_eq!(reason(&world.promote().await.unwrap()), Some(Reason::ForgeRefused));
}

/// The `tested` event with which another process takes a run over.
fn taken_over(run: &Run) -> EventBody {
    Tested { holder: "other:2".into(), ..run.tested().unwrap().clone() }.into()
}

#[tokio::test]
async fn a_process_that_was_overtaken_merges_nothing_and_reports_what_the_other_did() {
    let mut world = World::publishing();
    let ledger = world.ledger.clone();
    let other = ledger.clone();
    world.forge.expect_survey().times(1).returning(move |_, _, _, _| {
        let run = other.runs().remove(0);
        other.write_as_other(&run, taken_over(&run));
        Ok(survey(green()))
    });
    let other = ledger.clone();
    world.clock.expect_sleep().returning(move |_| {
        let run = other.runs().remove(0);
        let promoted =
            Promoted { commit: landed(), tree: tree('2'), tree_matches: true, checked_in_queue: false, health: None };
        match run.phase() {
            Phase::Tested => other.write_as_other(&run, merge_started(&run)),
            _ => other.write_as_other(&run, promoted.into()),
        }
    });
    let outcome = world.promote().await.unwrap();
    assert_eq!(
        outcome.ending,
        Ending::Promoted { commit: landed(), tree_matches: true, checked_in_queue: false, already: true }
    );
    assert_eq!(ledger.types(), ["proposed", "tested", "tested", "merge_started", "promoted"]);
}

fn merge_started(run: &Run) -> EventBody {
    MergeStarted {
        head: head(),
        base_commit: base(),
        tree: tree('2'),
        branch: run.branch().clone(),
        method: MergeMethod::Squash,
        way: MergeWay::Direct,
        message: "m".into(),
        permit_status: false,
        health: None,
        holder: "other:2".into(),
        deadline_seconds: 60,
    }
    .into()
}

#[tokio::test]
async fn a_process_that_took_over_and_died_is_replaced_after_a_permits_time() {
    let mut world = World::publishing().merging();
    let ledger = world.ledger.clone();
    let other = ledger.clone();
    let looks = AtomicU32::new(0);
    world.forge.expect_survey().times(2).returning(move |_, _, _, _| {
        if looks.fetch_add(1, Ordering::Relaxed) == 0 {
            let run = other.runs().remove(0);
            other.write_as_other(&run, taken_over(&run));
        }
        Ok(survey(green()))
    });
    world.clock.expect_sleep().times(120).returning(|_| ());
    let outcome = world.promote().await.unwrap();
    assert_eq!(
        outcome.ending,
        Ending::Promoted { commit: landed(), tree_matches: true, checked_in_queue: false, already: false }
    );
    assert_eq!(ledger.types(), ["proposed", "tested", "tested", "tested", "merge_started", "promoted"]);
}

#[tokio::test]
async fn a_run_that_another_process_ends_meanwhile_ends_here_too() {
    let mut world = World::publishing().retiring();
    let ledger = world.ledger.clone();
    let other = ledger.clone();
    world.forge.expect_survey().times(1).returning(move |_, _, _, _| {
        let run = other.runs().remove(0);
        other.write_as_other(&run, RunAbandoned { by: OperatorName::parse("ops").unwrap(), reason: None }.into());
        Ok(survey(green()))
    });
    let outcome = world.promote().await.unwrap();
    assert_eq!(outcome.ending, Ending::Abandoned);
    assert_eq!(ledger.types(), ["proposed", "tested", "run_abandoned"]);
}

#[tokio::test]
async fn abandoning_ends_an_open_run_and_cleans_up_and_may_be_repeated() {
    let world = World::gated().retiring();
    let ledger = world.ledger.clone();
    ledger.pause("now");
    let pipeline = world.pipeline();
    let run = pipeline.promote(&change(), None, &Silent).await.unwrap().run;
    let by = OperatorName::parse("ops").unwrap();
    for _ in 0..2 {
        let outcome = pipeline.abandon(&run, &by, Some("not wanted"), &Silent).await.unwrap();
        assert_eq!(outcome.ending, Ending::Abandoned);
    }
    assert_eq!(ledger.types(), ["proposed", "tested", "promotion_blocked", "run_abandoned"]);
    let unknown = RunId::parse("unknown").unwrap();
    assert!(matches!(pipeline.abandon(&unknown, &by, None, &Silent).await, Err(PromoteError::NoRun(_))));
}

/// A merge that is never answered, and that a fence finds landed or not. The branch is fenced exactly once.
fn in_doubt(landed_before_the_fence: bool) -> World {
    let mut world = World::gated().still().retiring();
    world.clock.expect_sleep().returning(|_| ());
    world.forge.expect_merge().returning(|_| ports::MergeAnswer::InDoubt { message: "timeout".into() });
    let fenced = Arc::new(AtomicBool::new(false));
    let (set, get) = (fenced.clone(), fenced);
    world.forge.expect_fence_branch().times(1).returning(move |_, _| {
        set.store(true, Ordering::Relaxed);
        Ok(())
    });
    world.forge.expect_pull_request().returning(move |_| {
        let arrived = landed_before_the_fence && get.load(Ordering::Relaxed);
        let merged = PullRequestState::Merged { commit: Some(landed()) };
        Ok(request(if arrived { merged } else { PullRequestState::Open }))
    });
    world.forge.expect_commit().returning(|_| Ok(landed_commit('2', "")));
    world
}

#[tokio::test]
async fn abandoning_a_run_whose_merge_may_still_arrive_fences_first_and_tells_the_truth() {
    for landed_before in [false, true] {
        let world = in_doubt(landed_before);
        let ledger = world.ledger.clone();
        let pipeline = world.pipeline();
        let run = pipeline.promote(&change(), None, &Silent).await.unwrap().run;
        let by = OperatorName::parse("ops").unwrap();
        let outcome = pipeline.abandon(&run, &by, None, &Silent).await.unwrap();
        let last = ledger.types().pop().unwrap();
        let expected = if landed_before { "promoted" } else { "run_abandoned" };
        assert_eq!(last, expected, "{outcome:?}");
    }
}

#[tokio::test]
async fn reconciling_settles_a_merge_that_a_crash_left_open() {
    let mut world = World::gated().still().landing();
    world.forge.expect_merge().times(1).returning(|_| ports::MergeAnswer::Merged { commit: landed() });
    world.forge.expect_pull_request().returning(|_| Ok(request(PullRequestState::Merged { commit: Some(landed()) })));
    let ledger = world.ledger.clone();
    ledger.fail_write(4, false);
    let pipeline = world.pipeline();
    assert!(pipeline.promote(&change(), None, &Silent).await.is_err());
    let reconciled = pipeline.reconcile(&Silent).await.unwrap();
    assert!(
        matches!(&reconciled[..], [Reconciled::Settled(outcome)] if matches!(outcome.ending, Ending::Promoted { .. }))
    );
    assert!(pipeline.reconcile(&Silent).await.unwrap().is_empty());
    assert_eq!(ledger.types(), ["proposed", "tested", "merge_started", "promoted"]);
}

#[tokio::test]
async fn fencing_an_open_merge_works_while_paused_and_tells_the_truth() {
    for landed_before in [false, true] {
        let world = in_doubt(landed_before);
        let ledger = world.ledger.clone();
        let pipeline = world.pipeline();
        let run = pipeline.promote(&change(), None, &Silent).await.unwrap().run;
        ledger.pause("now");
        for _ in 0..2 {
            let outcome = pipeline.fence_merge(&run, "paused by ops", &Silent).await.unwrap();
            let expected = (!landed_before).then_some(Reason::MergeFenced);
            assert_eq!(reason(&outcome), expected);
        }
        let outcome = if landed_before { "promoted" } else { "failed" };
        assert_eq!(ledger.types(), ["proposed", "tested", "merge_started", "merge_fenced", outcome]);
    }
}
