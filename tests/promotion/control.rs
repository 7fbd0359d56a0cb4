//! The operator's pause.

use selfext::{ControlError, OperatorName, Reason, StreamId};

use crate::world::*;

fn operator() -> OperatorName {
    OperatorName::parse("ops").unwrap()
}

on_both! {
    async fn a_pause_blocks_and_the_same_run_is_promoted_after_resume(backend) {
        let world = World::new(backend).await;
        let pause = world.operations.pause(&operator(), "incident", false).await.unwrap();
        assert!(pause.in_flight.is_empty());
        let blocked = world.promote(&change("second\n")).await;
        assert_eq!(reason(&blocked), Some(Reason::PromotionPaused));
        assert_eq!(world.branches(), Vec::<String>::new(), "nothing was published");
        world.operations.resume(&operator(), None).await.unwrap();
        let passed = world.promote(&change("second\n")).await;
        promoted(&passed);
        assert_eq!(passed.run, blocked.run);
        let control = world.operations.stream_events(&StreamId::Control).await.unwrap();
        assert_eq!(control.len(), 2);
        world.end().await;
    }

    async fn a_control_row_deleted_by_hand_blocks_until_an_operator_writes_it_anew(backend) {
        let world = World::new(backend).await;
        world.sql("DELETE FROM agent_state WHERE key = 'self_extension:promotion_control'").await;
        assert_eq!(reason(&world.promote(&change("second\n")).await), Some(Reason::ControlMissing));
        // Starting again does not heal it, and neither does resume.
        let other = world.another_selfext().await;
        assert_eq!(reason(&other.promote(&change("second\n")).await.unwrap()), Some(Reason::ControlMissing));
        assert!(matches!(world.operations.resume(&operator(), None).await, Err(ControlError::Missing)));
        let healed = world.operations.pause(&operator(), "heal", false).await.unwrap();
        // Which history was accepted is lost with the row, where the database has one.
        match healed.history.and_then(|change| change.found) {
            Some(history) => {
                let refused = world.operations.resume(&operator(), None).await.unwrap_err();
                assert!(matches!(refused, ControlError::HistoryChanged(_)), "{refused}");
                world.operations.accept_history(&operator(), None, history).await.unwrap();
            }
            None => drop(world.operations.resume(&operator(), None).await.unwrap()),
        }
        promoted(&world.promote(&change("second\n")).await);
        world.end().await;
    }

    async fn a_malformed_control_row_blocks(backend) {
        let world = World::new(backend).await;
        world.sql("UPDATE agent_state SET value = '{\"paused\": false}' WHERE key = 'self_extension:promotion_control'").await;
        assert_eq!(reason(&world.promote(&change("second\n")).await), Some(Reason::ControlMalformed));
        world.end().await;
    }
}
