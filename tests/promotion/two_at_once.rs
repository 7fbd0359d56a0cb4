//! Several promotions at the same time.

use futures::future::join_all;

use crate::world::*;

on_both! {
    async fn two_promotions_of_the_same_change_end_as_one(backend) {
        let world = World::new(backend).await;
        let other = world.another_selfext().await;
        let change = change("second\n");
        let (first, second) = futures::join!(world.selfext.promote(&change), other.promote(&change));
        let (first, second) = (first.unwrap(), second.unwrap());
        assert_eq!((&first.run, promoted(&first)), (&second.run, promoted(&second)));
        assert_eq!(world.git(&["rev-list", "--count", "main"]), "2");
        assert_eq!(world.twin.pulls().await.len(), 1);
        let types = world.types(&first).await;
        assert_eq!(types.iter().filter(|name| *name == "promoted").count(), 1, "{types:?}");
        world.end().await;
    }

    async fn different_changes_land_one_after_another_each_verified_on_what_it_lands_on(backend) {
        let world = World::new(backend).await;
        let changes: Vec<_> = (0..3)
            .map(|n| builder("One of several").write(path(&format!("{n}.txt")), format!("{n}\n")).build().unwrap())
            .collect();
        let outcomes = join_all(changes.iter().map(|change| world.selfext.promote(change))).await;
        for outcome in &outcomes {
            promoted(outcome.as_ref().unwrap());
        }
        assert_eq!(world.git(&["rev-list", "--count", "main"]), "4");
        for n in 0..3 {
            assert_eq!(world.on_main(&format!("{n}.txt")).unwrap(), format!("{n}\n").as_bytes());
        }
        world.end().await;
    }
}
