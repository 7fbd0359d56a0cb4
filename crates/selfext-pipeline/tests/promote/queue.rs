//! A base that takes changes through a merge queue, and rules that let selfext use it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use selfext_domain::ports::{ForgeError, LandedCommit, MergeAnswer, PullRequestState, QueueEntry, Survey};
use selfext_domain::*;
use selfext_pipeline::{Ending, Pipeline, Silent};

use crate::ledger::time;
use crate::world::*;

const QUEUE: &str = "version = 1\n[gate]\nrequired = [\"ci\"]\n[merge]\nmerge_queue = \"enqueue\"\nqueue_wait_seconds = 600\n\
                     [[verification.stage]]\nname = \"test\"\ncommand = [\"true\"]\n";

/// The commit that the queue makes of the change.
fn made() -> CommitSha {
    commit('e')
}

fn behind_a_queue(contexts: &[&str]) -> BranchRules {
    let required =
        contexts.iter().map(|context| RequiredContext { context: (*context).to_owned(), pin: None }).collect();
    let merge_queue = Some(MergeQueue { method: Some(MergeMethod::Squash), each_passes: true });
    BranchRules { required, merge_queue, ..BranchRules::default() }
}

/// One answer to the question for the pull request's place.
#[derive(Clone)]
enum Seen {
    At(u32, Option<CommitSha>),
    Gone,
    Silent,
}

/// What a promotion finds in the queue, look by look; the last stays.
struct Scene {
    looks: Vec<Seen>,
    /// The tree of the commit that the queue makes, and that lands.
    tree: char,
    /// What is green on it.
    green: GateReading,
    /// Whether it has landed once it is gone.
    lands: bool,
    contexts: &'static [&'static str],
    rules: &'static str,
    /// How often the queue's commit is asked for before it is known.
    unknown_commits: u32,
}

impl Default for Scene {
    fn default() -> Self {
        let looks = vec![Seen::At(2, None), Seen::At(1, Some(made())), Seen::Gone];
        Self { looks, tree: '2', green: green(), lands: true, contexts: &["ci"], rules: QUEUE, unknown_commits: 0 }
    }
}

impl Scene {
    fn world(self) -> World {
        let mut world = World::publishing_by(self.rules);
        let (green_there, contexts) = (self.green, self.contexts);
        world.forge.expect_survey().returning(move |_, at, _, _| {
            let gate = if *at == head() { green() } else { green_there.clone() };
            Ok(Survey { rules: behind_a_queue(contexts), ..survey(gate) })
        });
        let looks = Arc::new(Mutex::new(VecDeque::from(self.looks)));
        let gone = looks.clone();
        world.forge.expect_queue_entry().returning(move |_| {
            let mut looks = looks.lock().unwrap();
            let look = if looks.len() > 1 { looks.pop_front() } else { looks.front().cloned() };
            match look.unwrap() {
                Seen::At(position, commit) => Ok(Some(QueueEntry { position, commit })),
                Seen::Gone => Ok(None),
                Seen::Silent => Err(ForgeError::unavailable("silence")),
            }
        });
        let lands = self.lands;
        world.forge.expect_pull_request().returning(move |_| {
            let over = matches!(gone.lock().unwrap().front(), Some(Seen::Gone));
            let merged = PullRequestState::Merged { commit: Some(landed()) };
            Ok(request(if lands && over { merged } else { PullRequestState::Open }))
        });
        // What came before it in the queue lands, too.
        let theirs = LandedCommit { sha: commit('9'), ..landed_commit('3', "Somebody's") };
        world.forge.expect_branch_since().returning(move |_, _| Ok(since(vec![theirs.clone()])));
        let (tree, unknown) = (self.tree, AtomicU32::new(self.unknown_commits));
        world.forge.expect_commit().returning(move |sha| {
            if *sha == made()
                && unknown.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
            {
                return Err(ForgeError::NotFound("commit".to_owned()));
            }
            Ok(LandedCommit { sha: sha.clone(), ..landed_commit(tree, "") })
        });
        world.forge.expect_delete_branch().returning(|_| Ok(()));
        world.clock.expect_sleep().returning(|_| ());
        world
    }

    fn enqueued(self) -> World {
        let mut world = self.world();
        world.forge.expect_merge().times(1).returning(|permit| {
            assert_eq!(permit.terms().way, MergeWay::Queue);
            MergeAnswer::Enqueued
        });
        world
    }
}

fn promoted(tree_matches: bool, checked_in_queue: bool) -> Ending {
    Ending::Promoted { commit: landed(), tree_matches, checked_in_queue, already: false }
}

const LANDED: [&str; 4] = ["proposed", "tested", "merge_started", "promoted"];

#[tokio::test]
async fn a_change_lands_through_the_queue_under_one_permit_of_the_queues_time() {
    let world = Scene::default().enqueued();
    let ledger = world.ledger.clone();
    assert_eq!(world.promote().await.unwrap().ending, promoted(true, false));
    assert_eq!(ledger.types(), LANDED);
    let permits: Vec<_> =
        ledger.permits().into_iter().map(|terms| (terms.deadline - terms.granted_at).num_seconds()).collect();
    assert_eq!(permits, [600]);
}

#[tokio::test]
async fn the_queues_commit_gets_the_evidence_if_it_is_the_tested_tree_and_the_permits_status_always() {
    const WITH_STATUS: &str = "version = 1\n[gate]\nrequired = [\"ci\"]\n[merge]\nmerge_queue = \"enqueue\"\npermit_status = true\n\
                               [[verification.stage]]\nname = \"test\"\ncommand = [\"true\"]\n";
    for (tree, evidence) in [('2', true), ('6', false)] {
        let mut world = Scene { tree, rules: WITH_STATUS, ..Scene::default() }.enqueued();
        let opened = Arc::new(Mutex::new(Vec::new()));
        let (open, shown) = (opened.clone(), world.shown.clone());
        world.forge.expect_show_permit().returning(move |at, is_open| {
            assert!(is_open);
            open.lock().unwrap().push(at.clone());
            Ok(())
        });
        assert!(matches!(world.promote().await.unwrap().ending, Ending::Promoted { .. }));
        assert_eq!(*opened.lock().unwrap(), [head(), made()]);
        let expected = if evidence { vec![head(), made()] } else { vec![head()] };
        assert_eq!(*shown.lock().unwrap(), expected);
    }
}

#[tokio::test]
async fn another_tree_is_vouched_for_by_what_is_required_of_the_queues_commit_and_by_nothing_less() {
    let red = GateReading {
        statuses: vec![CommitStatus { id: 1, context: "ci".into(), state: StatusState::Failure, creator: None }],
        check_runs: vec![],
    };
    for (green_there, vouched) in [(green(), true), (red, false), (GateReading::default(), false)] {
        let world = Scene { tree: '6', green: green_there, ..Scene::default() }.enqueued();
        let ledger = world.ledger.clone();
        assert_eq!(world.promote().await.unwrap().ending, promoted(false, vouched));
        let paused = ledger.types().iter().any(|name| name == "promotion_pause_changed");
        assert_eq!(paused, !vouched);
    }
}

#[tokio::test]
async fn where_the_base_takes_only_what_was_verified_another_tree_leaves_the_queue() {
    let scene = Scene { tree: '6', contexts: &["ci", EVIDENCE_CONTEXT], lands: false, ..Scene::default() };
    let mut world = scene.enqueued();
    world.forge.expect_leave_queue().times(1).returning(|_| Ok(()));
    let ledger = world.ledger.clone();
    assert_eq!(reason(&world.promote().await.unwrap()), Some(Reason::BaseMoved));
    assert!(ledger.runs()[0].permit().is_none());
}

#[tokio::test]
async fn what_the_queue_throws_out_closes_its_permit_and_may_be_promoted_again() {
    let mut world = Scene { lands: false, ..Scene::default() }.enqueued();
    world.forge.expect_leave_queue().returning(|_| Ok(()));
    let ledger = world.ledger.clone();
    assert_eq!(reason(&world.promote().await.unwrap()), Some(Reason::MergeQueueLeft));
    assert_eq!(ledger.types(), ["proposed", "tested", "merge_started", "promotion_blocked"]);
}

#[tokio::test]
async fn a_place_that_is_not_seen_at_once_is_waited_for() {
    let looks = vec![Seen::Gone, Seen::Gone, Seen::At(1, Some(made())), Seen::Gone];
    let mut world = Scene { looks, lands: false, ..Scene::default() }.enqueued();
    world.forge.expect_leave_queue().times(1).returning(|_| Ok(()));
    // Two looks at nothing were not believed: it was thrown out only after it was there.
    assert_eq!(reason(&world.promote().await.unwrap()), Some(Reason::MergeQueueLeft));
}

#[tokio::test]
async fn a_pause_takes_the_change_out_of_the_queue_unless_it_has_landed() {
    for lands in [false, true] {
        let looks = vec![Seen::At(1, None), Seen::At(1, None), Seen::Gone];
        let mut world = Scene { looks, lands, ..Scene::default() }.enqueued();
        let (ledger, left) = (world.ledger.clone(), Arc::new(AtomicU32::new(0)));
        let (pausing, leaving) = (ledger.clone(), left.clone());
        world.clock = selfext_domain::ports::MockClock::new();
        world.clock.expect_now().returning(time);
        let sleeps = AtomicU32::new(0);
        world.clock.expect_sleep().returning(move |_| {
            if sleeps.fetch_add(1, Ordering::Relaxed) == 0 {
                pausing.pause("now");
            }
        });
        world.forge.expect_leave_queue().returning(move |_| {
            leaving.fetch_add(1, Ordering::Relaxed);
            Ok(())
        });
        let outcome = world.promote().await.unwrap();
        assert_eq!(left.load(Ordering::Relaxed), 1);
        if lands {
            assert_eq!(outcome.ending, promoted(true, false));
        } else {
            assert_eq!(reason(&outcome), Some(Reason::PromotionPaused));
            assert!(ledger.runs()[0].permit().is_none());
        }
    }
}

#[tokio::test]
async fn what_stands_in_the_queue_for_too_long_is_taken_out_and_fenced() {
    let mut world = Scene { looks: vec![Seen::At(1, None)], lands: false, ..Scene::default() }.enqueued().retiring();
    world.forge.expect_leave_queue().times(1).returning(|_| Ok(()));
    world.forge.expect_fence_branch().times(1).returning(|_, _| Ok(()));
    let ledger = world.ledger.clone();
    let passing = ledger.clone();
    world.clock = selfext_domain::ports::MockClock::new();
    world.clock.expect_now().returning(time);
    world.clock.expect_sleep().returning(move |_| passing.pass(60));
    assert_eq!(reason(&world.promote().await.unwrap()), Some(Reason::MergeFenced));
    assert_eq!(ledger.types(), ["proposed", "tested", "merge_started", "merge_fenced", "failed"]);
}

#[tokio::test]
async fn a_request_that_may_still_put_it_there_is_fenced_off() {
    let mut world = Scene { looks: vec![Seen::Gone], lands: false, ..Scene::default() }.world().retiring();
    let asked = AtomicU32::new(0);
    world.forge.expect_merge().times(2).returning(move |_| match asked.fetch_add(1, Ordering::Relaxed) {
        0 => MergeAnswer::InDoubt { message: "502".into() },
        _ => MergeAnswer::Enqueued,
    });
    world.forge.expect_leave_queue().times(1).returning(|_| Ok(()));
    world.forge.expect_fence_branch().times(1).returning(|_, _| Ok(()));
    assert_eq!(reason(&world.promote().await.unwrap()), Some(Reason::MergeFenced));
}

#[tokio::test]
async fn whoever_takes_over_finds_it_in_the_queue_and_gets_no_more_time() {
    let mut looks = vec![Seen::Silent; 4];
    looks.extend([Seen::At(1, Some(made())), Seen::Gone]);
    let mut world = Scene { looks, ..Scene::default() }.world();
    world.forge.expect_merge().times(2).returning(|_| MergeAnswer::Enqueued);
    let ledger = world.ledger.clone();
    let pipeline = world.pipeline();
    assert!(matches!(promote(&pipeline).await, Ending::InDoubt { .. }));
    let first = ledger.runs()[0].permit().unwrap().deadline;
    ledger.pass(300);
    assert_eq!(promote(&pipeline).await, promoted(true, false));
    assert_eq!(ledger.types(), ["proposed", "tested", "merge_started", "merge_started", "promoted"]);
    assert_eq!(ledger.permits().pop().unwrap().deadline, first);
}

async fn promote(pipeline: &Pipeline) -> Ending {
    pipeline.promote(&change(), None, &Silent).await.unwrap().ending
}

#[tokio::test]
async fn what_cannot_be_taken_out_of_the_queue_is_fenced_all_the_same_and_in_doubt() {
    let mut world = Scene { looks: vec![Seen::At(1, None)], lands: false, ..Scene::default() }.enqueued().retiring();
    world.forge.expect_leave_queue().times(1).returning(|_| Err(ForgeError::unavailable("silence")));
    world.forge.expect_fence_branch().times(1).returning(|_, _| Ok(()));
    let passing = world.ledger.clone();
    world.clock = selfext_domain::ports::MockClock::new();
    world.clock.expect_now().returning(time);
    world.clock.expect_sleep().returning(move |_| passing.pass(60));
    assert!(matches!(world.promote().await.unwrap().ending, Ending::InDoubt { .. }));
}

#[tokio::test]
async fn a_queues_commit_that_is_not_known_everywhere_yet_gets_its_evidence_later() {
    let at = Seen::At(1, Some(made()));
    let mut scene = Scene { looks: vec![at.clone(), at, Seen::Gone], ..Scene::default() };
    scene.unknown_commits = 1;
    let world = scene.enqueued();
    let shown = world.shown.clone();
    assert_eq!(world.promote().await.unwrap().ending, promoted(true, false));
    assert_eq!(*shown.lock().unwrap(), [head(), made()]);
}
