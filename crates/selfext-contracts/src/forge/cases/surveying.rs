use selfext_domain::ports::{ForgeError, SurveyScope};
use selfext_domain::{
    CheckRun, CommitSha, EVIDENCE_CONTEXT, GateRules, GateVerdict, PullRequestNumber, RequiredContext, StatusState,
    evaluate_gate,
};
use serde_json::{Value, json};

use crate::forge::repository::changes;
use crate::forge::stage::{REVIEWS, Stage, branch, evidence_in, on_stage, on_stage_with_base, text};
use crate::forge::world::{ForgeWorld, Misbehaviour, Step};

fn check_run(name: &str, status: &str, conclusion: Option<&str>) -> CheckRun {
    let conclusion = conclusion.map(str::to_owned);
    CheckRun { id: 0, name: name.to_owned(), app_id: Some(15_368), status: status.to_owned(), conclusion }
}

pub async fn a_red_check_run_beside_a_green_status_is_seen<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (_, published) = stage.published().await;
        stage.world.set_status(&published.head, "ci", "success").await;
        stage.world.set_check_run(&published.head, &check_run("lint", "completed", Some("failure"))).await;
        let survey = stage
            .forge
            .survey(published.pull_request, &published.head, &stage.base, SurveyScope::default())
            .await
            .unwrap();
        let others: Vec<_> = survey.gate.check_runs.iter().filter(|run| run.name != EVIDENCE_CONTEXT).collect();
        let [run] = others[..] else { panic!("{survey:?}") };
        assert_eq!((run.name.as_str(), run.app_id), ("lint", Some(15_368)));
        assert_eq!((run.status.as_str(), run.conclusion.as_deref()), ("completed", Some("failure")));
        let others = survey.gate.statuses.iter().filter(|status| status.context != EVIDENCE_CONTEXT);
        let said: Vec<_> = others.map(|status| (status.context.as_str(), &status.state)).collect();
        assert_eq!(said, [("ci", &StatusState::Success)]);
        assert_eq!(evidence_in(&survey.gate), Stage::<W>::once(true));
        let required = vec![RequiredContext { context: "ci".to_owned(), pin: None }];
        let rules = GateRules { required, ..GateRules::default() };
        assert!(matches!(evaluate_gate(&rules, &survey.gate), GateVerdict::Refuse(_)));
    })
    .await;
}

pub async fn every_word_about_a_check_run_is_passed_on<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (_, published) = stage.published().await;
        let mut words = vec![("queued", None), ("in_progress", None)];
        let conclusions = ["success", "failure", "neutral", "cancelled", "skipped", "timed_out", "action_required"];
        words.extend(conclusions.map(|conclusion| ("completed", Some(conclusion))));
        for (at, (status, conclusion)) in words.iter().enumerate() {
            stage.world.set_check_run(&published.head, &check_run(&format!("c{at}"), status, *conclusion)).await;
        }
        for (context, state) in [("e", "error"), ("f", "failure"), ("p", "pending"), ("s", "success")] {
            stage.world.set_status(&published.head, context, state).await;
        }
        let survey = stage
            .forge
            .survey(published.pull_request, &published.head, &stage.base, SurveyScope::default())
            .await
            .unwrap();
        for (at, (status, conclusion)) in words.iter().enumerate() {
            let run = survey.gate.check_runs.iter().find(|run| run.name == format!("c{at}")).unwrap();
            assert_eq!((run.status.as_str(), run.conclusion.as_deref()), (*status, *conclusion));
        }
        let state =
            |context| survey.gate.statuses.iter().find(|status| status.context == context).map(|found| &found.state);
        assert_eq!(state("e"), Some(&StatusState::Error));
        assert_eq!(state("f"), Some(&StatusState::Failure));
        assert_eq!(state("p"), Some(&StatusState::Pending));
        assert_eq!(state("s"), Some(&StatusState::Success));
    })
    .await;
}

pub async fn what_a_branch_holds_since_a_commit_is_read_whole<W: ForgeWorld>() {
    for base in ["main", "release/2.x#1"] {
        on_stage_with_base(base, async |stage: &Stage<W>| {
            let since = stage.repository.head(&stage.base).unwrap();
            let nothing = stage.forge.branch_since(&stage.base, &since).await.unwrap();
            assert!(nothing.commits.is_empty() && !nothing.has_moved());
            let shas: Vec<_> = (0..3)
                .map(|at| {
                    stage.repository.push(&stage.base, &changes([("a.txt", text(&format!("{at}\n")))]), &at.to_string())
                })
                .collect();
            let found = stage.forge.branch_since(&stage.base, &since).await.unwrap();
            assert!(found.has_moved() && !found.rewound);
            assert!(found.commits.iter().map(|commit| &commit.sha).eq(&shas));
            for (commit, sha) in found.commits.iter().zip(&shas) {
                assert_eq!(*commit, stage.forge.commit(sha).await.unwrap());
            }
        })
        .await;
    }
    on_stage(async |stage: &Stage<W>| {
        let since = stage.repository.head(&stage.base).unwrap();
        for at in 0..103 {
            stage.repository.push(&stage.base, &changes([("a.txt", text(&format!("{at}\n")))]), "One of many");
        }
        assert_eq!(stage.forge.branch_since(&stage.base, &since).await.unwrap().commits.len(), 103);
        let unknown = CommitSha::parse("9".repeat(40)).unwrap();
        let error = stage.forge.branch_since(&stage.base, &unknown).await.unwrap_err();
        assert!(matches!(error, ForgeError::NotFound(_)), "{error:?}");
    })
    .await;
}

pub async fn a_branch_that_lost_the_commit_is_rewound<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let first = stage.repository.head(&stage.base).unwrap();
        let lost = stage.repository.push(&stage.base, &changes([("a.txt", text("a\n"))]), "Lost");
        stage.repository.set(&stage.base, &first);
        let found = stage.forge.branch_since(&stage.base, &lost).await.unwrap();
        assert!(found.rewound && found.commits.is_empty() && found.has_moved());
    })
    .await;
}

pub async fn more_than_a_page_of_statuses_and_check_runs_is_read<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (_, published) = stage.published().await;
        for at in 0..204 {
            stage.world.set_status(&published.head, &format!("s{at}"), "success").await;
        }
        for at in 0..101 {
            stage
                .world
                .set_check_run(&published.head, &check_run(&format!("c{at}"), "completed", Some("success")))
                .await;
        }
        let survey = stage
            .forge
            .survey(published.pull_request, &published.head, &stage.base, SurveyScope::default())
            .await
            .unwrap();
        let (statuses, runs) = Stage::<W>::once(true);
        let expected = (204 + statuses.len(), 101 + runs.len());
        assert_eq!((survey.gate.statuses.len(), survey.gate.check_runs.len()), expected);
    })
    .await;
}

pub async fn a_moved_head_and_a_moved_base_are_seen<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (_, published) = stage.published().await;
        let base = stage.repository.push(&stage.base, &changes([("other.txt", text("x\n"))]), "Somebody's");
        let head = stage.repository.push(&stage.branch, &changes([("a.txt", text("a\n"))]), "Somebody's");
        let survey = stage
            .forge
            .survey(published.pull_request, &published.head, &stage.base, SurveyScope::default())
            .await
            .unwrap();
        assert_eq!((survey.base_head, survey.pull_request.head), (base, head));
    })
    .await;
}

pub async fn a_partial_reading_is_none<W: ForgeWorld>() {
    use Step::{ReadBaseBranch, ReadCheckRuns, ReadPullRequest, ReadReviews, ReadRulesets, ReadStatuses};
    for step in [ReadPullRequest, ReadBaseBranch, ReadRulesets, ReadStatuses, ReadCheckRuns, ReadReviews] {
        on_stage(async |stage: &Stage<W>| {
            let (_, published) = stage.published().await;
            let survey =
                async || stage.forge.survey(published.pull_request, &published.head, &stage.base, REVIEWS).await;
            stage.world.disturb(step, Misbehaviour::refusal(502, "Bad Gateway"));
            let error = survey().await.unwrap_err();
            assert!(matches!(error, ForgeError::Unavailable(_)), "{step:?}: {error:?}");
            assert!(survey().await.is_ok(), "{step:?}");
        })
        .await;
    }
}

pub async fn what_is_not_there_is_not_found<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (_, published) = stage.published().await;
        let nowhere = branch("no/such#branch");
        let number = PullRequestNumber::new(4711).unwrap();
        let commit = CommitSha::parse("1".repeat(40)).unwrap();
        let errors = [
            stage.forge.branch_head(&nowhere).await.map(drop).unwrap_err(),
            stage.forge.commit(&commit).await.map(drop).unwrap_err(),
            stage.forge.pull_request(number).await.map(drop).unwrap_err(),
            stage.forge.close_pull_request(number).await.unwrap_err(),
            stage
                .forge
                .survey(number, &published.head, &stage.base, SurveyScope::default())
                .await
                .map(drop)
                .unwrap_err(),
            stage
                .forge
                .survey(published.pull_request, &published.head, &nowhere, SurveyScope::default())
                .await
                .map(drop)
                .unwrap_err(),
        ];
        for error in errors {
            assert!(matches!(error, ForgeError::NotFound(_)), "{error:?}");
        }
        assert_eq!(stage.forge.find_pull_request(&nowhere, &stage.base).await.unwrap(), None);
    })
    .await;
}

/// The last answer about a pull request that the service gave.
fn last_record<W: ForgeWorld>(stage: &Stage<W>) -> Value {
    let exchanges = stage.world.exchanges().into_iter().rev();
    let mut records =
        exchanges.filter(|exchange| exchange.method == "GET" && exchange.path_and_query.ends_with("/pulls/1"));
    records.next().and_then(|exchange| exchange.response_body).unwrap()
}

pub async fn a_record_that_lags_behind_its_branch_is_waited_for<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (_, first) = stage.published().await;
        stage.forge.pull_request(first.pull_request).await.unwrap();
        let stale = Misbehaviour::Answer { status: 200, headers: Vec::new(), body: last_record(stage) };
        stage.repository.push(&stage.base, &changes([("other.txt", text("x\n"))]), "Somebody's");
        let second = stage.forge.publish(&stage.usual_publication()).await.unwrap();
        let survey =
            async || stage.forge.survey(second.pull_request, &second.head, &stage.base, SurveyScope::default()).await;
        for _ in 0..2 {
            stage.world.disturb(Step::ReadPullRequest, stale.clone());
        }
        assert_eq!(survey().await.unwrap().pull_request.head, second.head);
        for _ in 0..4 {
            stage.world.disturb(Step::ReadPullRequest, stale.clone());
        }
        let error = survey().await.unwrap_err();
        assert!(matches!(error, ForgeError::Unavailable(_)), "a lag is not a moved head: {error:?}");
    })
    .await;
}

pub async fn a_list_that_changes_while_it_is_read_is_read_again<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (_, published) = stage.published().await;
        stage.world.set_status(&published.head, "ci", "success").await;
        let survey = async || {
            stage.forge.survey(published.pull_request, &published.head, &stage.base, SurveyScope::default()).await
        };
        let counted = |total: u64| Misbehaviour::Answer {
            status: 200,
            headers: Vec::new(),
            body: json!({ "state": "success", "sha": published.head, "total_count": total, "statuses": [] }),
        };
        stage.world.disturb(Step::ReadStatuses, counted(1));
        assert!(survey().await.unwrap().gate.statuses.iter().any(|status| status.context == "ci"));
        for _ in 0..4 {
            stage.world.disturb(Step::ReadStatuses, counted(1));
        }
        assert!(matches!(survey().await, Err(ForgeError::Unavailable(_))), "fewer than were counted are not all");
    })
    .await;
    on_stage(async |stage: &Stage<W>| {
        let (_, published) = stage.published().await;
        let too_many = json!({ "total_count": 1_000_000, "check_runs": [] });
        stage
            .world
            .disturb(Step::ReadCheckRuns, Misbehaviour::Answer { status: 200, headers: Vec::new(), body: too_many });
        let error = stage
            .forge
            .survey(published.pull_request, &published.head, &stage.base, SurveyScope::default())
            .await
            .unwrap_err();
        assert!(matches!(error, ForgeError::Unreadable(_)), "{error:?}");
    })
    .await;
}

pub async fn what_is_said_of_another_commit_does_not_count<W: ForgeWorld>() {
    let other = "1".repeat(40);
    let statuses = json!({ "state": "success", "sha": other, "total_count": 0, "statuses": [] });
    let run = json!({ "id": 1, "name": "ci", "head_sha": other, "status": "completed", "conclusion": "success", "app": null });
    let check_runs = json!({ "total_count": 1, "check_runs": [run] });
    for (step, body) in [(Step::ReadStatuses, statuses), (Step::ReadCheckRuns, check_runs)] {
        on_stage(async |stage: &Stage<W>| {
            let (_, published) = stage.published().await;
            let answer = Misbehaviour::Answer { status: 200, headers: Vec::new(), body: body.clone() };
            stage.world.disturb(step, answer);
            let error = stage
                .forge
                .survey(published.pull_request, &published.head, &stage.base, SurveyScope::default())
                .await
                .unwrap_err();
            assert!(matches!(error, ForgeError::Unreadable(_)), "{step:?}: {error:?}");
        })
        .await;
    }
}
