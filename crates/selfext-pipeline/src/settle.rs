//! Finding out whether a merge happened, recording what landed, and fencing off what may still arrive.

use selfext_domain::ports::{ForgeError, MergeGrant, PauseRequest, PullRequestState};
use selfext_domain::{
    CommitSha, Failed, MergeFenced, OperatorName, PermitTerms, Phase, Promoted, Reason, Refusal, Stage,
};

use crate::journal::{Journal, Stop};
use crate::unrecorded::landing;
use crate::{Ending, Observer, Pipeline, PromoteError, Step};

/// Why a permit that nobody used in time is fenced.
pub(crate) const OVERDUE: &str = "its permit's time was over";

/// What the forge shows of a merge that is under way.
pub(crate) struct Seen {
    /// The commit as which the change landed, if it did.
    pub(crate) landed: Option<CommitSha>,
    /// Whether the base is anywhere else than where the change was verified.
    pub(crate) base_moved: bool,
}

impl Pipeline {
    /// Takes up a merge that a crash, or another process, left open. Asking for it again merges nothing twice: it is bound to
    /// one head of one pull request.
    pub(crate) async fn follow_merge(&self, journal: &mut Journal<'_>, observer: &dyn Observer) -> Result<Stop, Stop> {
        let seen = match self.settle(journal, observer).await? {
            Settled::Ended(stop) => return Ok(stop),
            Settled::Open(seen) => seen,
        };
        if seen.base_moved && !permit_of(journal)?.way.is_queue() {
            return self.give_up_moved_base(journal, true, observer).await;
        }
        match self.take_over(journal).await? {
            MergeGrant::Granted(permit, _) => self.use_permit(journal, permit, true, observer).await,
            MergeGrant::Refused(refusal) => self.give_up(journal, refusal, true, observer).await,
        }
    }

    /// Records what landed, finishes a fence, and fences a merge whose time is over. A merge that is in time and has not
    /// landed is left as it is.
    pub(crate) async fn settle(&self, journal: &mut Journal<'_>, observer: &dyn Observer) -> Result<Settled, Stop> {
        let seen = match self.look(journal).await {
            Ok(seen) => seen,
            Err(error) => return Ok(Settled::Ended(unseen(journal, &error)?)),
        };
        let stop = if let Some(commit) = seen.landed {
            self.land(journal, commit, observer).await?
        } else if journal.run().phase() == Phase::Fencing {
            self.fence(journal, "an earlier fence was not finished", observer).await?
        } else if self.is_overdue(journal).await? {
            self.fence(journal, OVERDUE, observer).await?
        } else {
            return Ok(Settled::Open(seen));
        };
        Ok(Settled::Ended(stop))
    }

    /// Ends the tries of a merge that has not happened. If no request can be on its way any more, the refusal closes the
    /// permit; otherwise the run stays in doubt until its deadline, and is fenced after it. Through a queue it is fenced at once:
    /// that permit lasts too long to be waited for.
    pub(crate) async fn give_up(
        &self,
        journal: &mut Journal<'_>,
        refusal: Refusal,
        doubtful: bool,
        observer: &dyn Observer,
    ) -> Result<Stop, Stop> {
        if !doubtful {
            return self.close_permit(journal, refusal).await;
        }
        let terms = permit_of(journal)?;
        if terms.way.is_queue() || self.is_overdue(journal).await? {
            return self.fence(journal, &refusal.detail, observer).await;
        }
        let detail = format!(
            "pull request {} may still be merged until {}: {} `selfext reconcile` asks again.",
            terms.pull_request, terms.deadline, refusal.detail
        );
        Ok(journal.end(Ending::InDoubt { detail }))
    }

    /// Whether the open permit's time is over, by the clock that granted it.
    pub(crate) async fn is_overdue(&self, journal: &Journal<'_>) -> Result<bool, Stop> {
        let deadline = permit_of(journal)?.deadline;
        Ok(self.ports.ledger.time().await? > deadline)
    }

    /// What the forge shows of an open permit's merge. The pull request is asked, and because its record may lag behind the
    /// branch, the base branch's new commits are looked through too.
    pub(crate) async fn look(&self, journal: &Journal<'_>) -> Result<Seen, ForgeError> {
        let Some(terms) = journal.run().permit() else {
            return Ok(Seen { landed: None, base_moved: false });
        };
        let forge = &self.ports.forge;
        let (request, since) =
            futures::join!(forge.pull_request(terms.pull_request), forge.branch_since(&terms.base, &terms.base_commit));
        if let PullRequestState::Merged { commit: Some(commit) } = request?.state {
            return Ok(Seen { landed: Some(commit), base_moved: true });
        }
        let since = since?;
        // A queue words its merge commits itself.
        let merged = || since.line().find(|commit| commit.parents.iter().skip(1).any(|parent| *parent == terms.head));
        let landed = landing(&since, &terms.run).or_else(merged).map(|commit| commit.sha.clone());
        Ok(Seen { landed, base_moved: since.has_moved() })
    }

    /// Records a merge that happened: compares what landed with what was tested, and deletes the branch meanwhile. Where a
    /// publication may still be on its way, the branch stays, at what landed: otherwise that one would open another pull request.
    pub(crate) async fn land(
        &self,
        journal: &mut Journal<'_>,
        commit: CommitSha,
        observer: &dyn Observer,
    ) -> Result<Stop, Stop> {
        let terms = permit_of(journal)?;
        let late = journal.run().may_be_published_late();
        let cleaning = async {
            if late {
                self.ports.forge.park_branch(&terms.branch, &commit).await
            } else {
                self.ports.forge.delete_branch(&terms.branch).await
            }
        };
        let (landed, cleaned) = futures::join!(self.ports.forge.commit(&commit), cleaning);
        if let Err(error) = cleaned {
            observer.on(&Step::CleanupFailed {
                detail: format!("branch {} is left: {}", terms.branch, selfext_domain::error_chain(&error)),
            });
        }
        let landed = match landed {
            Ok(landed) => landed,
            Err(error) => {
                let detail = format!(
                    "it landed as {commit}, but what landed could not be read: {}. `selfext reconcile` asks again.",
                    selfext_domain::error_chain(&error)
                );
                return Ok(journal.end(Ending::InDoubt { detail }));
            }
        };
        let tree_matches = landed.tree == terms.tree;
        let checked_in_queue = !tree_matches && terms.way.is_queue() && self.queue_vouches(journal, &commit).await?;
        if !tree_matches && !checked_in_queue {
            // Before the run is over, so that a crash in between pauses twice rather than never.
            self.pause_for_difference(&terms, &commit).await?;
        }
        let promoted = Promoted {
            commit: commit.clone(),
            tree: landed.tree,
            tree_matches,
            checked_in_queue,
            health: terms.health,
        };
        journal.record(promoted, None).await?;
        observer.on(&Step::Landed { commit: commit.clone() });
        Ok(journal.end(Ending::Promoted { commit, tree_matches, checked_in_queue, already: false }))
    }

    async fn pause_for_difference(&self, terms: &PermitTerms, commit: &CommitSha) -> Result<(), Stop> {
        let request = PauseRequest {
            event: self.ports.ids.event_id(),
            by: OperatorName::selfext(),
            reason: format!(
                "{}: run {} landed as {commit}, which is not the tree that was tested",
                Reason::MergedTreeDiffers,
                terms.run
            ),
            // An operator's stricter pause is not to be loosened.
            allow_rollbacks: false,
            os_user: None,
        };
        self.ports.control.pause(&request).await.map_err(PromoteError::from)?;
        Ok(())
    }

    /// Makes sure that an open permit's merge can never happen any more, or finds that it has: the pull request is taken out of
    /// the queue, if it was to go through one, the branch moved to another commit, the pull request closed, the forge read again,
    /// the branch deleted. Each step may be repeated.
    pub(crate) async fn fence(
        &self,
        journal: &mut Journal<'_>,
        why: &str,
        observer: &dyn Observer,
    ) -> Result<Stop, Stop> {
        if let Some(commit) = self.fence_off(journal, why).await? {
            return self.land(journal, commit, observer).await;
        }
        let detail = format!("the merge was fenced off and cannot happen any more: {why}");
        let refusal = Refusal::new(Stage::PromotionMerge, Reason::MergeFenced, detail);
        journal.record(Failed { refusal: refusal.clone(), stages: Vec::new() }, None).await?;
        self.retire(journal, observer).await;
        Ok(journal.end(Ending::Failed(refusal)))
    }

    /// Fences; answers the commit as which the change had landed before.
    pub(crate) async fn fence_off(&self, journal: &mut Journal<'_>, why: &str) -> Result<Option<CommitSha>, Stop> {
        // What has landed needs no fence, and its branch may be gone for a good reason.
        if let Ok(Seen { landed: Some(commit), .. }) = self.look(journal).await {
            return Ok(Some(commit));
        }
        let terms = permit_of(journal)?;
        if journal.run().phase() == Phase::Merging {
            let fenced = MergeFenced { permit: terms.id, head: terms.head.clone(), detail: why.to_owned() };
            journal.record(fenced, None).await?;
        }
        let forge = &self.ports.forge;
        let fenced = async {
            // A head that moved leaves the queue, too: what cannot be taken out of it is fenced all the same.
            let left = if terms.way.is_queue() { forge.leave_queue(terms.pull_request).await } else { Ok(()) };
            forge.fence_branch(&terms.branch, &terms.head).await?;
            forge.close_pull_request(terms.pull_request).await?;
            left
        };
        if let Err(error) = fenced.await {
            let detail = format!(
                "pull request {} could not be fenced off: {}",
                terms.pull_request,
                selfext_domain::error_chain(&error)
            );
            return Err(journal.end(Ending::InDoubt { detail }));
        }
        match self.look(journal).await {
            Ok(seen) => Ok(seen.landed),
            Err(error) => Err(unseen(journal, &error)?),
        }
    }
}

/// What settling a merge gave.
pub(crate) enum Settled {
    /// It is known how the run stands.
    Ended(Stop),
    /// The merge is in time and has not landed.
    Open(Seen),
}

/// A merge of which it cannot be seen what became stays in doubt.
pub(crate) fn unseen(journal: &Journal<'_>, error: &ForgeError) -> Result<Stop, Stop> {
    let number = permit_of(journal)?.pull_request;
    let error = selfext_domain::error_chain(error);
    let detail = format!("the forge could not be asked whether pull request {number} was merged: {error}");
    Ok(journal.end(Ending::InDoubt { detail }))
}

/// The open permit of a run in a merge. The fold sets it with `merge_started`, so a run without one is not in a merge.
pub(crate) fn permit_of(journal: &Journal<'_>) -> Result<PermitTerms, Stop> {
    journal.run().permit().cloned().ok_or(Stop::Overtaken)
}
