//! How a twin is set up.

use std::fmt;

use crate::app::TwinApp;
use crate::control::AppIdentity;

/// What the twin calls its repository, and whom it lets in.
#[derive(Clone)]
pub struct TwinConfig {
    pub(crate) owner: String,
    pub(crate) name: String,
    pub(crate) default_branch: Option<String>,
    pub(crate) login: String,
    pub(crate) app: AppIdentity,
    pub(crate) require_token: Option<String>,
    /// Empty, or a slash and what follows.
    pub(crate) path: String,
    pub(crate) repository_id: u64,
    pub(crate) github_app: Option<TwinApp>,
    pub(crate) async_merges: bool,
}

impl TwinConfig {
    /// Serves the repository as `owner/name`. Nothing else is checked of the two words: a request matches if it
    /// names them, in any case.
    pub fn new(owner: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            owner: owner.into(),
            name: name.into(),
            default_branch: None,
            login: "twin-user".to_owned(),
            app: AppIdentity::new(1, "selfext-twin"),
            require_token: None,
            path: String::new(),
            repository_id: 1,
            github_app: None,
            async_merges: true,
        }
    }

    /// Names the default branch. Without it the branch that the repository's HEAD names is used, and `main` if it
    /// names none.
    #[must_use]
    pub fn default_branch(mut self, branch: impl Into<String>) -> Self {
        self.default_branch = Some(branch.into());
        self
    }

    /// The login of the user on whose behalf all requests are made (`twin-user` if not set).
    #[must_use]
    pub fn login(mut self, login: impl Into<String>) -> Self {
        self.login = login.into();
        self
    }

    /// Answers 401 to every request that does not carry this token. The token is never logged or recorded.
    #[must_use]
    pub fn require_token(mut self, token: impl Into<String>) -> Self {
        self.require_token = Some(token.into());
        self
    }

    /// Serves the API below a path, as GitHub Enterprise Server does below `/api/v3`. What lies outside of it is not there.
    #[must_use]
    pub fn path(mut self, path: &str) -> Self {
        let path = path.trim_matches('/');
        self.path = if path.is_empty() { String::new() } else { format!("/{path}") };
        self
    }

    /// The repository's number (1 if not set).
    #[must_use]
    pub fn repository_id(mut self, id: u64) -> Self {
        self.repository_id = id;
        self
    }

    /// Serves an API without the operations for merging in the background, as older servers do. Their paths are answered as any
    /// unknown one is.
    #[must_use]
    pub fn without_async_merges(mut self) -> Self {
        self.async_merges = false;
        self
    }

    /// Installs a GitHub App in the repository, and answers 401 to every request that carries neither one of its tokens nor the
    /// [required one](Self::require_token). Requests are made on behalf of the App, and check runs in its name: as at GitHub, only its
    /// tokens may make them.
    #[must_use]
    pub fn github_app(mut self, app: TwinApp) -> Self {
        self.app = app.identity.clone();
        self.login = app.login();
        self.github_app = Some(app);
        self
    }
}

impl fmt::Debug for TwinConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TwinConfig")
            .field("owner", &self.owner)
            .field("name", &self.name)
            .field("default_branch", &self.default_branch)
            .field("login", &self.login)
            .field("app", &self.app)
            .field("require_token", &self.require_token.as_ref().map(|_| "…"))
            .field("path", &self.path)
            .field("repository_id", &self.repository_id)
            .field("github_app", &self.github_app)
            .field("async_merges", &self.async_merges)
            .finish()
    }
}
