use std::time::{Duration, Instant};

use selfext_domain::ports::{Forge, ForgeError, Publication, Published, SurveyScope};
use serde_json::json;

use crate::forge::secrecy::{assert_discreet, every_form};
use crate::forge::stage::{SHORT, Stage, on_stage, passed};
use crate::forge::world::{ForgeWorld, Misbehaviour, Step, refusal_body};

/// What every call but the merge answers.
async fn every_call(
    forge: &dyn Forge,
    publication: &Publication,
    published: &Published,
) -> Vec<(&'static str, Result<(), ForgeError>)> {
    let (branch, base) = (&publication.branch, &publication.base);
    let (number, head) = (published.pull_request, &published.head);
    vec![
        ("branch_head", forge.branch_head(base).await.map(drop)),
        ("publish", forge.publish(publication).await.map(drop)),
        ("find_published", forge.find_published(branch, base).await.map(drop)),
        ("show_evidence", forge.show_evidence(head, &passed()).await),
        ("survey", forge.survey(number, head, base, SurveyScope::default()).await.map(drop)),
        ("commit", forge.commit(head).await.map(drop)),
        ("pull_request", forge.pull_request(number).await.map(drop)),
        ("find_pull_request", forge.find_pull_request(branch, base).await.map(drop)),
        ("fence_branch", forge.fence_branch(branch, head).await),
        ("comment", forge.comment(number, "said").await),
        ("close_pull_request", forge.close_pull_request(number).await),
        ("park_branch", forge.park_branch(branch, head).await),
        ("delete_branch", forge.delete_branch(branch).await),
    ]
}

pub async fn wrong_credentials_are_told_from_the_rest<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (publication, published) = stage.published().await;
        let stranger = stage.stranger();
        for (call, result) in every_call(&*stranger, &publication, &published).await {
            let error = result.expect_err(call);
            assert!(matches!(error, ForgeError::Unauthorized(_)), "{call}: {error:?}");
            assert_discreet(&error, "hush-another-token");
        }
        assert_eq!(stage.repository.head(&stage.branch), Some(published.head));
    })
    .await;
}

pub async fn the_credential_is_in_no_error<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let token = stage.token();
        let echo = format!("you sent Authorization: Bearer {token}, and {token}");
        let answer = |status, body| Misbehaviour::Answer { status, headers: vec![("x-echo", echo.clone())], body };
        for misbehaviour in [
            answer(401, refusal_body(&echo)),
            answer(403, refusal_body(&echo)),
            answer(404, refusal_body(&echo)),
            answer(422, json!({ "message": echo, "errors": [{ "code": echo, "message": echo }, echo] })),
            answer(429, refusal_body(&echo)),
            answer(500, refusal_body(&echo)),
            answer(502, json!(echo)),
            answer(200, json!({ "ref": echo, "object": { "sha": echo } })),
            answer(200, json!(echo)),
            answer(301, refusal_body(&echo)).with_header("location", format!("http://127.0.0.1:9/{token}")),
            Misbehaviour::Drop,
            Misbehaviour::CutBody,
            Misbehaviour::HalfJson,
        ] {
            stage.disturb(Step::ReadBranch, misbehaviour);
            let error = stage.forge.branch_head(&stage.base).await.unwrap_err();
            assert_discreet(&error, &token);
        }
    })
    .await;
}

pub async fn limits_say_how_long_to_wait_and_nothing_is_asked_meanwhile<W: ForgeWorld>() {
    let secondary = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
    let spent =
        |status| Misbehaviour::refusal(status, "API rate limit exceeded").with_header("x-ratelimit-remaining", "0");
    let far = "4102444800";
    for (misbehaviour, expected) in [
        (Misbehaviour::refusal(403, secondary).with_header("retry-after", "7"), 7..=7),
        (spent(429).with_header("retry-after", "120"), 120..=120),
        (Misbehaviour::refusal(403, secondary), 60..=60),
        (Misbehaviour::refusal(429, "Too many requests"), 60..=60),
        (spent(403).with_header("x-ratelimit-reset", far), 61..=u64::MAX),
    ] {
        on_stage(async |stage: &Stage<W>| {
            stage.disturb(Step::ReadBranch, misbehaviour.clone());
            let limited =
                async |expected: std::ops::RangeInclusive<u64>| match stage.forge.branch_head(&stage.base).await {
                    Err(ForgeError::RateLimited { retry_after }) => {
                        assert!(expected.contains(&retry_after.as_secs()), "{misbehaviour:?}: {retry_after:?}");
                    }
                    other => panic!("{misbehaviour:?}: {other:?}"),
                };
            limited(expected.clone()).await;
            stage.world.forget_exchanges();
            limited(expected.start() / 2..=*expected.end()).await;
            assert!(stage.world.exchanges().is_empty(), "{misbehaviour:?}");
        })
        .await;
    }
}

pub async fn a_short_limit_is_waited_for<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let spent = Misbehaviour::refusal(403, "API rate limit exceeded");
        let spent = spent.with_header("x-ratelimit-remaining", "0").with_header("x-ratelimit-reset", "1");
        stage.disturb(Step::ReadBranch, spent);
        stage.forge.branch_head(&stage.base).await.unwrap();
        let asked = stage.world.exchanges().into_iter().filter(|asked| asked.path_and_query.contains("/git/ref/"));
        assert_eq!(asked.count(), 2);
        let full = Misbehaviour::refusal(403, "Must have admin rights").with_header("x-ratelimit-remaining", "4999");
        stage.disturb(Step::ReadBranch, full);
        assert!(matches!(stage.forge.branch_head(&stage.base).await, Err(ForgeError::Unauthorized(_))));
    })
    .await;
}

pub async fn each_status_has_its_error<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        for status in [400, 401, 403, 404, 405, 409, 410, 422, 451, 500, 502, 503, 504] {
            stage.disturb(Step::ReadBranch, Misbehaviour::refusal(status, "Words of the forge"));
            let error = stage.forge.branch_head(&stage.base).await.unwrap_err();
            let fits = match status {
                401 | 403 => matches!(error, ForgeError::Unauthorized(_)),
                404 | 410 => matches!(error, ForgeError::NotFound(_)),
                500.. => matches!(error, ForgeError::Unavailable(_)),
                _ => matches!(error, ForgeError::Refused(_)),
            };
            assert!(fits, "{status}: {error:?}");
            assert!(matches!(error, ForgeError::NotFound(_)) || every_form(&error).contains("Words of the forge"));
            assert!(!error.to_string().contains("Words") || !matches!(error, ForgeError::Unavailable(_)), "said twice");
        }
        let long = format!("begin {} end", "x".repeat(100_000));
        stage.disturb(Step::ReadBranch, Misbehaviour::refusal(422, &long));
        let error = stage.forge.branch_head(&stage.base).await.unwrap_err();
        assert!(error.to_string().contains("begin") && error.to_string().len() < 600);
    })
    .await;
}

pub async fn what_breaks_off_or_never_comes_is_unavailable<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        for misbehaviour in [Misbehaviour::Drop, Misbehaviour::LoseAnswer, Misbehaviour::CutBody] {
            stage.move_base();
            stage.disturb(Step::ReadBranch, misbehaviour.clone());
            let error = stage.forge.branch_head(&stage.base).await.unwrap_err();
            assert!(matches!(error, ForgeError::Unavailable(_)), "{misbehaviour:?}: {error:?}");
        }
        let hurried = stage.hurried().await;
        stage.disturb(Step::ReadBranch, Misbehaviour::Hang);
        let begun = Instant::now();
        let error = hurried.branch_head(&stage.base).await.unwrap_err();
        assert!(matches!(error, ForgeError::Unavailable(_)), "{error:?}");
        assert!((SHORT..SHORT + Duration::from_secs(5)).contains(&begun.elapsed()), "{:?}", begun.elapsed());
        assert_eq!(stage.forge.branch_head(&stage.base).await.ok(), stage.repository.head(&stage.base), "it goes on");
    })
    .await;
}

pub async fn what_cannot_be_read_is_unreadable<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let answer = |body| Misbehaviour::Answer { status: 200, headers: Vec::new(), body };
        let other = json!({ "ref": "refs/heads/mainly", "object": { "sha": "1".repeat(40), "type": "commit" } });
        for misbehaviour in [
            answer(json!({})),
            answer(json!([])),
            answer(json!("<html>")),
            answer(json!({ "ref": "refs/heads/main", "object": { "sha": "HEAD" } })),
            answer(json!({ "ref": "refs/heads/main", "object": { "sha": 7 } })),
            answer(other),
            Misbehaviour::Answer { status: 204, headers: Vec::new(), body: json!(null) },
            Misbehaviour::HalfJson,
        ] {
            stage.move_base();
            stage.disturb(Step::ReadBranch, misbehaviour.clone());
            let error = stage.forge.branch_head(&stage.base).await.unwrap_err();
            assert!(matches!(error, ForgeError::Unreadable(_)), "{misbehaviour:?}: {error:?}");
        }
    })
    .await;
}
