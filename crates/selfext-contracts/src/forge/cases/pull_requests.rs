use selfext_domain::ports::{ForgeError, MergeAnswer, PullRequestState};

use crate::forge::stage::{Stage, branch, on_stage};
use crate::forge::world::{ForgeWorld, Misbehaviour, Step};

pub async fn the_newest_is_found_whatever_its_state<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let find = async || stage.forge.find_pull_request(&stage.branch, &stage.base).await.unwrap();
        assert_eq!(find().await, None);
        let (publication, first) = stage.published().await;
        stage.forge.close_pull_request(first.pull_request).await.unwrap();
        let found = find().await.unwrap();
        assert_eq!((found.number, found.state), (first.pull_request, PullRequestState::Closed));
        let second = stage.forge.publish(&publication).await.unwrap();
        let found = find().await.unwrap();
        assert_eq!((found.number, &found.url, found.state), (second.pull_request, &second.url, PullRequestState::Open));
        assert_eq!(
            (found.head, found.branch, found.base),
            (second.head.clone(), stage.branch.clone(), stage.base.clone())
        );
        let answer = stage.forge.merge(stage.permit(&publication, &second)).await;
        let MergeAnswer::Merged { commit } = answer else { panic!("{answer:?}") };
        assert_eq!(find().await.unwrap().state, PullRequestState::Merged { commit: Some(commit) });
        let other = stage.forge.find_pull_request(&stage.branch, &branch("other")).await.unwrap();
        assert_eq!(other, None, "only of the base that was asked for");
    })
    .await;
}

pub async fn a_comment_is_said_once<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (_, published) = stage.published().await;
        let (number, text) = (published.pull_request, "sealed:\n\n```text\na <b> | \u{2014} ü\n```");
        stage.world.disturb(Step::Comment, Misbehaviour::LoseAnswer);
        assert!(stage.forge.comment(number, text).await.is_err());
        for _ in 0..2 {
            stage.forge.comment(number, text).await.unwrap();
            assert_eq!(stage.world.comments(number).await, [text]);
        }
        // More than a page of others.
        for other in 0..101 {
            stage.forge.comment(number, &format!("other {other}")).await.unwrap();
        }
        stage.forge.comment(number, "other 100").await.unwrap();
        assert_eq!(stage.world.comments(number).await.len(), 102);
        let none = selfext_domain::PullRequestNumber::new(4_711).unwrap();
        assert!(matches!(stage.forge.comment(none, text).await, Err(ForgeError::NotFound(_))));
    })
    .await;
}

pub async fn closing_may_be_repeated<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (_, published) = stage.published().await;
        stage.world.disturb(Step::EditPullRequest, Misbehaviour::LoseAnswer);
        assert!(stage.forge.close_pull_request(published.pull_request).await.is_err());
        for _ in 0..2 {
            stage.forge.close_pull_request(published.pull_request).await.unwrap();
            let pull = stage.forge.pull_request(published.pull_request).await.unwrap();
            assert_eq!(pull.state, PullRequestState::Closed);
        }
    })
    .await;
}

pub async fn a_merged_one_is_left_as_it_is<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (publication, published) = stage.published().await;
        let answer = stage.forge.merge(stage.permit(&publication, &published)).await;
        assert!(matches!(answer, MergeAnswer::Merged { .. }), "{answer:?}");
        stage.forge.close_pull_request(published.pull_request).await.unwrap();
        let pull = stage.forge.pull_request(published.pull_request).await.unwrap();
        assert!(matches!(pull.state, PullRequestState::Merged { commit: Some(_) }), "{pull:?}");
    })
    .await;
}
