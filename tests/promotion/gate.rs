//! The gate sees both of GitHub's systems, and nothing but green passes.

use selfext::{Ending, Reason};
use selfext_twin::{AutoCheck, CheckConclusion, Permission, ReviewState, StatusState};

use crate::world::*;

/// Rules whose context counts from one account alone.
fn of_the_ci(rules: &str) -> String {
    rules.replace("[\"ci\"]", "[{ context = \"ci\", creator = \"the-ci[bot]\" }]")
}

on_both! {
    async fn a_red_check_run_beside_a_green_status_blocks_and_may_turn_green(backend) {
        let world = World::new(backend).await;
        let before = world.main_tip();
        world.twin.on_new_head_set([green(), AutoCheck::check_run("scan", CheckConclusion::Failure)]);
        let blocked = world.promote(&change("second\n")).await;
        assert_eq!(reason(&blocked), Some(Reason::StatusGate));
        assert_eq!(world.main_tip(), before);
        let head = world.twin.pulls().await[0].head_sha.clone();
        world.twin.set_check(&head, AutoCheck::check_run("scan", CheckConclusion::Success)).await.unwrap();
        let passed = world.promote(&change("second\n")).await;
        promoted(&passed);
        assert_eq!(passed.run, blocked.run);
        assert_eq!(world.twin.pulls().await.len(), 1);
        assert_eq!(world.types(&passed).await, ["proposed", "tested", "promotion_blocked", "tested", "merge_started", "promoted"]);
        world.end().await;
    }

    async fn a_red_status_a_missing_one_and_selfexts_own_evidence_do_not_pass(backend) {
        let world = World::new(backend).await;
        world.twin.on_new_head_set([AutoCheck::status("ci", StatusState::Failure)]);
        assert_eq!(reason(&world.promote(&change("a")).await), Some(Reason::StatusGate));
        world.twin.clear_on_new_head();
        // Only `selfext/verification` is on the head now, and the rules name `ci`.
        assert_eq!(reason(&world.promote(&change("b")).await), Some(Reason::ChecksPending));
        world.end().await;
    }

    async fn a_member_of_each_team_that_the_rules_name_must_have_approved(backend) {
        let rules = RULES.replace("[gate]\n", "[gate]\napprovals_by_team = [\"o/security\"]\n");
        let world = World::with_rules(backend, &rules).await;
        let promote = async || world.promote(&change("second\n")).await;
        assert_eq!(reason(&promote().await), Some(Reason::ReviewMissing), "nobody has approved it");
        for login in ["ann", "bob"] {
            world.twin.permit(login, Permission::Write).await.unwrap();
        }
        world.twin.review(1, "bob", ReviewState::Approved, None).await.unwrap();
        let hidden = promote().await;
        assert_eq!(reason(&hidden), Some(Reason::ForgeRefused), "there is no such team");
        assert!(format!("{hidden:?}").contains("does not show the team o/security"), "{hidden:?}");
        world.twin.set_team("o", "security", &["ann"]).await.unwrap();
        let other = promote().await;
        assert_eq!(reason(&other), Some(Reason::ReviewMissing), "somebody else has");
        assert!(format!("{other:?}").contains("nobody of o/security has approved"), "{other:?}");
        world.twin.review(1, "ann", ReviewState::Approved, None).await.unwrap();
        promoted(&promote().await);
        world.end().await;
    }

    async fn a_context_pinned_to_an_app_is_not_satisfied_by_a_status_of_that_name(backend) {
        let rules = RULES.replace("[\"ci\"]", "[{ context = \"ci\", app_id = 15368 }]");
        let world = World::with_rules(backend, &rules).await;
        assert_eq!(reason(&world.promote(&change("a")).await), Some(Reason::ChecksPending));
        world.end().await;
    }

    async fn a_context_pinned_to_an_account_counts_once_this_account_says_so(backend) {
        let rules = of_the_ci(&RULES.replace("wait_seconds = 0", "wait_seconds = 60"));
        let world = World::with_rules(backend, &rules).await;
        let change = change("a");
        let setting = async {
            world.twin.wait_for(|exchange| exchange.path_and_query.contains("/statuses?")).await;
            let head = world.twin.pulls().await[0].head_sha.clone();
            world.twin.set_status_as(&head, "the-ci[bot]", "ci", StatusState::Success).await.unwrap();
        };
        let (outcome, ()) = tokio::join!(world.selfext.promote(&change), setting);
        promoted(&outcome.unwrap());
        world.end().await;
    }

    async fn a_context_pinned_to_an_account_is_not_satisfied_by_others(backend) {
        let rules = of_the_ci(RULES);
        let world = World::with_rules(backend, &rules).await;
        let outcome = world.promote(&change("a")).await;
        assert_eq!(reason(&outcome), Some(Reason::ChecksPending));
        let Ending::Blocked(refusal) = &outcome.ending else { panic!("{outcome:?}") };
        assert!(refusal.detail.contains("ci is set by another account than the rules name"), "{}", refusal.detail);
        world.end().await;
    }
}
