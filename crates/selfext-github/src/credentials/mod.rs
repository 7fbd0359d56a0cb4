//! What authorises requests: a token that stays, or a GitHub App's tokens, which are renewed.

mod app;
mod installation;
mod jwt;
mod key;
mod permissions;

use std::sync::{Arc, PoisonError, RwLock};

use http::HeaderValue;
use http::header::InvalidHeaderValue;
use selfext_domain::ports::ForgeError;

pub use app::{GithubApp, InvalidAppId};
pub(crate) use installation::Installation;
pub use key::{AppKey, InvalidAppKey};

use crate::client::Client;
use crate::token::SecretToken;

/// How many tokens are remembered, to be removed from what servers echo. One that is older has expired: an App's live an hour.
const REMEMBERED: usize = 8;

/// A token, ready to be sent.
pub(crate) struct Credential {
    pub(crate) token: SecretToken,
    pub(crate) header: HeaderValue,
}

impl Credential {
    pub(crate) fn new(token: SecretToken) -> Result<Self, InvalidHeaderValue> {
        let header = token.authorization()?;
        Ok(Self { token, header })
    }
}

/// Where credentials come from.
pub(crate) enum Source {
    /// A token that stays as it is.
    Fixed(Arc<Credential>),
    /// The tokens of a GitHub App's installation.
    App(Box<Installation>),
}

/// The credentials of one client.
pub(crate) struct Credentials {
    source: Source,
    /// The last tokens, the newest last.
    used: RwLock<Vec<SecretToken>>,
}

impl Credentials {
    pub(crate) fn new(source: Source) -> Self {
        let used = match &source {
            Source::Fixed(credential) => vec![credential.token.clone()],
            Source::App(_) => Vec::new(),
        };
        Self { source, used: RwLock::new(used) }
    }

    /// Keeps a token's text, to remove it from answers.
    fn remember(&self, token: &SecretToken) {
        let mut used = self.used.write().unwrap_or_else(PoisonError::into_inner);
        used.push(token.clone());
        let surplus = used.len().saturating_sub(REMEMBERED);
        used.drain(..surplus);
    }

    /// A text of a server's without any token that was in use.
    pub(crate) fn remove_from(&self, text: Vec<u8>) -> Vec<u8> {
        let used = self.used.read().unwrap_or_else(PoisonError::into_inner);
        used.iter().fold(text, |text, token| token.remove_from(text))
    }
}

impl Client {
    /// What authorises the next request.
    pub(crate) async fn credential(&self) -> Result<Arc<Credential>, ForgeError> {
        match &self.inner.credentials.source {
            Source::Fixed(credential) => Ok(Arc::clone(credential)),
            Source::App(installation) => installation.credential(self).await,
        }
    }

    /// The id of the App in whose name check runs are made; nothing where nobody may, as with a token.
    pub(crate) async fn app_that_checks(&self) -> Result<Option<u64>, ForgeError> {
        let Source::App(installation) = &self.inner.credentials.source else { return Ok(None) };
        installation.credential(self).await?;
        Ok(installation.checks_as())
    }

    /// Whether requests are made by a GitHub App.
    pub(crate) fn is_app(&self) -> bool {
        matches!(self.inner.credentials.source, Source::App(_))
    }

    /// Makes no check runs, after GitHub has said that it may not, until the App has another token.
    pub(crate) fn may_not_check(&self) {
        if let Source::App(installation) = &self.inner.credentials.source {
            installation.may_not_check();
        }
    }

    /// What to use instead of a credential that GitHub refused; nothing if there is no other.
    pub(crate) async fn instead_of(&self, refused: &Arc<Credential>) -> Result<Option<Arc<Credential>>, ForgeError> {
        match &self.inner.credentials.source {
            Source::Fixed(_) => Ok(None),
            Source::App(installation) => installation.instead_of(self, refused).await.map(Some),
        }
    }
}
