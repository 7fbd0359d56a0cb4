//! Branch, commit, pull request and evidence; and the look at the pause before them.

use selfext_domain::ports::{Publication, Published};
use selfext_domain::{ChangeSet, CommitMeta, Stage, commit_message, guard_pause, pull_request_body, status_summary};

use crate::journal::{Journal, Stop};
use crate::verify::Verified;
use crate::{Observer, Pipeline, PromoteError, Step, refusals};

impl Pipeline {
    /// Lets through only an explicit "not paused". The merge is checked once more, under the control's lock.
    pub(crate) async fn guard_control(&self, journal: &mut Journal<'_>) -> Result<(), Stop> {
        let reading = self.ports.control.read().await;
        match guard_pause(reading.as_ref(), journal.run().rollback_of().is_some()) {
            Ok(_) => Ok(()),
            Err(refusal) => Err(journal.refuse(refusal, None).await?),
        }
    }

    pub(crate) async fn publish(
        &self,
        change: &ChangeSet,
        journal: &mut Journal<'_>,
        verified: &Verified,
        observer: &dyn Observer,
    ) -> Result<Published, Stop> {
        observer.on(&Step::Publishing);
        let publication = Publication {
            candidate: verified.candidate.clone(),
            branch: journal.run().branch().clone(),
            base: self.config.base.clone(),
            commit_message: message(change, journal, verified)?,
            title: verified.tested.title.clone(),
            body: pull_request_body(journal.run(), change, &verified.tested, &verified.candidate.entries),
            summary: status_summary(&verified.tested.stages),
        };
        match self.ports.forge.publish(&publication).await {
            Ok(published) => {
                journal.saw_url(published.url.clone());
                observer.on(&Step::Published { pull_request: published.pull_request, url: published.url.clone() });
                Ok(published)
            }
            Err(error) => {
                let refusal = refusals::of_forge(Stage::PromotionPipeline, "the change could not be published", &error);
                Err(journal.refuse(refusal, None).await?)
            }
        }
    }
}

/// The message of the commit on the branch, and of the one that lands.
pub(crate) fn message(change: &ChangeSet, journal: &Journal<'_>, verified: &Verified) -> Result<String, PromoteError> {
    let meta = CommitMeta {
        schema: CommitMeta::SCHEMA,
        run_id: journal.run().id().clone(),
        tested: verified.claim,
        base: verified.candidate.base.clone(),
        fingerprint: journal.run().subject().fingerprint,
        context: journal.run().context().clone(),
    };
    Ok(commit_message(change, &meta)?)
}
