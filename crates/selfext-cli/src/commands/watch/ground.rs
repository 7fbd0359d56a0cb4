//! Where it is watched.

use std::time::Duration;

use anyhow::{Result, anyhow};
use selfext::{BranchName, Found, RepositoryName, Tick, WatchConfig, Watchdog};

use super::super::Ledger;
use super::super::target::{Place, Site};
use super::telling::Teller;
use crate::args::Target;
use crate::local::Repository;

/// How long giving up the lease may take.
const GOODBYE: Duration = Duration::from_secs(5);

/// A repository that is watched. One on GitHub stays open; one on this machine is had for each look alone, so that others can
/// work on it in between.
pub struct Ground<'a> {
    ledger: &'a Ledger,
    target: &'a Target,
    config: WatchConfig,
    /// A place that was found and is not open yet.
    found: Option<Place>,
    open: Option<(Site, Watchdog)>,
}

/// Which branch of which repository.
#[derive(Clone)]
pub struct Branch {
    pub repository: RepositoryName,
    pub base: BranchName,
}

impl<'a> Ground<'a> {
    pub async fn find(ledger: &'a Ledger, target: &'a Target, config: WatchConfig) -> Result<Self> {
        // What is typed wrongly shows here. A lock on this machine is not held for longer than the look at it.
        let found = Place::find(target).await?;
        let found = found.local().is_none().then_some(found);
        Ok(Self { ledger, target, config, found, open: None })
    }

    pub const fn is_local(&self) -> bool {
        self.target.local.is_some()
    }

    /// What it is called, for people.
    pub fn place(&self) -> String {
        self.target.words()
    }

    pub fn branch(&self) -> Result<Branch> {
        let repository = match (&self.target.github, &self.target.local) {
            (Some(repository), _) => repository.clone(),
            (None, Some(path)) => Repository::name_at(path)?,
            (None, None) => return Err(anyhow!("no repository is named")),
        };
        // As the ledger names it, which may be by an earlier name.
        let repository = self.open.as_ref().map_or(repository, |(site, _)| site.selfext().repository().clone());
        Ok(Branch { repository, base: self.target.base.clone() })
    }

    /// One look of the watchdog's.
    pub async fn look(&mut self, teller: &Teller) -> Result<Tick> {
        if self.open.is_none() {
            let place = match self.found.take() {
                Some(place) => place,
                None => Place::find(self.target).await?,
            };
            let site = place.open(self.ledger, &self.target.base).await?;
            let watchdog = site.selfext().watchdog(self.config);
            self.open = Some((site, watchdog));
        }
        let Some((site, watchdog)) = &self.open else { return Err(anyhow!("the repository is not open")) };
        let look = watchdog.tick(teller).await;
        if let Ok(Tick::Looked { findings, .. }) = &look {
            for finding in findings {
                if let Found::RolledBack { commit } = &finding.found {
                    site.follow_commit(commit);
                }
            }
        }
        if self.is_local() {
            // The repository's lock is lease enough, and whoever has it next does not wait for this one.
            self.end().await;
        }
        Ok(look?)
    }

    /// Gives up the lease and the repository.
    pub async fn end(&mut self) {
        if let Some((site, watchdog)) = self.open.take() {
            // What cannot be given up runs out.
            let _ = tokio::time::timeout(GOODBYE, watchdog.release()).await;
            site.end().await;
        }
    }
}
