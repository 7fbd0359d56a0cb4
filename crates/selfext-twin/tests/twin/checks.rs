//! Commit statuses and check runs.

use selfext_twin::{AppIdentity, AutoCheck, CheckConclusion, CheckOutcome, StatusState};
use serde_json::{Value, json};

use super::app;
use super::fixture::Fixture;

#[tokio::test]
async fn the_combined_status_counts_the_latest_of_each_context() {
    let twin = Fixture::new().await;
    let sha = twin.git(&["rev-parse", "main"]);
    let path = format!("/statuses/{sha}");
    let combined = format!("/commits/{sha}/status");
    assert_eq!(twin.get(&combined).await.text("/state"), "pending", "no status at all is pending");
    let post = |context: &str, state: &str| twin.call("POST", &path, json!({"context": context, "state": state}));
    for (context, state, whole) in [
        ("a", "success", "success"),
        ("b", "pending", "pending"),
        ("b", "error", "failure"),
        ("b", "success", "success"),
    ] {
        assert_eq!(post(context, state).await.status, 201);
        assert_eq!(twin.get(&combined).await.text("/state"), whole, "after {context} {state}");
    }
    let page = twin.get(&format!("{combined}?per_page=1&page=2")).await;
    assert_eq!((&page.body["total_count"], page.text("/statuses/0/context")), (&json!(2), "a"));
    assert!(page.header("link").expect("a link").contains("rel=\"prev\""));
    let all = twin.get("/commits/main/statuses").await;
    assert_eq!((all.body.as_array().map(Vec::len), all.text("/0/state")), (Some(4), "success"));
    assert_eq!(all.text("/0/creator/login"), "agent");

    post("a", "passed").await.refused(422, "state is not included in the list");
    let long = json!({"state": "success", "description": "x".repeat(141)});
    twin.call("POST", &path, long).await.refused(422, "description is too long (maximum is 140 characters)");
    let gone = "1".repeat(40);
    let lost = twin.call("POST", &format!("/statuses/{gone}"), json!({"state": "success"})).await;
    lost.refused(422, &format!("No commit found for SHA: {gone}"));
    twin.get("/commits/none/status").await.refused(404, "Not Found");
}

#[tokio::test]
async fn check_runs_are_created_changed_and_listed_in_pages() {
    let twin = app::twin(|app| app).await;
    let token = app::token(&twin).await;
    let call = async |method: &str, path: &str, body: Value| {
        app::ask(&twin, method, &format!("/repos/owner/name{path}"), &token, body).await
    };
    let get = async |path: &str| call("GET", path, Value::Null).await;
    let sha = twin.git(&["rev-parse", "main"]);
    let created = call("POST", "/check-runs", json!({"name": "build", "head_sha": sha})).await;
    assert_eq!((created.status, created.text("/status"), &created.body["conclusion"]), (201, "queued", &json!(null)));
    let path = format!("/check-runs/{}", created.body["id"]);
    let unfinished = call("PATCH", &path, json!({"status": "completed"})).await;
    unfinished.refused(422, "missing_field");
    let changed = json!({"conclusion": "failure", "output": {"title": "T", "summary": "S"}});
    let changed = call("PATCH", &path, changed).await;
    assert_eq!((changed.text("/status"), changed.text("/output/summary")), ("completed", "S"));
    assert_eq!(get(&path).await.text("/conclusion"), "failure");

    let handle = twin.handle();
    let outcome = CheckOutcome::Completed(CheckConclusion::Success);
    let actions = AppIdentity::github_actions();
    handle.set_check_run(&sha, "build", outcome, actions.clone()).await.expect("set");
    handle.set_check_run(&sha, "build", CheckOutcome::InProgress, actions).await.expect("set");
    call("POST", "/check-runs", json!({"name": "build", "head_sha": sha, "conclusion": "neutral"})).await;
    let list = format!("/commits/{sha}/check-runs");
    let latest = get(&list).await;
    assert_eq!(latest.body["total_count"], 2, "one of each app");
    assert_eq!(get(&format!("{list}?filter=all")).await.body["total_count"], 3);
    let of_app = get(&format!("{list}?app_id=15368&per_page=1")).await;
    assert_eq!(
        (of_app.text("/check_runs/0/status"), of_app.text("/check_runs/0/app/slug")),
        ("in_progress", "github-actions")
    );
    let page = get(&format!("{list}?filter=all&per_page=2&page=2")).await;
    assert_eq!((page.body["check_runs"].as_array().map(Vec::len), &page.body["total_count"]), (Some(1), &json!(3)));
    assert_eq!(get(&format!("{list}?status=completed&check_name=build")).await.body["total_count"], 1);
    get("/commits/none/check-runs").await.refused(422, "No commit found for SHA: none");
    get("/check-runs/1").await.refused(404, "Not Found");
}

#[tokio::test]
async fn check_runs_are_made_by_an_app_that_may_and_by_nobody_else() {
    let plain = Fixture::new().await;
    let sha = plain.git(&["rev-parse", "main"]);
    let run = json!({"name": "build", "head_sha": sha});
    plain.call("POST", "/check-runs", run.clone()).await.refused(403, "You must authenticate via a GitHub App.");
    let twin = app::twin(|app| app.permissions([("checks", "read"), ("statuses", "write")])).await;
    let token = app::token(&twin).await;
    let ask = async |method: &str, path: &str, body: Value| {
        app::ask(&twin, method, &format!("/repos/owner/name{path}"), &token, body).await
    };
    let actions = AppIdentity::github_actions();
    twin.handle().set_check_run(&sha, "build", CheckOutcome::Queued, actions.clone()).await.expect("set");
    let path = format!("/commits/{sha}/check-runs");
    let id = ask("GET", &path, Value::Null).await.body["check_runs"][0]["id"].clone();
    for (method, path) in [("POST", "/check-runs".to_owned()), ("PATCH", format!("/check-runs/{id}"))] {
        ask(method, &path, run.clone()).await.refused(403, "Resource not accessible by integration");
    }

    // Nor one that is another App's.
    let twin = app::twin(|app| app).await;
    let token = app::token(&twin).await;
    twin.handle().set_check_run(&sha, "build", CheckOutcome::Queued, actions).await.expect("set");
    let read = app::ask(&twin, "GET", &format!("/repos/owner/name{path}"), &token, Value::Null).await;
    let path = format!("/repos/owner/name/check-runs/{}", read.body["check_runs"][0]["id"]);
    app::ask(&twin, "PATCH", &path, &token, run).await.refused(403, "Resource not accessible by integration");
}

#[tokio::test]
async fn annotations_are_added_and_neither_they_nor_the_summary_are_too_long() {
    let twin = app::twin(|app| app).await;
    let token = app::token(&twin).await;
    let sha = twin.git(&["rev-parse", "main"]);
    let ask = async |method: &str, path: &str, output: Value| {
        let body = json!({"name": "build", "head_sha": sha, "conclusion": "failure", "output": output});
        app::ask(&twin, method, &format!("/repos/owner/name{path}"), &token, body).await
    };
    let annotation =
        json!({"path": "README.md", "start_line": 1, "end_line": 1, "annotation_level": "failure", "message": "m"});
    let output = |annotations: usize, summary: &str| json!({"title": "T", "summary": summary, "annotations": vec![annotation.clone(); annotations]});
    let made = ask("POST", "/check-runs", output(2, "S")).await;
    assert_eq!((made.status, &made.body["output"]["annotations_count"]), (201, &json!(2)));
    let path = format!("/check-runs/{}", made.body["id"]);
    assert_eq!(ask("PATCH", &path, output(50, "S")).await.body["output"]["annotations_count"], 52);
    ask("PATCH", &path, output(51, "S")).await.refused(422, "annotations");
    assert_eq!(ask("PATCH", &path, output(0, &"ä".repeat(65_535))).await.status, 200);
    ask("PATCH", &path, output(0, &"ä".repeat(65_536))).await.refused(422, "too_long");
}

#[tokio::test]
async fn a_rule_sets_checks_on_every_new_head() {
    let twin = Fixture::new().await;
    let handle = twin.handle();
    handle.on_new_head(|head| {
        let state = if head.branch == "bad" { StatusState::Failure } else { StatusState::Success };
        vec![AutoCheck::status(format!("ci/{}", head.number), state)]
    });
    let (_, good) = twin.pull("good", "x", "x").await;
    let (number, _) = twin.pull("bad", "y", "y").await;
    assert_eq!(twin.get(&format!("/commits/{good}/status")).await.text("/state"), "success");
    assert_eq!(twin.get("/commits/bad/status").await.text("/state"), "failure");
    assert_eq!(twin.pull_json(number).await["mergeable_state"], "unstable");
    let moved = twin.handle().push_file("good", "z", b"z", "more").await.expect("pushed");
    assert_eq!(twin.get(&format!("/commits/{moved}/status")).await.text("/statuses/0/context"), "ci/1");
    handle.clear_on_new_head();
    let moved = twin.handle().push_file("good", "z", b"zz", "more").await.expect("pushed");
    assert_eq!(twin.get(&format!("/commits/{moved}/status")).await.body["total_count"], 0);
}
