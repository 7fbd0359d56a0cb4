//! What only a server can do that speaks bytes instead of HTTP as it should: pages that are no JSON, bodies without end,
//! redirects, silence; and what a request looks like on the wire.
#![expect(clippy::unwrap_used, reason = "what the tests stand on ends them where it fails")]

use std::time::{Duration, Instant};

use selfext_domain::ports::{Forge, ForgeError, MergeAnswer};
use selfext_domain::{
    BranchName, CommitSha, EventId, MergeMethod, MergePermit, PermitTerms, PullRequestNumber, RepositoryName, RunId,
    TreeSha,
};
use selfext_github::{BuildError, OctocrabForge, Patience, SecretToken, Timeouts};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use url::Url;

const TOKEN: &str = "hush_0a1b2c3d.hush-token";

/// Takes connections one after another and plays a script on each; keeps what was asked.
struct RawServer {
    base: Url,
    port: u16,
    asked: mpsc::UnboundedReceiver<String>,
}

/// What happens on one connection, once its request was read.
#[derive(Clone)]
enum Script {
    Say(String),
    SayThenEndless(String),
    SayThenSilence(String),
}

impl RawServer {
    async fn start(path: &str, script: Script) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, asked) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(play(stream, script.clone(), sender.clone()));
            }
        });
        Self { base: Url::parse(&format!("http://127.0.0.1:{port}{path}")).unwrap(), port, asked }
    }

    fn forge(&self) -> OctocrabForge {
        forge(self.base.clone())
    }
}

async fn play(mut stream: TcpStream, script: Script, asked: mpsc::UnboundedSender<String>) {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0_usize) {
                break;
            }
        }
        match stream.read(&mut buffer).await {
            Ok(count) if count > 0 => request.extend_from_slice(&buffer[..count]),
            _ => return,
        }
    }
    let _ = asked.send(String::from_utf8_lossy(&request).into_owned());
    match script {
        Script::Say(text) => {
            let _ = stream.write_all(text.as_bytes()).await;
        }
        Script::SayThenEndless(text) => {
            let mut result = stream.write_all(text.as_bytes()).await;
            let piece = vec![b' '; 64 * 1024];
            while result.is_ok() {
                result = stream.write_all(&piece).await;
            }
        }
        Script::SayThenSilence(text) => {
            let _ = stream.write_all(text.as_bytes()).await;
            // Until the client goes away.
            while matches!(stream.read(&mut buffer).await, Ok(count) if count > 0) {}
        }
    }
}

fn forge(base: Url) -> OctocrabForge {
    let usual = Duration::from_secs(20);
    OctocrabForge::builder(RepositoryName::parse("octo-org/agent.core").unwrap())
        .token(SecretToken::parse(TOKEN).unwrap())
        .base_url(base)
        .timeouts(Timeouts { connect: usual, read: Duration::from_millis(300), write: usual, request: usual })
        .patience(Patience::new([Duration::from_millis(1)]))
        .build()
        .unwrap()
}

fn answer(status: &str, headers: &str, body: &str) -> Script {
    let length = body.len();
    Script::Say(format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"))
}

fn main_branch() -> BranchName {
    BranchName::parse("main").unwrap()
}

#[expect(clippy::disallowed_methods, reason = "a test has no ledger")]
fn permit() -> MergePermit {
    MergePermit::from_ledger(PermitTerms {
        id: EventId::from_uuid("0198f1d2-7b3c-7a00-8000-000000000001".parse().unwrap()),
        run: RunId::parse("run-1").unwrap(),
        repository: RepositoryName::parse("Octo-Org/agent.core").unwrap(),
        base: main_branch(),
        base_commit: CommitSha::parse("a".repeat(40)).unwrap(),
        pull_request: PullRequestNumber::new(7).unwrap(),
        branch: BranchName::parse("selfext/x/y-0123456789abcdef").unwrap(),
        head: CommitSha::parse("b".repeat(40)).unwrap(),
        tree: TreeSha::parse("c".repeat(40)).unwrap(),
        method: MergeMethod::Squash,
        message: "Title\n\nBody\n\nSelfext-Meta: {}\n".to_owned(),
        permit_status: false,
        holder: "a test".to_owned(),
        granted_at: chrono::DateTime::UNIX_EPOCH,
        deadline: chrono::DateTime::UNIX_EPOCH,
    })
}

#[tokio::test]
async fn the_token_travels_in_its_header_alone_and_a_base_keeps_its_path() {
    let sha = "d".repeat(40);
    let body = format!(r#"{{"ref":"refs/heads/a#b/c","object":{{"sha":"{sha}"}}}}"#);
    let mut server = RawServer::start("/api/v3/", answer("200 OK", "", &body)).await;
    let head = server.forge().branch_head(&BranchName::parse("a#b/c").unwrap()).await.unwrap();
    assert_eq!(head.as_str(), sha);
    let asked = server.asked.recv().await.unwrap();
    assert!(asked.starts_with("GET /api/v3/repos/octo-org/agent.core/git/ref/heads/a%23b/c HTTP/1.1\r\n"), "{asked}");
    assert_eq!(asked.matches(TOKEN).count(), 1);
    let lower = asked.to_ascii_lowercase();
    assert!(lower.contains(&format!("\r\nauthorization: bearer {TOKEN}\r\n")), "{asked}");
    assert!(lower.contains(&format!("\r\nhost: 127.0.0.1:{}\r\n", server.port)), "{asked}");
    assert!(lower.contains("\r\nuser-agent: selfext/") && lower.contains("\r\nx-github-api-version: 2022-11-28\r\n"));
}

#[tokio::test]
async fn the_merge_is_bound_to_its_head_and_carries_its_message() {
    let body = format!(r#"{{"sha":"{}","merged":true,"message":"done"}}"#, "e".repeat(40));
    let mut server = RawServer::start("", answer("200 OK", "", &body)).await;
    let merged = server.forge().merge(permit()).await;
    assert!(matches!(merged, MergeAnswer::Merged { .. }), "{merged:?}");
    let asked = server.asked.recv().await.unwrap();
    let (head, body) = asked.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("PUT /repos/octo-org/agent.core/pulls/7/merge HTTP/1.1\r\n"), "{head}");
    let expected = format!(
        r#"{{"sha":"{}","merge_method":"squash","commit_title":"Title","commit_message":"Body\n\nSelfext-Meta: {{}}"}}"#,
        "b".repeat(40)
    );
    assert_eq!(body, expected);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let target = RawServer::start("", answer("200 OK", "", "{}")).await;
    for status in ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let location = format!("location: {}repositories/1/git/ref/heads/main\r\n", target.base);
        let server = RawServer::start("", answer(status, &location, r#"{"message":"Moved"}"#)).await;
        let error = server.forge().branch_head(&main_branch()).await.unwrap_err();
        assert!(matches!(error, ForgeError::Refused(_)), "{error:?}");
        let merged = server.forge().merge(permit()).await;
        assert!(matches!(merged, MergeAnswer::InDoubt { .. }), "{merged:?}");
    }
    let mut target = target;
    assert!(target.asked.try_recv().is_err(), "nobody asked the other server");
}

#[tokio::test]
async fn a_page_of_a_proxy_says_nothing_about_a_merge() {
    let page = "<!DOCTYPE html><title>Unicorn!</title><p>No server is currently available.";
    for status in
        ["403 Forbidden", "404 Not Found", "405 Method Not Allowed", "409 Conflict", "422 Unprocessable Entity"]
    {
        let server = RawServer::start("", answer(status, "content-type: text/html\r\n", page)).await;
        let merged = server.forge().merge(permit()).await;
        assert!(matches!(&merged, MergeAnswer::InDoubt { message } if !message.contains('<')), "{merged:?}");
    }
    let server = RawServer::start("", answer("200 OK", "content-type: text/html\r\n", page)).await;
    assert!(matches!(server.forge().merge(permit()).await, MergeAnswer::InDoubt { .. }));
    let error = server.forge().branch_head(&main_branch()).await.unwrap_err();
    assert!(matches!(error, ForgeError::Unreadable(_)), "{error:?}");
}

#[tokio::test]
async fn a_body_without_end_is_cut() {
    for (head, refused) in [("200 OK", false), ("409 Conflict", true), ("500 Internal Server Error", true)] {
        let head = format!("HTTP/1.1 {head}\r\ncontent-length: 99999999999\r\n\r\n");
        let server = RawServer::start("", Script::SayThenEndless(head)).await;
        let error = server.forge().branch_head(&main_branch()).await.unwrap_err();
        assert!(matches!(error, ForgeError::Unreadable(_)), "{error:?}");
        assert_eq!(error.to_string().contains("262144"), refused, "{error}");
        assert!(matches!(server.forge().merge(permit()).await, MergeAnswer::InDoubt { .. }));
    }
}

#[tokio::test]
async fn silence_in_the_middle_of_a_body_ends_the_request() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{";
    let server = RawServer::start("", Script::SayThenSilence(head.to_owned())).await;
    let begun = Instant::now();
    let error = server.forge().branch_head(&main_branch()).await.unwrap_err();
    assert!(matches!(error, ForgeError::Unavailable(_)), "{error:?}");
    assert!(begun.elapsed() < Duration::from_secs(10), "the limit on the pause, not the one on the request");
    assert!(matches!(server.forge().merge(permit()).await, MergeAnswer::InDoubt { .. }));
}

#[tokio::test]
async fn what_is_not_http_is_unavailable() {
    for text in ["", "nonsense\r\n\r\n", "HTTP/1.1 999999 X\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n"] {
        let server = RawServer::start("", Script::Say(text.to_owned())).await;
        let error = server.forge().branch_head(&main_branch()).await.unwrap_err();
        assert!(matches!(error, ForgeError::Unavailable(_)), "{error:?}");
        assert!(matches!(server.forge().merge(permit()).await, MergeAnswer::InDoubt { .. }));
    }
}

#[tokio::test]
async fn a_merge_that_nobody_listened_to_may_pass() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let base = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let forge = forge(base);
    let merged = forge.merge(permit()).await;
    assert!(matches!(merged, MergeAnswer::MayPass { .. }), "{merged:?}");
    let error = forge.branch_head(&main_branch()).await.unwrap_err();
    assert!(matches!(error, ForgeError::Unavailable(_)), "{error:?}");
}

#[test]
fn without_a_runtime_or_a_token_there_is_no_forge_and_no_panic() {
    let builder = || OctocrabForge::builder(RepositoryName::parse("a/b").unwrap());
    let token = SecretToken::parse(TOKEN).unwrap();
    assert_eq!(builder().build().unwrap_err(), BuildError::NoToken);
    assert_eq!(builder().token(token.clone()).build().unwrap_err(), BuildError::NoRuntime);
    let insecure = Url::parse("http://ghe.example/api/v3").unwrap();
    let error = builder().token(token.clone()).base_url(insecure).build().unwrap_err();
    assert!(matches!(error, BuildError::Base(_)));
    let shown = format!("{:?}", builder().token(token));
    assert!(!shown.contains(TOKEN), "{shown}");
}

#[tokio::test]
async fn a_forge_shows_no_token() {
    let forge = forge(Url::parse("https://ghe.example/api/v3").unwrap());
    assert!(!format!("{forge:?} {forge:#?}").contains(TOKEN));
}
