//! Serving a repository on this machine through a twin.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context as _, Result};
use selfext::{CommitSha, Ending, GitSource, Outcome, Selfext, SelfextBuilder};
use selfext_twin::{Serving, Twin, TwinConfig, TwinError};
use url::Url;

use super::{Repository, checkout};
use crate::exit::usage;
use crate::show;

/// A repository on this machine that is being served.
pub struct Local {
    repository: Repository,
    serving: Serving,
}

impl Local {
    pub async fn serve(repository: Repository) -> Result<Self> {
        let name = &repository.name;
        let config = TwinConfig::new(name.owner(), name.name()).default_branch(repository.base.as_str());
        let twin = Twin::open(&repository.git_dir, config).await.map_err(|error| match error {
            TwinError::InUse(_) => anyhow::Error::from(error).context(format!(
                "{} is being served elsewhere, by `selfext twin` or an agent; end that first",
                repository.path.display()
            )),
            TwinError::Git(source) => {
                usage(format!("--local {} cannot be served: {source}", repository.path.display()))
            }
            error => anyhow::Error::from(error).context(format!("{} cannot be served", repository.path.display())),
        })?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let serving = twin.serve(address).await.context("no port on loopback could be had")?;
        Ok(Self { repository, serving })
    }

    pub fn builder(&self) -> Result<SelfextBuilder> {
        // The twin asks for no token; the client always sends one.
        Ok(Selfext::builder(self.repository.name.clone())
            .github_token("no-token-is-asked-for")?
            .github_url(Url::parse(&self.serving.base_url())?)
            .git_source(GitSource::Path(self.repository.git_dir.clone())))
    }

    /// What a person has to know who waits for checks here.
    pub fn advice_on_checks(&self) -> String {
        let (url, name) = (self.serving.base_url(), &self.repository.name);
        format!(
            "a local repository has no CI of its own; whatever reports can do so at {url}/repos/{name}/statuses/COMMIT"
        )
    }

    /// Brings a checkout of the base branch to what landed, if the run did.
    pub fn follow(&self, outcome: &Outcome) {
        if let Ending::Promoted { commit, already, .. } = &outcome.ending {
            self.follow_commit(commit, *already);
        }
    }

    /// Brings a checkout of the base branch to a commit that landed.
    pub fn follow_commit(&self, commit: &CommitSha, already: bool) {
        let followed = checkout::follow(&self.repository, commit.as_str());
        // What landed earlier may well have been changed in the checkout since.
        if let (Err(in_the_way), false) = (followed, already) {
            show::note(&in_the_way.to_string());
        }
    }

    pub async fn end(self) {
        self.serving.shutdown().await;
    }
}
