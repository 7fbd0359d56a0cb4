//! Bringing a branch from the source into the cache.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use selfext_domain::ports::VerifierError;
use selfext_domain::{BranchName, Digest32};

use super::Repository;
use crate::error::{unavailable, unavailable_by};
use crate::git::{Git, GitAnswer, GitCall};
use crate::{GitSource, RemoteUrl, Secret};

const WHAT: &str = "the base branch cannot be fetched";

/// What a fetch over HTTPS takes of this process's environment: where the proxy and the certificates are.
const NETWORK_VARIABLES: &[&str] = &[
    "https_proxy",
    "HTTPS_PROXY",
    "http_proxy",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// Fetches a branch; `false` if the source has no such branch. The caller holds the cache's lock.
pub(super) async fn fetch(
    repository: &Repository,
    source: &GitSource,
    branch: &BranchName,
    time_limit: Duration,
) -> Result<bool, VerifierError> {
    let call = repository.call(WHAT).time_limit(time_limit);
    match source {
        GitSource::Path(path) => {
            let place = tokio::fs::canonicalize(path).await.map_err(|error| {
                unavailable_by(&format!("the source repository {} cannot be read", path.display()), error)
            })?;
            let call = call.args(["-c", "protocol.file.allow=always"]).args(OPTIONS);
            let call = call.arg(format!("--upload-pack={}", Git::upload_pack())).arg("--").arg(place);
            understand(&call.arg(refspec(branch)).answer().await?)?.or_failure()
        }
        GitSource::Https { url, token } => from_remote(call, url, token.as_ref(), branch).await?.or_failure(),
        GitSource::Asked(access) => {
            let unknown = |error| unavailable_by("the repository's address or token cannot be had", error);
            let remote = access.remote().await.map_err(unknown)?;
            let refused = match from_remote(call, &remote.url, remote.token.as_ref(), branch).await? {
                Fetched::Refused(refused) => refused,
                fetched => return fetched.or_failure(),
            };
            let Some(remote) = access.instead().await.map_err(unknown)? else { return Err(refused) };
            let call = repository.call(WHAT).time_limit(time_limit);
            from_remote(call, &remote.url, remote.token.as_ref(), branch).await?.or_failure()
        }
    }
}

const OPTIONS: [&str; 7] = [
    "fetch",
    "--quiet",
    "--no-tags",
    "--no-write-fetch-head",
    "--no-auto-maintenance",
    "--no-recurse-submodules",
    "--update-shallow",
];

/// What became of a fetch.
enum Fetched {
    Done,
    NoSuchBranch,
    /// Another address or token may help.
    Refused(VerifierError),
}

impl Fetched {
    fn or_failure(self) -> Result<bool, VerifierError> {
        match self {
            Self::Done => Ok(true),
            Self::NoSuchBranch => Ok(false),
            Self::Refused(error) => Err(error),
        }
    }
}

async fn from_remote(
    call: GitCall,
    url: &RemoteUrl,
    token: Option<&Secret>,
    branch: &BranchName,
) -> Result<Fetched, VerifierError> {
    let call = authorize(allow_network(call, url), url, token).args(OPTIONS).arg("--").arg(url.as_str());
    understand(&call.arg(refspec(branch)).answer().await?)
}

/// The branch's name is hashed, so that `a` and a later `a/b` never stand in each other's way.
fn refspec(branch: &BranchName) -> String {
    format!("+refs/heads/{branch}:refs/selfext/bases/{}", Digest32::of(branch.as_str().as_bytes()))
}

fn understand(answer: &GitAnswer) -> Result<Fetched, VerifierError> {
    if answer.succeeded() {
        return Ok(Fetched::Done);
    }
    let message = answer.message();
    if message.contains("couldn't find remote ref") {
        return Ok(Fetched::NoSuchBranch);
    }
    if message.contains("returned error: 30") {
        let moved = format!("{WHAT}: the repository has moved; give its new address");
        return Ok(Fetched::Refused(unavailable(&moved)));
    }
    if message.contains("could not read Username") || message.contains("Authentication failed") {
        let refused = "the source refuses the token, or wants one; give one that may read the repository";
        return Ok(Fetched::Refused(unavailable(&format!("{WHAT}: {refused}"))));
    }
    Err(answer.failure(WHAT))
}

fn allow_network(call: GitCall, url: &RemoteUrl) -> GitCall {
    let transport =
        if url.as_str().starts_with("https:") { "protocol.https.allow=always" } else { "protocol.http.allow=always" };
    let call = call.args(["-c", transport]);
    NETWORK_VARIABLES.iter().fold(call, |call, name| match std::env::var_os(name) {
        Some(value) => call.env(name, value),
        None => call,
    })
}

/// Gives git the token through its environment: arguments are seen by every user of the machine, files stay behind.
fn authorize(call: GitCall, url: &RemoteUrl, token: Option<&Secret>) -> GitCall {
    let Some(token) = token else { return call };
    let coded = STANDARD.encode(format!("x-access-token:{}", token.expose()));
    call.env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", format!("http.{url}.extraHeader"))
        .env("GIT_CONFIG_VALUE_0", format!("Authorization: Basic {coded}"))
        .hide(token.expose())
        .hide(coded)
}
