//! An App's installation is found by the repository, and what is wrong with it is said.

use chrono::TimeDelta;
use selfext_contracts::app_key::{PKCS8, PUBLIC};
use selfext_domain::ports::{Forge as _, ForgeError};
use serde_json::json;

use crate::world::*;

#[tokio::test]
async fn a_token_is_for_this_repository_alone_and_has_no_right_that_is_not_needed() {
    let given = [("contents", "write"), ("checks", "read"), ("metadata", "read"), ("issues", "write")];
    let world = World::with(|app| app.permissions(given)).await;
    let forge = world.as_app();
    forge.branch_head(&main_branch()).await.unwrap();
    let rights = json!({"contents": "write", "checks": "read", "metadata": "read"});
    assert_eq!(world.asked_for_tokens(), [json!({"repositories": ["agent"], "permissions": rights})]);
    world.asked();
    world.twin.expire_app_tokens();
    forge.branch_head(&main_branch()).await.unwrap();
    let by_number = json!({"repository_ids": [4001], "permissions": rights});
    assert_eq!(world.asked_for_tokens(), [by_number], "by its number, once that is known");
}

#[tokio::test]
async fn an_app_may_be_named_by_its_client_id_and_its_key_have_another_form() {
    let world = World::new().await;
    world.as_app_with("Iv1.000000000000004d", PKCS8).branch_head(&main_branch()).await.unwrap();
}

#[tokio::test]
async fn an_app_that_is_not_installed_is_told_how_to_be() {
    let world = World::new().await;
    world.twin.set_app_installed(false);
    let forge = world.as_app();
    let (error, shown) = refusal(&forge).await;
    assert!(matches!(error, ForgeError::Unauthorized(_)), "{shown}");
    for words in ["selfext-agent is not installed on octo-org/agent", "Install App"] {
        assert!(shown.contains(words), "{words} is not in {shown}");
    }
    world.twin.set_app_installed(true);
    forge.branch_head(&main_branch()).await.unwrap();

    // Its installation may go, and come back with other rights.
    world.twin.set_app_installed(false);
    let (_, shown) = refusal(&forge).await;
    assert!(shown.contains("is not installed"), "{shown}");
}

#[tokio::test]
async fn a_key_or_an_id_of_another_app_is_told() {
    let world = World::new().await;
    let (error, shown) = refusal(&world.as_app_with("78", PKCS8)).await;
    assert!(matches!(error, ForgeError::Unauthorized(_)) && shown.contains("the App's id and key"), "{shown}");
    assert!(!shown.contains("clock"), "{shown}");

    let mut other = PUBLIC.to_vec();
    // Within the modulus.
    other[20] ^= 1;
    let world = World::with(|_| selfext_twin::TwinApp::new(selfext_twin::AppIdentity::new(77, "x"), other)).await;
    let (error, shown) = refusal(&world.as_app()).await;
    assert!(matches!(error, ForgeError::Unauthorized(_)) && shown.contains("could not be decoded"), "{shown}");
    assert!(!shown.contains("eyJ"), "nothing of what was signed is shown: {shown}");
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_told() {
    let world = World::new().await;
    world.clock.advance(TimeDelta::minutes(20));
    let (error, shown) = refusal(&world.as_app()).await;
    assert!(matches!(error, ForgeError::Unauthorized(_)), "{shown}");
    assert!(shown.contains("clock is 1") && shown.contains("seconds off"), "{shown}");
    world.clock.advance(-TimeDelta::minutes(20));
    // Within a minute it does not matter.
    world.clock.advance(TimeDelta::seconds(50));
    world.as_app().branch_head(&main_branch()).await.unwrap();
}

#[tokio::test]
async fn neither_key_nor_token_is_shown() {
    let world = World::with(selfext_twin::TwinApp::long_tokens).await;
    let forge = world.as_app();
    forge.branch_head(&main_branch()).await.unwrap();
    let first = world.twin.last_app_token().unwrap();
    assert!(first.len() > 400 && first.starts_with("ghs_77_eyJ") && first.matches('.').count() == 2, "{first}");
    assert_eq!(selfext_domain::redact(&format!("<{first}>")), "<[redacted:github-token]>");
    let access = forge.git_access().await.unwrap();
    assert_eq!(access.token.expose(), first);
    let shown = format!("{forge:?} {access:?} {:?}", world.twin);
    assert!(!shown.contains(&first) && !shown.contains("PRIVATE"), "{shown}");

    // A server may echo what it was sent, and later what it was sent before.
    world.twin.expire_app_tokens();
    forge.branch_head(&main_branch()).await.unwrap();
    let second = world.twin.last_app_token().unwrap();
    assert_ne!(first, second);
    world.refuse("GET", "/repos/*/*/git/ref/**", 422, &format!("{first} {second}"));
    let (_, shown) = refusal(&forge).await;
    assert!(shown.contains("[token] [token]"), "{shown}");
}

#[tokio::test]
async fn git_gets_the_token_that_is_good_now() {
    let world = World::new().await;
    let forge = world.as_app();
    let first = forge.git_access().await.unwrap();
    assert_eq!(first.repository, name("octo-org/agent"));
    assert_eq!(forge.git_access_instead_of(&first).await.unwrap(), None, "there is no other");
    world.twin.expire_app_tokens();
    let second = forge.git_access_instead_of(&first).await.unwrap().unwrap();
    assert_eq!(Some(second.token.expose()), world.twin.last_app_token().as_deref());
    world.twin.rename("new-org", "new-agent");
    let third = forge.git_access_instead_of(&second).await.unwrap().unwrap();
    assert_eq!(third.repository, name("new-org/new-agent"));
}
