//! Bringing a branch from the source into the cache.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use selfext_domain::ports::VerifierError;
use selfext_domain::{BranchName, Digest32};

use super::Repository;
use crate::error::{unavailable, unavailable_by};
use crate::git::{Git, GitCall};
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
    let options = [
        "fetch",
        "--quiet",
        "--no-tags",
        "--no-write-fetch-head",
        "--no-auto-maintenance",
        "--no-recurse-submodules",
        "--update-shallow",
    ];
    let call = match source {
        GitSource::Path(path) => {
            let place = tokio::fs::canonicalize(path).await.map_err(|error| {
                unavailable_by(&format!("the source repository {} cannot be read", path.display()), error)
            })?;
            let call = call.args(["-c", "protocol.file.allow=always"]).args(options);
            call.arg(format!("--upload-pack={}", Git::upload_pack())).arg("--").arg(place)
        }
        GitSource::Https { url, token } => {
            let call = authorize(allow_network(call, url), url, token.as_ref());
            call.args(options).arg("--").arg(url.as_str())
        }
    };
    // The branch's name is hashed, so that `a` and a later `a/b` never stand in each other's way.
    let kept_as = Digest32::of(branch.as_str().as_bytes());
    let answer = call.arg(format!("+refs/heads/{branch}:refs/selfext/bases/{kept_as}")).answer().await?;
    if answer.succeeded() {
        return Ok(true);
    }
    let message = answer.message();
    if message.contains("couldn't find remote ref") {
        return Ok(false);
    }
    if message.contains("returned error: 30") {
        return Err(unavailable(&format!("{WHAT}: the repository has moved; give its new address")));
    }
    if message.contains("could not read Username") || message.contains("Authentication failed") {
        let refused = "the source refuses the token, or wants one; give one that may read the repository";
        return Err(unavailable(&format!("{WHAT}: {refused}")));
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
