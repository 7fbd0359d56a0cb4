//! A GitHub App: what it has to prove, and what its tokens are good for.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use ring::rand::SystemRandom;
use ring::rsa::KeyPair;
use ring::signature::RSA_PKCS1_SHA256;
use selfext_twin::{AppIdentity, TwinApp};
use serde_json::{Value, json};

use super::client::{self, Answer};
use super::fixture::Fixture;

const KEY: &str = include_str!("../../../../tests/app-keys/pkcs1.pem");
const PUBLIC: &[u8] = include_bytes!("../../../../tests/app-keys/public.der");

const TOKENS: &str = "/app/installations/4711/access_tokens";

pub async fn twin(adjust: impl FnOnce(TwinApp) -> TwinApp) -> Fixture {
    let app = adjust(TwinApp::new(AppIdentity::new(77, "my-app"), PUBLIC));
    Fixture::with(|config| config.repository_id(9).github_app(app)).await
}

/// A JSON web token over these claims.
fn signed(header: &Value, claims: &Value) -> String {
    let der: String = KEY.lines().filter(|line| !line.starts_with('-')).collect();
    let key = KeyPair::from_der(&STANDARD.decode(der).expect("base64")).expect("a key");
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", encode(header), encode(claims));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).expect("a signature");
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[expect(clippy::disallowed_methods, reason = "the twin lives in the real time")]
fn claims(begins: i64, ends: i64) -> Value {
    let now = chrono::Utc::now().timestamp();
    json!({"iat": now + begins, "exp": now + ends, "iss": 77})
}

fn rs256() -> Value {
    json!({"alg": "RS256", "typ": "JWT"})
}

fn good() -> String {
    signed(&rs256(), &claims(-60, 540))
}

pub async fn ask(twin: &Fixture, method: &str, target: &str, token: &str, body: Value) -> Answer {
    let header = format!("Bearer {token}");
    let headers = [("Authorization", header.as_str())];
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let sent = client::send(twin.serving().addr(), method, target, &headers, body.as_bytes());
    sent.await.expect("an answer")
}

pub async fn token(twin: &Fixture) -> String {
    let answer = ask(twin, "POST", TOKENS, &good(), json!({})).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.text("/token").to_owned()
}

#[tokio::test]
async fn an_app_proves_itself_by_a_signature_its_id_and_a_short_time() {
    let twin = twin(|app| app).await;
    let answer = ask(&twin, "GET", "/app", &good(), Value::Null).await;
    assert_eq!((answer.status, answer.text("/slug")), (200, "my-app"));
    let mut by_client_id = claims(-60, 540);
    by_client_id["iss"] = answer.body["client_id"].clone();
    assert_eq!(ask(&twin, "GET", "/app", &signed(&rs256(), &by_client_id), Value::Null).await.status, 200);

    let with = |name: &str, value: Value| {
        let mut claims = claims(-60, 540);
        claims[name] = value;
        signed(&rs256(), &claims)
    };
    let good = good();
    let (message, signature) = good.rsplit_once('.').expect("a signature");
    let other_claims = claims(-50, 540).to_string();
    let forged = format!(
        "{}.{}.{signature}",
        message.split('.').next().expect("a header"),
        URL_SAFE_NO_PAD.encode(other_claims)
    );
    for (token, words) in [
        ("x.y.z".to_owned(), "could not be decoded"),
        ("hush".to_owned(), "could not be decoded"),
        (format!("{message}.AAAA"), "could not be decoded"),
        (forged, "could not be decoded"),
        (signed(&json!({"alg": "none"}), &claims(-60, 540)), "could not be decoded"),
        (with("iss", json!(78)), "'Issuer' claim"),
        (with("iss", json!("my-app")), "'Issuer' claim"),
        (with("iat", Value::Null), "could not be decoded"),
        (signed(&rs256(), &claims(30, 540)), "'Issued at' claim"),
        (signed(&rs256(), &claims(-700, -1)), "future time at which the assertion expires"),
        (signed(&rs256(), &claims(-60, 700)), "too far in the future"),
    ] {
        for (method, target) in [("GET", "/app"), ("GET", "/repos/owner/name/installation"), ("POST", TOKENS)] {
            ask(&twin, method, target, &token, Value::Null).await.refused(401, words);
        }
    }
    client::send(twin.serving().addr(), "GET", "/app", &[], b"")
        .await
        .expect("an answer")
        .refused(401, "Bad credentials");
}

#[tokio::test]
async fn a_token_is_good_for_an_hour_and_not_for_what_only_the_app_may() {
    for long in [false, true] {
        let twin = twin(|app| if long { app.long_tokens() } else { app }).await;
        let token = token(&twin).await;
        assert!(token.starts_with(if long { "ghs_77_eyJ" } else { "ghs_" }), "{token}");
        assert_eq!(token.len() > 400, long);
        let repository = async |token: &str| ask(&twin, "GET", "/repos/owner/name", token, Value::Null).await;
        assert_eq!(repository(&token).await.body["id"], 9);
        repository(&format!("{token}x")).await.refused(401, "Bad credentials");
        repository(&good()).await.refused(401, "Bad credentials");
        ask(&twin, "GET", "/app", &token, Value::Null).await.refused(401, "could not be decoded");
        ask(&twin, "GET", "/user", &token, Value::Null).await.refused(403, "Resource not accessible by integration");
        twin.handle().advance_app_clock(TimeDelta::minutes(59));
        assert_eq!(repository(&token).await.status, 200);
        twin.handle().advance_app_clock(TimeDelta::minutes(1));
        repository(&token).await.refused(401, "Bad credentials");
        let told = format!("{:?} {:?}", twin.handle().exchanges(), twin.handle());
        assert!(!told.contains(&token), "a token is recorded");
    }
}

#[tokio::test]
async fn tokens_end_when_they_are_told_to_and_when_the_app_is_taken_out() {
    let twin = twin(|app| app).await;
    let works = async |token: &str| ask(&twin, "GET", "/repos/owner/name", token, Value::Null).await.status == 200;
    let (first, second) = (token(&twin).await, token(&twin).await);
    assert!(works(&first).await && works(&second).await && first != second);
    twin.handle().expire_app_tokens();
    assert!(!works(&first).await && !works(&second).await);
    let third = token(&twin).await;
    twin.handle().set_app_installed(false);
    assert!(!works(&third).await);
    ask(&twin, "GET", "/repos/owner/name/installation", &good(), Value::Null).await.refused(404, "Not Found");
    ask(&twin, "POST", TOKENS, &good(), Value::Null).await.refused(404, "Not Found");
    twin.handle().set_app_installed(true);
    assert!(works(&token(&twin).await).await);
    twin.handle().refuse_new_app_tokens();
    assert!(!works(&token(&twin).await).await);
}

#[tokio::test]
async fn a_token_gets_no_more_than_the_installation_has() {
    let twin = twin(|app| app.permissions([("contents", "read"), ("statuses", "write")])).await;
    let issue = async |body: Value| ask(&twin, "POST", TOKENS, &good(), body).await;
    let installation = ask(&twin, "GET", "/repos/owner/name/installation", &good(), Value::Null).await;
    assert_eq!(installation.body["permissions"], json!({"contents": "read", "statuses": "write"}));
    let issued = issue(json!({"repository_ids": [9], "permissions": {"statuses": "read"}})).await;
    assert_eq!((issued.status, &issued.body["permissions"]), (201, &json!({"statuses": "read"})));
    assert_eq!(issued.body["repositories"][0]["id"], 9);
    for permissions in [json!({"contents": "write"}), json!({"checks": "read"})] {
        issue(json!({"permissions": permissions})).await.refused(422, "permissions requested are not granted");
    }
    for body in [json!({"repository_ids": [8]}), json!({"repositories": ["other"]}), json!({"repository_ids": [9, 8]})]
    {
        issue(body).await.refused(422, "at least one repository that does not exist");
    }
}

#[tokio::test]
async fn a_former_name_leads_to_the_number_under_which_everything_is_served() {
    let twin = Fixture::with(|config| config.repository_id(9)).await;
    let (_, head) = twin.pull("a/b", "x", "y").await;
    twin.handle().rename("new-owner", "new-name");
    let read = twin.get("/pulls/1?x=%2F").await;
    assert_eq!(read.status, 301);
    let base = twin.serving().base_url();
    assert_eq!(read.header("location"), Some(format!("{base}/repositories/9/pulls/1?x=%2F").as_str()));
    let write = twin.call("PATCH", "/pulls/1", json!({"title": "other"})).await;
    assert_eq!(write.status, 307);
    assert_eq!(write.header("location"), Some(format!("{base}/repositories/9/pulls/1").as_str()));

    let at =
        async |target: &str| client::send(twin.serving().addr(), "GET", target, &[], b"").await.expect("an answer");
    assert_eq!(at("/repositories/9").await.text("/full_name"), "new-owner/new-name");
    for target in ["/repositories/9/git/ref/heads/a%2Fb", "/repos/new-owner/new-name/git/ref/heads/a/b"] {
        assert_eq!(at(target).await.text("/object/sha"), head, "{target}");
    }
    assert_eq!(
        at("/repos/new-owner/new-name/pulls/1").await.text("/title"),
        "Change a/b",
        "nothing was done at the old name"
    );
    at("/repositories/8").await.refused(404, "Not Found");
    assert_eq!(twin.handle().pulls().await.len(), 1);

    twin.handle().make_again().await.expect("made");
    at("/repositories/9").await.refused(404, "Not Found");
    assert_eq!(at("/repositories/10").await.text("/full_name"), "new-owner/new-name");
    twin.get("").await.refused(404, "Not Found");
    at("/repos/new-owner/new-name/pulls/1").await.refused(404, "Not Found");
}
