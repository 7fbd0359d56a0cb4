//! Changes that are large, and changes whose names and places need care.

use selfext::{Ending, FileChange, Reason, Refusal};

use crate::world::*;

/// Rules that let large files through, which the usual ones do not.
const GENEROUS: &str = "version = 1\n[gate]\nrequired = [\"ci\"]\nwait_seconds = 0\npoll_seconds = 1\n\
                        [limits]\nmax_files = 2000\nmax_file_bytes = 100000000\nmax_total_bytes = 200000000\n\
                        [[verification.stage]]\nname = \"test\"\ncommand = [\"sh\", \"test.sh\"]\n";

fn blocked(outcome: &selfext::Outcome) -> &Refusal {
    match &outcome.ending {
        Ending::Blocked(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

/// How many requests of the twin's so far wrote this.
fn writes(world: &World, what: &str) -> usize {
    let exchanges = world.twin.exchanges().into_iter();
    exchanges.filter(|one| one.method == "POST" && one.path_and_query.ends_with(what)).count()
}

#[tokio::test]
async fn a_change_of_a_thousand_files_lands_as_one_commit() {
    let world = World::with_rules(Backend::Sqlite, RULES).await;
    let mut change = builder("Many");
    for n in 0..999 {
        change = change.write(path(&format!("many/{}/{n}.txt", n % 10)), format!("{n}\n"));
    }
    // One of them is executable, which makes GraphQL no way to publish.
    let file = FileChange::Write { content: b"#!/bin/sh\n"[..].into(), executable: Some(true) };
    promoted(&world.promote(&change.file(path("run"), file).build().unwrap()).await);
    assert_eq!(world.git(&["ls-tree", "-r", "--name-only", "main", "many"]).lines().count(), 999);
    assert_eq!(world.on_main("many/7/997.txt").unwrap(), b"997\n");
    assert_eq!((writes(&world, "/git/trees"), writes(&world, "/git/blobs")), (2, 0));
    world.end().await;
}

#[tokio::test]
async fn a_file_of_thirty_megabytes_lands() {
    let world = World::with_rules(Backend::Sqlite, GENEROUS).await;
    let content: Vec<u8> = (0..30_000_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
    let change = builder("Large").write(path("model.bin"), content.clone()).build().unwrap();
    promoted(&world.promote(&change).await);
    assert!(world.on_main("model.bin").unwrap() == content, "another file landed");
    world.end().await;
}

#[tokio::test]
async fn a_file_that_github_would_refuse_is_not_sent_and_the_limit_is_named() {
    let world = World::with_rules(Backend::Sqlite, GENEROUS).await;
    let before = world.main_tip();
    let change = builder("Larger").write(path("model.bin"), vec![0; (40 << 20) + 1]).build().unwrap();
    let outcome = world.promote(&change).await;
    let refusal = blocked(&outcome);
    assert_eq!(refusal.reason, Reason::ForgeRefused);
    assert!(
        refusal.detail.contains("model.bin has 41943041 bytes") && refusal.detail.contains("(40 MiB)"),
        "{refusal:?}"
    );
    assert_eq!((writes(&world, "/git/blobs"), writes(&world, "/git/trees")), (0, 0));
    assert_eq!((world.main_tip(), world.branches().len()), (before, 0));
    world.end().await;
}

#[tokio::test]
async fn a_file_over_the_rules_limit_is_refused_before_it_is_verified() {
    let world = World::with_rules(Backend::Sqlite, RULES).await;
    let change = builder("Large").write(path("model.bin"), vec![0; 30_000_000]).build().unwrap();
    let outcome = world.promote(&change).await;
    assert_eq!(reason(&outcome), Some(Reason::LimitExceeded));
    assert_eq!(writes(&world, ""), 0);
    world.end().await;
}

on_both! {
    async fn odd_names_land_on_an_odd_branch_below_a_path(backend) {
        let world = World::below(backend, RULES, "/api/v3", "release/2.x#a").await;
        let first = builder("Say why")
            .write(path("a b/#1/50%/q?.txt"), "spaces and marks\n")
            .write(path("composed/\u{e9}t\u{e9}.txt"), "composed\n")
            .write(path("decomposed/e\u{301}te\u{301}.txt"), "decomposed\n")
            .write(path("日本/語.bin"), [0, 255, 10, 13, 26])
            .file(path("run.sh"), FileChange::Write { content: b"#!/bin/sh\n".to_vec().into(), executable: Some(true) })
            .delete(path("old.txt"));
        promoted(&world.promote(&first.build().unwrap()).await);
        assert_eq!(world.on_main("a b/#1/50%/q?.txt").unwrap(), b"spaces and marks\n");
        assert_eq!(world.on_main("日本/語.bin").unwrap(), [0, 255, 10, 13, 26]);
        assert_eq!(world.on_main("old.txt"), None);
        let tree = |path: &str| world.git(&["-c", "core.quotePath=false", "ls-tree", "-r", "HEAD", path]);
        assert!(tree("run.sh").starts_with("100755"), "{}", tree("run.sh"));
        assert!(tree("composed/").ends_with("composed/\u{e9}t\u{e9}.txt"), "{}", tree("composed/"));
        assert!(tree("decomposed/").ends_with("decomposed/e\u{301}te\u{301}.txt"), "{}", tree("decomposed/"));

        let second = builder("Clear the bit, and put a file into the place of a folder")
            .file(path("run.sh"), FileChange::Write { content: b"#!/bin/sh\n".to_vec().into(), executable: Some(false) })
            .delete(path("a b/#1/50%/q?.txt"))
            .write(path("a b"), "a file\n");
        promoted(&world.promote(&second.build().unwrap()).await);
        assert!(tree("run.sh").starts_with("100644"), "{}", tree("run.sh"));
        assert_eq!(world.on_main("a b").unwrap(), b"a file\n");
        assert_eq!(world.branches(), Vec::<String>::new());
        world.end().await;
    }
}
