//! Where base commits come from.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use selfext_domain::RepositoryName;
use selfext_domain::ports::Source;

use crate::Secret;

/// The repository that base commits are fetched from.
#[derive(Clone, Debug)]
pub enum GitSource {
    /// A repository on this machine, bare or not. Its objects are copied, so it may change or vanish later. It may belong to
    /// another user: naming it here says that its configuration may be read, and of that nothing is run.
    Path(PathBuf),
    /// A repository behind HTTPS. Redirects are not followed, since they would carry the token along: give the address that
    /// the repository has now.
    Https {
        /// Its address.
        url: RemoteUrl,
        /// A token that may read it. It reaches git through its environment alone.
        token: Option<Secret>,
    },
    /// A repository behind HTTPS whose address and token may change: they are asked for before each fetch.
    Asked(Arc<dyn RemoteAccess>),
}

/// Where a repository behind HTTPS is, and what may read it.
#[derive(Clone, Debug)]
pub struct Remote {
    /// Its address.
    pub url: RemoteUrl,
    /// A token that may read it. It reaches git through its environment alone.
    pub token: Option<Secret>,
}

/// Knows where a repository is now and what may read it now. Its `Debug` shows no token.
#[async_trait]
pub trait RemoteAccess: fmt::Debug + Send + Sync {
    /// What the next fetch uses.
    ///
    /// # Errors
    /// Whatever kept it from being known; no credential is in it.
    async fn remote(&self) -> Result<Remote, Source>;

    /// What to use after a source refused the token, or said that the repository has moved; nothing if there is nothing else.
    /// Asked once a fetch.
    ///
    /// # Errors
    /// As [`RemoteAccess::remote`].
    async fn instead(&self) -> Result<Option<Remote>, Source>;
}

/// Why a text is not the address of a repository. It does not repeat the text, which may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the repository's address {0}")]
pub struct InvalidUrl(&'static str);

/// The address of a repository: `https://host/path` without user, query or fragment. Plain `http://` is taken for loopback
/// only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteUrl(String);

impl RemoteUrl {
    /// Parses an address.
    ///
    /// # Errors
    /// [`InvalidUrl`] says which rule it breaks.
    pub fn parse(text: impl Into<String>) -> Result<Self, InvalidUrl> {
        let text = text.into();
        if text.len() > 2048 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(InvalidUrl("is longer than 2048 bytes or holds a character that is not printable ASCII"));
        }
        let (rest, plain) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (rest, false),
            (_, Some(rest)) => (rest, true),
            _ => return Err(InvalidUrl("does not begin with https://")),
        };
        let (authority, path) = rest.split_once('/').ok_or(InvalidUrl("has no path"))?;
        if authority.contains('@') {
            return Err(InvalidUrl("holds a user name; give the token apart"));
        }
        let host = authority.rsplit_once(':').filter(|_| !authority.ends_with(']')).map_or(authority, |(host, _)| host);
        if host.is_empty() || path.is_empty() {
            return Err(InvalidUrl("has no host or no path"));
        }
        if path.contains(['?', '#', '\\']) || authority.contains(['?', '#', '\\']) {
            return Err(InvalidUrl("has a query, a fragment or a backslash"));
        }
        if plain && !["127.0.0.1", "localhost", "[::1]"].contains(&host) {
            return Err(InvalidUrl("is not encrypted; http:// is taken for this machine only"));
        }
        Ok(Self(text))
    }

    /// The address of a repository on github.com.
    #[must_use]
    pub fn github(repository: &RepositoryName) -> Self {
        Self(format!("https://github.com/{repository}.git"))
    }

    /// The address as it was parsed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_encrypted_or_on_this_machine_and_holds_no_user() {
        for good in [
            "https://github.com/o/r.git",
            "https://host:8443/x",
            "http://127.0.0.1:4000/o/r",
            "http://localhost/r",
            "http://[::1]:80/r",
        ] {
            assert!(RemoteUrl::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "github.com/o/r",
            "http://github.com/o/r",
            "https://",
            "https:///r",
            "https://host",
            "https://host/",
            "https://user:pw@host/r",
            "https://host/r?x=1",
            "https://host/a b",
            "ext::sh -c x",
            "--upload-pack=x",
            "file:///r",
            "ssh://host/r",
            "http://127.0.0.1.evil.example/r",
            "https://host/r\n",
            "https://hö/r",
            "http://[::1]x/r",
        ] {
            assert!(RemoteUrl::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_secret_is_not_shown() {
        let source = GitSource::Https {
            url: RemoteUrl::github(&RepositoryName::parse("o/r").unwrap()),
            token: Some(Secret::new("hush")),
        };
        let shown = format!("{source:?}");
        assert!(shown.contains("https://github.com/o/r.git") && !shown.contains("hush"), "{shown}");
    }
}
