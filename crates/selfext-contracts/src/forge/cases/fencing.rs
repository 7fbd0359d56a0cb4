use selfext_domain::Reason;
use selfext_domain::ports::{ForgeError, MergeAnswer, PullRequestState};

use super::merging::reason;
use crate::forge::repository::changes;
use crate::forge::stage::{Stage, branch, on_stage, text};
use crate::forge::world::{ForgeWorld, Misbehaviour, Step};

pub async fn a_fenced_head_can_never_merge<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (publication, published) = stage.published().await;
        stage.forge.fence_branch(&stage.branch, &published.head).await.unwrap();
        let fence = stage.repository.head(&stage.branch).unwrap();
        assert_ne!(fence, published.head);
        assert_eq!(stage.repository.parents(&fence), std::slice::from_ref(&published.head));
        assert_eq!(stage.repository.tree(&fence), publication.candidate.tree);
        let answer = stage.forge.merge(stage.permit(&publication, &published)).await;
        assert_eq!(reason(&answer), Reason::HeadMoved, "open, but fenced");

        stage.forge.close_pull_request(published.pull_request).await.unwrap();
        stage.world.reopen(published.pull_request).await;
        let pull = stage.forge.pull_request(published.pull_request).await.unwrap();
        assert_eq!((pull.state, &pull.head), (PullRequestState::Open, &fence));
        let answer = stage.forge.merge(stage.permit(&publication, &published)).await;
        assert_eq!(reason(&answer), Reason::HeadMoved, "opened again, and still fenced");
        assert_eq!(stage.repository.head(&stage.base), Some(publication.candidate.base));
    })
    .await;
}

pub async fn fencing_may_be_repeated<W: ForgeWorld>() {
    for lag in [0, 1] {
        on_stage(async |stage: &Stage<W>| {
            let (_, published) = stage.published().await;
            stage.world.set_lag(lag);
            stage.forge.fence_branch(&stage.branch, &published.head).await.unwrap();
            let fence = stage.repository.head(&stage.branch);
            stage.forge.fence_branch(&stage.branch, &published.head).await.unwrap();
            assert_eq!(stage.repository.head(&stage.branch), fence);
        })
        .await;
    }
    on_stage(async |stage: &Stage<W>| {
        let (_, published) = stage.published().await;
        stage.world.disturb(Step::MoveBranch, Misbehaviour::LoseAnswer);
        let error = stage.forge.fence_branch(&stage.branch, &published.head).await.unwrap_err();
        assert!(matches!(error, ForgeError::Unavailable(_)), "{error:?}");
        stage.forge.fence_branch(&stage.branch, &published.head).await.unwrap();
        let fence = stage.repository.head(&stage.branch).unwrap();
        assert_eq!(stage.repository.parents(&fence), [published.head]);
    })
    .await;
}

pub async fn a_branch_that_is_elsewhere_is_left_alone<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (_, published) = stage.published().await;
        let theirs = stage.repository.push(&stage.branch, &changes([("a.txt", text("a\n"))]), "Somebody's");
        stage.forge.fence_branch(&stage.branch, &published.head).await.unwrap();
        assert_eq!(stage.repository.head(&stage.branch), Some(theirs));
    })
    .await;
}

pub async fn a_branch_that_is_gone_cannot_come_back_at_the_fenced_head<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (publication, published) = stage.published().await;
        stage.repository.delete(&stage.branch);
        for _ in 0..2 {
            stage.forge.fence_branch(&stage.branch, &published.head).await.unwrap();
        }
        let fence = stage.repository.head(&stage.branch).unwrap();
        assert_eq!(stage.repository.parents(&fence), std::slice::from_ref(&published.head));
        stage.world.reopen(published.pull_request).await;
        let answer = stage.forge.merge(stage.permit(&publication, &published)).await;
        assert!(matches!(answer, MergeAnswer::Refused(_)), "{answer:?}");
        assert_eq!(stage.repository.head(&stage.base), Some(publication.candidate.base));
    })
    .await;
}

pub async fn what_is_not_selfexts_is_not_touched<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let base = stage.repository.head(&stage.base).unwrap();
        for name in [stage.base.clone(), branch("feature/x"), branch("selfextra/x")] {
            assert!(matches!(stage.forge.fence_branch(&name, &base).await, Err(ForgeError::Refused(_))));
            assert!(matches!(stage.forge.delete_branch(&name).await, Err(ForgeError::Refused(_))));
        }
        assert!(stage.world.exchanges().is_empty());
    })
    .await;
}

pub async fn a_fence_that_cannot_be_seen_is_no_fence<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (_, published) = stage.published().await;
        stage.world.set_lag(1000);
        let error = stage.forge.fence_branch(&stage.branch, &published.head).await.unwrap_err();
        assert!(matches!(error, ForgeError::Unavailable(_)), "{error:?}");
    })
    .await;
    on_stage(async |stage: &Stage<W>| {
        let (_, published) = stage.published().await;
        for step in [Step::ReadBranch, Step::ReadCommit, Step::WriteCommit, Step::MoveBranch] {
            stage.world.disturb(step, Misbehaviour::refusal(502, "Bad Gateway"));
            let error = stage.forge.fence_branch(&stage.branch, &published.head).await.unwrap_err();
            assert!(matches!(error, ForgeError::Unavailable(_)), "{step:?}: {error:?}");
            assert_eq!(stage.repository.head(&stage.branch).as_ref(), Some(&published.head));
        }
    })
    .await;
}

pub async fn an_invisible_repository_is_not_a_missing_branch<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (_, published) = stage.published().await;
        for step in [Step::ReadBranch, Step::DeleteBranch] {
            stage.world.disturb(step, Misbehaviour::refusal(404, "Not Found"));
            stage.world.disturb(Step::ReadRepository, Misbehaviour::refusal(404, "Not Found"));
            let result = match step {
                Step::DeleteBranch => stage.forge.delete_branch(&stage.branch).await,
                _ => stage.forge.fence_branch(&stage.branch, &published.head).await,
            };
            let error = result.unwrap_err();
            assert!(matches!(error, ForgeError::NotFound(_)), "{step:?}: {error:?}");
        }
        assert_eq!(stage.repository.head(&stage.branch), Some(published.head));
    })
    .await;
}
