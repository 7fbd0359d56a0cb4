//! Merging, and why it is refused.

use selfext_twin::{AutoCheck, CheckConclusion, MergeMethods, Protection, RequiredCheck, StatusState};
use serde_json::json;

use super::fixture::Fixture;

#[tokio::test]
async fn merge_methods_leave_the_history_that_github_leaves() {
    let twin = Fixture::new().await;
    let (one, _) = twin.pull("one", "one", "1").await;
    let (two, head) = twin.pull("two", "two", "2").await;
    let (three, _) = twin.pull("three", "three", "3").await;
    twin.handle().push_file("three", "three", b"33", "again").await.expect("pushed");
    assert_eq!(twin.merge(one, json!({"merge_method": "squash"})).await.status, 200);
    assert_eq!(twin.git(&["log", "-1", "--format=%s", "main"]), "write one (#1)");
    // Without a method a merge commit is made.
    assert_eq!(twin.merge(two, json!({})).await.status, 200);
    assert_eq!(twin.git(&["log", "-1", "--format=%s", "main"]), "Merge pull request #2 from owner/two");
    assert_eq!(twin.git(&["rev-parse", "main^2"]), head);
    assert_eq!(twin.merge(three, json!({"merge_method": "rebase"})).await.status, 200);
    assert_eq!(twin.git(&["log", "-2", "--format=%s", "main"]), "again\nwrite three");
    assert_eq!(twin.git(&["ls-tree", "--name-only", "main", "one", "two", "three"]), "one\nthree\ntwo");
    assert_eq!(twin.git(&["show", "main:three"]), "33");
    twin.git(&["fsck", "--strict", "--no-dangling"]);
}

#[tokio::test]
async fn a_squash_of_many_commits_lists_them() {
    let twin = Fixture::new().await;
    let (number, _) = twin.pull("a", "x", "x").await;
    twin.handle().push_file("a", "y", b"y", "second").await.expect("pushed");
    assert_eq!(twin.merge(number, json!({"merge_method": "squash"})).await.status, 200);
    let message = twin.git(&["log", "-1", "--format=%B", "main"]);
    assert_eq!(message, "Change a (#1)\n\n* write x\n\n* second");
}

#[tokio::test]
async fn a_conflict_is_seen_before_and_refused_at_the_merge() {
    let twin = Fixture::new().await;
    let (number, sha) = twin.pull("a", "src/a.txt", "a\nleft\nc\n").await;
    twin.handle().push_file("main", "src/a.txt", b"a\nright\nc\n", "right").await.expect("pushed");
    let base = twin.git(&["rev-parse", "main"]);
    let pull = twin.pull_json(number).await;
    assert_eq!((&pull["mergeable"], &pull["mergeable_state"]), (&json!(false), &json!("dirty")));
    assert_eq!(pull["merge_commit_sha"], json!(null));
    for method in ["merge", "squash", "rebase"] {
        let refused = twin.merge(number, json!({"sha": sha, "merge_method": method})).await;
        refused.refused(405, "Pull Request is not mergeable");
    }
    assert_eq!(twin.git(&["rev-parse", "main"]), base);
    let update = twin.call("PUT", &format!("/pulls/{number}/update-branch"), json!({})).await;
    update.refused(422, "merge conflict between base and head");
}

#[tokio::test]
async fn changes_that_do_not_touch_are_merged() {
    let twin = Fixture::new().await;
    let (number, _) = twin.pull("a", "new", "new\n").await;
    twin.handle().push_file("main", "src/a.txt", b"changed\n", "other").await.expect("pushed");
    assert_eq!(twin.pull_json(number).await["mergeable_state"], "clean");
    assert_eq!(twin.merge(number, json!({"merge_method": "squash"})).await.status, 200);
    let handle = twin.handle();
    assert_eq!(handle.file("main", "new").await.expect("read"), Some(b"new\n".to_vec()));
    assert_eq!(handle.file("main", "src/a.txt").await.expect("read"), Some(b"changed\n".to_vec()));
}

#[tokio::test]
async fn a_merge_is_bound_to_its_head() {
    let twin = Fixture::new().await;
    let (number, sha) = twin.pull("a", "x", "x").await;
    let moved = twin.handle().push_file("a", "y", b"y", "more").await.expect("pushed");
    let words = "Head branch was modified. Review and try the merge again.";
    twin.merge(number, json!({"sha": sha})).await.refused(409, words);
    twin.merge(number, json!({"sha": "HEAD"})).await.refused(409, words);
    assert_eq!(twin.merge(number, json!({"sha": moved})).await.status, 200);
    twin.merge(number, json!({"sha": moved})).await.refused(405, "Pull Request is not mergeable");
    twin.merge(99, json!({})).await.refused(404, "Not Found");
    twin.get("/pulls/99/merge").await.refused(404, "Not Found");
    let unknown = twin.merge(number, json!({"merge_method": "fast"})).await;
    unknown.refused(422, "For 'properties/merge_method', fast is not a member of");
}

#[tokio::test]
async fn methods_and_drafts_are_refused() {
    let twin = Fixture::new().await;
    let (number, _) = twin.pull("a", "x", "x").await;
    let methods = MergeMethods { squash: false, rebase: false, ..MergeMethods::default() };
    twin.handle().allow_merge_methods(methods).await.expect("kept");
    let squash = twin.merge(number, json!({"merge_method": "squash"})).await;
    squash.refused(405, "Squash merges are not allowed on this repository.");
    let rebase = twin.merge(number, json!({"merge_method": "rebase"})).await;
    rebase.refused(405, "Rebase merges are not allowed on this repository.");
    assert_eq!(twin.get("").await.body["allow_squash_merge"], false);
    twin.branch("d", "y", "y").await;
    let draft = json!({"title": "t", "head": "d", "base": "main", "draft": true});
    let draft = twin.call("POST", "/pulls", draft).await.body["number"].as_u64().expect("a number");
    twin.merge(draft, json!({})).await.refused(405, "Pull Request is still a draft");
    assert_eq!(twin.pull_json(draft).await["mergeable_state"], "draft");
}

#[tokio::test]
async fn required_checks_are_enforced_from_both_sources() {
    let twin = Fixture::new().await;
    let handle = twin.handle();
    let (number, sha) = twin.pull("a", "x", "x").await;
    handle.protect("main", Protection::classic(["ci/test"])).await.expect("kept");
    let mut pinned = Protection::ruleset(["build"]);
    pinned.required = vec![RequiredCheck::new("build").by_app(15_368)];
    handle.protect("main", pinned).await.expect("kept");

    twin.merge(number, json!({})).await.refused(405, "Required status check \"ci/test\" is expected.");
    assert_eq!(twin.pull_json(number).await["mergeable_state"], "blocked");
    let set = |check| handle.set_check(&sha, check);
    set(AutoCheck::status("ci/test", StatusState::Failure)).await.expect("set");
    twin.merge(number, json!({})).await.refused(405, "Required status check \"ci/test\" is failing.");
    set(AutoCheck::status("ci/test", StatusState::Success)).await.expect("set");
    // A status cannot stand in for the run of the app that the rule names.
    set(AutoCheck::status("build", StatusState::Success)).await.expect("set");
    let refused = twin.merge(number, json!({})).await;
    refused.refused(405, "Repository rule violations found\n\nRequired status check \"build\" is expected.");
    set(AutoCheck::check_run("build", CheckConclusion::Skipped)).await.expect("set");

    let direct = twin.call("PATCH", "/git/refs/heads/main", json!({"sha": twin.commit("main", "z", "z").await})).await;
    direct.refused(422, "Required status check \"ci/test\" is expected.");
    let protection = twin.get("/branches/main/protection").await;
    assert_eq!(protection.body["required_status_checks"]["contexts"], json!(["ci/test"]));
    let rules = twin.get("/rules/branches/main").await;
    let required = &rules.body[2]["parameters"]["required_status_checks"];
    assert_eq!(required, &json!([{"context": "build", "integration_id": 15368}]));
    assert_eq!(twin.merge(number, json!({})).await.status, 200);
    handle.unprotect("main").await.expect("kept");
    twin.get("/branches/main/protection").await.refused(404, "Branch not protected");
    assert_eq!(twin.get("/rules/branches/main").await.body, json!([]));
}

#[tokio::test]
async fn a_strict_rule_wants_the_head_up_to_date() {
    let twin = Fixture::new().await;
    let handle = twin.handle();
    let (number, sha) = twin.pull("a", "x", "x").await;
    handle.push_file("main", "y", b"y", "other").await.expect("pushed");
    let none: [&str; 0] = [];
    handle.protect("main", Protection::classic(none).strict()).await.expect("kept");
    assert_eq!(twin.pull_json(number).await["mergeable_state"], "behind");
    twin.merge(number, json!({})).await.refused(405, "Head branch is out of date");
    let update = format!("/pulls/{number}/update-branch");
    let stale = twin.call("PUT", &update, json!({"expected_head_sha": "1".repeat(40)})).await;
    assert_eq!(stale.status, 422);
    let updated = twin.call("PUT", &update, json!({"expected_head_sha": sha})).await;
    assert_eq!(updated.status, 202, "{updated:?}");
    let again = twin.call("PUT", &update, json!({})).await;
    again.refused(422, "There are no new commits on the base branch.");
    assert_eq!(twin.merge(number, json!({"merge_method": "squash"})).await.status, 200);
}

#[tokio::test]
async fn commits_that_reach_the_base_by_other_means_count_as_merged() {
    let twin = Fixture::new().await;
    let (number, sha) = twin.pull("a", "x", "x").await;
    assert_eq!(twin.call("PATCH", "/git/refs/heads/main", json!({"sha": sha})).await.status, 200);
    assert_eq!(twin.get(&format!("/pulls/{number}/merge")).await.status, 204);
    twin.merge(number, json!({"sha": sha})).await.refused(405, "Pull Request is not mergeable");
    // The same behind the twin's back.
    let (number, sha) = twin.pull("b", "y", "y").await;
    twin.git(&["update-ref", "refs/heads/main", &sha]);
    let pull = twin.pull_json(number).await;
    assert_eq!((&pull["merged"], &pull["merge_commit_sha"]), (&json!(true), &json!(sha)));
}

#[tokio::test]
async fn of_two_merges_at_once_one_is_first() {
    let twin = Fixture::new().await;
    let (one, _) = twin.pull("one", "same", "1").await;
    let (two, _) = twin.pull("two", "same", "2").await;
    let (first, second) = tokio::join!(
        twin.merge(one, json!({"merge_method": "squash"})),
        twin.merge(two, json!({"merge_method": "squash"}))
    );
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 405]);
    assert_eq!(twin.git(&["rev-list", "--count", "main"]), "2");
}

#[tokio::test]
async fn the_merged_branch_is_deleted_if_the_repository_says_so() {
    let twin = Fixture::new().await;
    twin.handle().delete_branch_on_merge(true).await.expect("kept");
    let (number, _) = twin.pull("a", "x", "x").await;
    assert_eq!(twin.merge(number, json!({})).await.status, 200);
    assert_eq!(twin.handle().branch_head("a").await.expect("read"), None);
    assert_eq!(twin.pull_json(number).await["merged"], true);
}
