//! How an [`OctocrabForge`] comes to be.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::USER_AGENT;
use octocrab::Octocrab;
use selfext_domain::RepositoryName;
use selfext_domain::ports::{Clock, Repositories};
use url::Url;

use crate::binding::{Binding, GOOD_FOR};
use crate::client::{Client, Inner};
use crate::credentials::{Credential, Credentials, GithubApp, Installation, Source};
use crate::forge::OctocrabForge;
use crate::merge::AsyncSupport;
use crate::patience::Patience;
use crate::publish::{EvidenceShown, GraphqlSupport};
use crate::route::{ApiBase, InvalidBase};
use crate::share::{Budget, Share};
use crate::timeouts::Timeouts;
use crate::token::SecretToken;

/// Why there is no forge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Neither a token nor an App was given.
    #[error("GitHub needs a token, or an App")]
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
#[derive(Clone)]
#[must_use]
pub struct OctocrabForgeBuilder {
    repository: RepositoryName,
    id: Option<u64>,
    good_for: Duration,
    memory: Option<Arc<dyn Repositories>>,
    given: Option<Given>,
    base: Option<Url>,
    timeouts: Timeouts,
    patience: Patience,
    merge_patience: Patience,
    budget: Option<Budget>,
}

impl OctocrabForgeBuilder {
    pub(crate) fn new(repository: RepositoryName) -> Self {
        let (timeouts, patience) = (Timeouts::default(), Patience::default());
        Self {
            repository,
            id: None,
            good_for: GOOD_FOR,
            memory: None,
            given: None,
            base: None,
            timeouts,
            patience,
            merge_patience: merge_patience(),
            budget: None,
        }
    }

    /// The repository's number, which stays when it is renamed. A repository of another number is refused, whatever its name.
    /// Without it, the repository is the one that the name leads to when the forge is first used.
    pub fn repository_id(self, id: u64) -> Self {
        Self { id: Some(id), ..self }
    }

    /// Where it is remembered which repository the name led to first: another one is refused then in every later process, too,
    /// unless its [number](Self::repository_id) is told.
    pub fn remembering(self, memory: Arc<dyn Repositories>) -> Self {
        Self { memory: Some(memory), ..self }
    }

    /// How long GitHub's word holds good on which repository the name leads to; ten minutes by default. After that the next
    /// request asks again: a repository may be deleted and made again while a forge lives.
    pub fn repository_known_for(self, duration: Duration) -> Self {
        Self { good_for: duration, ..self }
    }

    /// The credential. It needs to read and write contents, pull requests and commit statuses, and to read check runs.
    pub fn token(self, token: SecretToken) -> Self {
        Self { given: Some(Given::Token(token)), ..self }
    }

    /// A GitHub App instead of a token. Its installation is found by the repository, and its tokens are for this repository and
    /// have no right that selfext does not need; they are renewed before they end, by this clock. The App needs to read and
    /// write contents, pull requests, commit statuses and checks; it shows the evidence as a check run.
    pub fn app(self, app: GithubApp, clock: Arc<dyn Clock>) -> Self {
        Self { given: Some(Given::App(app, clock)), ..self }
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

    /// The pauses between two looks at the result of a merge that GitHub carries out in the background; by default ten, over 20 s in
    /// all, after which the merge is in doubt.
    pub fn merge_patience(self, merge_patience: Patience) -> Self {
        Self { merge_patience, ..self }
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
        let given = self.given.ok_or(BuildError::NoToken)?;
        let base =
            self.base.as_ref().map_or_else(|| Ok(ApiBase::github()), ApiBase::parse).map_err(BuildError::Base)?;
        let (source, share) = match given {
            Given::Token(token) => {
                let share = Share::of(base.as_str(), token.expose());
                (Source::Fixed(Arc::new(Credential::new(token).map_err(|_| BuildError::Client)?)), share)
            }
            // GitHub counts by installation, of which an App has one with each owner; its tokens change.
            Given::App(app, clock) => {
                let share = Share::of(base.as_str(), &format!("{} {}", app.id(), self.repository.owner()));
                (Source::App(Box::new(Installation::new(app, clock))), share)
            }
        };
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
        let usual = if base.is_local() { Budget::UNPACED } else { Budget::default() };
        let budget = self.budget.unwrap_or(usual);
        let binding = Binding::new(base, self.repository, self.id, self.good_for, self.memory);
        let (timeouts, patience, merge_patience) = (self.timeouts, self.patience, self.merge_patience);
        let (credentials, graphql) = (Credentials::new(source), GraphqlSupport::default());
        let evidence = EvidenceShown::default();
        let asynchronous = AsyncSupport::default();
        let inner = Inner {
            octocrab,
            binding,
            credentials,
            timeouts,
            patience,
            merge_patience,
            budget,
            share,
            graphql,
            asynchronous,
            evidence,
        };
        Ok(OctocrabForge::new(Client { inner: Arc::new(inner), listener: None }))
    }
}

impl fmt::Debug for OctocrabForgeBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OctocrabForgeBuilder")
            .field("repository", &self.repository)
            .field("id", &self.id)
            .field("given", &self.given)
            .field("base", &self.base.as_ref().map(Url::host_str))
            .finish_non_exhaustive()
    }
}

/// Who asks.
#[derive(Clone)]
enum Given {
    Token(SecretToken),
    App(GithubApp, Arc<dyn Clock>),
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(token) => token.fmt(f),
            Self::App(app, _) => app.fmt(f),
        }
    }
}

/// Short at first: most merges take a second or two.
fn merge_patience() -> Patience {
    Patience::new([200, 300, 500, 1_000, 2_000, 3_000, 3_000, 3_000, 3_000, 4_000].map(Duration::from_millis))
}
