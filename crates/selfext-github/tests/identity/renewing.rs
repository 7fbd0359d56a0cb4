//! An App's tokens are renewed before they end, and once when GitHub refuses one.

use selfext_domain::ports::{Forge as _, ForgeError};

use crate::world::*;

const POST: &str = "POST /app/installations/4711/access_tokens 201";
const READ: &str = "GET /repos/octo-org/agent/git/ref/heads/main 200";

#[tokio::test]
async fn a_token_serves_until_minutes_before_its_end_and_is_renewed_then() {
    let world = World::new().await;
    let forge = world.as_app();
    forge.branch_head(&main_branch()).await.unwrap();
    let asked = world.asked();
    assert_eq!(asked[..2], ["GET /repos/octo-org/agent/installation 200", POST]);
    assert_eq!((asked.len(), count(&asked, READ), count(&asked, "GET /repos/octo-org/agent 200")), (4, 1, 1));
    let first = world.twin.last_app_token();

    world.advance(54);
    forge.branch_head(&main_branch()).await.unwrap();
    assert_eq!(world.asked(), [READ]);
    world.advance(2);
    forge.branch_head(&main_branch()).await.unwrap();
    assert_eq!(world.asked(), [POST, READ], "the installation is known");
    assert_ne!(world.twin.last_app_token(), first);
    world.advance(54);
    forge.branch_head(&main_branch()).await.unwrap();
    assert_eq!(world.asked(), [READ], "the second one lives an hour, too");
}

#[tokio::test]
async fn requests_at_the_same_time_renew_once() {
    let world = World::new().await;
    let forge = world.as_app();
    let main = main_branch();
    let together = || async {
        let reads: Vec<_> = (0..12).map(|_| forge.branch_head(&main)).collect();
        for read in futures::future::join_all(reads).await {
            read.unwrap();
        }
    };
    together().await;
    let asked = world.asked();
    assert_eq!((count(&asked, POST), count(&asked, "/installation 200"), count(&asked, READ)), (1, 1, 12));
    assert_eq!(count(&asked, "GET /repos/octo-org/agent 200"), 1, "and ask once which repository it is");
    world.advance(57);
    together().await;
    let asked = world.asked();
    assert_eq!((count(&asked, POST), count(&asked, READ), asked.len()), (1, 12, 13));
    // All of them are refused at once.
    world.twin.expire_app_tokens();
    world.twin.set_latency(std::time::Duration::from_millis(100));
    together().await;
    let asked = world.asked();
    assert_eq!((count(&asked, POST), count(&asked, READ), count(&asked, " 401")), (1, 12, 12));
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_the_request_repeated_once() {
    let world = World::new().await;
    let forge = world.as_app();
    forge.branch_head(&main_branch()).await.unwrap();
    world.asked();
    world.twin.expire_app_tokens();
    forge.branch_head(&main_branch()).await.unwrap();
    let refused = "GET /repos/octo-org/agent/git/ref/heads/main 401";
    assert_eq!(world.asked(), [refused, POST, READ]);

    world.twin.expire_app_tokens();
    world.twin.refuse_new_app_tokens();
    let (error, shown) = refusal(&forge).await;
    assert!(matches!(error, ForgeError::Unauthorized(_)), "{shown}");
    assert_eq!(world.asked(), [refused, POST, refused], "and not again");
}

#[tokio::test]
async fn a_page_of_a_proxy_does_not_repeat_a_request() {
    let world = World::new().await;
    let forge = world.as_app();
    forge.branch_head(&main_branch()).await.unwrap();
    world.asked();
    let page = selfext_twin::FaultKind::Answer { status: 401, headers: vec![], body: serde_json::json!("<html>") };
    world.twin.add_fault(selfext_twin::Fault::on("GET", "/repos/**", page));
    let (error, shown) = refusal(&forge).await;
    assert!(matches!(error, ForgeError::Unauthorized(_)), "{shown}");
    assert_eq!(world.asked(), ["GET /repos/octo-org/agent/git/ref/heads/main 401"]);
}

#[tokio::test]
async fn a_fixed_token_that_is_refused_is_refused_at_once() {
    let world = World::new().await;
    let forge = world.with_token();
    forge.branch_head(&main_branch()).await.unwrap();
    world.asked();
    world.refuse("GET", "/repos/*/*/git/ref/**", 401, "Bad credentials");
    let (error, shown) = refusal(&forge).await;
    assert!(matches!(error, ForgeError::Unauthorized(_)) && !shown.contains(TOKEN), "{shown}");
    assert_eq!(world.asked(), ["GET /repos/octo-org/agent/git/ref/heads/main 401"]);
}

#[tokio::test]
async fn a_token_that_cannot_be_renewed_for_the_moment_serves_to_its_end() {
    let world = World::new().await;
    let forge = world.as_app();
    forge.branch_head(&main_branch()).await.unwrap();
    world.advance(57);
    world.refuse("POST", "/app/**", 503, "Service Unavailable");
    forge.branch_head(&main_branch()).await.unwrap();
    world.advance(4);
    world.refuse("POST", "/app/**", 503, "Service Unavailable");
    let (error, shown) = refusal(&forge).await;
    assert!(matches!(error, ForgeError::Unavailable(_)), "{shown}");
    forge.branch_head(&main_branch()).await.unwrap();
    assert_eq!(world.twin.faults_left(), 0);
}

#[tokio::test]
async fn a_limit_on_tokens_is_passed_on() {
    let world = World::new().await;
    let forge = world.as_app();
    world.refuse("POST", "/app/**", 429, "API rate limit exceeded");
    let (error, shown) = refusal(&forge).await;
    assert!(matches!(error, ForgeError::RateLimited { .. }), "{shown}");
}
