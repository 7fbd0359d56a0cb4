//! How an [`OctocrabForge`] comes to be.

use std::sync::Arc;

use http::header::USER_AGENT;
use octocrab::Octocrab;
use selfext_domain::RepositoryName;
use url::Url;

use crate::client::{Client, Inner};
use crate::forge::OctocrabForge;
use crate::identity::Identity;
use crate::patience::Patience;
use crate::publish::GraphqlSupport;
use crate::route::{ApiBase, InvalidBase, Place};
use crate::share::{Budget, Share};
use crate::timeouts::Timeouts;
use crate::token::SecretToken;

/// Why there is no forge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// No token was given.
    #[error("GitHub needs a token")]
    NoToken,
    /// It was not built on a tokio runtime, on which its connections live.
    #[error("the forge must be built on a tokio runtime")]
    NoRuntime,
    /// The base URL is none.
    #[error("the API cannot be reached there")]
    Base(#[source] InvalidBase),
    /// The HTTP client could not be set up.
    #[error("the HTTP client could not be set up")]
    Client,
}

/// Makes an [`OctocrabForge`] for one repository.
#[derive(Clone, Debug)]
#[must_use]
pub struct OctocrabForgeBuilder {
    repository: RepositoryName,
    token: Option<SecretToken>,
    base: Option<Url>,
    timeouts: Timeouts,
    patience: Patience,
    budget: Option<Budget>,
}

impl OctocrabForgeBuilder {
    pub(crate) fn new(repository: RepositoryName) -> Self {
        Self {
            repository,
            token: None,
            base: None,
            timeouts: Timeouts::default(),
            patience: Patience::default(),
            budget: None,
        }
    }

    /// The credential. It needs to read and write contents, pull requests and commit statuses, and to read check runs.
    pub fn token(self, token: SecretToken) -> Self {
        Self { token: Some(token), ..self }
    }

    /// Where the API is; `https://api.github.com` if this is not said. A path is kept, as in
    /// `https://ghe.example/api/v3`. Plain `http` is taken for this machine's loopback alone.
    pub fn base_url(self, base: Url) -> Self {
        Self { base: Some(base), ..self }
    }

    /// How long one request may take.
    pub fn timeouts(self, timeouts: Timeouts) -> Self {
        Self { timeouts, ..self }
    }

    /// How long to wait for GitHub to agree with itself.
    pub fn patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    /// How fast to ask, and how long to wait where GitHub says that it was too fast; [`Budget::default`], and for a server on
    /// this machine [`Budget::UNPACED`]. Forges of one token in one process wait together.
    pub fn budget(self, budget: Budget) -> Self {
        Self { budget: Some(budget), ..self }
    }

    /// The forge. Nothing is sent yet. Must be called on the tokio runtime on which the forge is used.
    ///
    /// # Errors
    /// [`BuildError`] says what is missing or wrong.
    pub fn build(self) -> Result<OctocrabForge, BuildError> {
        let token = self.token.ok_or(BuildError::NoToken)?;
        let base =
            self.base.as_ref().map_or_else(|| Ok(ApiBase::github()), ApiBase::parse).map_err(BuildError::Base)?;
        let authorization = token.authorization().map_err(|_| BuildError::Client)?;
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(BuildError::NoRuntime);
        }
        // No credential goes into octocrab: each request carries it, and only to a URL that was checked. Nor does the base's path,
        // which octocrab would put before that of the GraphQL endpoint.
        let octocrab = Octocrab::builder()
            .base_uri(base.host())
            .map_err(|_| BuildError::Client)?
            .add_header(USER_AGENT, concat!("selfext/", env!("CARGO_PKG_VERSION")).to_owned())
            .set_connect_timeout(Some(self.timeouts.connect))
            .set_write_timeout(Some(self.timeouts.write))
            .build()
            .map_err(|_| BuildError::Client)?;
        let place = Place::new(&base, &self.repository);
        let share = Share::of(base.as_str(), token.expose());
        let usual = if base.is_local() { Budget::UNPACED } else { Budget::default() };
        let budget = self.budget.unwrap_or(usual);
        let Self { repository, timeouts, patience, .. } = self;
        let (identity, graphql) = (Identity::default(), GraphqlSupport::default());
        let inner = Inner {
            octocrab,
            repository,
            place,
            token,
            authorization,
            timeouts,
            patience,
            budget,
            share,
            identity,
            graphql,
        };
        Ok(OctocrabForge::new(Client { inner: Arc::new(inner) }))
    }
}
