//! Where an App shows the evidence.

use selfext_domain::ports::{Annotation, Evidence, Forge as _};
use selfext_domain::{CommitSha, RepoPath};
use selfext_github::OctocrabForge;
use serde_json::{Value, json};

use crate::world::*;

const MAKE: &str = "POST /repos/octo-org/agent/check-runs 201";

fn evidence(passed: bool, annotations: usize) -> Evidence {
    let path = RepoPath::parse("src/lib.rs").unwrap();
    let annotation = Annotation { path, line: 7, message: "it is wrong".to_owned() };
    Evidence {
        passed,
        summary: "test exited with 1".to_owned(),
        text: "**test** exited with 1".to_owned(),
        annotations: vec![annotation; annotations],
    }
}

/// The forge, ready to write, and the head that it writes on.
async fn ready(world: &World) -> (OctocrabForge, CommitSha) {
    let forge = world.as_app();
    let head = forge.branch_head(&main_branch()).await.unwrap();
    world.asked();
    (forge, head)
}

/// What the requests that were sent with this method to check runs said, since the last look.
fn sent(world: &World, method: &str) -> Vec<Value> {
    let exchanges = world.twin.exchanges().into_iter();
    let runs = exchanges.filter(|asked| asked.method == method && asked.path_and_query.contains("/check-runs"));
    runs.filter_map(|asked| asked.request_body).collect()
}

#[tokio::test]
async fn evidence_has_its_summary_in_markdown_and_its_annotations() {
    let world = World::new().await;
    let (forge, head) = ready(&world).await;
    forge.show_evidence(&head, &evidence(false, 2)).await.unwrap();
    let annotation = json!({
        "path": "src/lib.rs", "start_line": 7, "end_line": 7, "annotation_level": "failure", "message": "it is wrong"
    });
    assert_eq!(
        sent(&world, "POST"),
        [json!({
            "name": "selfext/verification",
            "head_sha": head,
            "status": "completed",
            "conclusion": "failure",
            "output": {
                "title": "test exited with 1",
                "summary": "**test** exited with 1",
                "annotations": [annotation, annotation],
            },
        })]
    );
    // It is not known whether the commit, which this client did not make, has one already.
    assert_eq!(world.asked(), [format!("GET /repos/octo-org/agent/commits/{head}/check-runs 200"), MAKE.to_owned()]);
    let long = Evidence { text: "ä".repeat(70_000), ..evidence(true, 0) };
    forge.show_evidence(&head, &long).await.unwrap();
    let changed = sent(&world, "PATCH");
    assert_eq!(changed[0]["output"]["summary"].as_str().unwrap().chars().count(), 65_535);
    assert_eq!((changed.len(), &changed[0]["conclusion"]), (1, &json!("success")));
    world.asked();
}

#[tokio::test]
async fn evidence_that_is_shown_twice_at_the_same_time_is_there_once() {
    let world = World::new().await;
    let (forge, head) = ready(&world).await;
    world.twin.set_latency(std::time::Duration::from_millis(20));
    let shown = (0..4).map(|_| async { forge.show_evidence(&head, &evidence(true, 0)).await.unwrap() });
    futures::future::join_all(shown).await;
    assert_eq!(count(&world.asked(), MAKE), 1);
}

#[tokio::test]
async fn an_app_without_the_right_sets_a_status_and_does_not_try() {
    for checks in [Some(("checks", "read")), None] {
        let given = [("contents", "write"), ("metadata", "read"), ("statuses", "write")].into_iter().chain(checks);
        let world = World::with(|app| app.permissions(given)).await;
        let (forge, head) = ready(&world).await;
        forge.show_evidence(&head, &evidence(false, 1)).await.unwrap();
        assert_eq!(world.asked(), [format!("POST /repos/octo-org/agent/statuses/{head} 201")], "{checks:?}");
    }
}

#[tokio::test]
async fn a_right_that_is_taken_away_is_noticed_and_asked_for_again_with_the_next_token() {
    let world = World::new().await;
    let (forge, head) = ready(&world).await;
    let show = async || {
        forge.show_evidence(&head, &evidence(false, 1)).await.unwrap();
        world.asked().into_iter().filter(|asked| asked.starts_with("POST")).collect::<Vec<_>>()
    };
    let refused = "POST /repos/octo-org/agent/check-runs 403".to_owned();
    let status = format!("POST /repos/octo-org/agent/statuses/{head} 201");
    world.refuse("POST", "/repos/*/*/check-runs", 403, "Resource not accessible by integration");
    assert_eq!(show().await, [refused, status.clone()]);
    assert_eq!(show().await, [status]);
    world.advance(56);
    assert_eq!(show().await[1..], [MAKE]);
}

#[tokio::test]
async fn a_limit_is_no_missing_right() {
    let world = World::new().await;
    let (forge, head) = ready(&world).await;
    world.refuse("POST", "/repos/*/*/check-runs", 403, "You have exceeded a secondary rate limit. Please wait.");
    let error = forge.show_evidence(&head, &evidence(true, 0)).await.unwrap_err();
    assert!(matches!(error, selfext_domain::ports::ForgeError::RateLimited { .. }), "{error:?}");
    assert_eq!(count(&world.asked(), "/statuses/"), 0);
}

#[tokio::test]
async fn annotations_that_github_does_not_take_are_left_out() {
    let world = World::new().await;
    let (forge, head) = ready(&world).await;
    world.refuse("POST", "/repos/*/*/check-runs", 422, "Invalid request.");
    forge.show_evidence(&head, &evidence(false, 1)).await.unwrap();
    let sent: Vec<_> = sent(&world, "POST").iter().map(|sent| sent["output"]["annotations"].is_array()).collect();
    assert_eq!(sent, [true, false]);
    world.refuse("PATCH", "/repos/*/*/check-runs/*", 422, "Invalid request.");
    assert!(forge.show_evidence(&head, &evidence(false, 0)).await.is_err(), "and otherwise it is refused");
}

#[tokio::test]
async fn a_check_run_that_is_gone_is_made_again() {
    let world = World::new().await;
    let (forge, head) = ready(&world).await;
    forge.show_evidence(&head, &evidence(true, 0)).await.unwrap();
    world.asked();
    world.refuse("PATCH", "/repos/*/*/check-runs/*", 404, "Not Found");
    forge.show_evidence(&head, &evidence(true, 0)).await.unwrap();
    assert_eq!(world.asked()[1..], [MAKE]);
}

#[tokio::test]
async fn whether_an_app_may_make_check_runs_is_found_without_making_one() {
    for (checks, may) in [("write", true), ("read", false)] {
        let given = [("contents", "write"), ("metadata", "read"), ("pull_requests", "write"), ("statuses", "write")];
        let world = World::with(|app| app.permissions(given.into_iter().chain([("checks", checks)]))).await;
        let (forge, head) = ready(&world).await;
        let access = forge.access(&main_branch()).await.unwrap();
        let tried = access.rights.iter().find(|(right, _)| right.as_str() == "Checks: read and write").unwrap();
        assert_eq!(tried.1.is_ok(), may, "{checks}");
        assert!(sent(&world, "POST").iter().all(|sent| sent["head_sha"] != json!(head)));
        let by_token = world.with_token().access(&main_branch()).await.unwrap();
        assert!(by_token.rights.iter().all(|(right, _)| right.as_str() != "Checks: read and write"));
    }
}
