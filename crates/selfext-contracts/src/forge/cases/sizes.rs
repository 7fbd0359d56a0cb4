use selfext_domain::ports::{ForgeError, Publication};
use selfext_domain::{EntryChange, RepoPath};
use serde_json::json;

use crate::forge::repository::changes;
use crate::forge::stage::{Stage, on_stage, text};
use crate::forge::world::{ForgeWorld, Misbehaviour, Step};

/// GitHub's limit on a file over its API, in bytes.
const LARGEST: usize = 40 << 20;

/// How many of the requests so far were for blobs and for trees.
fn written<W: ForgeWorld>(stage: &Stage<W>) -> (usize, usize) {
    let exchanges = stage.world.exchanges();
    let count = |end| exchanges.iter().filter(|one| one.method == "POST" && one.path_and_query.ends_with(end)).count();
    (count("/git/blobs"), count("/git/trees"))
}

/// The same, for a branch that may be there: trees are made by themselves then, and not together with everything else.
fn step_by_step(publication: Publication) -> Publication {
    Publication { fresh: false, ..publication }
}

fn path(text: &str) -> RepoPath {
    RepoPath::parse(text).unwrap()
}

pub async fn a_thousand_files_are_one_commit_made_in_portions<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let file = |n: usize| (path(&format!("d{}/f{n}.txt", n % 7)), text(&format!("{n}\n")));
        let mut files: std::collections::BTreeMap<_, _> = (0..1_000).map(file).collect();
        files.insert(path("old/notes.txt"), EntryChange::Delete);
        let publication = step_by_step(stage.publication(stage.candidate(&files)));
        let published = stage.forge.publish(&publication).await.unwrap();
        assert_eq!(stage.repository.tree(&published.head), publication.candidate.tree);
        assert_eq!(stage.repository.parents(&published.head), [publication.candidate.base]);
        assert_eq!(written(stage), (0, 3));
    })
    .await;
}

pub async fn a_thousand_files_are_one_request_where_everything_is_made_at_once<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let file = |n: usize| (path(&format!("d{}/f{n}.txt", n % 7)), text(&format!("{n}\n")));
        let publication = stage.publication(stage.candidate(&(0..1_000).map(file).collect()));
        let published = stage.forge.publish(&publication).await.unwrap();
        assert_eq!(stage.repository.tree(&published.head), publication.candidate.tree);
        assert_eq!(written(stage), (0, 0));
    })
    .await;
}

pub async fn much_text_travels_in_portions_and_not_file_by_file<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let lines = "0123456789abcde\n".repeat(6 * 1024);
        let files = (0..30).map(|n| (path(&format!("f{n}.txt")), text(&format!("{n}\n{lines}")))).collect();
        let publication = step_by_step(stage.publication(stage.candidate(&files)));
        let published = stage.forge.publish(&publication).await.unwrap();
        assert_eq!(stage.repository.tree(&published.head), publication.candidate.tree);
        // Thirty files of 96 KiB and a little, of which ten fit into one request.
        assert_eq!(written(stage), (0, 3));
    })
    .await;
}

pub async fn a_file_of_thirty_megabytes_arrives<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let content: Vec<u8> = (0..30_000_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
        let large = EntryChange::Write { content: content.into(), executable: false };
        let publication = stage.publication(stage.candidate(&changes([("model.bin", large), ("a.txt", text("a\n"))])));
        let published = stage.forge.publish(&publication).await.unwrap();
        assert_eq!(stage.repository.tree(&published.head), publication.candidate.tree);
        assert_eq!(written(stage), (1, 1));
    })
    .await;
}

pub async fn a_file_that_github_would_refuse_is_refused_before_anything_is_sent<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let mut publication = stage.usual_publication();
        let large = EntryChange::Write { content: vec![b'x'; LARGEST + 1].into(), executable: false };
        publication.candidate.entries.push((path("model.bin"), large));
        let error = stage.forge.publish(&publication).await.unwrap_err();
        let ForgeError::Refused(message) = error else { panic!("{error:?}") };
        for word in ["model.bin", "41943041", "41943040", "40 MiB"] {
            assert!(message.contains(word), "{word} is not in {message}");
        }
        assert!(stage.world.exchanges().is_empty(), "nothing was even asked for");
    })
    .await;
}

pub async fn a_file_takes_the_place_of_a_folder_and_a_folder_that_of_a_file<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let files = changes([
            ("README.md", EntryChange::Delete),
            ("README.md/part one.md", text("one\n")),
            ("old", text("once a folder\n")),
            ("old/notes.txt", EntryChange::Delete),
        ]);
        let publication = stage.publication(stage.candidate(&files));
        let published = stage.forge.publish(&publication).await.unwrap();
        assert_eq!(stage.repository.tree(&published.head), publication.candidate.tree);
    })
    .await;
}

pub async fn executable_bits_are_set_and_cleared_without_another_change<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let bit = |content: &[u8], executable| EntryChange::Write { content: content.into(), executable };
        let files = changes([("run.sh", bit(b"#!/bin/sh\nexit 0\n", false)), ("README.md", bit(b"# Agent\n", true))]);
        let publication = stage.publication(stage.candidate(&files));
        let published = stage.forge.publish(&publication).await.unwrap();
        assert_eq!(stage.repository.tree(&published.head), publication.candidate.tree);
    })
    .await;
}

pub async fn names_that_look_alike_stay_apart<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let files = changes([
            // The same name twice: composed, and with a combining mark.
            ("composed/\u{e9}t\u{e9}.txt", text("1")),
            ("composed/e\u{301}te\u{301}.txt", text("2")),
            ("a b/#1/50%/q?.txt", text("3")),
            ("a b/%231", text("4")),
            ("a+b/c&d=e", text("5")),
        ]);
        let publication = stage.publication(stage.candidate(&files));
        let published = stage.forge.publish(&publication).await.unwrap();
        assert_eq!(stage.repository.tree(&published.head), publication.candidate.tree);
    })
    .await;
}

pub async fn a_tree_that_is_not_known_everywhere_yet_is_built_upon_again<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let unknown = Misbehaviour::Answer {
            status: 422,
            headers: Vec::new(),
            body: json!({ "message": "base_tree is not a valid tree oid", "documentation_url": "u", "status": "422" }),
        };
        stage.world.disturb(Step::WriteTree, unknown.clone());
        let publication = step_by_step(stage.usual_publication());
        let published = stage.forge.publish(&publication).await.unwrap();
        assert_eq!(stage.repository.tree(&published.head), publication.candidate.tree);
        stage.forge.delete_branch(&stage.branch).await.unwrap();
        for _ in 0..4 {
            stage.world.disturb(Step::WriteTree, unknown.clone());
        }
        let error = stage.forge.publish(&publication).await.unwrap_err();
        assert!(matches!(error, ForgeError::Refused(_)), "{error:?}");
    })
    .await;
}
