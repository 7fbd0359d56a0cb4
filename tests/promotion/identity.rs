//! Who promotes, and into which repository.

use selfext_domain::Reason;
use selfext_twin::{Exchange, Fault, FaultKind, Gate};
use serde_json::json;

use crate::world::*;

fn count(exchanges: &[Exchange], method: &str, path: &str) -> usize {
    let asked = |exchange: &&Exchange| exchange.method == method && exchange.path_and_query.ends_with(path);
    exchanges.iter().filter(asked).count()
}

on_both! {
    async fn an_app_takes_a_change_all_the_way_with_one_token(backend) {
        let world = World::as_app(backend).await;
        promoted(&world.promote(&change("second\n")).await);
        assert_eq!(world.on_main("agent.txt").unwrap(), b"second\n");
        promoted(&world.promote(&change("third\n")).await);
        assert_eq!(count(&world.twin.exchanges(), "POST", "/access_tokens"), 1);
        let token = world.twin.last_app_token().unwrap();
        let told = format!("{}{:?}", world.ledger_text().await, world.twin.exchanges());
        assert!(!told.contains(&token) && !told.contains("PRIVATE KEY"), "a secret is told");
        world.end().await;
    }

    async fn a_merge_whose_token_has_ended_is_asked_for_once_more_and_happens_once(backend) {
        let world = World::as_app(backend).await;
        let gate = Gate::new();
        world.twin.add_fault(Fault::on("PUT", "/repos/*/*/pulls/*/merge", FaultKind::Hold(gate.clone())));
        let promotion = change("second\n");
        let (outcome, ()) = tokio::join!(world.promote(&promotion), async {
            gate.arrived(1).await;
            world.twin.expire_app_tokens();
            gate.open();
        });
        promoted(&outcome);
        let merges: Vec<_> =
            world.twin.exchanges().into_iter().filter(|e| e.method == "PUT").map(|e| e.status).collect();
        assert_eq!(merges, [Some(401), Some(200)]);
        assert_eq!(world.git(&["rev-list", "--count", "main"]), "2", "one merge");
        world.end_disturbed().await;
    }

    async fn a_merge_that_a_proxy_answers_with_401_is_not_asked_for_again_by_the_client(backend) {
        let world = World::as_app(backend).await;
        let page = FaultKind::AnswerAfterwards { status: 401, body: json!("<html>") };
        world.twin.add_fault(Fault::on("PUT", "/repos/*/*/pulls/*/merge", page));
        promoted(&world.promote(&change("second\n")).await);
        assert_eq!(count(&world.twin.exchanges(), "PUT", "/merge"), 1, "it is read back, and was merged");
        world.end_disturbed().await;
    }

    async fn a_repository_that_is_renamed_at_any_moment_is_followed_to_the_end(backend) {
        for (method, path) in [
            ("GET", "/repos/*/*/git/ref/**"),
            ("POST", "/graphql"),
            ("GET", "/repos/*/*/pulls/*"),
            ("PUT", "/repos/*/*/pulls/*/merge"),
            ("DELETE", "/repos/*/*/git/refs/**"),
        ] {
            let world = World::as_app(backend).await;
            let gate = Gate::new();
            world.twin.add_fault(Fault::on(method, path, FaultKind::Hold(gate.clone())));
            let promotion = change("second\n");
            let (outcome, ()) = tokio::join!(world.promote(&promotion), async {
                gate.arrived(1).await;
                world.twin.rename("new-org", "new-agent");
                gate.open();
            });
            promoted(&outcome);
            assert_eq!(world.git(&["rev-list", "--count", "main"]), "2", "{path}: one merge");
            assert_eq!(world.branches(), Vec::<String>::new(), "{path}");
            assert_eq!(world.twin.pulls().await.len(), 1, "{path}");
            // The next one goes its usual way under the new name.
            world.twin.clear_exchanges();
            promoted(&world.promote(&change("third\n")).await);
            let asked = world.twin.exchanges();
            let here = |e: &Exchange| {
                e.path_and_query == "/graphql" || e.path_and_query.starts_with("/repos/new-org/new-agent")
            };
            assert!(asked.iter().all(here), "{path}: {asked:?}");
            world.end().await;
        }
    }

    async fn nothing_is_merged_in_a_repository_that_is_made_again_while_a_process_lives(backend) {
        let world = World::new(backend).await;
        promoted(&world.promote(&change("second\n")).await);
        world.twin.make_again().await.unwrap();
        let tip = world.main_tip();
        let outcome = world.promote(&change("third\n")).await;
        assert_eq!(reason(&outcome), Some(Reason::ForgeRefused), "{outcome:?}");
        assert!(format!("{outcome:?}").contains("is another repository than before"), "{outcome:?}");
        assert_eq!(world.main_tip(), tip);
        assert_eq!(count(&world.twin.exchanges(), "PUT", "/merge"), 1, "the first one's alone");
        world.end().await;
    }

    async fn a_repository_that_was_made_again_is_refused_before_anything_is_written(backend) {
        let world = World::new(backend).await;
        promoted(&world.promote(&change("second\n")).await);
        world.twin.make_again().await.unwrap();
        // Another process, to which nobody has told a number: the ledger remembers it.
        let selfext = world.another_selfext().await;
        world.twin.clear_exchanges();
        let outcome = selfext.promote(&change("third\n")).await.unwrap();
        assert_eq!(reason(&outcome), Some(Reason::ForgeRefused), "{outcome:?}");
        let told = format!("{outcome:?}");
        assert!(told.contains("o/agent is another repository than before: its id is 2, not 1"), "{told}");
        assert!(world.twin.exchanges().iter().all(|exchange| exchange.method == "GET"));
        // Whoever says the new number means it.
        let url = world.ledger_url().parse().unwrap();
        let own = unopened(&world.api(), &world.bare, world.folder().join("third-cache"), url).repository_id(2);
        promoted(&own.open().await.unwrap().promote(&change("third\n")).await.unwrap());
        world.end().await;
    }
}
