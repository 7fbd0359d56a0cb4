//! Fencing off whatever of selfext's may still merge, whatever the ledger knows of it.

use selfext_domain::ports::{ControlError, ForgeError, PauseAnswer, PauseRequest, Retired};
use selfext_domain::{BranchName, RunId};

use crate::{Observer, Outcome, Pipeline, PromoteError};

/// What a sweep did.
#[derive(Debug)]
pub struct Sweep {
    /// What the pause that it begins with answered.
    pub pause: PauseAnswer,
    /// The runs with an open merge, and how each ended.
    pub merges: Vec<(RunId, Result<Outcome, PromoteError>)>,
    /// The branches of selfext's in the repository, and what became of each.
    pub branches: Vec<(BranchName, Result<Retired, ForgeError>)>,
}

impl Sweep {
    /// Whether every branch was fenced off, so that no head of selfext's in this repository can merge any more.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.merges.iter().all(|(_, ended)| ended.is_ok()) && self.branches.iter().all(|(_, retired)| retired.is_ok())
    }
}

/// Why a sweep did not come to its branches.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The control could not be changed, so nothing was done.
    #[error("promotion could not be paused, so nothing was swept")]
    Control(#[from] ControlError),
    /// The open merges could not be read.
    #[error("promotion is paused, but the open merges could not be read")]
    Ledger(#[from] PromoteError),
    /// The branches could not be listed.
    #[error("promotion is paused, but selfext's branches could not be listed")]
    Forge(#[from] ForgeError),
}

impl Pipeline {
    /// Pauses, and then takes away every branch of selfext's in the repository, each fenced first: what to do where the ledger
    /// may have lost merge permits, before its new history is accepted. Runs that are open go on when their change sets are
    /// promoted again after `resume`, with branches and pull requests of their own. May be repeated.
    ///
    /// # Errors
    /// [`SweepError`]; what became of single branches is in the [`Sweep`].
    pub async fn sweep(&self, request: &PauseRequest, observer: &dyn Observer) -> Result<Sweep, SweepError> {
        let pause = self.ports.control.pause(request).await?;
        let mut merges = Vec::new();
        let open = self.ports.ledger.open_permits().await.map_err(PromoteError::from)?;
        for terms in open.into_iter().filter(|terms| terms.repository == self.config.repository) {
            let ended = self.fence_merge(&terms.run, &request.reason, observer).await;
            merges.push((terms.run, ended));
        }
        let mut branches = Vec::new();
        for branch in self.ports.forge.own_branches().await? {
            let retired = self.ports.forge.retire_branch(&branch).await;
            branches.push((branch, retired));
        }
        Ok(Sweep { pause, merges, branches })
    }
}
