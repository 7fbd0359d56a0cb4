//! Redirects are followed inside the API alone, so that a credential goes nowhere else.

use std::sync::Arc;

use selfext_contracts::app_key::PKCS1;
use selfext_domain::ports::{Forge as _, ForgeError};
use selfext_domain::{BranchName, CommitSha};
use selfext_github::{AppKey, GithubApp, OctocrabForge, SecretToken};
use url::Url;

use crate::raw::Raw;
use crate::world::{HeldClock, TOKEN, main_branch, name, refusal};

const IDENTITY: &str = r#"{"id":7,"node_id":"R_7","full_name":"octo-org/agent"}"#;

fn forge(port: u16) -> OctocrabForge {
    OctocrabForge::builder(name("octo-org/agent"))
        .token(SecretToken::parse(TOKEN).unwrap())
        .base_url(Url::parse(&format!("http://127.0.0.1:{port}/api/v3")).unwrap())
        .build()
        .unwrap()
}

/// A server of the API that says which repository it is, and leaves the rest to the test.
async fn api(answer: impl Fn(&str) -> (String, String) + Send + Sync + 'static) -> Raw {
    Raw::answering(move |request| {
        if request.starts_with("GET /api/v3/repos/octo-org/agent HTTP") {
            ("200 OK".to_owned(), IDENTITY.to_owned())
        } else {
            answer(request)
        }
    })
    .await
}

fn moved(status: u16, to: &str) -> (String, String) {
    (format!("{status} Elsewhere\r\nlocation: {to}"), r#"{"message":"Moved"}"#.to_owned())
}

fn reference() -> (String, String) {
    let body = format!(r#"{{"ref":"refs/heads/main","object":{{"sha":"{}"}}}}"#, "d".repeat(40));
    ("200 OK".to_owned(), body)
}

#[tokio::test]
async fn nothing_is_sent_to_another_server_whoever_asks() {
    let mut target = Raw::answering(|_| ("200 OK".to_owned(), "{}".to_owned())).await;
    let to = format!("http://127.0.0.1:{}/api/v3/repositories/7", target.port);
    for status in [301, 302, 303, 307, 308] {
        // Every request is led away, also the one for the repository itself and an App's.
        let elsewhere = to.clone();
        let mut away = Raw::answering(move |_| moved(status, &elsewhere)).await;
        let app = GithubApp::new("77", AppKey::from_pem(PKCS1).unwrap()).unwrap();
        let base = Url::parse(&format!("http://127.0.0.1:{}/api/v3", away.port)).unwrap();
        let as_app = OctocrabForge::builder(name("octo-org/agent")).app(app, Arc::new(HeldClock::new())).base_url(base);
        for forge in [forge(away.port), as_app.build().unwrap()] {
            let (error, shown) = refusal(&forge).await;
            assert!(matches!(error, ForgeError::Refused(_)), "{shown}");
            assert!(shown.contains("points to the host 127.0.0.1, outside of the API"), "{shown}");
            assert!(!shown.contains("repositories"), "the host alone: {shown}");
        }
        assert!(away.asked().iter().all(|asked| asked.contains("uthorization: Bearer ")), "the credential was there");

        let elsewhere = to.clone();
        let writes = api(move |_| moved(status, &elsewhere)).await;
        let head = CommitSha::parse("a".repeat(40)).unwrap();
        let error = forge(writes.port).show_permit(&head, true).await.unwrap_err();
        assert!(matches!(error, ForgeError::Refused(_)), "{error:?}");
    }
    assert_eq!(target.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn the_same_host_outside_of_the_apis_path_is_elsewhere() {
    let mut server = api(|_| moved(302, "/login")).await;
    let (error, shown) = refusal(&forge(server.port)).await;
    assert!(matches!(error, ForgeError::Refused(_)) && shown.contains("outside of the API"), "{shown}");
    assert!(server.asked().iter().all(|asked| !asked.contains(" /login ")));
}

#[tokio::test]
async fn a_read_is_followed_inside_the_api_with_its_credential() {
    for status in [301, 302, 303, 307, 308] {
        let mut server = api(move |request| {
            if request.starts_with("GET /api/v3/elsewhere?x=1 ") {
                reference()
            } else {
                moved(status, "/api/v3/elsewhere?x=1")
            }
        })
        .await;
        let head = forge(server.port).branch_head(&main_branch()).await.unwrap();
        assert_eq!(head.as_str(), "d".repeat(40));
        let asked = server.asked();
        let followed = asked.iter().find(|asked| asked.starts_with("GET /api/v3/elsewhere?x=1 ")).unwrap();
        assert!(followed.contains(&format!("uthorization: Bearer {TOKEN}\r\n")), "{followed}");
    }
}

#[tokio::test]
async fn a_write_is_followed_with_its_method_and_body_where_the_answer_keeps_them() {
    let branch = BranchName::parse("selfext/a/b").unwrap();
    for (status, follows) in [(301, false), (302, false), (303, false), (307, true), (308, true)] {
        let mut server = api(move |request| {
            if request.contains(" /api/v3/elsewhere ") {
                ("201 Created".to_owned(), "{}".to_owned())
            } else {
                moved(status, "/api/v3/elsewhere")
            }
        })
        .await;
        let head = CommitSha::parse("a".repeat(40)).unwrap();
        let shown = forge(server.port).show_permit(&head, true).await;
        let asked = server.asked();
        let writes: Vec<_> = asked.iter().filter(|asked| asked.starts_with("POST ")).collect();
        if follows {
            shown.unwrap();
            let [first, second] = writes[..] else { panic!("{asked:?}") };
            let body = |request: &str| request.split_once("\r\n\r\n").unwrap().1.to_owned();
            assert_eq!(body(first), body(second));
            assert!(
                body(second).contains("selfext/permit") && second.starts_with("POST /api/v3/elsewhere "),
                "{second}"
            );
        } else {
            let error = shown.unwrap_err();
            assert!(error.to_string().contains(&format!("answered with {status}")), "{error}");
            assert_eq!(writes.len(), 1, "{asked:?}");
        }
        assert!(matches!(
            forge(server.port).delete_branch(&branch).await,
            Err(ForgeError::Unreadable(_) | ForgeError::Refused(_))
        ));
    }
}

#[tokio::test]
async fn a_circle_ends() {
    for to in [
        "/api/v3/repos/octo-org/agent/git/ref/heads/main",
        "/api/v3/elsewhere",
        "/api/v3/repositories/7/git/ref/heads/main",
    ] {
        let mut server = Raw::answering(move |request| {
            let identity = request.contains("/octo-org/agent HTTP") || request.contains("/repositories/7 HTTP");
            if identity { ("200 OK".to_owned(), IDENTITY.to_owned()) } else { moved(301, to) }
        })
        .await;
        let (error, shown) = refusal(&forge(server.port)).await;
        assert!(matches!(error, ForgeError::Refused(_)) && shown.contains("from one place to the next"), "{shown}");
        assert!(server.asked().len() <= 10);
    }
}
