//! The whole way of a change from a blob to the default branch.

use selfext_twin::{AutoCheck, CheckConclusion, StatusState};
use serde_json::json;

use super::fixture::Fixture;

#[tokio::test]
async fn a_change_goes_from_a_blob_to_main() {
    let twin = Fixture::new().await;
    twin.handle().on_new_head_set([
        AutoCheck::status("ci/test", StatusState::Success),
        AutoCheck::check_run("build", CheckConclusion::Success),
    ]);
    let base = twin.git(&["rev-parse", "main"]);
    let reference = twin.get("/git/ref/heads/main").await;
    assert_eq!((reference.status, reference.text("/object/sha")), (200, base.as_str()));

    let blob = twin.call("POST", "/git/blobs", json!({"content": "AAH/", "encoding": "base64"})).await;
    assert_eq!(blob.status, 201);
    let entries = json!([
        {"path": "data/bytes.bin", "mode": "100644", "type": "blob", "sha": blob.text("/sha")},
        {"path": "src/a.txt", "mode": "100644", "type": "blob", "sha": null},
        {"path": "src/b.txt", "mode": "100755", "type": "blob", "content": "new\n"},
    ]);
    let tree = twin.call("POST", "/git/trees", json!({"base_tree": base, "tree": entries})).await;
    assert_eq!(tree.status, 201, "{tree:?}");
    let who = json!({"name": "Agent", "email": "agent@selfext.invalid", "date": "2024-01-02T03:04:05Z"});
    let commit = json!({"message": "Promote\n\nbody", "tree": tree.text("/sha"), "parents": [base], "author": who});
    let commit = twin.call("POST", "/git/commits", commit).await;
    assert_eq!(commit.status, 201, "{commit:?}");
    let head = commit.text("/sha").to_owned();
    let created = json!({"ref": "refs/heads/selfext/tool/x-1", "sha": head});
    assert_eq!(twin.call("POST", "/git/refs", created).await.status, 201);

    let pull = twin.open("selfext/tool/x-1").await;
    assert_eq!((pull.status, &pull.body["mergeable"]), (201, &json!(null)));
    assert_eq!(pull.body["changed_files"], 3);
    let evidence = json!({"state": "success", "context": "selfext/evidence", "description": "3 stages passed"});
    assert_eq!(twin.call("POST", &format!("/statuses/{head}"), evidence).await.status, 201);

    let status = twin.get(&format!("/commits/{head}/status")).await;
    assert_eq!((status.text("/state"), &status.body["total_count"]), ("success", &json!(2)));
    let runs = twin.get(&format!("/commits/{head}/check-runs")).await;
    assert_eq!((&runs.body["total_count"], runs.text("/check_runs/0/conclusion")), (&json!(1), "success"));
    assert_eq!(runs.body["check_runs"][0]["pull_requests"][0]["number"], 1);
    let open = twin.pull_json(1).await;
    assert_eq!((&open["mergeable"], &open["mergeable_state"]), (&json!(true), &json!("clean")));
    assert_ne!(open["merge_commit_sha"], json!(null), "an open pull request shows its test merge");

    let merged =
        twin.merge(1, json!({"sha": head, "merge_method": "squash", "commit_title": "T", "commit_message": "M"})).await;
    assert_eq!((merged.status, &merged.body["merged"]), (200, &json!(true)), "{merged:?}");
    let landed = merged.text("/sha");
    assert_eq!(
        twin.git(&["rev-parse", "main", "main^", "main^{tree}"]),
        format!("{landed}\n{base}\n{}", tree.text("/sha"))
    );
    assert_eq!(twin.git(&["log", "-1", "--format=%B", "main"]), "T\n\nM");
    assert_eq!(twin.get("/pulls/1/merge").await.status, 204);
    let closed = twin.pull_json(1).await;
    assert_eq!(
        (&closed["merged"], &closed["merge_commit_sha"], &closed["state"]),
        (&json!(true), &json!(landed), &json!("closed"))
    );

    assert_eq!(twin.call("DELETE", "/git/refs/heads/selfext/tool/x-1", json!(null)).await.status, 204);
    assert_eq!(twin.get("/git/ref/heads/selfext/tool/x-1").await.status, 404);
    twin.git(&["fsck", "--strict", "--no-dangling"]);
    assert!(twin.handle().unknown_routes().is_empty());
}
