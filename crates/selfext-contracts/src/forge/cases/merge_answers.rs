use std::time::{Duration, Instant};

use selfext_domain::ports::{MergeAnswer, PullRequestState};
use selfext_domain::{CommitSha, Reason};
use serde_json::json;

use super::merging::reason;
use crate::forge::stage::{SHORT, Stage, on_stage, permit};
use crate::forge::world::{ForgeWorld, Misbehaviour, Step, refusal_body};

/// Whether the change has landed, as git has it.
fn landed<W: ForgeWorld>(stage: &Stage<W>, base: &CommitSha) -> bool {
    stage.repository.head(&stage.base).as_ref() != Some(base)
}

/// Waits for a merge that the client gave up on before it was done.
async fn until_landed<W: ForgeWorld>(stage: &Stage<W>, base: &CommitSha) {
    let waiting = async {
        while !landed(stage, base) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("the merge is done in the end");
}

async fn assert_in_doubt<W: ForgeWorld>(misbehaviour: Misbehaviour, done: bool) {
    on_stage(async |stage: &Stage<W>| {
        let (publication, published) = stage.published().await;
        stage.world.disturb(Step::Merge, misbehaviour.clone());
        let hangs = matches!(misbehaviour, Misbehaviour::Hang | Misbehaviour::HangAfterwards);
        let hurried = if hangs { Some(stage.hurried().await) } else { None };
        let forge = hurried.as_ref().unwrap_or(&stage.forge);
        stage.world.forget_exchanges();
        let begun = Instant::now();
        let answer = forge.merge(stage.permit(&publication, &published)).await;
        assert!(
            matches!(&answer, MergeAnswer::InDoubt { message } if !message.is_empty()),
            "{misbehaviour:?}: {answer:?}"
        );
        assert!(!hangs || begun.elapsed() < SHORT * 20, "it took {:?}", begun.elapsed());
        if done {
            until_landed(stage, &publication.candidate.base).await;
        }
        assert_eq!(landed(stage, &publication.candidate.base), done, "{misbehaviour:?}");
        assert_eq!(stage.world.exchanges().len(), 1, "reading back is the caller's: {misbehaviour:?}");

        // The caller asks what is true.
        let pull = stage.forge.pull_request(published.pull_request).await.unwrap();
        let head = stage.repository.head(&stage.base);
        let expected = if done { PullRequestState::Merged { commit: head } } else { PullRequestState::Open };
        assert_eq!(pull.state, expected, "{misbehaviour:?}");
    })
    .await;
}

pub async fn lost_answers_leave_it_in_doubt<W: ForgeWorld>() {
    assert_in_doubt::<W>(Misbehaviour::LoseAnswer, true).await;
    assert_in_doubt::<W>(Misbehaviour::CutBody, true).await;
    assert_in_doubt::<W>(Misbehaviour::HangAfterwards, true).await;
    assert_in_doubt::<W>(Misbehaviour::Drop, false).await;
    assert_in_doubt::<W>(Misbehaviour::Hang, false).await;
}

pub async fn unreadable_answers_leave_it_in_doubt<W: ForgeWorld>() {
    let page = json!("<html>Unicorn!</html>");
    for status in [500, 502, 503, 504] {
        assert_in_doubt::<W>(Misbehaviour::AnswerAfterwards { status, body: page.clone() }, true).await;
    }
    assert_in_doubt::<W>(Misbehaviour::HalfJson, true).await;
    for (status, body) in [
        (200, json!({})),
        (200, json!({ "merged": true, "sha": "not a sha", "message": "m" })),
        (200, json!({ "merged": false, "sha": "1".repeat(40), "message": "m" })),
        (202, json!({ "message": "accepted" })),
        // Pages of something between: they say nothing about GitHub.
        (403, page.clone()),
        (404, page.clone()),
        (405, page.clone()),
        (409, page.clone()),
        (422, page),
        (500, refusal_body("Server Error")),
    ] {
        assert_in_doubt::<W>(Misbehaviour::AnswerAfterwards { status, body }, true).await;
    }
}

pub async fn refusals_are_told_from_doubt<W: ForgeWorld>() {
    for (status, message, expected) in [
        (401, "Bad credentials", Reason::ForgeRefused),
        (403, "Resource not accessible by integration", Reason::ForgeRefused),
        (404, "Not Found", Reason::ForgeRefused),
        (422, "Validation Failed", Reason::MergeRefused),
        (405, "Changes must be made through the merge queue", Reason::MergeQueueRequired),
        (405, "Squash merges are not allowed on this repository.", Reason::MergeRefused),
        (405, "Required status check \"ci\" is expected.", Reason::MergeRefused),
    ] {
        on_stage(async |stage: &Stage<W>| {
            let (publication, published) = stage.published().await;
            let token = stage.token();
            stage.disturb(Step::Merge, Misbehaviour::refusal(status, &format!("{message} {token}")));
            let answer = stage.forge.merge(stage.permit(&publication, &published)).await;
            assert_eq!(reason(&answer), expected, "{status} {message}");
            let MergeAnswer::Refused(refusal) = answer else { unreachable!() };
            assert!(refusal.message.contains(message) && !refusal.message.contains(&token), "{}", refusal.message);
            assert!(!landed(stage, &publication.candidate.base));
        })
        .await;
    }
}

pub async fn what_passes_gives_the_permit_back<W: ForgeWorld>() {
    let limited = |status| Misbehaviour::refusal(status, "API rate limit exceeded");
    for (misbehaviour, lasts) in [
        (Misbehaviour::refusal(405, "Base branch was modified. Review and try the merge again."), false),
        (Misbehaviour::refusal(405, "Merge already in progress"), false),
        (Misbehaviour::refusal(409, "Head branch is out of date. Review and try the merge again."), false),
        (Misbehaviour::refusal(409, "Head branch was modified. Review and try the merge again."), false),
        (Misbehaviour::refusal(403, "You have exceeded a secondary rate limit."), true),
        (Misbehaviour::refusal(403, "Forbidden").with_header("retry-after", "7"), true),
        (limited(403).with_header("x-ratelimit-remaining", "0"), true),
        (limited(429), true),
    ] {
        on_stage(async |stage: &Stage<W>| {
            let (publication, published) = stage.published().await;
            let terms = stage.terms(&publication, &published);
            stage.world.disturb(Step::Merge, misbehaviour.clone());
            let answer = stage.forge.merge(permit(terms.clone())).await;
            let MergeAnswer::MayPass { permit, message } = answer else { panic!("{misbehaviour:?}: {answer:?}") };
            assert_eq!(permit.terms(), &terms);
            assert!(!message.is_empty());
            assert!(!landed(stage, &publication.candidate.base));
            stage.world.forget_exchanges();
            let answer = stage.forge.merge(permit).await;
            if lasts {
                assert!(matches!(answer, MergeAnswer::MayPass { .. }), "{misbehaviour:?}: {answer:?}");
                assert!(stage.world.exchanges().is_empty(), "{misbehaviour:?}: it was asked for while limited");
            } else {
                assert!(matches!(answer, MergeAnswer::Merged { .. }), "{misbehaviour:?}: {answer:?}");
            }
        })
        .await;
    }
}

pub async fn an_open_record_of_a_merged_pull_request_is_doubt<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (publication, published) = stage.published().await;
        stage.world.disturb(Step::Merge, Misbehaviour::refusal(405, "Pull Request is not mergeable"));
        stage.world.disturb(Step::IsMerged, Misbehaviour::Answer { status: 204, headers: vec![], body: json!(null) });
        let answer = stage.forge.merge(stage.permit(&publication, &published)).await;
        assert!(matches!(answer, MergeAnswer::InDoubt { .. }), "{answer:?}");

        // Nor is a refusal certain that could not be read back.
        stage.world.disturb(Step::Merge, Misbehaviour::refusal(405, "Pull Request is not mergeable"));
        stage.world.disturb(Step::ReadPullRequest, Misbehaviour::refusal(502, "Bad Gateway"));
        let answer = stage.forge.merge(stage.permit(&publication, &published)).await;
        assert!(matches!(answer, MergeAnswer::InDoubt { .. }), "{answer:?}");
    })
    .await;
}

pub async fn a_merge_is_asked_for_once<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (publication, published) = stage.published().await;
        for misbehaviour in [
            Misbehaviour::refusal(503, "Service Unavailable"),
            Misbehaviour::refusal(405, "Base branch was modified. Review and try the merge again."),
            Misbehaviour::refusal(409, "Head branch is out of date"),
            Misbehaviour::Drop,
        ] {
            stage.world.disturb(Step::Merge, misbehaviour);
            stage.world.forget_exchanges();
            drop(stage.forge.merge(stage.permit(&publication, &published)).await);
            let asked = stage.world.exchanges().iter().filter(|exchange| exchange.method == "PUT").count();
            assert_eq!(asked, 1);
        }
        assert!(!landed(stage, &publication.candidate.base));
    })
    .await;
}
