//! A base that moves.

use selfext::{OperatorName, Reason};

use crate::world::*;

on_both! {
    async fn a_base_that_moved_while_blocked_is_verified_anew_and_others_work_is_kept(backend) {
        let world = World::new(backend).await;
        world.twin.clear_on_new_head();
        let blocked = world.promote(&change("second\n")).await;
        assert_eq!(reason(&blocked), Some(Reason::ChecksPending));
        world.twin.push_file("main", "other.txt", b"by others\n", "by others").await.unwrap();
        world.twin.on_new_head_set([green()]);
        let passed = world.promote(&change("second\n")).await;
        promoted(&passed);
        assert_eq!(world.on_main("other.txt").unwrap(), b"by others\n");
        assert_eq!(world.on_main("agent.txt").unwrap(), b"second\n");
        let expected = ["proposed", "tested", "promotion_blocked", "tested", "merge_started", "promoted"];
        assert_eq!(world.types(&passed).await, expected);
        assert_eq!(world.twin.pulls().await.len(), 1, "the pull request is used again");
        world.end().await;
    }

    async fn a_file_that_others_changed_meanwhile_is_not_overwritten(backend) {
        let world = World::new(backend).await;
        world.twin.clear_on_new_head();
        world.promote(&change("second\n")).await;
        world.twin.push_file("main", "agent.txt", b"by others\n", "by others").await.unwrap();
        assert_eq!(reason(&world.promote(&change("second\n")).await), Some(Reason::BaseConflict));
        assert_eq!(world.on_main("agent.txt").unwrap(), b"by others\n");
        assert_eq!(world.branches(), Vec::<String>::new());
        world.end().await;
    }

    async fn what_fails_on_the_moved_base_is_shown_on_what_was_published_and_taken_away(backend) {
        let world = World::new(backend).await;
        world.twin.clear_on_new_head();
        world.promote(&change("second\n")).await;
        let head = world.twin.pulls().await[0].head_sha.clone();
        world.twin.push_file("main", "test.sh", b"exit 1\n", "by others").await.unwrap();
        world.twin.clear_exchanges();
        let failed = world.promote(&change("second\n")).await;
        assert_eq!(reason(&failed), Some(Reason::VerificationFailed));
        let shown = world.twin.exchanges().into_iter().find(|e| e.path_and_query.ends_with(&format!("/statuses/{head}")));
        assert_eq!(shown.unwrap().request_body.unwrap()["state"], "failure");
        assert!(!world.twin.pulls().await[0].open && world.branches().is_empty());
        world.end().await;
    }

    async fn an_apps_failure_on_a_moved_base_is_a_check_run_that_names_the_line(backend) {
        let world = World::as_app(backend).await;
        world.twin.clear_on_new_head();
        world.promote(&change("second\n")).await;
        let head = world.twin.pulls().await[0].head_sha.clone();
        world.twin.push_file("main", "test.sh", b"echo 'agent.txt:1: wrong'\nexit 1\n", "by others").await.unwrap();
        let failed = world.promote(&change("second\n")).await;
        assert_eq!(reason(&failed), Some(Reason::VerificationFailed));
        let exchanges = world.twin.exchanges();
        let sent = |method: &str| {
            let of = |e: &&selfext_twin::Exchange| e.method == method && e.path_and_query.contains("/check-runs");
            exchanges.iter().filter(of).filter_map(|e| e.request_body.clone()).collect::<Vec<_>>()
        };
        let (made, changed) = (sent("POST"), sent("PATCH"));
        assert_eq!((made.len(), &made[0]["head_sha"], &made[0]["conclusion"]), (1, &head.into(), &"success".into()));
        assert_eq!((changed.len(), &changed[0]["conclusion"]), (1, &"failure".into()));
        let output = &changed[0]["output"];
        assert!(output["summary"].as_str().unwrap().contains("**test** "), "{output}");
        let annotation = &output["annotations"][0];
        assert_eq!((&annotation["path"], &annotation["start_line"]), (&"agent.txt".into(), &1.into()));
        world.end().await;
    }

    async fn an_abandoned_run_leaves_nothing_and_its_change_may_begin_anew(backend) {
        let world = World::new(backend).await;
        world.twin.clear_on_new_head();
        let blocked = world.promote(&change("second\n")).await;
        let by = OperatorName::parse("ops").unwrap();
        world.selfext.abandon(&blocked.run, &by, Some("not wanted"), &selfext::Silent).await.unwrap();
        assert_eq!(world.branches(), Vec::<String>::new());
        world.twin.on_new_head_set([green()]);
        let anew = world.promote(&change("second\n")).await;
        promoted(&anew);
        assert_ne!(anew.run, blocked.run);
        world.end().await;
    }
}
