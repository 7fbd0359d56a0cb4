//! Misbehaviour on demand, and the record of it.

use std::time::Duration;

use selfext_twin::{Fault, FaultKind, Gate};
use serde_json::{Value, json};

use super::fixture::Fixture;

const MERGE: &str = "/repos/*/*/pulls/*/merge";

#[tokio::test]
async fn a_lost_answer_hides_work_that_was_done() {
    let twin = Fixture::new().await;
    let (number, sha) = twin.pull("a", "x", "x").await;
    twin.handle().add_fault(Fault::on("PUT", MERGE, FaultKind::LoseAnswer));
    let lost = twin.try_call("PUT", &format!("/pulls/{number}/merge"), json!({"sha": sha})).await;
    assert!(lost.is_err(), "{lost:?}");
    assert_eq!(twin.get(&format!("/pulls/{number}/merge")).await.status, 204);
    let record = twin.handle().wait_for(|exchange| exchange.fault == Some("lose-answer")).await;
    assert_eq!((record.status, record.performed), (None, Some(200)));
    assert_eq!(record.request_body, Some(json!({"sha": sha})));
    assert_eq!(record.route, Some("/repos/{owner}/{repo}/pulls/{pull_number}/merge"));
}

#[tokio::test]
async fn faults_hit_the_request_that_they_are_meant_for() {
    let twin = Fixture::new().await;
    let handle = twin.handle();
    let headers = vec![("Retry-After".to_owned(), "7".to_owned())];
    let limited = FaultKind::Answer { status: 429, headers, body: json!({"message": "slow down"}) };
    handle.add_fault(Fault::on("GET", "/repos/*/*/git/ref/**", limited).nth(2));
    let afterwards = FaultKind::AnswerAfterwards { status: 502, body: json!({"message": "Bad Gateway"}) };
    handle.add_fault(Fault::on("POST", "/repos/*/*/git/refs", afterwards));
    handle.add_fault(Fault::on("GET", "/repos/*/*", FaultKind::Drop).times(2));
    handle.add_fault(Fault::on("GET", "/user", FaultKind::HalfJson));

    assert_eq!(twin.get("/git/ref/heads/main").await.status, 200);
    let second = twin.get("/git/ref/heads/main").await;
    assert_eq!((second.status, second.header("retry-after")), (429, Some("7")));
    let sha = twin.get("/git/ref/heads/main").await.text("/object/sha").to_owned();
    let created = twin.call("POST", "/git/refs", json!({"ref": "refs/heads/b", "sha": sha})).await;
    assert_eq!(created.status, 502);
    assert_eq!(twin.get("/git/ref/heads/b").await.status, 200, "the work was done all the same");
    assert!(twin.try_call("GET", "", Value::Null).await.is_err());
    assert!(twin.try_call("GET", "", Value::Null).await.is_err());
    assert_eq!(twin.get("").await.status, 200);
    let half = super::client::send(twin.serving().addr(), "GET", "/user", &[], b"").await.expect("an answer");
    assert_eq!(half.status, 200);
    assert!(serde_json::from_slice::<Value>(&half.raw).is_err());
    assert_eq!(handle.faults_left(), 0);
}

#[tokio::test]
async fn a_cut_body_ends_the_connection_before_the_promised_length() {
    let twin = Fixture::new().await;
    twin.handle().add_fault(Fault::on("GET", "/**", FaultKind::CutBody));
    assert!(twin.try_call("GET", "", Value::Null).await.is_err());
    assert_eq!(twin.get("").await.status, 200);
}

#[tokio::test]
async fn a_request_that_never_ends_is_let_go_with_its_client_or_with_the_twin() {
    let mut twin = Fixture::new().await;
    let handle = twin.handle();
    handle.add_fault(Fault::on("GET", "/repos/*/*", FaultKind::Hang).times(2));
    tokio::select! {
        answer = twin.try_call("GET", "", Value::Null) => panic!("an answer came: {answer:?}"),
        _ = handle.wait_for(|exchange| exchange.fault == Some("hang")) => {}
    }
    assert_eq!(handle.exchanges()[0].ended, None);
    let address = twin.serving().addr();
    let hanging = tokio::spawn(async move { super::client::send(address, "GET", "/repos/owner/name", &[], b"").await });
    handle.wait_for(|exchange| exchange.sequence == 2 && exchange.fault.is_some()).await;
    twin.stop().await;
    assert!(hanging.await.expect("ended").is_err());
}

#[tokio::test]
async fn a_held_merge_arrives_late_although_its_client_is_gone() {
    let twin = Fixture::new().await;
    let (number, sha) = twin.pull("a", "x", "x").await;
    let gate = Gate::new();
    twin.handle().add_fault(Fault::on("PUT", MERGE, FaultKind::Hold(gate.clone())));
    {
        let merge = twin.merge(number, json!({"sha": sha}));
        tokio::select! {
            _ = merge => panic!("the merge was answered"),
            () = gate.arrived(1) => {}
        }
    }
    assert_eq!(twin.get(&format!("/pulls/{number}/merge")).await.status, 404);
    gate.open();
    twin.handle().wait_for(|exchange| exchange.performed == Some(200) && exchange.method == "PUT").await;
    assert_eq!(twin.get(&format!("/pulls/{number}/merge")).await.status, 204);
}

#[tokio::test]
async fn a_held_merge_of_a_fenced_head_is_refused() {
    let twin = Fixture::new().await;
    let (number, sha) = twin.pull("a", "x", "x").await;
    let gate = Gate::new();
    twin.handle().add_fault(Fault::on("PUT", MERGE, FaultKind::Hold(gate.clone())));
    let fence = async {
        gate.arrived(1).await;
        let other = twin.commit("main", "fence", "x").await;
        twin.call("PATCH", "/git/refs/heads/a", json!({"sha": other, "force": true})).await;
        gate.open();
    };
    let (merged, ()) = tokio::join!(twin.merge(number, json!({"sha": sha})), fence);
    merged.refused(409, "Head branch was modified. Review and try the merge again.");
}

#[tokio::test]
async fn mergeability_is_unknown_and_refs_lag_for_as_many_reads_as_set() {
    let twin = Fixture::new().await;
    let handle = twin.handle();
    let (number, _) = twin.pull("a", "x", "x").await;
    handle.set_mergeable_null_reads(2);
    for expected in [json!(null), json!(null), json!(true)] {
        assert_eq!(twin.pull_json(number).await["mergeable"], expected);
    }
    handle.push_file("main", "z", b"z", "other").await.expect("pushed");
    assert_eq!(twin.pull_json(number).await["mergeable"], json!(null), "the base has moved");

    let base = twin.git(&["rev-parse", "main"]);
    handle.set_ref_lag(2);
    twin.call("POST", "/git/refs", json!({"ref": "refs/heads/late", "sha": base})).await;
    for expected in [404, 404, 200] {
        assert_eq!(twin.get("/git/ref/heads/late").await.status, expected);
    }
    let moved = handle.push_file("late", "y", b"y", "more").await.expect("pushed");
    assert_eq!(twin.get("/git/ref/heads/late").await.text("/object/sha"), base);
    assert_eq!(twin.get("/branches/late").await.text("/commit/sha"), base);
    assert_eq!(twin.get("/git/ref/heads/late").await.text("/object/sha"), moved);
}

#[tokio::test]
async fn the_longest_chain_counts_round_trips_and_not_requests() {
    let twin = Fixture::new().await;
    let handle = twin.handle();
    twin.get("").await;
    // All three are under way before any of them is answered.
    let gate = Gate::new();
    handle.add_fault(Fault::on("GET", "/**", FaultKind::Hold(gate.clone())).times(3));
    let open = async {
        gate.arrived(3).await;
        gate.open();
    };
    tokio::join!(twin.get(""), twin.get("/git/ref/heads/main"), twin.get("/pulls"), open);
    twin.get("").await;
    assert_eq!((handle.exchanges().len(), handle.longest_chain()), (5, 3));
    handle.clear_exchanges();
    assert_eq!((handle.exchanges().len(), handle.longest_chain()), (0, 0));
}

#[tokio::test]
async fn latency_makes_every_request_wait() {
    let twin = Fixture::new().await;
    let latency = Duration::from_millis(20);
    twin.handle().set_latency(latency);
    twin.get("").await;
    twin.get("/topics").await;
    for exchange in twin.handle().exchanges() {
        assert!(exchange.ended.expect("ended") >= exchange.started + latency, "{exchange:?}");
    }
}
