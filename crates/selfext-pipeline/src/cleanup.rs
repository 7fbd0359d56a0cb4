//! Taking away what a run that is over left on the forge.

use selfext_domain::ports::ForgeError;

use crate::journal::Journal;
use crate::{Observer, Pipeline, Step, refusals};

impl Pipeline {
    /// Closes the pull request and deletes the branch of a run that is over. What cannot be taken away now harms nothing: the
    /// ledger says that the run is over, and no permit is open for it.
    pub(crate) async fn retire(&self, journal: &Journal<'_>, observer: &dyn Observer) {
        if let Err(error) = self.try_retire(journal).await {
            let detail =
                format!("branch {} or its pull request is left: {}", journal.run().branch(), refusals::chain(&error));
            observer.on(&Step::CleanupFailed { detail });
        }
    }

    async fn try_retire(&self, journal: &Journal<'_>) -> Result<(), ForgeError> {
        let forge = &self.ports.forge;
        let branch = journal.run().branch();
        let number = match journal.run().pull_request() {
            Some(number) => Some(number),
            None => forge.find_pull_request(branch, &self.config.base).await?.map(|request| request.number),
        };
        if let Some(number) = number {
            forge.close_pull_request(number).await?;
        }
        forge.delete_branch(branch).await
    }
}
