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
