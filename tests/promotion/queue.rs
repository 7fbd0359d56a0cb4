//! A base branch whose changes go through GitHub's merge queue.

use std::time::Duration;

use selfext::{
    ControlState, DatabaseUrl, Ending, EventBody, MergeEnd, MergeWay, OperatorName, Outcome, Reason, Selfext, Silent,
    StreamId,
};
use selfext_twin::{AutoCheck, Fault, FaultKind, Protection, StatusState};

use crate::world::*;

/// The queue is used, and the queue's own commits have to carry what the ruleset asks for.
const QUEUE: &str = "version = 1\n[gate]\nrequired = [\"ci\"]\nwait_seconds = 0\npoll_seconds = 1\n[merge]\nmerge_queue = \"enqueue\"\n\
                     [[verification.stage]]\nname = \"test\"\ncommand = [\"sh\", \"test.sh\"]\ntimeout_seconds = 60\n";

struct Queued {
    world: World,
    selfext: Selfext,
}

impl Queued {
    /// CI runs on pull requests; on the queue's commits only where a test says so.
    async fn new(backend: Backend) -> Self {
        Self::with_ruleset(backend, Protection::ruleset(["ci"]).merge_queue()).await
    }

    async fn with_ruleset(backend: Backend, ruleset: Protection) -> Self {
        let world = World::with_rules(backend, QUEUE).await;
        world.twin.protect("main", ruleset).await.unwrap();
        let database = DatabaseUrl::parse(&world.ledger_url()).unwrap();
        let unopened = unopened(&world.api(), &world.bare, world.folder().join("queue-cache"), database);
        let selfext = unopened.retry_pause(Duration::from_millis(20)).open().await.unwrap();
        Self { world, selfext }
    }

    async fn promote(&self, text: &str) -> Outcome {
        self.selfext.promote(&change(text)).await.unwrap()
    }

    /// Waits until something stands at this place in the queue, counted from 1, and gives the commit that was made of it.
    async fn made(&self, place: usize) -> String {
        let look = async {
            loop {
                if let Some(group) =
                    self.world.twin.queue("main").await.into_iter().nth(place - 1).and_then(|entry| entry.group)
                {
                    break group.sha;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), look).await.expect("it enters the queue")
    }

    /// What the run's `promoted` event says of its tree.
    async fn tree(&self, outcome: &Outcome) -> (bool, bool) {
        let events = self.world.operations.stream_events(&StreamId::Run(outcome.run.clone())).await.unwrap();
        let EventBody::Promoted(promoted) = &events.last().unwrap().event.body else { panic!("{events:?}") };
        (promoted.tree_matches, promoted.checked_in_queue)
    }

    /// Somebody's pull request, on whose head these are green, stands in the queue before all others. Gives its number.
    async fn somebody_ahead(&self, contexts: &[&str]) -> u64 {
        let twin = &self.world.twin;
        let head = twin.push_file("somebody", "their.txt", b"theirs\n", "Somebody's").await.unwrap();
        for context in contexts {
            twin.set_check(&head, AutoCheck::status(*context, StatusState::Success)).await.unwrap();
        }
        let number = twin.open_pull("somebody", "main", "Somebody's").await.unwrap();
        twin.enqueue(number).await.unwrap();
        number
    }

    async fn paused(&self) -> bool {
        !matches!(self.world.operations.status(1).await.unwrap().control, Ok(ControlState::Running))
    }

    async fn end(self) {
        drop(self.selfext);
        self.world.end().await;
    }
}

on_both! {
    async fn a_change_lands_as_the_commit_that_the_queue_tested(backend) {
        let queued = Queued::new(backend).await;
        queued.world.twin.on_queue_commit_set([green()]);
        let outcome = queued.promote("second\n").await;
        assert_eq!(promoted(&outcome), queued.world.main_tip());
        assert_eq!(queued.tree(&outcome).await, (true, false));
        assert_eq!(queued.world.types(&outcome).await, ["proposed", "tested", "merge_started", "promoted"]);
        assert_eq!(queued.world.branches(), Vec::<String>::new());
        assert!(!queued.paused().await);
        queued.end().await;
    }

    async fn what_waits_in_the_queue_is_a_merge_that_a_pause_lists_and_a_fence_ends(backend) {
        let queued = Queued::new(backend).await;
        let world = &queued.world;
        let before = world.main_tip();
        let looking = async {
            let commit = queued.made(1).await;
            let by = OperatorName::parse("ops").unwrap();
            let other = world.another_selfext().await;
            let pause = world.operations.pause(&by, "incident", false).await.unwrap();
            let [permit] = &pause.in_flight[..] else { panic!("{pause:?}") };
            assert_eq!(permit.way, MergeWay::Queue);
            other.fence_merge(&permit.run, "paused", &Silent).await.unwrap();
            let end = world.operations.wait_for_merge(permit).await.unwrap();
            assert!(matches!(&end, MergeEnd::NotMerged(_)), "{end:?}");
            assert!(world.operations.pause_again(&pause).await.unwrap().nothing_can_merge());
            assert!(world.twin.queue("main").await.is_empty());
            world.twin.set_check(&commit, green()).await.unwrap();
        };
        let (outcome, ()) = tokio::join!(queued.promote("second\n"), looking);
        // It is over, be it that the promotion itself took it out first, or that the fence did.
        assert!(matches!(reason(&outcome), Some(Reason::MergeFenced | Reason::PromotionPaused)), "{outcome:?}");
        assert_eq!(world.main_tip(), before);
        queued.end().await;
    }

    async fn what_the_queue_throws_out_may_be_promoted_again(backend) {
        let queued = Queued::new(backend).await;
        let twin = &queued.world.twin;
        let failing = async {
            let commit = queued.made(1).await;
            twin.set_check(&commit, AutoCheck::status("ci", StatusState::Failure)).await.unwrap();
        };
        let (outcome, ()) = tokio::join!(queued.promote("second\n"), failing);
        assert_eq!(reason(&outcome), Some(Reason::MergeQueueLeft));
        twin.on_queue_commit_set([green()]);
        let again = queued.promote("second\n").await;
        assert_eq!((promoted(&again), &again.run), (queued.world.main_tip(), &outcome.run));
        queued.end().await;
    }

    async fn on_top_of_others_it_lands_as_another_tree_with_everything_green_on_it(backend) {
        let queued = Queued::new(backend).await;
        let twin = &queued.world.twin;
        queued.somebody_ahead(&["ci"]).await;
        let passing = async {
            queued.made(2).await;
            // The other one's first.
            for _ in 0..2 {
                let front = twin.queue("main").await.remove(0).group.unwrap().sha;
                twin.set_check(&front, green()).await.unwrap();
            }
        };
        let (outcome, ()) = tokio::join!(queued.promote("second\n"), passing);
        let Ending::Promoted { commit, tree_matches: false, checked_in_queue: true, .. } = &outcome.ending else {
            panic!("{outcome:?}")
        };
        assert_eq!(commit.as_str(), queued.world.main_tip());
        assert_eq!(queued.tree(&outcome).await, (false, true));
        assert!(!queued.paused().await);
        assert_eq!(queued.world.on_main("their.txt").unwrap(), b"theirs\n");
        queued.end().await;
    }

    async fn a_base_that_takes_only_what_was_verified_gets_no_other_tree(backend) {
        let ruleset = Protection::ruleset(["ci", "selfext/verification"]).merge_queue();
        let queued = Queued::with_ruleset(backend, ruleset).await;
        let twin = &queued.world.twin;
        let number = queued.somebody_ahead(&["ci", "selfext/verification"]).await;
        let outcome = queued.promote("second\n").await;
        assert_eq!(reason(&outcome), Some(Reason::BaseMoved));
        assert_eq!(twin.queue("main").await.len(), 1, "only somebody's is left");

        // Alone in the queue, the queue's commit is the tested tree, and carries selfext's word.
        twin.throw_out(number).await.unwrap();
        twin.on_queue_commit_set([green()]);
        let outcome = queued.promote("second\n").await;
        assert_eq!(promoted(&outcome), queued.world.main_tip());
        queued.end().await;
    }

    async fn an_answer_that_was_lost_is_asked_for_again_and_lands_once(backend) {
        let queued = Queued::new(backend).await;
        queued.world.twin.on_queue_commit_set([green()]);
        // The mutation that publishes, the question how it stands, and the mutation that puts it in.
        queued.world.twin.add_fault(Fault::on("POST", "/graphql", FaultKind::LoseAnswer).nth(3));
        let outcome = queued.promote("second\n").await;
        assert_eq!(promoted(&outcome), queued.world.main_tip());
        assert_eq!(queued.world.git(&["rev-list", "--count", "main"]), "2");
        drop(queued.selfext);
        queued.world.end_disturbed().await;
    }

    async fn merges_in_the_background_land_too(backend) {
        let rules = QUEUE.replace("merge_queue = \"enqueue\"", "asynchronous = true");
        let world = World::with_rules(backend, &rules).await;
        let outcome = world.promote(&change("second\n")).await;
        assert_eq!(promoted(&outcome), world.main_tip());
        let asked = world.twin.exchanges().into_iter().filter(|exchange| exchange.path_and_query.ends_with("/merge-async"));
        assert_eq!(asked.count(), 1);
        world.end().await;
    }
}
