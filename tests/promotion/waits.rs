//! A promotion that waits is seen by whoever looks, for as long as it does.

use std::time::Duration;

use selfext::{Overview, Reason, RunId, Wait};
use selfext_twin::{AutoCheck, Limits, StatusState};

use crate::world::*;

/// Waits for a minute and looks often.
const WAITING: &str = "version = 1\n[gate]\nrequired = [\"ci\", \"lint\"]\nwait_seconds = 60\npoll_seconds = 1\n\
                       [[verification.stage]]\nname = \"test\"\ncommand = [\"sh\", \"test.sh\"]\ntimeout_seconds = 60\n";

const LIMIT: &str = "GitHub's rate limit";

/// Looks until the status shows a wait for this.
async fn seen(world: &World, what: &str) -> Wait {
    let look = async {
        loop {
            let Overview { waits, .. } = world.operations.status(1).await.unwrap();
            if let Some(wait) = waits.into_iter().find(|wait| wait.what == what) {
                break wait;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), look).await.expect("it is seen")
}

on_both! {
    async fn what_a_promotion_waits_for_is_seen_until_it_waits_no_more(backend) {
        let world = World::with_rules(backend, WAITING).await;
        let pending = |context| AutoCheck::status(context, StatusState::Pending);
        world.twin.on_new_head_set([pending("ci"), pending("lint")]);
        let (change, run) = (change("second\n"), RunId::parse("run 1").unwrap());
        let looking = async {
            let first = seen(&world, "checks (ci is pending, lint is pending)").await;
            assert_eq!(first.run, run);
            let left = (first.until - first.since).to_std().unwrap();
            assert!(left <= Duration::from_mins(1) && left > Duration::from_secs(30), "{first:?}");
            let head = world.twin.pulls().await[0].head_sha.clone();
            world.twin.set_check(&head, green()).await.unwrap();
            let second = seen(&world, "checks (lint is pending)").await;
            assert_eq!((second.run, second.holder), (first.run, first.holder));
            assert_eq!(world.operations.status(1).await.unwrap().waits.len(), 1, "one takes the place of the other");
            world.twin.set_check(&head, AutoCheck::status("lint", StatusState::Success)).await.unwrap();
        };
        let (outcome, ()) = tokio::join!(world.selfext.promote_as(&change, Some(&run), &selfext::Silent), looking);
        promoted(&outcome.unwrap());
        assert_eq!(world.operations.status(1).await.unwrap().waits, []);
        world.end().await;
    }

    async fn a_promotion_that_waited_in_vain_is_not_seen_to_wait(backend) {
        let world = World::with_rules(backend, &WAITING.replace("wait_seconds = 60", "wait_seconds = 3")).await;
        let change = change("second\n");
        let looking = seen(&world, "checks (lint is missing)");
        let (outcome, wait) = tokio::join!(world.selfext.promote(&change), looking);
        let outcome = outcome.unwrap();
        assert_eq!((reason(&outcome), &outcome.run), (Some(Reason::ChecksPending), &wait.run));
        let status = world.operations.status(1).await.unwrap();
        assert_eq!((status.open_runs, status.waits), (1, vec![]));
        world.end().await;
    }

    async fn a_promotion_in_line_behind_a_window_is_seen_to_wait(backend) {
        let health = "[health]\nqueue = true\nstart_seconds = 600\nhealthy_seconds = 2\nsamples = 3\nerror_budget = 1\n\
                      silence_seconds = 10\nwindow_seconds = 900\n";
        let rules = RULES.replace("wait_seconds = 0", "wait_seconds = 3");
        let world = World::with_rules(backend, &format!("{rules}{health}")).await;
        promoted(&world.promote(&change("second\n")).await);
        let change = change("third\n");
        let looking = seen(&world, "a change that landed and has to prove itself");
        let (outcome, wait) = tokio::join!(world.selfext.promote(&change), looking);
        let outcome = outcome.unwrap();
        assert_eq!((reason(&outcome), &outcome.run), (Some(Reason::HealthWindowOpen), &wait.run));
        assert_eq!(world.operations.status(1).await.unwrap().waits, []);
        world.end().await;
    }

    async fn a_rest_because_of_githubs_limits_is_seen_and_then_again_what_else_is_waited_for(backend) {
        let world = World::with_rules(backend, WAITING).await;
        let pending = |context| AutoCheck::status(context, StatusState::Pending);
        world.twin.on_new_head_set([pending("ci"), pending("lint")]);
        let change = change("second\n");
        let looking = async {
            let checks = "checks (ci is pending, lint is pending)";
            let before = seen(&world, checks).await;
            world.twin.set_limits(Some(Limits { requests: 0, ..limits(4) }));
            let rest = seen(&world, LIMIT).await;
            assert_eq!((&rest.run, &rest.holder), (&before.run, &before.holder));
            let left = (rest.until - rest.since).to_std().unwrap();
            assert!(left > Duration::from_secs(1) && left < Duration::from_secs(7), "{rest:?}");
            assert_eq!(world.operations.status(1).await.unwrap().waits.len(), 1, "one takes the place of the other");
            world.twin.set_limits(None);
            let after = seen(&world, checks).await;
            assert!(after.since > rest.since && after.until.signed_duration_since(before.until).num_seconds().abs() <= 2);
            let head = world.twin.pulls().await[0].head_sha.clone();
            world.twin.set_check(&head, green()).await.unwrap();
            world.twin.set_check(&head, AutoCheck::status("lint", StatusState::Success)).await.unwrap();
        };
        let (outcome, ()) = tokio::join!(world.selfext.promote(&change), looking);
        promoted(&outcome.unwrap());
        assert_eq!(world.operations.status(1).await.unwrap().waits, []);
        world.end_disturbed().await;
    }

    async fn a_publication_that_githubs_limits_hold_back_is_seen(backend) {
        let world = World::new(backend).await;
        world.twin.set_limits(Some(Limits { writes: 0, ..limits(3) }));
        let change = change("second\n");
        let looking = async {
            let rest = seen(&world, LIMIT).await;
            world.twin.set_limits(None);
            rest
        };
        let (outcome, rest) = tokio::join!(world.selfext.promote(&change), looking);
        let outcome = outcome.unwrap();
        promoted(&outcome);
        assert_eq!(outcome.run, rest.run);
        assert_eq!(world.operations.status(1).await.unwrap().waits, []);
        world.end_disturbed().await;
    }
}

/// Limits that nobody meets, by windows of so many seconds.
const fn limits(seconds: u64) -> Limits {
    Limits { window: Duration::from_secs(seconds), requests: 1_000, writes: 1_000, says_how_long: true }
}
