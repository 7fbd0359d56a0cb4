use selfext_domain::EntryChange;
use selfext_domain::ports::{ForgeError, Publication, Published};
use serde_json::{Value, json};

use crate::forge::repository::changes;
use crate::forge::stage::{Stage, on_stage, text};
use crate::forge::world::{ForgeWorld, Misbehaviour, Step};

/// How often the one request was made.
fn at_once<W: ForgeWorld>(stage: &Stage<W>) -> usize {
    stage.world.exchanges().iter().filter(|exchange| exchange.path_and_query == "/graphql").count()
}

/// Everything is there, once, and as it was tested.
async fn assert_published<W: ForgeWorld>(
    stage: &Stage<W>,
    publication: &Publication,
    published: &Published,
    why: &str,
) {
    let (repository, candidate) = (&stage.repository, &publication.candidate);
    assert_eq!(repository.head(&publication.branch).as_ref(), Some(&published.head), "{why}");
    assert_eq!(repository.tree(&published.head), candidate.tree, "{why}");
    assert_eq!(repository.parents(&published.head), std::slice::from_ref(&candidate.base), "{why}");
    assert_eq!(repository.message(&published.head), publication.commit_message.trim_end(), "{why}");
    let open: Vec<_> = stage.world.pull_requests().await.into_iter().filter(|pull| pull.open).collect();
    assert_eq!(open.len(), 1, "{why}");
    assert_eq!(
        (open[0].number, &open[0].title, &open[0].body),
        (published.pull_request, &publication.title, &publication.body),
        "{why}"
    );
}

fn answer(status: u16, body: Value) -> Misbehaviour {
    Misbehaviour::Answer { status, headers: Vec::new(), body }
}

fn error(kind: &str, words: &str) -> Value {
    json!({ "type": kind, "path": ["commit"], "message": words })
}

pub async fn one_request_makes_everything<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        stage.forge.branch_head(&stage.base).await.unwrap();
        stage.world.forget_exchanges();
        let publication = stage.usual_publication();
        let published = stage.forge.publish(&publication).await.unwrap();
        assert_eq!((stage.world.exchanges().len(), at_once(stage)), (1, 1));
        assert_published(stage, &publication, &published, "at once").await;
        let pull = stage.forge.pull_request(published.pull_request).await.unwrap();
        assert_eq!((pull.url, pull.head), (published.url, published.head));
    })
    .await;
}

pub async fn whatever_else_is_answered_the_other_way_is_gone<W: ForgeWorld>() {
    let sha = "1".repeat(40);
    let made = |commit: Value, pull: Value| json!({ "data": { "branch": null, "commit": commit, "pull": pull } });
    let commit = |oid: Value| json!({ "commit": { "oid": oid, "message": "x", "tree": { "oid": sha }, "parents": { "nodes": [] } } });
    let pull = json!({ "pullRequest": { "number": 7, "url": "https://forge.example/7" } });
    let failed =
        |kind: &str| json!({ "data": { "branch": null, "commit": null, "pull": null }, "errors": [error(kind, "No")] });
    for misbehaviour in [
        answer(200, failed("NOT_FOUND")),
        answer(200, failed("FORBIDDEN")),
        answer(200, failed("STALE_DATA")),
        answer(200, json!({ "errors": [{ "message": "Parse error" }] })),
        answer(200, json!({ "data": null, "errors": null })),
        answer(200, json!({ "data": null, "errors": "x" })),
        answer(200, json!({ "data": [], "errors": [] })),
        answer(200, json!({})),
        answer(200, json!([])),
        answer(200, json!(null)),
        answer(200, json!("<html>")),
        answer(200, made(commit(json!(7)), pull.clone())),
        answer(200, made(commit(json!("HEAD")), pull.clone())),
        answer(200, made(json!({ "commit": null }), pull.clone())),
        answer(200, made(commit(json!(sha)), json!({ "pullRequest": { "number": -1, "url": 1 } }))),
        answer(200, made(Value::Null, Value::Null)),
        answer(201, json!({})),
        answer(301, json!({ "message": "Moved Permanently" })),
        answer(400, json!({ "message": "Problems parsing JSON" })),
        answer(403, json!({ "message": "Resource not accessible by integration" })),
        answer(422, json!({ "message": "Unprocessable" })),
        Misbehaviour::HalfJson,
    ] {
        on_stage(async |stage: &Stage<W>| {
            stage.world.disturb(Step::PublishAtOnce, misbehaviour.clone());
            let publication = stage.usual_publication();
            let published = stage.forge.publish(&publication).await.unwrap();
            assert_published(stage, &publication, &published, &format!("{misbehaviour:?}")).await;
            assert_eq!((stage.world.pull_requests().await.len(), at_once(stage)), (1, 1));

            // It is tried again the next time.
            stage.forge.delete_branch(&stage.branch).await.unwrap();
            stage.forge.publish(&publication).await.unwrap();
            assert_eq!(at_once(stage), 2, "{misbehaviour:?}");
        })
        .await;
    }
    // What was opened for a commit that is not the tested one is used for the tested one.
    on_stage(async |stage: &Stage<W>| {
        let body = made(commit(json!(sha)), pull.clone());
        stage.world.disturb(Step::PublishAtOnce, Misbehaviour::AnswerAfterwards { status: 200, body });
        let publication = stage.usual_publication();
        let published = stage.forge.publish(&publication).await.unwrap();
        assert_published(stage, &publication, &published, "another commit").await;
    })
    .await;
}

pub async fn a_server_without_it_is_asked_once<W: ForgeWorld>() {
    for status in [404, 405, 410, 501] {
        on_stage(async |stage: &Stage<W>| {
            stage.world.disturb(Step::PublishAtOnce, answer(status, json!({ "message": "Not Found" })));
            let publication = stage.usual_publication();
            for _ in 0..2 {
                let published = stage.forge.publish(&publication).await.unwrap();
                assert_published(stage, &publication, &published, &format!("{status}")).await;
                stage.forge.delete_branch(&stage.branch).await.unwrap();
            }
            assert_eq!(at_once(stage), 1, "{status}");
        })
        .await;
    }
}

pub async fn a_part_that_failed_is_mended<W: ForgeWorld>() {
    // The branch is there, at the base: the commit and the pull request are made, and the branch is said to exist.
    on_stage(async |stage: &Stage<W>| {
        let publication = stage.usual_publication();
        stage.repository.set(&stage.branch, &publication.candidate.base);
        let published = stage.forge.publish(&publication).await.unwrap();
        assert_published(stage, &publication, &published, "at the base").await;
        assert_eq!(stage.world.pull_requests().await.len(), 1);
    })
    .await;
    // It is there, at the base, and nothing more: it holds nobody's work.
    on_stage(async |stage: &Stage<W>| {
        let publication = stage.known_publication();
        stage.repository.set(&stage.branch, &publication.candidate.base);
        let published = stage.forge.publish(&publication).await.unwrap();
        assert_published(stage, &publication, &published, "still at the base").await;
    })
    .await;
    // It holds an earlier commit of selfext's: a pull request is opened for that, and then moved.
    on_stage(async |stage: &Stage<W>| {
        stage.published().await;
        stage.repository.push(&stage.base, &changes([("other.txt", text("x\n"))]), "Somebody's");
        let publication = Publication { fresh: true, ..stage.usual_publication() };
        let published = stage.forge.publish(&publication).await.unwrap();
        assert_published(stage, &publication, &published, "an earlier commit").await;
    })
    .await;
    // It is fenced, and its pull request closed.
    on_stage(async |stage: &Stage<W>| {
        let (mut publication, first) = stage.published().await;
        stage.forge.fence_branch(&stage.branch, &first.head).await.unwrap();
        stage.forge.close_pull_request(first.pull_request).await.unwrap();
        publication.fresh = true;
        let published = stage.forge.publish(&publication).await.unwrap();
        assert_published(stage, &publication, &published, "a fence").await;
        assert!(published.pull_request > first.pull_request, "not the one that was closed");
    })
    .await;
}

pub async fn a_tree_that_it_cannot_make_is_made_the_other_way<W: ForgeWorld>() {
    let bytes = |executable| EntryChange::Write { content: b"#!/bin/sh\nexit 1\n".as_slice().into(), executable };
    // A file that is executable keeps its mode in one request; one that is to be executable is not even tried.
    for (executable, tried) in [(false, 1), (true, 0)] {
        on_stage(async |stage: &Stage<W>| {
            let publication = stage.publication(stage.candidate(&changes([("run.sh", bytes(executable))])));
            let published = stage.forge.publish(&publication).await.unwrap();
            assert_published(stage, &publication, &published, "a mode").await;
            assert_eq!((at_once(stage), stage.world.pull_requests().await.len()), (tried, 1));
        })
        .await;
    }
}

pub async fn limits_end_the_publication<W: ForgeWorld>() {
    let limited = json!({ "data": null, "errors": [{ "type": "RATE_LIMITED", "message": "API rate limit exceeded" }] });
    let secondary = json!({ "errors": [{ "message": "You have exceeded a secondary rate limit." }] });
    for (misbehaviour, expected) in [
        (answer(200, limited.clone()), 60),
        (answer(200, limited).with_header("retry-after", "7"), 7),
        (answer(200, secondary), 60),
        (Misbehaviour::refusal(403, "You have exceeded a secondary rate limit."), 60),
        (Misbehaviour::refusal(429, "Too many requests").with_header("retry-after", "9"), 9),
    ] {
        on_stage(async |stage: &Stage<W>| {
            stage.forge.branch_head(&stage.base).await.unwrap();
            stage.world.forget_exchanges();
            stage.world.disturb(Step::PublishAtOnce, misbehaviour.clone());
            let publication = stage.usual_publication();
            match stage.forge.publish(&publication).await {
                Err(ForgeError::RateLimited { retry_after }) => assert_eq!(retry_after.as_secs(), expected),
                other => panic!("{misbehaviour:?}: {other:?}"),
            }
            assert_eq!(stage.world.exchanges().len(), 1, "nothing more is asked for while limited");
            let again = stage.forge.publish(&publication).await;
            assert!(matches!(again, Err(ForgeError::RateLimited { .. })), "{again:?}");
            assert_eq!(stage.world.exchanges().len(), 1, "nor by who asks again");
        })
        .await;
    }
}

pub async fn what_breaks_off_is_mended_by_repeating<W: ForgeWorld>() {
    for misbehaviour in [
        Misbehaviour::Drop,
        Misbehaviour::LoseAnswer,
        Misbehaviour::CutBody,
        Misbehaviour::refusal(500, "Oops"),
        Misbehaviour::refusal(502, "Server Error"),
        Misbehaviour::AnswerAfterwards { status: 502, body: json!({ "message": "Server Error" }) },
    ] {
        for again in [true, false] {
            on_stage(async |stage: &Stage<W>| {
                stage.world.disturb(Step::PublishAtOnce, misbehaviour.clone());
                let mut publication = stage.usual_publication();
                let error = stage.forge.publish(&publication).await.unwrap_err();
                assert!(matches!(error, ForgeError::Unavailable(_)), "{misbehaviour:?}: {error:?}");
                publication.fresh = again;
                let published = stage.forge.publish(&publication).await.unwrap();
                assert_published(stage, &publication, &published, &format!("{misbehaviour:?}")).await;
                assert_eq!(stage.world.pull_requests().await.len(), 1, "{misbehaviour:?}");
            })
            .await;
        }
    }
}

pub async fn what_stands_is_found<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let find = async || stage.forge.find_published(&stage.branch, &stage.base).await.unwrap();
        assert_eq!(find().await, None);
        let (publication, published) = stage.published().await;
        let standing = find().await.unwrap();
        assert_eq!(standing.holds(&publication), Some(published.clone()));
        assert_eq!(standing.commit, stage.forge.commit(&published.head).await.unwrap());
        for other in [
            Publication { title: "Another".to_owned(), ..publication.clone() },
            Publication { body: "Another".to_owned(), ..publication.clone() },
            Publication {
                candidate: stage.candidate(&changes([("README.md", EntryChange::Delete)])),
                ..publication.clone()
            },
        ] {
            assert_eq!(standing.holds(&other), None, "{other:?}");
        }
        let mut rebased = publication.clone();
        rebased.candidate.base = published.head.clone();
        assert_eq!(standing.holds(&rebased), None, "another base");

        stage.forge.close_pull_request(published.pull_request).await.unwrap();
        let standing = find().await.unwrap();
        assert_eq!((standing.request.is_none(), standing.holds(&publication)), (true, None));
        stage.forge.delete_branch(&stage.branch).await.unwrap();
        assert_eq!(find().await, None);
    })
    .await;
}
