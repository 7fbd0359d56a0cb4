//! Who set the statuses, where the rules ask for it.

use selfext_domain::ports::{ForgeError, Published, SurveyScope};
use selfext_domain::{
    CommitStatus, ContextVerdict, GateReading, GateRules, GateVerdict, Login, Pin, RequiredContext, StatusState,
    evaluate_gate,
};
use serde_json::{Value, json};

use crate::forge::stage::{Stage, on_stage};
use crate::forge::world::{ForgeWorld, Misbehaviour, Step};

const SCOPE: SurveyScope = SurveyScope { reviews: false, creators: true };

async fn reading<W: ForgeWorld>(stage: &Stage<W>, published: &Published) -> Result<GateReading, ForgeError> {
    let survey = stage.forge.survey(published.pull_request, &published.head, &stage.base, SCOPE).await?;
    Ok(survey.gate)
}

fn of_ci(reading: &GateReading) -> Vec<&CommitStatus> {
    let mut said: Vec<_> = reading.statuses.iter().filter(|status| status.context == "ci").collect();
    said.sort_by_key(|status| status.id);
    said
}

/// What a gate makes of `ci` that counts it from one account alone.
fn verdict(reading: &GateReading, login: &str) -> ContextVerdict {
    let pin = Some(Pin::Creator(Login::parse(login).unwrap()));
    let required = vec![RequiredContext { context: "ci".to_owned(), pin }];
    let (GateVerdict::Pass(all) | GateVerdict::Wait(all) | GateVerdict::Refuse(all)) =
        evaluate_gate(&GateRules { required, ..GateRules::default() }, reading);
    all.iter().find(|finding| finding.context == "ci").unwrap().verdict
}

pub async fn each_accounts_latest_status_of_a_context_is_told<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (_, published) = stage.published().await;
        for (login, state) in [("the-ci[bot]", "pending"), ("mallory", "success")] {
            stage.world.set_status_as(&published.head, login, "ci", state).await;
        }
        let hidden = reading(stage, &published).await.unwrap();
        assert_eq!(verdict(&hidden, "The-CI[bot]"), ContextVerdict::Pending);
        assert_eq!(verdict(&hidden, "the-ci"), ContextVerdict::WrongCreator);
        stage.world.set_status_as(&published.head, "the-ci[bot]", "ci", "success").await;
        let green = reading(stage, &published).await.unwrap();
        assert_eq!(verdict(&green, "The-CI[bot]"), ContextVerdict::Success);
        let said = of_ci(&green);
        let said: Vec<_> = said.iter().map(|status| (status.creator.as_deref().unwrap(), &status.state)).collect();
        let (pending, success) = (&StatusState::Pending, &StatusState::Success);
        assert_eq!(said, [("the-ci[bot]", pending), ("mallory", success), ("the-ci[bot]", success)]);
    })
    .await;
}

pub async fn every_page_of_statuses_is_read_with_its_creators<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (_, published) = stage.published().await;
        stage.world.set_status_as(&published.head, "the-ci", "ci", "failure").await;
        for at in 0..200 {
            stage
                .world
                .set_status_as(&published.head, "mallory", "ci", if at % 2 == 0 { "success" } else { "pending" })
                .await;
        }
        stage.world.set_status_as(&published.head, "mallory", "ci", "success").await;
        let reading = reading(stage, &published).await.unwrap();
        assert_eq!((of_ci(&reading).len(), verdict(&reading, "the-ci")), (202, ContextVerdict::Failing));
    })
    .await;
    on_stage(async |stage: &Stage<W>| {
        let (_, published) = stage.published().await;
        stage.world.disturb(Step::ReadStatusHistory, Misbehaviour::refusal(502, "Bad Gateway"));
        let error = reading(stage, &published).await.unwrap_err();
        assert!(matches!(error, ForgeError::Unavailable(_)), "{error:?}");
    })
    .await;
}

pub async fn statuses_without_a_creator_or_of_another_commit_are_told_apart<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (_, published) = stage.published().await;
        let status = |id: u64, commit: &str, creator: Value| {
            json!({ "id": id, "context": "ci", "state": "success", "creator": creator,
                    "url": format!("http://forge/repos/o/r/statuses/{commit}") })
        };
        let answer = |statuses: &[Value]| {
            stage.world.disturb(
                Step::ReadStatusHistory,
                Misbehaviour::Answer { status: 200, headers: Vec::new(), body: json!(statuses) },
            );
        };
        let head = published.head.as_str();
        let mut missing = status(2, head, Value::Null);
        missing.as_object_mut().unwrap().remove("creator");
        answer(&[status(3, head, Value::Null), missing.clone()]);
        let nobodys = reading(stage, &published).await.unwrap();
        assert_eq!(verdict(&nobodys, "the-ci"), ContextVerdict::WrongCreator);
        answer(&[status(3, head, Value::Null), missing, status(1, head, json!({ "login": "the-ci", "id": 1 }))]);
        let known = reading(stage, &published).await.unwrap();
        assert_eq!(verdict(&known, "the-ci"), ContextVerdict::Success);
        answer(&[status(1, &"1".repeat(40), json!({ "login": "the-ci", "id": 1 }))]);
        let error = reading(stage, &published).await.unwrap_err();
        assert!(matches!(error, ForgeError::Unreadable(_)), "{error:?}");
    })
    .await;
}
