//! The pipeline and what it stands on.

use std::sync::Arc;
use std::time::Duration;

use selfext_domain::ports::{
    Clock, Forge, IdSource, Ledger, PromotionControl, RestListener, Rests, Verifier, Waits, Wakes,
};
use selfext_domain::{BranchName, ChangeSet, RepositoryName, Subject};

/// The adapters that a pipeline works through.
#[derive(Clone)]
pub struct Ports {
    /// The ledger.
    pub ledger: Arc<dyn Ledger>,
    /// The operator's switch; of the same database as the ledger.
    pub control: Arc<dyn PromotionControl>,
    /// The service that hosts the repository.
    pub forge: Arc<dyn Forge>,
    /// Where candidates are tried.
    pub verifier: Arc<dyn Verifier>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn IdSource>,
}

/// What a pipeline works on, and how patient it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipelineConfig {
    /// The repository, as the ledger names it. The forge and the verifier must be of the same one.
    pub repository: RepositoryName,
    /// The branch that changes land on.
    pub base: BranchName,
    /// What names this process in merge permits, for example `host:pid`.
    pub holder: String,
    /// For how long this process may act on a merge permit. Longer than all tries of one merge together.
    pub permit_deadline: Duration,
    /// How often one merge is asked for under one permit.
    pub merge_tries: u32,
    /// How long it waits between two tries, and between two looks at another process's merge.
    pub retry_pause: Duration,
}

impl PipelineConfig {
    /// Usual patience: two minutes for a permit, five tries, two seconds between them.
    #[must_use]
    pub const fn new(repository: RepositoryName, base: BranchName, holder: String) -> Self {
        Self {
            repository,
            base,
            holder,
            permit_deadline: Duration::from_mins(2),
            merge_tries: 5,
            retry_pause: Duration::from_secs(2),
        }
    }
}

/// The one path by which a change set reaches the base branch.
#[derive(Clone)]
pub struct Pipeline {
    pub(crate) ports: Ports,
    pub(crate) config: PipelineConfig,
    pub(crate) wakes: Option<Arc<dyn Wakes>>,
    pub(crate) waits: Option<Arc<dyn Waits>>,
    pub(crate) rests: Option<Arc<dyn Rests>>,
}

impl Pipeline {
    /// Puts the adapters together.
    #[must_use]
    pub const fn new(ports: Ports, config: PipelineConfig) -> Self {
        Self { ports, config, wakes: None, waits: None, rests: None }
    }

    /// The same, with waits that wake-ups shorten. Without any it looks by the rules' times alone.
    #[must_use]
    pub fn woken_by(self, wakes: Arc<dyn Wakes>) -> Self {
        Self { wakes: Some(wakes), ..self }
    }

    /// The same, telling those who look what its promotions wait for. Nothing depends on that: what could not be told is not told.
    #[must_use]
    pub fn telling(self, waits: Arc<dyn Waits>) -> Self {
        Self { waits: Some(waits), ..self }
    }

    /// The same, where what its promotions wait for may be the forge's own limits, too. `rests` is the forge of the ports.
    #[must_use]
    pub fn resting_by(self, rests: Arc<dyn Rests>) -> Self {
        Self { rests: Some(rests), ..self }
    }

    /// The same, whose forge tells this one when its requests rest.
    pub(crate) fn heard_by(&self, listener: Arc<dyn RestListener>) -> Self {
        let mut heard = self.clone();
        if let Some(rests) = &self.rests {
            heard.ports.forge = rests.heard_by(listener);
        }
        heard
    }

    /// What it works on.
    #[must_use]
    pub const fn config(&self) -> &PipelineConfig {
        &self.config
    }

    /// What a run of this change set would be about.
    #[must_use]
    pub fn subject(&self, change: &ChangeSet) -> Subject {
        Subject {
            repository: self.config.repository.clone(),
            base: self.config.base.clone(),
            fingerprint: change.fingerprint(),
        }
    }
}
