//! The permit and the merge.

use selfext_domain::ports::{LedgerError, MergeAnswer, MergeGrant, MergeRefusal, Published};
use selfext_domain::{ChangeSet, Disposition, MergePermit, MergeStarted, Reason, Refusal, Stage};

use crate::journal::{Journal, Stop};
use crate::publish::message;
use crate::settle::OVERDUE;
use crate::verify::Verified;
use crate::{Observer, Pipeline, Step};

impl Pipeline {
    /// Asks the ledger for the permit, and the forge for the merge.
    pub(crate) async fn merge(
        &self,
        change: &ChangeSet,
        journal: &mut Journal<'_>,
        verified: &Verified,
        published: &Published,
        observer: &dyn Observer,
    ) -> Result<Asked, Stop> {
        let started = MergeStarted {
            head: published.head.clone(),
            base_commit: verified.candidate.base.clone(),
            tree: verified.candidate.tree.clone(),
            branch: journal.run().branch().clone(),
            method: verified.rules.merge_method,
            message: message(change, journal, verified)?,
            holder: self.config.holder.clone(),
            deadline_seconds: u32::try_from(self.config.permit_deadline.as_secs()).unwrap_or(u32::MAX),
        };
        let mut event = journal.run().next_event(self.ports.ids.event_id(), started.into()).map_err(Stop::from)?;
        event.pull_request = Some(published.pull_request);
        let rollback = journal.run().rollback_of().is_some();
        match journal.ledger().begin_merge(&event, journal.run().sequence() + 1, rollback).await? {
            MergeGrant::Refused(refusal) if refusal.reason == Reason::MergeInFlight => Ok(Asked::NotYet(refusal)),
            MergeGrant::Refused(refusal) => {
                Ok(Asked::Ended(journal.refuse(refusal, Some(published.pull_request)).await?))
            }
            MergeGrant::Granted(permit, recorded) => {
                journal.took(&recorded)?;
                observer.on(&Step::MergeStarted);
                Ok(Asked::Ended(self.use_permit(journal, permit, false, observer).await?))
            }
        }
    }

    /// Asks for the merge until it is known how it ended, each time under the same permit and only while promotion is not
    /// paused. `doubtful` says that a request under this permit may be on its way already.
    pub(crate) async fn use_permit(
        &self,
        journal: &mut Journal<'_>,
        mut permit: MergePermit,
        mut doubtful: bool,
        observer: &dyn Observer,
    ) -> Result<Stop, Stop> {
        let tries = self.config.merge_tries.max(1);
        let mut attempt = 1;
        let last = loop {
            let message = match self.ports.forge.merge(permit).await {
                MergeAnswer::Merged { commit } => {
                    return self.land(journal, commit, observer).await;
                }
                MergeAnswer::Refused(refused) if !doubtful => {
                    return self.merge_refused(journal, refused, observer).await;
                }
                MergeAnswer::Refused(MergeRefusal { message, .. }) | MergeAnswer::MayPass { message, .. } => message,
                MergeAnswer::InDoubt { message } => {
                    doubtful = true;
                    observer.on(&Step::MergeUnclear { message: message.clone() });
                    message
                }
            };
            if doubtful && let Some(commit) = self.find_landed(journal).await? {
                return self.land(journal, commit, observer).await;
            }
            if !doubtful {
                self.stop_if_base_moved(journal).await?;
            }
            if attempt == tries {
                break message;
            }
            attempt += 1;
            self.ports.clock.sleep(self.config.retry_pause).await;
            // Asked for anew before each try: only the ledger knows whether it is still open, and promotion not paused.
            permit = match self.reopen(journal).await? {
                Reopened::Granted(permit) => permit,
                Reopened::Overdue if doubtful => return self.fence(journal, OVERDUE, observer).await,
                Reopened::Overdue => break message,
                Reopened::Refused(refusal) => {
                    return self.give_up(journal, refusal, doubtful, observer).await;
                }
            };
        };
        let detail = format!(
            "the forge did not merge in {tries} tries, and last said: {last}. Promote the same change again later."
        );
        let refusal = Refusal::new(Stage::PromotionMerge, Reason::MergeNotYet, detail);
        self.give_up(journal, refusal, doubtful, observer).await
    }

    /// The forge does not bind a merge to its base, so a merge that surely did not happen is given up when the base has moved:
    /// the run is blocked, and verified again at once.
    async fn stop_if_base_moved(&self, journal: &mut Journal<'_>) -> Result<(), Stop> {
        let Some(terms) = journal.run().permit().cloned() else { return Err(Stop::Overtaken) };
        match self.ports.forge.branch_head(&terms.base).await {
            Ok(tip) if tip != terms.base_commit => {
                let detail = format!("the base moved to {tip} before the merge; the change is verified again on it.");
                journal.refuse(Refusal::new(Stage::PromotionMerge, Reason::BaseMoved, detail), None).await?;
                Err(Stop::Again)
            }
            // An unreadable base is looked at again before the next try.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    async fn merge_refused(
        &self,
        journal: &mut Journal<'_>,
        refused: MergeRefusal,
        observer: &dyn Observer,
    ) -> Result<Stop, Stop> {
        let detail =
            format!("the forge refused the merge: {}. Mend that, then promote the same change again.", refused.message);
        let refusal = Refusal::new(Stage::PromotionMerge, refused.reason, detail);
        // What somebody else pushed to the branch is theirs, and stays.
        let over = refusal.disposition() == Disposition::Ends && refusal.reason != Reason::HeadMoved;
        let stop = journal.refuse(refusal, None).await?;
        if over {
            self.retire(journal, observer).await;
        }
        Ok(stop)
    }

    pub(crate) async fn reopen(&self, journal: &Journal<'_>) -> Result<Reopened, Stop> {
        let rollback = journal.run().rollback_of().is_some();
        match journal.ledger().reopen_merge(journal.run().id(), rollback).await {
            Ok(MergeGrant::Granted(..)) if self.is_overdue(journal).await? => Ok(Reopened::Overdue),
            Ok(MergeGrant::Granted(permit, _)) => Ok(Reopened::Granted(permit)),
            Ok(MergeGrant::Refused(refusal)) => Ok(Reopened::Refused(refusal)),
            // Somebody else fenced it or recorded its outcome.
            Err(LedgerError::Refused { .. }) => Err(Stop::Overtaken),
            Err(error) => Err(error.into()),
        }
    }
}

/// What asking for a permit, and with it for the merge, gave.
pub(crate) enum Asked {
    /// It is known how the run stands.
    Ended(Stop),
    /// Another merge into the same base is under way: look again in a moment.
    NotYet(Refusal),
}

/// What asking for an open permit again gave.
pub(crate) enum Reopened {
    /// It is still open and in time, and promotion is not paused.
    Granted(MergePermit),
    /// It is still open, but its time is over: nobody may act on it any more.
    Overdue,
    /// Promotion is paused, or it cannot be known that it is not.
    Refused(Refusal),
}
