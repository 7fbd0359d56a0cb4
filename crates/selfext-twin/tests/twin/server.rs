//! The server itself: authentication, unknown routes, strangers.

use selfext_twin::{StatusState, Twin, TwinError};
use serde_json::{Value, json};

use super::client;
use super::fixture::{Fixture, config};

#[tokio::test]
async fn a_required_token_is_asked_for_and_never_recorded() {
    let token = "ghs_secret";
    let twin = Fixture::with(|config| config.require_token(token)).await;
    let address = twin.serving().addr();
    for headers in [
        &[][..],
        &[("Authorization", "Bearer wrong")],
        &[("Authorization", "Basic ghs_secret")],
        &[("Authorization", "ghs_secret")],
    ] {
        let answer = client::send(address, "GET", "/user", headers, b"").await.expect("an answer");
        answer.refused(401, "Bad credentials");
    }
    for scheme in ["Bearer", "token"] {
        let header = format!("{scheme} {token}");
        let answer = client::send(address, "GET", "/user", &[("Authorization", &header)], b"").await;
        assert_eq!(answer.expect("an answer").text("/login"), "agent");
    }
    let told = format!("{:?} {:?} {:?}", twin.handle().exchanges(), twin.handle(), twin.serving());
    assert!(!told.contains(token), "{told}");
}

#[tokio::test]
async fn an_unknown_route_is_not_found_and_named() {
    let twin = Fixture::new().await;
    twin.get("/topics?page=2").await.refused(404, "Not Found");
    twin.call("DELETE", "/pulls/1", json!(null)).await.refused(404, "Not Found");
    twin.get("/pulls/7").await.refused(404, "Not Found");
    let unknown = twin.handle().unknown_routes();
    assert_eq!(unknown, ["GET /repos/Owner/Name/topics?page=2", "DELETE /repos/Owner/Name/pulls/1"]);
    let elsewhere = client::send(twin.serving().addr(), "GET", "/repos/other/name", &[], b"").await;
    elsewhere.expect("an answer").refused(404, "Not Found");
}

#[tokio::test]
async fn paths_never_leave_the_api() {
    let twin = Fixture::new().await;
    let address = twin.serving().addr();
    for target in [
        "/repos/owner/name/../../etc/passwd",
        "/repos/owner/name/contents/..%2F..%2Fconfig",
        "/repos/owner/name/contents/../../../config",
        "/repos/owner/name/git/ref/..%2F..%2Fconfig",
        "/repos/owner/name/git/ref/heads%0Amain",
        "/repos/owner/name/git/trees/main:src",
        "/repos/owner/name/git/trees/--all",
        "/repos/owner/name/compare/main...--output=x",
        "/repos/owner/name/pulls/..%2f1",
    ] {
        let answer = client::send(address, "GET", target, &[], b"").await.expect("an answer");
        assert_eq!(answer.status, 404, "{target}: {answer:?}");
    }
}

#[tokio::test]
async fn bodies_that_are_no_json_objects_are_bad_requests() {
    let twin = Fixture::new().await;
    let post =
        |body: &'static [u8]| client::send(twin.serving().addr(), "POST", "/repos/owner/name/git/refs", &[], body);
    post(b"{").await.expect("an answer").refused(400, "Problems parsing JSON");
    post(b"[]").await.expect("an answer").refused(400, "Body should be a JSON object");
}

#[tokio::test]
async fn a_page_in_a_browser_is_turned_away() {
    let twin = Fixture::new().await;
    let address = twin.serving().addr();
    let foreign = client::send(address, "GET", "/user", &[("Origin", "http://page.invalid")], b"").await;
    assert_eq!(foreign.expect("an answer").status, 403);
}

#[tokio::test]
async fn only_loopback_is_served_without_a_token() {
    let twin = Fixture::unserved();
    let open = Twin::open(&twin.repository(), config()).await.expect("opened");
    let refused = open.serve(([0, 0, 0, 0], 0).into()).await;
    assert!(matches!(refused, Err(TwinError::NotLoopback(_))), "{refused:?}");
}

#[tokio::test]
async fn the_repository_and_the_rate_limit_are_described() {
    let twin = Fixture::new().await;
    let repository = twin.get("").await;
    assert_eq!((repository.text("/full_name"), repository.text("/default_branch")), ("owner/name", "main"));
    assert_eq!(repository.header("x-ratelimit-remaining"), Some("5000"));
    let limit = client::send(twin.serving().addr(), "GET", "/rate_limit", &[], b"").await.expect("an answer");
    assert_eq!(limit.body["rate"]["limit"], 5000);
    twin.get("/branches/none/protection").await.refused(404, "Branch not found");
    assert_eq!(twin.call("GET", "", Value::Null).await.status, 200);
}

#[tokio::test]
async fn an_api_below_a_path_is_there_alone_and_names_itself_so() {
    let twin = Fixture::with(|config| config.path("/api/v3/")).await;
    let site = format!("http://{}", twin.serving().addr());
    assert_eq!(twin.serving().base_url(), format!("{site}/api/v3"));
    let at =
        async |target: &str| client::send(twin.serving().addr(), "GET", target, &[], b"").await.expect("an answer");
    let repository = at("/api/v3/repos/owner/name").await;
    assert_eq!(repository.text("/url"), format!("{site}/api/v3/repos/owner/name"));
    assert_eq!(repository.text("/html_url"), format!("{site}/owner/name"));
    for outside in ["/repos/owner/name", "/api/v3repos/owner/name", "/api/v3", "/"] {
        at(outside).await.refused(404, "Not Found");
    }
    let sha = twin.handle().branch_head("main").await.expect("read").expect("there");
    for context in ["a", "b"] {
        twin.handle().set_status(&sha, context, StatusState::Success, None).await.expect("set");
    }
    let page = at(&format!("/api/v3/repos/owner/name/commits/{sha}/statuses?per_page=1")).await;
    let next = page.header("link").and_then(|link| link.split('>').next()).expect("a link");
    assert_eq!(next, format!("<{site}/api/v3/repos/owner/name/commits/{sha}/statuses?per_page=1&page=2"));
}
