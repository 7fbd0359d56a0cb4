//! No secret leaves.

use crate::world::*;

/// Put together here, so that this file holds none.
fn token() -> String {
    format!("gh{}_{}", "p", "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8")
}

on_both! {
    async fn a_token_in_a_stages_output_is_neither_in_the_ledger_nor_on_the_pull_request(backend) {
        for verdict in ["broken", "fine"] {
            let world = World::new(backend).await;
            world.twin.clear_on_new_head();
            let text = format!("{verdict}\nusing {}\n", token());
            let outcome = world.promote(&change(&text)).await;
            let ledger = world.ledger_text().await;
            assert!(ledger.contains("[redacted:") && !ledger.contains(&token()), "{outcome:?}");
            for exchange in world.twin.exchanges() {
                let body = exchange.request_body.map(|body| body.to_string()).unwrap_or_default();
                // The file itself holds the token and is uploaded as the agent wrote it; nothing else may show it.
                assert!(!body.contains(&token()) || exchange.path_and_query.ends_with("/git/trees"), "{}", exchange.path_and_query);
            }
            world.end().await;
        }
    }

    async fn a_token_in_the_message_is_neither_in_the_ledger_nor_in_the_repository(backend) {
        let world = World::new(backend).await;
        let change = builder(&format!("Use {} now", token())).write(path("agent.txt"), "x\n").build().unwrap();
        promoted(&world.promote(&change).await);
        assert!(!world.ledger_text().await.contains(&token()));
        assert!(!world.git(&["log", "--all", "--format=%B"]).contains(&token()));
        world.end().await;
    }
}
