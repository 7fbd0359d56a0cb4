//! Changes that go through the service's merge queue.

use selfext_domain::ports::{
    ForgeError, MergeAnswer, Publication, Published, PullRequestState, QueueEntry, SurveyScope,
};
use selfext_domain::{MergePermit, MergeWay, PermitTerms, PullRequestNumber, Reason, RequiredContext};

use super::merging::reason;
use crate::forge::repository::changes;
use crate::forge::stage::{Stage, on_stage, permit, text};
use crate::forge::world::{ForgeWorld, Misbehaviour, Protected, Step};

fn through_queue<W: ForgeWorld>(stage: &Stage<W>, publication: &Publication, published: &Published) -> MergePermit {
    permit(PermitTerms { way: MergeWay::Queue, ..stage.terms(publication, published) })
}

/// Gives the base a queue that asks for `ci`.
async fn with_queue<W: ForgeWorld>(stage: &Stage<W>) {
    let ruleset = vec![RequiredContext { context: "ci".to_owned(), pin: None }];
    stage.world.protect(&stage.base, &Protected { ruleset, merge_queue: true, ..Protected::default() }).await;
}

/// A change that may enter the queue.
async fn fit<W: ForgeWorld>(stage: &Stage<W>) -> (Publication, Published) {
    let (publication, published) = stage.published().await;
    with_queue(stage).await;
    stage.world.set_status(&published.head, "ci", "success").await;
    (publication, published)
}

async fn enqueue<W: ForgeWorld>(stage: &Stage<W>, publication: &Publication, published: &Published) {
    let answer = stage.forge.merge(through_queue(stage, publication, published)).await;
    assert!(matches!(answer, MergeAnswer::Enqueued), "{answer:?}");
}

async fn entry<W: ForgeWorld>(stage: &Stage<W>, number: PullRequestNumber) -> Option<QueueEntry> {
    stage.forge.queue_entry(number).await.unwrap()
}

pub async fn a_change_enters_the_queue_once_and_lands_as_the_queues_commit<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (publication, published) = fit(stage).await;
        let number = published.pull_request;
        assert_eq!(entry(stage, number).await, None);
        for _ in 0..2 {
            enqueue(stage, &publication, &published).await;
        }
        let commit = stage.world.queue_commit(number).await.unwrap();
        assert_eq!(entry(stage, number).await, Some(QueueEntry { position: 1, commit: Some(commit.clone()) }));
        assert_eq!(stage.forge.commit(&commit).await.unwrap().tree, publication.candidate.tree);
        assert_eq!(stage.repository.head(&stage.base), Some(publication.candidate.base.clone()));

        stage.world.set_status(&commit, "ci", "success").await;
        assert_eq!(entry(stage, number).await, None);
        assert_eq!(stage.repository.head(&stage.base), Some(commit.clone()));
        let pull = stage.forge.pull_request(number).await.unwrap();
        assert_eq!(pull.state, PullRequestState::Merged { commit: Some(commit.clone()) });
        let survey = stage.forge.survey(number, &commit, &stage.base, SurveyScope::default()).await.unwrap();
        assert!(
            survey.gate.statuses.iter().any(|status| status.context == "ci"),
            "what was said of the queue's commit"
        );
        let again = stage.forge.merge(through_queue(stage, &publication, &published)).await;
        assert!(matches!(&again, MergeAnswer::Merged { commit: same } if *same == commit), "{again:?}");
    })
    .await;
}

pub async fn what_stands_behind_others_says_so<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (other, others) = fit(stage).await;
        enqueue(stage, &other, &others).await;
        let mut publication = stage.publication(stage.candidate(&changes([("b.txt", text("b\n"))])));
        publication.branch = crate::forge::stage::branch("selfext/write-file/goal-8-0123456789abcdef");
        let published = stage.publish(&publication).await;
        stage.world.set_status(&published.head, "ci", "success").await;
        enqueue(stage, &publication, &published).await;
        let number = published.pull_request;
        let commit = stage.world.queue_commit(number).await.unwrap();
        assert_eq!(entry(stage, number).await, Some(QueueEntry { position: 2, commit: Some(commit.clone()) }));
        let made = stage.forge.commit(&commit).await.unwrap();
        assert_ne!(made.tree, publication.candidate.tree, "it lies on top of the other one");

        // Once that one is thrown out, its commit is made anew.
        stage.world.throw_out(others.pull_request).await;
        let commit = stage.world.queue_commit(number).await.unwrap();
        assert_eq!(entry(stage, number).await, Some(QueueEntry { position: 1, commit: Some(commit.clone()) }));
        assert_eq!(stage.forge.commit(&commit).await.unwrap().tree, publication.candidate.tree);
    })
    .await;
}

pub async fn leaving_the_queue_may_be_repeated<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (publication, published) = fit(stage).await;
        let number = published.pull_request;
        stage.forge.leave_queue(number).await.unwrap();
        enqueue(stage, &publication, &published).await;
        for _ in 0..2 {
            stage.forge.leave_queue(number).await.unwrap();
            assert_eq!(entry(stage, number).await, None);
        }
        assert_eq!(stage.forge.pull_request(number).await.unwrap().state, PullRequestState::Open);
        // Nor is one taken out that has landed.
        enqueue(stage, &publication, &published).await;
        let commit = stage.world.queue_commit(number).await.unwrap();
        stage.world.set_status(&commit, "ci", "success").await;
        stage.forge.leave_queue(number).await.unwrap();
        assert_eq!(stage.repository.head(&stage.base), Some(commit));
    })
    .await;
}

pub async fn what_was_thrown_out_stands_in_none<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (publication, published) = fit(stage).await;
        let number = published.pull_request;
        enqueue(stage, &publication, &published).await;
        let commit = stage.world.queue_commit(number).await.unwrap();
        stage.world.set_status(&commit, "ci", "failure").await;
        assert_eq!(entry(stage, number).await, None);
        assert_eq!(stage.forge.pull_request(number).await.unwrap().state, PullRequestState::Open);
        assert_eq!(stage.repository.head(&stage.base), Some(publication.candidate.base.clone()));
        enqueue(stage, &publication, &published).await;
    })
    .await;
}

pub async fn what_may_not_enter_has_its_reason<W: ForgeWorld>() {
    enum Spoilt {
        Closed,
        Moved,
        Conflict,
        Unchecked,
        NoQueue,
    }
    for (spoilt, expected) in [
        (Spoilt::Closed, Reason::PullRequestClosed),
        (Spoilt::Moved, Reason::HeadMoved),
        (Spoilt::Conflict, Reason::MergeConflict),
        (Spoilt::Unchecked, Reason::BlockedByProtection),
        (Spoilt::NoQueue, Reason::MergeQueueRequired),
    ] {
        on_stage(async |stage: &Stage<W>| {
            let (publication, published) = stage.published().await;
            match spoilt {
                Spoilt::NoQueue => {}
                _ => with_queue(stage).await,
            }
            match spoilt {
                Spoilt::Unchecked => {}
                _ => stage.world.set_status(&published.head, "ci", "success").await,
            }
            match spoilt {
                Spoilt::Closed => stage.forge.close_pull_request(published.pull_request).await.unwrap(),
                Spoilt::Moved => {
                    stage.repository.push(&stage.branch, &changes([("a.txt", text("a\n"))]), "Somebody's");
                }
                Spoilt::Conflict => {
                    stage.repository.push(&stage.base, &changes([("src/lib.rs", text("nothing\n"))]), "Somebody's");
                }
                Spoilt::Unchecked | Spoilt::NoQueue => {}
            }
            let answer = stage.forge.merge(through_queue(stage, &publication, &published)).await;
            assert_eq!(reason(&answer), expected);
            assert_eq!(entry(stage, published.pull_request).await, None);
        })
        .await;
    }
}

pub async fn a_lost_answer_leaves_it_in_doubt_and_asking_again_finds_it<W: ForgeWorld>() {
    // The first request asks how it stands, the second one puts it there.
    for (nth, misbehaviour, enqueued) in [
        (1, Misbehaviour::Drop, None),
        (1, Misbehaviour::refusal(502, "Bad Gateway"), None),
        (2, Misbehaviour::LoseAnswer, Some(true)),
        (2, Misbehaviour::HalfJson, Some(true)),
        (2, Misbehaviour::AnswerAfterwards { status: 502, body: serde_json::json!("<html>") }, Some(true)),
        (2, Misbehaviour::Drop, Some(false)),
    ] {
        on_stage(async |stage: &Stage<W>| {
            let (publication, published) = fit(stage).await;
            stage.world.disturb_nth(Step::PublishAtOnce, nth, misbehaviour.clone());
            let answer = stage.forge.merge(through_queue(stage, &publication, &published)).await;
            match (enqueued, answer) {
                (None, MergeAnswer::MayPass { .. }) | (Some(_), MergeAnswer::InDoubt { .. }) => {}
                (_, answer) => panic!("{misbehaviour:?}: {answer:?}"),
            }
            let standing = entry(stage, published.pull_request).await.is_some();
            assert_eq!(standing, enqueued == Some(true), "{misbehaviour:?}");
            enqueue(stage, &publication, &published).await;
        })
        .await;
    }
}

pub async fn a_fenced_head_is_in_no_queue<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (publication, published) = fit(stage).await;
        enqueue(stage, &publication, &published).await;
        let commit = stage.world.queue_commit(published.pull_request).await.unwrap();
        stage.forge.fence_branch(&stage.branch, &published.head).await.unwrap();
        assert_eq!(entry(stage, published.pull_request).await, None);
        stage.world.set_status(&commit, "ci", "success").await;
        let answer = stage.forge.merge(through_queue(stage, &publication, &published)).await;
        assert_eq!(reason(&answer), Reason::HeadMoved);
        assert_eq!(stage.repository.head(&stage.base), Some(publication.candidate.base));
    })
    .await;
}

pub async fn a_service_that_does_not_show_its_queue_is_not_believed_to_have_none<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (publication, published) = fit(stage).await;
        enqueue(stage, &publication, &published).await;
        let number = published.pull_request;
        let failed = serde_json::json!({
            "data": {"repository": {"id": "x", "pullRequest": null}},
            "errors": [{"type": "FORBIDDEN", "path": ["repository", "pullRequest"], "message": "Resource not accessible"}],
        });
        for misbehaviour in [
            Misbehaviour::refusal(404, "Not Found"),
            Misbehaviour::refusal(502, "Bad Gateway"),
            Misbehaviour::Answer { status: 200, headers: Vec::new(), body: failed },
            Misbehaviour::Answer { status: 200, headers: Vec::new(), body: serde_json::json!({"data": {"repository": null}}) },
        ] {
            stage.world.disturb(Step::PublishAtOnce, misbehaviour.clone());
            assert!(stage.forge.queue_entry(number).await.is_err(), "{misbehaviour:?}");
            stage.world.disturb(Step::PublishAtOnce, misbehaviour.clone());
            assert!(stage.forge.leave_queue(number).await.is_err(), "{misbehaviour:?}");
        }
        let unknown = PullRequestNumber::new(4711).unwrap();
        let error = stage.forge.queue_entry(unknown).await.unwrap_err();
        assert!(matches!(error, ForgeError::Refused(_) | ForgeError::NotFound(_)), "{error:?}");
        assert!(entry(stage, number).await.is_some());
    })
    .await;
}
