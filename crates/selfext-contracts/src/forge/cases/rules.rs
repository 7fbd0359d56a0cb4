use selfext_domain::ports::{ForgeError, MergeAnswer, SurveyScope};
use selfext_domain::{
    MergeMethod, MergeQueue, Pin, PullRequestNumber, Reason, RequiredContext, ReviewState, ReviewVerdict, TeamName,
    evaluate_reviews,
};
use serde_json::{Value, json};

use crate::forge::stage::{REVIEWS, Stage, on_stage, on_stage_with_base};
use crate::forge::world::{ForgeWorld, Misbehaviour, Protected, Step};

fn context(name: &str, app_id: Option<u64>) -> RequiredContext {
    RequiredContext { context: name.to_owned(), pin: app_id.map(Pin::App) }
}

pub async fn what_protection_and_rulesets_require_is_read_together<W: ForgeWorld>() {
    for base in ["main", "release/2.x#1"] {
        on_stage_with_base(base, async |stage: &Stage<W>| {
            let (_, published) = stage.published().await;
            let free = stage
                .forge
                .survey(published.pull_request, &published.head, &stage.base, SurveyScope::default())
                .await
                .unwrap();
            assert!(free.rules.required.is_empty() && free.rules.approvals == 0 && free.rules.merge_queue.is_none());
            let protected = Protected {
                classic: vec![context("ci", None), context("build", Some(7))],
                ruleset: vec![context("lint", None), context("scan", Some(8))],
                approvals: 2,
                merge_queue: true,
            };
            stage.world.protect(&stage.base, &protected).await;
            let survey = stage
                .forge
                .survey(published.pull_request, &published.head, &stage.base, SurveyScope::default())
                .await
                .unwrap();
            let both = [protected.classic, protected.ruleset].concat();
            assert_eq!((survey.rules.required, survey.rules.approvals), (both, 2));
            assert_eq!(
                survey.rules.merge_queue,
                Some(MergeQueue { method: Some(MergeMethod::Squash), each_passes: true })
            );
        })
        .await;
    }
}

pub async fn a_service_without_rulesets_has_no_rules_and_one_that_hides_them_is_not_believed<W: ForgeWorld>() {
    for (status, message, readable) in [
        (404, "Not Found", true),
        (403, "Upgrade to GitHub Pro or make this repository public to enable this feature.", true),
        (403, "Resource not accessible by integration", false),
        (500, "Server Error", false),
    ] {
        on_stage(async |stage: &Stage<W>| {
            let (_, published) = stage.published().await;
            stage.world.disturb(Step::ReadRulesets, Misbehaviour::refusal(status, message));
            let survey =
                stage.forge.survey(published.pull_request, &published.head, &stage.base, SurveyScope::default()).await;
            assert_eq!(survey.is_ok(), readable, "{status} {message}: {survey:?}");
        })
        .await;
    }
}

async fn verdict<W: ForgeWorld>(stage: &Stage<W>, need: u32) -> ReviewVerdict {
    let number = PullRequestNumber::new(1).unwrap();
    let head = stage.repository.head(&stage.branch).unwrap();
    let survey = stage.forge.survey(number, &head, &stage.base, REVIEWS).await.unwrap();
    evaluate_reviews(need, &head, &survey.reviews)
}

pub async fn an_approval_counts_from_a_person_who_may_write_and_did_not_open_the_pull_request<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (_, published) = stage.published().await;
        let number = published.pull_request;
        let missing = ReviewVerdict::Missing { have: 0, need: 1 };
        stage.world.permit("writer", "write").await;
        stage.world.permit("helper[bot]", "write").await;
        stage.world.permit(&stage.world.own_login(), "admin").await;
        for login in ["passer-by", "helper[bot]", &stage.world.own_login()] {
            stage.world.review(number, login, "APPROVED", None).await;
            assert_eq!(verdict(stage, 1).await, missing, "{login}");
        }
        let other = stage.repository.head(&stage.base).unwrap();
        stage.world.review(number, "writer", "APPROVED", Some(&other)).await;
        assert_eq!(verdict(stage, 1).await, missing, "another commit was approved");
        stage.world.review(number, "writer", "CHANGES_REQUESTED", None).await;
        assert_eq!(verdict(stage, 1).await, ReviewVerdict::ChangesRequested { by: "writer".into() });
        stage.world.review(number, "writer", "APPROVED", None).await;
        stage.world.review(number, "writer", "COMMENTED", None).await;
        assert_eq!(verdict(stage, 1).await, ReviewVerdict::Enough);
        stage.world.review(number, "writer", "DISMISSED", None).await;
        assert_eq!(verdict(stage, 1).await, missing);
    })
    .await;
}

pub async fn who_is_in_a_team_is_told_by_the_service_and_never_guessed<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let team = |name: &str| TeamName::parse(name).unwrap();
        let security = team("octo-org/security");
        stage.world.set_team(&security, &["Ann", "bob", "annabel"]).await;
        let among = async |team: &TeamName, logins: &[&str]| {
            let logins: Vec<String> = logins.iter().map(|login| (*login).to_owned()).collect();
            stage.forge.members_among(team, &logins).await
        };
        assert_eq!(among(&security, &["ann", "carl", "bob"]).await.unwrap(), ["ann", "bob"]);
        // What is searched for is also found in the middle of other names.
        assert_eq!(among(&security, &["an"]).await.unwrap(), [""; 0]);
        assert_eq!(among(&security, &[]).await.unwrap(), [""; 0]);
        for hidden in ["octo-org/other", "another-org/security"] {
            let error = among(&team(hidden), &["ann"]).await.unwrap_err();
            let told = error.to_string();
            assert!(matches!(error, ForgeError::Refused(_)) && told.contains(hidden), "{told}");
        }
        for (misbehaviour, limited) in [
            (Misbehaviour::refusal(502, "no"), false),
            (Misbehaviour::refusal(403, "Resource not accessible by integration"), false),
            (
                answer(
                    json!({ "data": { "organization": null }, "errors": [{ "type": "FORBIDDEN", "message": "no" }] }),
                ),
                false,
            ),
            (answer(json!({ "errors": [{ "type": "RATE_LIMITED", "message": "API rate limit exceeded" }] })), true),
        ] {
            stage.world.disturb(Step::PublishAtOnce, misbehaviour.clone());
            let error = among(&security, &["ann"]).await.unwrap_err();
            assert_eq!(matches!(error, ForgeError::RateLimited { .. }), limited, "{misbehaviour:?}: {error:?}");
        }
    })
    .await;
}

fn answer(body: Value) -> Misbehaviour {
    Misbehaviour::Answer { status: 200, headers: Vec::new(), body }
}

pub async fn more_than_a_page_of_reviews_is_read_in_its_order<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (_, published) = stage.published().await;
        for _ in 0..103 {
            stage.world.review(published.pull_request, "somebody", "COMMENTED", None).await;
        }
        stage.world.review(published.pull_request, "somebody", "APPROVED", None).await;
        let survey = stage.forge.survey(published.pull_request, &published.head, &stage.base, REVIEWS).await.unwrap();
        assert_eq!(survey.reviews.len(), 104);
        assert_eq!(survey.reviews.last().map(|review| &review.state), Some(&ReviewState::Approved));
    })
    .await;
}

pub async fn reviews_are_read_where_the_service_asks_for_them<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (_, published) = stage.published().await;
        stage.world.review(published.pull_request, "writer", "APPROVED", None).await;
        let survey = async || {
            stage
                .forge
                .survey(published.pull_request, &published.head, &stage.base, SurveyScope::default())
                .await
                .unwrap()
                .reviews
                .len()
        };
        assert_eq!(survey().await, 0);
        stage.world.protect(&stage.base, &Protected { approvals: 1, ..Protected::default() }).await;
        assert_eq!(survey().await, 1);
    })
    .await;
}

pub async fn who_may_write_is_never_guessed<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (_, published) = stage.published().await;
        stage.world.permit("writer", "write").await;
        stage.world.review(published.pull_request, "writer", "APPROVED", None).await;
        stage.world.disturb(Step::ReadPermission, Misbehaviour::refusal(403, "Resource not accessible by integration"));
        let error =
            stage.forge.survey(published.pull_request, &published.head, &stage.base, REVIEWS).await.unwrap_err();
        assert!(matches!(error, ForgeError::Unauthorized(_)), "{error:?}");
        stage.world.disturb(Step::ReadPermission, Misbehaviour::refusal(404, "Not Found"));
        assert_eq!(verdict(stage, 1).await, ReviewVerdict::Missing { have: 0, need: 1 });
    })
    .await;
}

pub async fn a_merge_that_the_services_rules_forbid_has_its_reason<W: ForgeWorld>() {
    let queue = Protected { merge_queue: true, ..Protected::default() };
    let missing = Protected { classic: vec![context("ci", None)], ..Protected::default() };
    let unapproved = Protected { approvals: 1, ..Protected::default() };
    for (protected, expected) in [
        (queue, Reason::MergeQueueRequired),
        (missing, Reason::BlockedByProtection),
        (unapproved, Reason::BlockedByProtection),
    ] {
        on_stage(async |stage: &Stage<W>| {
            let (publication, published) = stage.published().await;
            stage.world.protect(&stage.base, &protected).await;
            let answer = stage.forge.merge(stage.permit(&publication, &published)).await;
            let MergeAnswer::Refused(refusal) = answer else { panic!("{answer:?}") };
            assert_eq!(refusal.reason, expected, "{}", refusal.message);
        })
        .await;
    }
}

pub async fn mergeability_that_is_not_worked_out_is_unknown<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        stage.world.set_mergeability_unknown(1);
        let (_, published) = stage.published().await;
        let mergeable = async || {
            let survey =
                stage.forge.survey(published.pull_request, &published.head, &stage.base, SurveyScope::default()).await;
            survey.unwrap().pull_request.mergeable
        };
        assert_eq!((mergeable().await, mergeable().await), (None, Some(true)));
    })
    .await;
}
