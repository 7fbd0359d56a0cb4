use selfext_domain::ports::{MergeAnswer, MergeRefusal, PullRequestState};
use selfext_domain::{MergeMethod, PullRequestNumber, Reason, RepositoryName};

use crate::forge::repository::changes;
use crate::forge::stage::{Stage, on_stage, permit, text};
use crate::forge::world::ForgeWorld;

/// The reason of a refusal; anything else is a failed test.
pub(super) fn reason(answer: &MergeAnswer) -> Reason {
    match answer {
        MergeAnswer::Refused(MergeRefusal { reason, message }) => {
            assert!(!message.is_empty() && message.chars().count() <= 600, "{message}");
            *reason
        }
        other => panic!("{other:?}"),
    }
}

pub async fn each_method_lands_the_tree_with_its_message<W: ForgeWorld>() {
    for method in [MergeMethod::Squash, MergeMethod::Merge, MergeMethod::Rebase] {
        on_stage(async |stage: &Stage<W>| {
            let (publication, published) = stage.published().await;
            let base = publication.candidate.base.clone();
            let terms = stage.terms(&publication, &published);
            let answer = stage.forge.merge(permit(selfext_domain::PermitTerms { method, ..terms })).await;
            let MergeAnswer::Merged { commit } = answer else { panic!("{method:?}: {answer:?}") };
            assert_eq!(stage.repository.head(&stage.base).as_ref(), Some(&commit));
            assert_eq!(stage.repository.tree(&commit), publication.candidate.tree);
            assert_eq!(stage.repository.message(&commit), publication.commit_message.trim_end(), "{method:?}");
            let parents = if method == MergeMethod::Merge { vec![base, published.head] } else { vec![base] };
            assert_eq!(stage.repository.parents(&commit), parents);
        })
        .await;
    }
}

pub async fn a_conflict_is_refused<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (publication, published) = stage.published().await;
        let base = stage.repository.push(&stage.base, &changes([("src/lib.rs", text("nothing\n"))]), "Somebody's");
        let answer = stage.forge.merge(stage.permit(&publication, &published)).await;
        assert_eq!(reason(&answer), Reason::MergeConflict);
        assert_eq!(stage.repository.head(&stage.base), Some(base));
    })
    .await;
}

pub async fn a_closed_pull_request_is_refused<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (publication, published) = stage.published().await;
        stage.forge.close_pull_request(published.pull_request).await.unwrap();
        let answer = stage.forge.merge(stage.permit(&publication, &published)).await;
        assert_eq!(reason(&answer), Reason::PullRequestClosed);
        assert_eq!(stage.repository.head(&stage.base), Some(publication.candidate.base));
    })
    .await;
}

pub async fn a_deleted_branch_is_refused<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (publication, published) = stage.published().await;
        stage.repository.delete(&stage.branch);
        let answer = stage.forge.merge(stage.permit(&publication, &published)).await;
        assert!(matches!(answer, MergeAnswer::Refused(_)), "{answer:?}");
        assert_eq!(stage.repository.head(&stage.base), Some(publication.candidate.base));
    })
    .await;
}

pub async fn what_was_merged_already_is_merged<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (publication, published) = stage.published().await;
        let first = stage.forge.merge(stage.permit(&publication, &published)).await;
        let MergeAnswer::Merged { commit: first } = first else { panic!("{first:?}") };
        let second = stage.forge.merge(stage.permit(&publication, &published)).await;
        assert!(matches!(&second, MergeAnswer::Merged { commit } if *commit == first), "{second:?}");
        assert_eq!(stage.repository.head(&stage.base), Some(first));
    })
    .await;
}

pub async fn what_was_merged_at_another_head_is_not_ours<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (publication, published) = stage.published().await;
        let ours = stage.terms(&publication, &published);
        let mut theirs = ours.clone();
        theirs.head = stage.repository.push(&stage.branch, &changes([("a.txt", text("a\n"))]), "Somebody's");
        let answer = stage.forge.merge(permit(theirs)).await;
        assert!(matches!(answer, MergeAnswer::Merged { .. }), "{answer:?}");
        let answer = stage.forge.merge(permit(ours)).await;
        assert_eq!(reason(&answer), Reason::MergedElsewhere);
    })
    .await;
}

pub async fn a_moved_head_is_refused<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (publication, published) = stage.published().await;
        stage.repository.push(&stage.branch, &changes([("a.txt", text("a\n"))]), "Somebody's");
        let answer = stage.forge.merge(stage.permit(&publication, &published)).await;
        assert_eq!(reason(&answer), Reason::HeadMoved);
        assert_eq!(stage.repository.head(&stage.base), Some(publication.candidate.base));
        let pull = stage.forge.pull_request(published.pull_request).await.unwrap();
        assert_eq!(pull.state, PullRequestState::Open);
    })
    .await;
}

pub async fn an_unknown_pull_request_is_refused<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (publication, published) = stage.published().await;
        let mut terms = stage.terms(&publication, &published);
        terms.pull_request = PullRequestNumber::new(4711).unwrap();
        assert_eq!(reason(&stage.forge.merge(permit(terms)).await), Reason::ForgeRefused);
    })
    .await;
}

pub async fn a_permit_for_another_repository_is_refused_unasked<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (publication, published) = stage.published().await;
        let mut terms = stage.terms(&publication, &published);
        terms.repository = RepositoryName::parse("octo-org/another").unwrap();
        stage.world.forget_exchanges();
        assert_eq!(reason(&stage.forge.merge(permit(terms)).await), Reason::ForgeRefused);
        assert!(stage.world.exchanges().is_empty());
    })
    .await;
}
