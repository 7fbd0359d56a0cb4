//! What stops before anybody sees the change.

use selfext::{Ending, Reason, StageResult};

use crate::world::*;

on_both! {
    async fn a_failing_stage_stops_the_change_before_anything_is_published(backend) {
        let world = World::new(backend).await;
        let before = world.main_tip();
        let outcome = world.promote(&change("broken\n")).await;
        let Ending::VerificationFailed { stages, .. } = &outcome.ending else { panic!("{outcome:?}") };
        assert_eq!(stages[0].result, StageResult::Failed { exit_code: Some(1), signal: None });
        assert!(stages[0].output.as_str().contains("broken"));
        assert_eq!((world.main_tip(), world.branches().len(), world.twin.pulls().await.len()), (before, 0, 0));
        assert!(world.twin.exchanges().iter().all(|exchange| exchange.method == "GET"));
        assert_eq!(world.types(&outcome).await, ["proposed", "failed"]);
        world.end().await;
    }

    async fn the_rules_are_those_of_the_base_and_changing_them_is_blocked(backend) {
        let world = World::new(backend).await;
        for protected in ["selfext.toml", ".github/workflows/x.yml"] {
            let sneaky = builder("Loosen").write(path(protected), "version = 1\n").write(path("agent.txt"), "x").build().unwrap();
            let outcome = world.promote(&sneaky).await;
            assert_eq!(reason(&outcome), Some(Reason::ProtectedPath));
            assert_eq!(world.types(&outcome).await, ["proposed", "promotion_blocked"]);
        }
        assert_eq!(world.branches(), Vec::<String>::new());
        world.end().await;
    }

    async fn a_base_without_rules_lets_nothing_through(backend) {
        let world = World::with_rules(backend, "version = 1\n[gate]\nrequird = []\n").await;
        assert_eq!(reason(&world.promote(&change("x")).await), Some(Reason::RulesInvalid));
        world.end().await;
    }

    async fn a_change_that_does_not_apply_or_changes_nothing_ends_its_run(backend) {
        let world = World::new(backend).await;
        let missing = builder("Delete").delete(path("not/there")).build().unwrap();
        assert_eq!(reason(&world.promote(&missing).await), Some(Reason::DoesNotApply));
        assert_eq!(reason(&world.promote(&change("first\n")).await), Some(Reason::NothingToChange));
        world.end().await;
    }
}
