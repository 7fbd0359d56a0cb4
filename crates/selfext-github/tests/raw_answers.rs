//! What only a server can do that speaks bytes instead of HTTP as it should: pages that are no JSON, bodies without end,
//! redirects, silence; and what a request looks like on the wire.
#![expect(clippy::unwrap_used, reason = "what the tests stand on ends them where it fails")]

use std::time::{Duration, Instant};

use selfext_domain::ports::{Forge, ForgeError, MergeAnswer, Publication, Published};
use selfext_domain::{
    BaseLinks, BranchName, Candidate, CommitSha, EntryChange, EventId, MergeMethod, MergePermit, MergeWay, PermitTerms,
    PullRequestNumber, RepoPath, RepositoryName, RunId, TreeSha,
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

    /// The first request that has these words in its first line.
    async fn asked_for(&mut self, words: &str) -> String {
        loop {
            let asked = self.asked.recv().await.unwrap();
            if asked.lines().next().unwrap().contains(words) {
                return asked;
            }
        }
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
    let request = String::from_utf8_lossy(&request).into_owned();
    // Which repository it is, which a client asks first; what is played here is what comes then.
    if request.starts_with("GET ")
        && request.split(' ').nth(1).is_some_and(|path| path.ends_with("/octo-org/agent.core"))
    {
        let body = r#"{"id":7,"node_id":"R_7","full_name":"octo-org/agent.core"}"#;
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
        let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
        return;
    }
    let _ = asked.send(request);
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
        way: MergeWay::Direct,
        message: "Title\n\nBody\n\nSelfext-Meta: {}\n".to_owned(),
        permit_status: false,
        health: None,
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
    // What the repository is was asked for at the same time.
    let asked = server.asked_for("/git/ref/").await;
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

fn publication() -> Publication {
    let tree = TreeSha::parse("1".repeat(40)).unwrap();
    let write = EntryChange::Write { content: b"ok\n".as_slice().into(), executable: false };
    Publication {
        candidate: Candidate {
            base: CommitSha::parse("2".repeat(40)).unwrap(),
            base_tree: tree.clone(),
            tree,
            entries: vec![(RepoPath::parse("a b.txt").unwrap(), write)],
            links: BaseLinks::default(),
            irreversible: Vec::new(),
        },
        branch: BranchName::parse("selfext/x/y-0123456789abcdef").unwrap(),
        base: main_branch(),
        commit_message: "Title\n\nBody\n\nSelfext-Meta: {}\n".to_owned(),
        title: "A title".to_owned(),
        body: "A body".to_owned(),
        fresh: true,
    }
}

#[tokio::test]
async fn the_mutation_goes_beside_the_api_and_says_exactly_what_is_to_be_made() {
    let refused = answer("502 Bad Gateway", "", "");
    let mut server = RawServer::start("/api/v3", refused).await;
    let error = server.forge().publish(&publication()).await.unwrap_err();
    assert!(matches!(error, ForgeError::Unavailable(_)), "{error:?}");
    let asked = server.asked_for("graphql").await;
    let (head, body) = asked.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /api/graphql HTTP/1.1\r\n"), "{head}");
    assert!(head.to_ascii_lowercase().contains(&format!("\r\nauthorization: bearer {TOKEN}\r\n")), "{head}");
    let sent: serde_json::Value = serde_json::from_str(body).unwrap();
    assert!(sent["query"].as_str().unwrap().starts_with("mutation "), "{sent}");
    let base = "2".repeat(40);
    let expected = serde_json::json!({
        "branch": { "repositoryId": "R_7", "name": "refs/heads/selfext/x/y-0123456789abcdef", "oid": base },
        "commit": {
            "branch": {
                "repositoryNameWithOwner": "octo-org/agent.core",
                "branchName": "selfext/x/y-0123456789abcdef",
            },
            "expectedHeadOid": base,
            "message": { "headline": "Title", "body": "Body\n\nSelfext-Meta: {}\n" },
            "fileChanges": { "additions": [{ "path": "a b.txt", "contents": "b2sK" }], "deletions": [] },
        },
        "pull": {
            "repositoryId": "R_7",
            "baseRefName": "main",
            "headRefName": "selfext/x/y-0123456789abcdef",
            "title": "A title",
            "body": "A body",
        },
    });
    assert_eq!(sent["variables"], expected);
}

/// Which requests a publication made, and how it ended.
async fn published(script: Script) -> (Vec<String>, Result<Published, ForgeError>) {
    let mut server = RawServer::start("/api/v3", script).await;
    let result = server.forge().publish(&publication()).await;
    let mut asked = Vec::new();
    while let Ok(request) = server.asked.try_recv() {
        asked.push(request.lines().next().unwrap().to_owned());
    }
    (asked, result)
}

#[tokio::test]
async fn what_is_no_answer_of_graphqls_is_never_a_publication() {
    let page = "<!DOCTYPE html><title>Unicorn!</title>";
    for (body, kind) in [
        (page, "text/html"),
        ("", "application/json"),
        ("null", "application/json"),
        ("[]", "application/json"),
        (r#"{"data":null,"errors":null}"#, "application/json"),
        (r#"{"data":{"commit":7}}"#, "application/json"),
        (r#"{"data":{"branch":{"ref":{"name":"x"}},"commit":{"commit":{"oid":"#, "application/json"),
        (r#"{"errors":[{}]}"#, "application/json"),
        (r#"{"errors":"no"}"#, "application/json"),
    ] {
        let (asked, result) = published(answer("200 OK", &format!("content-type: {kind}\r\n"), body)).await;
        // The tree is asked for next, and its answer is as unreadable.
        assert!(asked.iter().any(|line| line.starts_with("POST /api/graphql ")), "{asked:?}");
        assert!(asked.last().unwrap().contains("/git/trees "), "{body}: {asked:?}");
        let error = result.unwrap_err();
        assert!(!error.to_string().contains('<') && !error.to_string().contains(TOKEN), "{error}");
    }
}

#[tokio::test]
async fn a_mutation_whose_answer_breaks_off_is_unavailable_and_nothing_else_is_asked() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\nconnection: close\r\n\r\n{\"data\":";
    let endless = "HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n".to_owned();
    for (script, large) in [
        (Script::Say(String::new()), false),
        (Script::Say("nonsense\r\n\r\n".to_owned()), false),
        (Script::Say(head.to_owned()), false),
        (Script::SayThenSilence(head.to_owned()), false),
        (answer("500 Internal Server Error", "", "<html>"), false),
        (Script::SayThenEndless(endless), true),
    ] {
        let (asked, result) = published(script).await;
        let error = result.unwrap_err();
        let fits = if large {
            matches!(error, ForgeError::Unreadable(_))
        } else {
            matches!(error, ForgeError::Unavailable(_))
        };
        assert!(fits, "{error:?}");
        assert!(asked.last().unwrap().starts_with("POST /api/graphql "), "{asked:?}");
    }
}

#[tokio::test]
async fn a_redirect_to_another_server_is_not_followed_and_names_its_host_alone() {
    let target = RawServer::start("", answer("200 OK", "", "{}")).await;
    for status in ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let location = format!("location: {}repositories/1/git/ref/heads/main\r\n", target.base);
        let server = RawServer::start("", answer(status, &location, r#"{"message":"Moved"}"#)).await;
        let error = server.forge().branch_head(&main_branch()).await.unwrap_err();
        assert!(
            matches!(&error, ForgeError::Refused(said) if said.contains("points to the host 127.0.0.1,")),
            "{error:?}"
        );
        assert!(!error.to_string().contains("repositories"), "{error}");
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
