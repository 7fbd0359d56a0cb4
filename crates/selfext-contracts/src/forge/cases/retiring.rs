use selfext_domain::Reason;
use selfext_domain::ports::{ForgeError, MergeAnswer, Publication, PullRequestState, Retired};

use super::merging::reason;
use crate::forge::repository::changes;
use crate::forge::stage::{Stage, branch, on_stage, text};
use crate::forge::world::{ForgeWorld, Misbehaviour, Step, refusal_body};

pub async fn a_retired_branch_is_gone_and_its_head_can_never_merge<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (publication, published) = stage.published().await;
        for _ in 0..2 {
            assert_eq!(stage.forge.retire_branch(&stage.branch).await.unwrap(), Retired::Gone);
        }
        assert_eq!(stage.repository.head(&stage.branch), None);
        let pull = stage.forge.pull_request(published.pull_request).await.unwrap();
        assert_eq!(pull.state, PullRequestState::Closed);
        assert_ne!(pull.head, published.head, "a person who brings it back brings back the fence");
        stage.repository.set(&stage.branch, &pull.head);
        stage.world.reopen(published.pull_request).await;
        let answer = stage.forge.merge(stage.permit(&publication, &published)).await;
        assert_eq!(reason(&answer), Reason::HeadMoved);
    })
    .await;
}

pub async fn a_branch_whose_record_shows_a_head_stays_at_its_fence<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (_, first) = stage.published().await;
        // Closed by a person, so its record keeps the head; a second one is opened for the same branch.
        stage.forge.close_pull_request(first.pull_request).await.unwrap();
        let (_, second) = stage.published().await;
        assert_ne!(first.pull_request, second.pull_request);
        for _ in 0..2 {
            assert_eq!(stage.forge.retire_branch(&stage.branch).await.unwrap(), Retired::KeptAtFence);
            let fence = stage.repository.head(&stage.branch).unwrap();
            assert_eq!(stage.repository.parents(&fence), std::slice::from_ref(&first.head));
        }
        let pull = stage.forge.pull_request(second.pull_request).await.unwrap();
        assert_eq!(pull.state, PullRequestState::Closed);
    })
    .await;
}

pub async fn a_merged_pull_request_does_not_keep_its_branch<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (publication, published) = stage.published().await;
        let answer = stage.forge.merge(stage.permit(&publication, &published)).await;
        assert!(matches!(answer, MergeAnswer::Merged { .. }), "{answer:?}");
        assert_eq!(stage.forge.retire_branch(&stage.branch).await.unwrap(), Retired::Gone);
        let pull = stage.forge.pull_request(published.pull_request).await.unwrap();
        assert!(matches!(pull.state, PullRequestState::Merged { .. }), "{pull:?}");
    })
    .await;
}

pub async fn somebody_elses_work_is_not_retired<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        stage.published().await;
        let theirs = stage.repository.push(&stage.branch, &changes([("a.txt", text("a\n"))]), "Somebody's");
        let error = stage.forge.retire_branch(&stage.branch).await.unwrap_err();
        assert!(matches!(&error, ForgeError::BranchTaken { head, .. } if *head == theirs), "{error:?}");
        assert_eq!(stage.repository.head(&stage.branch), Some(theirs));
        let error = stage.forge.retire_branch(&stage.base).await.unwrap_err();
        assert!(matches!(error, ForgeError::Refused(_)), "{error:?}");
    })
    .await;
}

pub async fn selfexts_branches_are_listed_and_no_others<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        assert!(stage.forge.own_branches().await.unwrap().is_empty());
        stage.published().await;
        let base = stage.repository.head(&stage.base).unwrap();
        for name in ["selfextra/x", "feature/selfext/x", "selfext/tool/other#1"] {
            stage.repository.set(&branch(name), &base);
        }
        let mut listed = stage.forge.own_branches().await.unwrap();
        listed.sort();
        let mut expected = vec![branch("selfext/tool/other#1"), stage.branch.clone()];
        expected.sort();
        assert_eq!(listed, expected);
    })
    .await;
}

pub async fn a_parked_branch_lets_no_late_publication_through<W: ForgeWorld>() {
    for deleted in [false, true] {
        on_stage(async |stage: &Stage<W>| {
            let (publication, published) = stage.published().await;
            let answer = stage.forge.merge(stage.permit(&publication, &published)).await;
            let MergeAnswer::Merged { commit } = answer else { panic!("{answer:?}") };
            if deleted {
                stage.forge.delete_branch(&stage.branch).await.unwrap();
            }
            for _ in 0..2 {
                stage.forge.park_branch(&stage.branch, &commit).await.unwrap();
                assert_eq!(stage.repository.head(&stage.branch).as_ref(), Some(&commit));
            }
            // It is carried out, and nobody hears of it.
            let late = Misbehaviour::AnswerAfterwards { status: 502, body: refusal_body("Server Error") };
            stage.world.disturb(Step::PublishAtOnce, late);
            let publication = Publication { fresh: true, ..publication };
            assert!(matches!(stage.forge.publish(&publication).await, Err(ForgeError::Unavailable(_))));
            assert_eq!(stage.repository.head(&stage.branch).as_ref(), Some(&commit));
            assert_eq!(stage.world.pull_requests().await.len(), 1);
        })
        .await;
    }
    // One that was just opened is closed.
    on_stage(async |stage: &Stage<W>| {
        let (_, published) = stage.published().await;
        let base = stage.repository.head(&stage.base).unwrap();
        stage.forge.park_branch(&stage.branch, &base).await.unwrap();
        let pull = stage.forge.pull_request(published.pull_request).await.unwrap();
        assert_eq!(pull.state, PullRequestState::Closed);
        assert!(matches!(stage.forge.park_branch(&stage.base, &base).await, Err(ForgeError::Refused(_))));
    })
    .await;
}
