//! Branch, commit and pull request; and the look at the pause before them.

use selfext_domain::ports::{ForgeError, Publication, Published, Standing};
use selfext_domain::{ChangeSet, CommitMeta, Refusal, Stage, commit_message, guard_pause, pull_request_body};

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
        found: &Found,
        observer: &dyn Observer,
    ) -> Result<Published, Stop> {
        observer.on(&Step::Publishing);
        let publication = Publication {
            candidate: verified.candidate.clone(),
            branch: journal.run().branch().clone(),
            base: self.config.base.clone(),
            commit_message: message(change, journal, verified)?,
            title: verified.tested.title.clone(),
            body: pull_request_body(journal.run(), change, &verified.tested, &verified.candidate),
            fresh: matches!(found, Found::Nothing),
        };
        let published = match found.standing().and_then(|standing| standing.holds(&publication)) {
            Some(published) => Ok(published),
            None => self.ports.forge.publish(&publication).await,
        };
        match published {
            Ok(published) => {
                journal.saw(published.clone());
                observer.on(&Step::Published { pull_request: published.pull_request, url: published.url.clone() });
                Ok(published)
            }
            Err(error) => Err(journal.refuse(unpublished(&error), None).await?),
        }
    }
}

/// What the forge may have of a run before this process publishes it.
pub(crate) enum Found {
    /// Nothing: no process has published it, or the forge says that there is no branch.
    Nothing,
    /// This, a moment ago.
    Standing(Box<Standing>),
    /// It is not known.
    Unknown,
}

impl Found {
    fn standing(&self) -> Option<&Standing> {
        match self {
            Self::Standing(standing) => Some(standing),
            Self::Nothing | Self::Unknown => None,
        }
    }
}

/// The refusal of a publication, or of its evidence, that the forge did not take.
pub(crate) fn unpublished(error: &ForgeError) -> Refusal {
    refusals::of_forge(Stage::PromotionPipeline, "the change could not be published", error)
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
