//! The repository that a command works on: on GitHub, or on this machine.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use selfext::{
    BranchName, Budget, CommitSha, DatabaseUrl, Finding, Outcome, PermitTerms, RemoteUrl, RepositoryName, Selfext,
    SelfextBuilder,
};
use url::Url;

use super::{Ledger, identity};
use crate::args::Target;
use crate::exit::usage;
use crate::local::{Local, Repository};
use crate::show::Progress;

/// The variable that may hold the API's address.
const API: &str = "SELFEXT_GITHUB_URL";

/// A repository that was found. Nothing is open yet.
pub struct Place {
    found: Found,
    read_paths: Vec<PathBuf>,
}

enum Found {
    Github(Box<SelfextBuilder>),
    Local(Box<Repository>),
}

impl Place {
    /// Finds the repository. One on this machine is had alone from here on; if another command has it, this waits.
    pub async fn find(target: &Target) -> Result<Self> {
        let found = match (&target.github, &target.local) {
            (Some(repository), _) => Found::Github(Box::new(on_github(repository, target)?)),
            (None, Some(path)) => Found::Local(Box::new(Repository::find(path, &target.base).await?)),
            (None, None) => return Err(usage("name a repository with --github or --local")),
        };
        Ok(Self { found, read_paths: Vec::new() })
    }

    /// Lets stages of verification read these paths of this machine, too.
    pub fn letting_stages_read(self, paths: &[PathBuf]) -> Self {
        Self { read_paths: paths.to_vec(), ..self }
    }

    pub fn local(&self) -> Option<&Repository> {
        match &self.found {
            Found::Github(_) => None,
            Found::Local(repository) => Some(repository),
        }
    }

    /// Opens selfext on it.
    pub async fn open(self, ledger: &Ledger, base: &BranchName) -> Result<Site> {
        let database = ledger.url()?;
        let (builder, local) = self.builder(&database, base).await?;
        let opened = builder.open().await;
        let selfext = opened.with_context(|| format!("selfext could not be opened with the ledger {database}"))?;
        Ok(Site { selfext, local })
    }

    /// Looks whether everything is there that a promotion needs.
    pub async fn examine(self, ledger: &Ledger, base: &BranchName) -> Result<Vec<Finding>> {
        let (builder, local) = self.builder(&ledger.url()?, base).await?;
        let findings = builder.examine().await;
        if let Some(local) = local {
            local.end().await;
        }
        Ok(findings)
    }

    async fn builder(self, database: &DatabaseUrl, base: &BranchName) -> Result<(SelfextBuilder, Option<Local>)> {
        let (builder, local) = match self.found {
            Found::Github(builder) => (*builder, None),
            Found::Local(repository) => {
                let local = Local::serve(*repository).await?;
                (local.builder()?, Some(local))
            }
        };
        let builder = builder.base(base.clone()).stages_may_read(self.read_paths).database(database.clone());
        Ok((builder, local))
    }
}

/// A repository that selfext is open on.
pub struct Site {
    selfext: Selfext,
    local: Option<Local>,
}

impl Site {
    pub const fn selfext(&self) -> &Selfext {
        &self.selfext
    }

    /// Whether a permit is for a merge into this repository's base.
    pub fn is_of(&self, permit: &PermitTerms) -> bool {
        permit.repository == *self.selfext.repository() && permit.base == *self.selfext.base()
    }

    /// What tells of the steps here.
    pub fn progress(&self) -> Progress {
        Progress::new(self.local.as_ref().map(Local::advice_on_checks))
    }

    /// Brings a local checkout of the base branch up to what landed.
    pub fn follow(&self, outcome: &Outcome) {
        if let Some(local) = &self.local {
            local.follow(outcome);
        }
    }

    /// Brings a local checkout of the base branch up to a commit that landed now.
    pub fn follow_commit(&self, commit: &CommitSha) {
        if let Some(local) = &self.local {
            local.follow_commit(commit, false);
        }
    }

    /// Ends what was served here.
    pub async fn end(self) {
        if let Some(local) = self.local {
            local.end().await;
        }
    }
}

fn on_github(repository: &RepositoryName, target: &Target) -> Result<SelfextBuilder> {
    let mut builder = identity::identify(Selfext::builder(repository.clone()), target)?;
    if let Some(api) = target.github_url.clone().or_else(|| identity::variable(API)) {
        // The text is not repeated: it may hold a password.
        let api = Url::parse(&api).map_err(|error| usage(format!("--github-url, or {API}: {error}")))?;
        builder = builder.github_url(api);
    }
    if target.github_reserve.is_some() || target.github_writes.is_some() {
        let usual = Budget::default();
        builder = builder.github_budget(Budget {
            reserve: target.github_reserve.unwrap_or(usual.reserve),
            writes_per_minute: target.github_writes.unwrap_or(usual.writes_per_minute),
            ..usual
        });
    }
    if let Some(url) = &target.git_url {
        let url = RemoteUrl::parse(url.as_str()).map_err(|error| usage(format!("--git-url: {error}")))?;
        builder = builder.git_url(url);
    }
    Ok(builder)
}
