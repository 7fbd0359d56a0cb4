//! What lands is what was proposed, and the ledger and the repository agree about it.

use std::sync::Arc;

use selfext::{Ending, FileChange, StreamId};

use crate::world::*;

on_both! {
    async fn a_good_change_lands_with_exactly_its_content(backend) {
        let world = World::new(backend).await;
        let outcome = world.promote(&change("second\n")).await;
        let commit = promoted(&outcome);
        assert_eq!(world.main_tip(), commit);
        assert_eq!(world.on_main("agent.txt").unwrap(), b"second\n");
        assert_eq!(world.git(&["rev-list", "--count", "main"]), "2");
        assert_eq!(world.types(&outcome).await, ["proposed", "tested", "merge_started", "promoted"]);
        assert_eq!(world.branches(), Vec::<String>::new());
        let message = world.git(&["log", "-1", "--format=%B", "main"]);
        assert!(message.starts_with("Say why") && message.contains("Selfext-Meta: {") && message.contains(outcome.run.as_str()), "{message}");
        let pulls = world.twin.pulls().await;
        assert!(pulls.len() == 1 && pulls[0].merged_as.is_some());
        world.end().await;
    }

    async fn binary_executable_and_deleted_files_land_together(backend) {
        let world = World::new(backend).await;
        let executable = FileChange::Write { content: Arc::from(&b"#!/bin/sh\n"[..]), executable: Some(true) };
        let mut many = builder("Many files at once")
            .write(path("data/blob.bin"), vec![0, 159, 146, 150, 255])
            .write(path("odd name #1 100%/ü.txt"), "odd\n")
            .file(path("bin/run"), executable)
            .delete(path("old.txt"));
        for n in 0..20 {
            many = many.write(path(&format!("many/{n}.txt")), format!("{n}\n"));
        }
        promoted(&world.promote(&many.build().unwrap()).await);
        assert_eq!(world.on_main("data/blob.bin").unwrap(), [0, 159, 146, 150, 255]);
        assert_eq!(world.on_main("odd name #1 100%/ü.txt").unwrap(), b"odd\n");
        assert_eq!(world.on_main("old.txt"), None);
        assert!(world.git(&["ls-tree", "main", "bin/run"]).starts_with("100755"));
        assert_eq!(world.git(&["ls-tree", "--name-only", "main", "many/"]).lines().count(), 20);
        world.end().await;
    }

    async fn the_same_change_is_reported_and_not_promoted_twice(backend) {
        let world = World::new(backend).await;
        let first = world.promote(&change("second\n")).await;
        let requests = world.twin.exchanges().len();
        let again = world.promote(&change("second\n")).await;
        assert_eq!(again.run, first.run);
        assert!(matches!(again.ending, Ending::Promoted { already: true, .. }));
        assert_eq!(world.twin.exchanges().len(), requests, "nothing had to be asked");
        world.end().await;
    }

    async fn the_ledger_reads_back_chained_and_in_order(backend) {
        let world = World::new(backend).await;
        let outcome = world.promote(&change("second\n")).await;
        let events = world.operations.stream_events(&StreamId::Run(outcome.run)).await.unwrap();
        for (at, event) in events.iter().enumerate() {
            assert_eq!(event.sequence, at as u64 + 1);
            assert!(!event.written_by.is_empty());
            if at > 0 {
                assert_eq!(event.link.prev_hash, events[at - 1].link.hash);
            }
        }
        world.end().await;
    }
}
