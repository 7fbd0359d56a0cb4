//! Taking away what a run that is over left on the forge.

use selfext_domain::ports::ForgeError;

use crate::journal::Journal;
use crate::{Observer, Pipeline, Step, refusals};

impl Pipeline {
    /// Closes the pull request and deletes the branch of a run that is over. What cannot be taken away now harms nothing: the
    /// ledger says that the run is over, and no permit is open for it.
    ///
    /// A fenced branch is deleted only once the pull request's record shows the fence: a person may bring a deleted branch back
    /// at the head that the record shows, and a merge of the fenced head may still be on its way.
    pub(crate) async fn retire(&self, journal: &Journal<'_>, observer: &dyn Observer) {
        let branch = journal.run().branch();
        let detail = match self.try_retire(journal).await {
            Ok(true) => return,
            Ok(false) => format!("branch {branch} stays at its fence, which the pull request does not show"),
            Err(error) => format!("branch {branch} or its pull request is left: {}", refusals::chain(&error)),
        };
        observer.on(&Step::CleanupFailed { detail });
    }

    async fn try_retire(&self, journal: &Journal<'_>) -> Result<bool, ForgeError> {
        let forge = &self.ports.forge;
        let branch = journal.run().branch();
        let number = match journal.run().pull_request() {
            Some(number) => Some(number),
            None => forge.find_pull_request(branch, &self.config.base).await?.map(|request| request.number),
        };
        if let Some(number) = number {
            forge.close_pull_request(number).await?;
            if let Some(fenced) = journal.run().fenced_head()
                && forge.pull_request(number).await?.head == *fenced
            {
                return Ok(false);
            }
        }
        forge.delete_branch(branch).await?;
        Ok(true)
    }
}
