//! Taking away what a run that is over left on the forge.

use selfext_domain::ports::Retired;

use crate::journal::Journal;
use crate::{Observer, Pipeline, Step};

impl Pipeline {
    /// Closes the pull request and deletes the branch of a run that is over, so that nothing of it can merge any more. What
    /// cannot be taken away now harms nothing: the ledger says that the run is over, and no permit is open for it.
    pub(crate) async fn retire(&self, journal: &Journal<'_>, observer: &dyn Observer) {
        let branch = journal.run().branch();
        let detail = match self.ports.forge.retire_branch(branch).await {
            Ok(Retired::Gone) => return,
            Ok(Retired::KeptAtFence) => {
                format!(
                    "branch {branch} stays at its fence, because a closed pull request still shows an earlier commit of it"
                )
            }
            Err(error) => {
                format!("branch {branch} or its pull request is left: {}", selfext_domain::error_chain(&error))
            }
        };
        observer.on(&Step::CleanupFailed { detail });
    }
}
