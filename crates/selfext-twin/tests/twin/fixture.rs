//! A repository with a twin over it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use selfext_contracts::GithubDescription;
use selfext_twin::{Serving, Twin, TwinConfig, TwinHandle};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::client::{self, Answer};

/// The repository's files at the beginning, on `main`.
const HISTORY: &str = "commit refs/heads/main
committer Somebody <somebody@selfext.invalid> 1700000000 +0000
data 5
first
M 100644 inline README.md
data 6
hello

M 100755 inline bin/run
data 10
#!/bin/sh

M 120000 inline link
data 9
README.md
M 100644 inline src/a.txt
data 6
a
b
c

";

pub struct Fixture {
    directory: TempDir,
    serving: Option<Serving>,
}

impl Fixture {
    /// A bare repository with one commit on `main`, served.
    pub async fn new() -> Self {
        Self::with(|config| config).await
    }

    /// The same with another configuration.
    pub async fn with(adjust: impl FnOnce(TwinConfig) -> TwinConfig) -> Self {
        let mut fixture = Self::unserved();
        fixture.start(adjust(config())).await;
        fixture
    }

    /// The same without a twin.
    pub fn unserved() -> Self {
        let directory = TempDir::new().expect("a directory");
        let fixture = Self { directory, serving: None };
        git(fixture.directory.path(), &["init", "--quiet", "--bare", "-b", "main", "r.git"]);
        let mut import = Command::new("git")
            .args(["fast-import", "--quiet"])
            .current_dir(fixture.repository())
            .stdin(Stdio::piped())
            .spawn()
            .expect("git");
        let mut input = import.stdin.take().expect("a pipe");
        input.write_all(HISTORY.as_bytes()).expect("written");
        drop(input);
        assert!(import.wait().expect("git").success());
        fixture
    }

    pub fn repository(&self) -> PathBuf {
        self.directory.path().join("r.git")
    }

    pub async fn start(&mut self, config: TwinConfig) {
        let twin = Twin::open(&self.repository(), config).await.expect("opened");
        let serving = twin.serve(([127, 0, 0, 1], 0).into()).await.expect("served");
        self.serving = Some(serving);
    }

    pub async fn stop(&mut self) {
        self.serving.take().expect("served").shutdown().await;
    }

    pub fn serving(&self) -> &Serving {
        self.serving.as_ref().expect("served")
    }

    pub fn handle(&self) -> TwinHandle {
        self.serving().handle()
    }

    /// Runs git on the repository and gives what it printed, trimmed.
    pub fn git(&self, arguments: &[&str]) -> String {
        git(&self.repository(), arguments)
    }

    /// Sends a request for something of the repository; `path` begins after its name.
    pub async fn call(&self, method: &str, path: &str, body: Value) -> Answer {
        self.try_call(method, path, body).await.expect("an answer")
    }

    pub async fn try_call(&self, method: &str, path: &str, body: Value) -> std::io::Result<Answer> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let target = format!("/repos/Owner/Name{path}");
        client::send(self.serving().addr(), method, &target, &[], body.as_bytes()).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, Value::Null).await
    }

    /// A commit on top of a branch's head that writes one file, over the API; the branch itself stays.
    pub async fn commit(&self, on: &str, path: &str, content: &str) -> String {
        let parent = self.get(&format!("/git/ref/heads/{on}")).await.text("/object/sha").to_owned();
        let entry = json!({"path": path, "mode": "100644", "type": "blob", "content": content});
        let tree = self.call("POST", "/git/trees", json!({"base_tree": parent, "tree": [entry]})).await;
        let commit = json!({"message": format!("write {path}"), "tree": tree.text("/sha"), "parents": [parent]});
        self.call("POST", "/git/commits", commit).await.text("/sha").to_owned()
    }

    /// A branch with one commit that writes one file; gives the commit.
    pub async fn branch(&self, name: &str, path: &str, content: &str) -> String {
        let sha = self.commit("main", path, content).await;
        let created = json!({"ref": format!("refs/heads/{name}"), "sha": sha});
        assert_eq!(self.call("POST", "/git/refs", created).await.status, 201);
        sha
    }

    /// A pull request of such a branch into `main`; gives its number and its head.
    pub async fn pull(&self, name: &str, path: &str, content: &str) -> (u64, String) {
        let sha = self.branch(name, path, content).await;
        let pull = self.open(name).await;
        assert_eq!(pull.status, 201, "{pull:?}");
        (pull.body["number"].as_u64().expect("a number"), sha)
    }

    /// Opens a pull request into `main`.
    pub async fn open(&self, head: &str) -> Answer {
        self.call("POST", "/pulls", json!({"title": format!("Change {head}"), "head": head, "base": "main"})).await
    }

    pub async fn merge(&self, number: u64, body: Value) -> Answer {
        self.call("PUT", &format!("/pulls/{number}/merge"), body).await
    }

    /// Asserts that all requests so far and the answers to them are as GitHub describes them.
    #[track_caller]
    pub fn conforms(&self) {
        static DESCRIPTION: LazyLock<GithubDescription> = LazyLock::new(GithubDescription::load);
        for exchange in self.handle().exchanges() {
            let checked = DESCRIPTION.check(
                &exchange.method,
                &exchange.path_and_query,
                exchange.request_body.as_ref(),
                exchange.status.unwrap_or_default(),
                exchange.response_body.as_ref(),
            );
            assert_eq!(checked, Ok(()), "{exchange:?}");
        }
    }

    pub async fn pull_json(&self, number: u64) -> Value {
        self.get(&format!("/pulls/{number}")).await.body
    }
}

/// The configuration of all twins here.
pub fn config() -> TwinConfig {
    TwinConfig::new("owner", "name").login("agent")
}

pub fn git(directory: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git").args(arguments).current_dir(directory).output().expect("git");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}
