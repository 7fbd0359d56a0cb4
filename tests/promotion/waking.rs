//! A promotion that waits for checks is woken, from its own process and from others.

use std::collections::HashSet;

use selfext::{RepositoryName, Selfext};
use selfext_twin::{AutoCheck, StatusState, TwinHandle};

use crate::world::*;

/// Waits for hours and looks hardly ever.
const PATIENT: &str = "version = 1\n[gate]\nrequired = [\"ci\"]\nwait_seconds = 100000\npoll_seconds = 3600\n\
                       [[verification.stage]]\nname = \"test\"\ncommand = [\"sh\", \"test.sh\"]\ntimeout_seconds = 60\n";

/// Waits until a promotion has looked twice: the second time because it began to listen. It then looks in an hour.
async fn waiting(twin: &TwinHandle) {
    let mut looks = HashSet::new();
    twin.wait_for(|exchange| {
        if exchange.path_and_query.contains("/status?") && exchange.ended.is_some() {
            looks.insert(exchange.sequence);
        }
        looks.len() == 2
    })
    .await;
}

/// Promotes, lets the check turn green while the promotion waits, and then does this.
async fn woken_by(backend: Backend, wake: impl AsyncFn(&World, &Selfext)) {
    let world = World::with_rules(backend, PATIENT).await;
    world.twin.on_new_head_set([AutoCheck::status("ci", StatusState::Pending)]);
    let promoting = world.another_selfext().await;
    let change = change("second\n");
    let waking = async {
        waiting(&world.twin).await;
        let head = world.twin.pulls().await[0].head_sha.clone();
        world.twin.set_check(&head, green()).await.unwrap();
        wake(&world, &promoting).await;
    };
    let both = Box::pin(async { tokio::join!(promoting.promote(&change), waking).0 });
    let outcome = tokio::time::timeout(std::time::Duration::from_mins(1), both).await.expect("it was woken").unwrap();
    promoted(&outcome);
    drop(promoting);
    world.end().await;
}

on_both! {
    async fn by_another_process_on_the_same_ledger(backend) {
        woken_by(backend, async |world, _| {
            world.operations.wake(&RepositoryName::parse("O/Agent").unwrap()).await.unwrap();
        })
        .await;
    }

    async fn by_the_agent_that_embeds_it(backend) {
        woken_by(backend, async |_, promoting| promoting.wake()).await;
    }
}
