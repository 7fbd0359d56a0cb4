//! An operator allows one change set to touch protected paths, once.

use selfext::{AllowError, Allowance, Ending, EventBody, NotAllowable, OperatorName, Outcome, Reason, StreamId};

use crate::world::*;

fn op() -> OperatorName {
    OperatorName::parse("op").unwrap()
}

fn sneaky() -> selfext::ChangeSet {
    builder("Loosen")
        .write(path(".github/workflows/x.yml"), "on: push\n")
        .write(path("agent.txt"), "x")
        .build()
        .unwrap()
}

async fn allow(world: &World, outcome: &Outcome) -> Allowance {
    let shown = world.operations.allowable(&outcome.run).await.unwrap();
    world.operations.allow(&shown, &op(), Some("asked for")).await.unwrap()
}

on_both! {
    async fn what_was_blocked_lands_once_an_operator_has_allowed_it(backend) {
        let world = World::new(backend).await;
        let blocked = world.promote(&sneaky()).await;
        assert_eq!(reason(&blocked), Some(Reason::ProtectedPath));
        let allowance = allow(&world, &blocked).await;
        let event = allowance.event.unwrap();
        let EventBody::ChangeAllowed(recorded) = &event.event.body else { panic!("{event:?}") };
        assert_eq!((recorded.paths.as_slice(), recorded.fingerprint), (&[path(".github/workflows/x.yml")][..], sneaky().fingerprint()));
        assert_eq!((recorded.by.as_str(), recorded.reason.as_deref()), ("op", Some("asked for")));
        assert!(recorded.os_user.is_some() && !event.written_by.is_empty());
        assert_eq!(allow(&world, &blocked).await.event, None, "allowing twice is recorded once");
        let outcome = world.promote(&sneaky()).await;
        assert!(matches!(outcome.ending, Ending::Promoted { tree_matches: true, .. }), "{outcome:?}");
        assert_eq!(outcome.run, blocked.run);
        let evidence = world.twin.pulls().await[0].body.clone().unwrap();
        let allowed: Vec<_> = evidence.lines().filter(|line| line.contains("allowed by an operator")).collect();
        assert!(matches!(&allowed[..], [line] if line.contains("workflows/x.yml")), "{evidence}");
        assert_eq!(
            world.types(&outcome).await,
            ["proposed", "promotion_blocked", "change_allowed", "tested", "merge_started", "promoted"]
        );
        world.end().await;
    }

    async fn an_allowed_change_is_still_verified_and_its_allowance_ends_with_the_run(backend) {
        let world = World::new(backend).await;
        let change = builder("Break").write(path("selfext.toml"), RULES).write(path("agent.txt"), "broken\n").build().unwrap();
        let blocked = world.promote(&change).await;
        allow(&world, &blocked).await;
        assert!(matches!(world.promote(&change).await.ending, Ending::VerificationFailed { .. }));
        let error = world.operations.allowable(&blocked.run).await.unwrap_err();
        assert!(matches!(error, AllowError::NotAllowable(NotAllowable::Over { .. })), "{error}");
        let later = world.promote(&change).await;
        assert_eq!((reason(&later), later.run == blocked.run), (Some(Reason::ProtectedPath), false));
        assert_eq!(world.types(&later).await, ["proposed", "promotion_blocked"]);
        world.end().await;
    }

    async fn an_allowance_that_was_shown_before_others_wrote_is_recorded_behind_them(backend) {
        let world = World::new(backend).await;
        let blocked = world.promote(&sneaky()).await;
        let shown = world.operations.allowable(&blocked.run).await.unwrap();
        world.promote(&sneaky()).await;
        assert!(world.operations.allow(&shown, &op(), None).await.unwrap().event.is_some());
        assert_eq!(world.types(&blocked).await, ["proposed", "promotion_blocked", "promotion_blocked", "change_allowed"]);
        world.end().await;
    }

    async fn two_operators_who_allow_at_once_both_succeed_and_one_records_it(backend) {
        let world = World::new(backend).await;
        let blocked = world.promote(&sneaky()).await;
        let shown = world.operations.allowable(&blocked.run).await.unwrap();
        let (by, other) = (op(), OperatorName::parse("other").unwrap());
        let (first, second) = tokio::join!(
            world.operations.allow(&shown, &by, None),
            world.operations.allow(&shown, &other, None),
        );
        assert_eq!([first, second].into_iter().filter(|answer| answer.as_ref().unwrap().event.is_some()).count(), 1);
        world.end().await;
    }

    async fn what_was_shown_is_all_that_is_allowed(backend) {
        let world = World::new(backend).await;
        let change = builder("Two").write(path("selfext.toml"), RULES).write(path("deploy/x"), "x").build().unwrap();
        let blocked = world.promote(&change).await;
        let shown = world.operations.allowable(&blocked.run).await.unwrap();
        let more = RULES.replace("[[verification", "[paths]\nprotected = [\"deploy/**\"]\n[[verification");
        world.twin.push_file("main", "selfext.toml", more.as_bytes(), "protect more").await.unwrap();
        world.promote(&change).await;
        let refused = world.operations.allow(&shown, &op(), None).await.unwrap_err();
        assert!(matches!(&refused, AllowError::OtherPaths(now) if now.paths().len() == 2), "{refused}");
        let events = world.operations.stream_events(&StreamId::Run(blocked.run.clone())).await.unwrap();
        assert_eq!(events.len(), 3, "nothing was recorded");
        world.end().await;
    }
}
