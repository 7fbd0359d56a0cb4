//! Merges in the background.

use selfext_twin::{Fault, FaultKind, MergeMethods, Protection, StatusState, TwinConfig};
use serde_json::{Value, json};

use super::client::Answer;
use super::fixture::{Fixture, config};

impl Fixture {
    async fn ask_merge(&self, number: u64, body: Value) -> Answer {
        self.call("PUT", &format!("/pulls/{number}/merge-async"), body).await
    }

    async fn merge_result(&self, number: u64, uuid: &str) -> Answer {
        self.get(&format!("/pulls/{number}/merge-async/{uuid}")).await
    }

    /// Asks for a merge, lets it be carried out, and gives what came of it.
    async fn merged_in_background(&self, number: u64, body: Value) -> Value {
        let asked = self.ask_merge(number, body).await;
        assert_eq!(asked.status, 202, "{asked:?}");
        self.handle().release_async_merges().await.expect("carried out");
        let result = self.merge_result(number, asked.text("/details/uuid")).await;
        assert_eq!(result.status, 200, "{result:?}");
        result.body
    }
}

#[tokio::test]
async fn a_merge_is_pending_until_it_is_carried_out_and_its_result_is_kept() {
    let twin = Fixture::new().await;
    let handle = twin.handle();
    handle.hold_async_merges();
    let (number, sha) = twin.pull("a", "x", "x").await;
    let wish = json!({"sha": sha, "merge_method": "squash", "commit_title": "T", "commit_message": "M",
        "merge_action": "direct_merge"});
    let asked = twin.ask_merge(number, wish.clone()).await;
    assert_eq!((asked.status, asked.text("/status")), (202, "pending"), "{asked:?}");
    let uuid = asked.text("/details/uuid").to_owned();
    assert_eq!(uuid.len(), 36);
    let details = json!({"message": asked.text("/details/message"), "uuid": uuid, "merge_method": "squash",
        "merge_action": "direct_merge", "expected_head_sha": sha});
    assert_eq!(asked.body["details"], details);
    let waiting = twin.merge_result(number, &uuid).await;
    assert_eq!((waiting.status, waiting.text("/details/message")), (200, "Merge request is in progress."));
    assert_eq!((waiting.text("/status"), waiting.text("/details/uuid")), ("pending", uuid.as_str()));
    assert_eq!(handle.waiting_async_merges().await, [number]);
    assert_eq!(twin.git(&["rev-list", "--count", "main"]), "1");

    let again = twin.ask_merge(number, json!({})).await;
    assert_eq!((again.status, again.text("/details/uuid")), (409, uuid.as_str()), "another request changes nothing");
    assert_eq!(again.body["details"]["merge_method"], "squash");

    handle.release_async_merges().await.expect("carried out");
    let landed = twin.git(&["rev-parse", "main"]);
    let merged = json!({"status": "merged", "details": {"message": "Pull request was merged.", "sha": landed}});
    assert_eq!(twin.merge_result(number, &uuid).await.body, merged);
    assert_eq!(twin.git(&["log", "-1", "--format=%B", "main"]), "T\n\nM");
    let late = twin.ask_merge(number, json!({})).await;
    assert_eq!((late.status, &late.body), (200, &merged));
    assert_eq!(twin.merge_result(number, "none").await.status, 404);
    handle.forget_async_merges().await.expect("kept");
    assert_eq!(twin.merge_result(number, &uuid).await.status, 404);
    assert_eq!(handle.unknown_routes(), Vec::<String>::new());
    twin.conforms();
}

#[tokio::test]
async fn it_is_carried_out_although_nobody_asks_again() {
    let twin = Fixture::new().await;
    let (number, _) = twin.pull("a", "x", "x").await;
    assert_eq!(twin.ask_merge(number, json!({})).await.status, 202);
    while twin.handle().pulls().await[0].open {
        tokio::task::yield_now().await;
    }
    assert_eq!(twin.git(&["log", "-1", "--format=%s", "main"]), "Merge pull request #1 from owner/a");
}

#[tokio::test]
async fn what_is_not_ready_is_refused_at_once() {
    let twin = Fixture::new().await;
    let (number, sha) = twin.pull("a", "x", "x").await;
    let failed = async |body: Value, words: &str| {
        let refused = twin.ask_merge(number, body).await;
        assert_eq!(refused.status, 400, "{refused:?}");
        assert_eq!(refused.body, json!({"status": "failed", "details": {"message": words}}));
    };
    failed(json!({"sha": "1".repeat(40)}), "Head branch was modified. Review and try the merge again.").await;
    twin.handle().set_draft(number, true).await.expect("kept");
    failed(json!({"sha": sha}), "Pull Request is still a draft").await;
    twin.call("PATCH", &format!("/pulls/{number}"), json!({"state": "closed"})).await;
    failed(json!({}), "Pull request is closed").await;
    assert_eq!(twin.ask_merge(99, json!({})).await.status, 404);
    twin.conforms();
    twin.ask_merge(number, json!({"merge_action": "now"})).await.refused(422, "now is not a member of");
    twin.ask_merge(number, json!({"merge_method": "fold"})).await.refused(422, "fold is not a member of");
}

#[tokio::test]
async fn what_the_base_asks_for_is_looked_at_when_it_is_carried_out() {
    let twin = Fixture::new().await;
    let handle = twin.handle();
    handle.hold_async_merges();
    let failed = |words: &str| json!({"status": "failed", "details": {"message": words}});
    let (number, sha) = twin.pull("a", "x", "x").await;
    handle.protect("main", Protection::classic(["ci"])).await.expect("kept");
    let unmet = "Required status check \"ci\" is expected.";
    assert_eq!(twin.merged_in_background(number, json!({})).await, failed(unmet));
    handle.set_status(&sha, "ci", StatusState::Success, None).await.expect("set");
    handle.allow_merge_methods(MergeMethods { merge: false, ..MergeMethods::default() }).await.expect("kept");
    let disabled = failed("Merge commits are not allowed on this repository.");
    assert_eq!(twin.merged_in_background(number, json!({"merge_method": "merge"})).await, disabled);
    let no_queue = twin.merged_in_background(number, json!({"merge_action": "merge_queue"})).await;
    assert_eq!(no_queue["status"], "failed");
    assert_eq!(twin.merged_in_background(number, json!({})).await, disabled, "the usual method is a merge commit");
    let squashed = twin.merged_in_background(number, json!({"merge_method": "squash"})).await;
    assert_eq!(
        (squashed["status"].as_str(), twin.git(&["log", "-1", "--format=%s", "main"]).as_str()),
        (Some("merged"), "write x (#1)")
    );
    handle.allow_merge_methods(MergeMethods::default()).await.expect("kept");

    handle.unprotect("main").await.expect("kept");
    let (conflicting, _) = twin.pull("b", "y", "y").await;
    handle.push_file("main", "y", b"other", "other").await.expect("pushed");
    assert_eq!(twin.merged_in_background(conflicting, json!({})).await, failed("Pull Request is not mergeable"));
    twin.conforms();
}

#[tokio::test]
async fn a_pending_merge_fails_if_its_head_moves_or_its_pull_request_is_closed() {
    let twin = Fixture::new().await;
    let handle = twin.handle();
    handle.hold_async_merges();
    for (number, branch, words) in [
        (1, "a", "Head branch was modified. Review and try the merge again."),
        (2, "b", "Pull Request is not mergeable"),
    ] {
        twin.pull(branch, branch, "x").await;
        let asked = twin.ask_merge(number, json!({})).await;
        if branch == "a" {
            handle.push_file("a", "more", b"more", "more").await.expect("pushed");
        } else {
            twin.call("PATCH", &format!("/pulls/{number}"), json!({"state": "closed"})).await;
        }
        handle.release_async_merges().await.expect("carried out");
        let result = twin.merge_result(number, asked.text("/details/uuid")).await.body;
        assert_eq!(result, json!({"status": "failed", "details": {"message": words}}));
        handle.hold_async_merges();
    }
    assert_eq!(twin.git(&["rev-list", "--count", "main"]), "1");
}

#[tokio::test]
async fn one_that_somebody_else_merged_meanwhile_counts_as_merged() {
    let twin = Fixture::new().await;
    twin.handle().hold_async_merges();
    let (number, _) = twin.pull("a", "x", "x").await;
    let asked = twin.ask_merge(number, json!({})).await;
    let merged = twin.merge(number, json!({"merge_method": "squash"})).await;
    twin.handle().release_async_merges().await.expect("carried out");
    let result = twin.merge_result(number, asked.text("/details/uuid")).await;
    assert_eq!(result.text("/details/sha"), merged.text("/sha"));
    assert_eq!(twin.git(&["rev-list", "--count", "main"]), "2");
}

#[tokio::test]
async fn a_request_survives_a_restart_and_so_does_its_result() {
    let mut twin = Fixture::new().await;
    twin.handle().hold_async_merges();
    let (number, sha) = twin.pull("a", "x", "x").await;
    let asked = twin.ask_merge(number, json!({"merge_method": "squash"})).await;
    let uuid = asked.text("/details/uuid").to_owned();
    twin.stop().await;
    assert_eq!(twin.git(&["rev-list", "--count", "main"]), "1");
    twin.start(config()).await;
    while !twin.handle().waiting_async_merges().await.is_empty() {
        tokio::task::yield_now().await;
    }
    let result = twin.merge_result(number, &uuid).await.body;
    assert_eq!(result["details"]["sha"], json!(twin.git(&["rev-parse", "main"])));
    assert_ne!(result["details"]["sha"], json!(sha));
    twin.stop().await;
    twin.start(config()).await;
    assert_eq!(twin.merge_result(number, &uuid).await.body, result);
}

#[tokio::test]
async fn a_crash_between_a_merge_and_its_result_merges_nothing_twice() {
    let mut twin = Fixture::new().await;
    twin.handle().hold_async_merges();
    let (number, _) = twin.pull("a", "x", "x").await;
    let asked = twin.ask_merge(number, json!({"merge_method": "squash"})).await;
    let uuid = asked.text("/details/uuid").to_owned();
    twin.handle().release_async_merges().await.expect("carried out");
    let result = twin.merge_result(number, &uuid).await.body;
    twin.stop().await;
    let path = twin.repository().join("selfext-twin/state.json");
    let mut state: Value = serde_json::from_slice(&std::fs::read(&path).expect("read")).expect("JSON");
    state["requests"][number.to_string()][0]["outcome"] = Value::Null;
    std::fs::write(&path, state.to_string()).expect("written");
    twin.start(config()).await;
    twin.handle().release_async_merges().await.expect("carried out");
    assert_eq!(twin.merge_result(number, &uuid).await.body, result);
    assert_eq!(twin.git(&["rev-list", "--count", "main"]), "2");
}

#[tokio::test]
async fn a_result_is_kept_for_a_day_and_a_request_until_it_is_carried_out() {
    let mut twin = Fixture::new().await;
    twin.handle().hold_async_merges();
    let (one, _) = twin.pull("a", "x", "x").await;
    let (two, _) = twin.pull("b", "y", "y").await;
    let first = twin.ask_merge(one, json!({"merge_method": "squash"})).await.text("/details/uuid").to_owned();
    twin.handle().release_async_merges().await.expect("carried out");
    twin.handle().hold_async_merges();
    twin.ask_merge(two, json!({"merge_method": "squash"})).await;
    twin.stop().await;
    let path = twin.repository().join("selfext-twin/state.json");
    let mut state: Value = serde_json::from_slice(&std::fs::read(&path).expect("read")).expect("JSON");
    for number in [one, two] {
        state["requests"][number.to_string()][0]["updated_at"] = json!("2024-01-02T03:04:05Z");
    }
    std::fs::write(&path, state.to_string()).expect("written");
    twin.start(config()).await;
    assert_eq!(twin.merge_result(one, &first).await.status, 404);
    twin.handle().release_async_merges().await.expect("carried out");
    assert!(twin.handle().pulls().await.iter().all(|pull| pull.merged_as.is_some()));
}

#[tokio::test]
async fn a_lost_answer_leaves_the_request_and_asking_again_finds_it() {
    let twin = Fixture::new().await;
    twin.handle().hold_async_merges();
    let (number, _) = twin.pull("a", "x", "x").await;
    let path = format!("/pulls/{number}/merge-async");
    twin.handle().add_fault(Fault::on("PUT", "/**/merge-async", FaultKind::LoseAnswer));
    assert!(twin.try_call("PUT", &path, json!({})).await.is_err());
    let again = twin.ask_merge(number, json!({})).await;
    assert_eq!((again.status, again.text("/status")), (409, "pending"));
    twin.handle().release_async_merges().await.expect("carried out");
    assert_eq!(twin.merge_result(number, again.text("/details/uuid")).await.body["status"], "merged");
}

#[tokio::test]
async fn a_server_without_the_operations_answers_as_to_any_unknown_path() {
    let twin = Fixture::with(TwinConfig::without_async_merges).await;
    let (number, _) = twin.pull("a", "x", "x").await;
    let unknown = twin.get("/no/such/thing").await;
    for answer in [twin.ask_merge(number, json!({})).await, twin.merge_result(number, "u").await] {
        assert_eq!((answer.status, &answer.body), (404, &unknown.body));
    }
    assert_eq!(twin.handle().waiting_async_merges().await, [0; 0]);
    twin.handle().set_async_merges(true);
    assert_eq!(twin.ask_merge(number, json!({})).await.status, 202);
}
