//! The permit and the merge.

use selfext_domain::ports::{MergeAnswer, MergeGrant, MergeRefusal, Published};
use selfext_domain::{
    ChangeSet, Disposition, HealthTerms, MergePermit, MergeQueueRule, MergeStarted, MergeWay, PullRequestNumber,
    Reason, Refusal, Rules, Stage,
};

use crate::journal::{Journal, Stop};
use crate::promote::holds_a_line;
use crate::publish::message;
use crate::settle::{OVERDUE, permit_of, unseen};
use crate::verify::Verified;
use crate::{Ending, Observer, Pipeline, Step, refusals};

/// What the change of a run has to show once it landed. What takes another back goes to what is known, and opens no window.
pub(crate) fn window_of(journal: &Journal<'_>, rules: &Rules) -> Option<HealthTerms> {
    rules.health.as_ref().map(|health| health.terms).filter(|_| journal.run().rollback_of().is_none())
}

impl Pipeline {
    /// Asks the ledger for the permit, and the forge for the merge.
    pub(crate) async fn merge(
        &self,
        change: &ChangeSet,
        journal: &mut Journal<'_>,
        verified: &Verified,
        published: &Published,
        way: MergeWay,
        observer: &dyn Observer,
    ) -> Result<Asked, Stop> {
        let started = MergeStarted {
            head: published.head.clone(),
            base_commit: verified.candidate.base.clone(),
            tree: verified.candidate.tree.clone(),
            branch: journal.run().branch().clone(),
            method: verified.rules.merge_method,
            way,
            message: message(change, journal, verified)?,
            permit_status: verified.rules.permit_status,
            health: window_of(journal, &verified.rules),
            holder: self.config.holder.clone(),
            deadline_seconds: self.deadline_by(way, verified.rules.merge_queue),
        };
        match self.begin_merge(journal, started, Some(published.pull_request)).await? {
            MergeGrant::Refused(refusal)
                if matches!(refusal.reason, Reason::MergeInFlight | Reason::BaseMoved)
                    || holds_a_line(&refusal, &verified.rules, journal.run()) =>
            {
                Ok(Asked::NotYet(refusal))
            }
            MergeGrant::Refused(refusal) => {
                Ok(Asked::Ended(journal.refuse(refusal, Some(published.pull_request)).await?))
            }
            MergeGrant::Granted(permit, _) => {
                observer.on(&Step::MergeStarted);
                Ok(Asked::Ended(self.use_permit(journal, permit, false, observer).await?))
            }
        }
    }

    /// Asks for the merge until it is known how it ended, each time under the same permit, and only while promotion is not
    /// paused and the base is where the change was verified. `doubtful` says that a request under this permit, or under one
    /// that it took over, may be on its way already: then only what the forge shows, or a fence, ends the merge.
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
            let message = match self.ask(permit).await {
                MergeAnswer::Merged { commit } => {
                    return self.land(journal, commit, observer).await;
                }
                MergeAnswer::Enqueued => return self.follow_queue(journal, doubtful, observer).await,
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
            let seen = match self.look(journal).await {
                Ok(seen) => seen,
                Err(error) if doubtful => return unseen(journal, &error),
                Err(error) => {
                    let doing = "the forge did not merge, and whether the base moved could not be read";
                    let refusal = refusals::of_forge(Stage::PromotionMerge, doing, &error);
                    return self.close_permit(journal, refusal).await;
                }
            };
            if let Some(commit) = seen.landed {
                return self.land(journal, commit, observer).await;
            }
            if seen.base_moved && !permit_of(journal)?.way.is_queue() {
                // The forge does not bind a merge to its base.
                return self.give_up_moved_base(journal, doubtful, observer).await;
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

    /// A merge that surely did not happen is given up when the base has moved, and the change verified again at once. One
    /// that may still happen is not asked for again.
    pub(crate) async fn give_up_moved_base(
        &self,
        journal: &mut Journal<'_>,
        doubtful: bool,
        observer: &dyn Observer,
    ) -> Result<Stop, Stop> {
        let detail = "the base moved before the merge, which is not asked for again on it.".to_owned();
        let stop =
            self.give_up(journal, Refusal::new(Stage::PromotionMerge, Reason::BaseMoved, detail), doubtful, observer);
        if doubtful { stop.await } else { stop.await.and(Err(Stop::Again)) }
    }

    /// Asks for the merge, once the head says that its permit is open, where it is to say so.
    async fn ask(&self, permit: MergePermit) -> MergeAnswer {
        if permit.terms().permit_status
            && let Err(error) = self.ports.forge.show_permit(&permit.terms().head, true).await
        {
            let message =
                format!("the permit's commit status could not be set: {}", selfext_domain::error_chain(&error));
            return MergeAnswer::MayPass { permit, message };
        }
        self.ports.forge.merge(permit).await
    }

    /// Closes a permit under which no request is on its way, with a refusal. The head stops saying that it is open before that,
    /// so that a green status always belongs to a permit that a pause lists.
    pub(crate) async fn close_permit(&self, journal: &mut Journal<'_>, refusal: Refusal) -> Result<Stop, Stop> {
        let terms = permit_of(journal)?;
        if terms.permit_status
            && let Err(error) = self.ports.forge.show_permit(&terms.head, false).await
        {
            let error = selfext_domain::error_chain(&error);
            let detail = format!("{} Its permit's commit status could not be taken back: {error}", refusal.detail);
            return Ok(journal.end(Ending::InDoubt { detail }));
        }
        journal.refuse(refusal, None).await
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
        let stop = self.close_permit(journal, refusal).await?;
        if over {
            self.retire(journal, observer).await;
        }
        Ok(stop)
    }

    /// Asks for this process' own permit again.
    pub(crate) async fn reopen(&self, journal: &Journal<'_>) -> Result<Reopened, Stop> {
        let permit = permit_of(journal)?.id;
        match journal.ledger().reopen_merge(journal.run().id(), permit).await? {
            MergeGrant::Granted(..) if self.is_overdue(journal).await? => Ok(Reopened::Overdue),
            MergeGrant::Granted(permit, _) => Ok(Reopened::Granted(permit)),
            MergeGrant::Refused(refusal) => Ok(Reopened::Refused(refusal)),
        }
    }

    /// Takes over a merge that another process left open, or an earlier life of this one. Whoever held it learns of it: its
    /// permit is neither yielded again nor closed any more.
    pub(crate) async fn take_over(&self, journal: &mut Journal<'_>) -> Result<MergeGrant, Stop> {
        let terms = permit_of(journal)?;
        let mut seconds = self.deadline_seconds();
        if terms.way.is_queue() {
            // Nobody gets more time in a queue by taking it over.
            let left = (terms.deadline - self.ports.ledger.time().await?).num_seconds();
            seconds = seconds.max(u32::try_from(left).unwrap_or(0));
        }
        let started = terms.taken_over(self.config.holder.clone(), seconds);
        self.begin_merge(journal, started, None).await
    }

    /// Asks the ledger for a permit, and applies the event that it is.
    pub(crate) async fn begin_merge(
        &self,
        journal: &mut Journal<'_>,
        started: MergeStarted,
        pull_request: Option<PullRequestNumber>,
    ) -> Result<MergeGrant, Stop> {
        let mut event = journal.run().next_event(self.ports.ids.event_id(), started.into())?;
        event.pull_request = pull_request.or(event.pull_request);
        let grant = journal.ledger().begin_merge(&event, journal.run().tip()).await?;
        if let MergeGrant::Granted(_, recorded) = &grant {
            journal.took(recorded)?;
        }
        Ok(grant)
    }

    pub(crate) fn deadline_seconds(&self) -> u32 {
        u32::try_from(self.config.permit_deadline.as_secs()).unwrap_or(u32::MAX)
    }

    fn deadline_by(&self, way: MergeWay, queue: MergeQueueRule) -> u32 {
        match queue {
            MergeQueueRule::Enqueue { wait } if way.is_queue() => u32::try_from(wait.as_secs()).unwrap_or(u32::MAX),
            _ => self.deadline_seconds(),
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
