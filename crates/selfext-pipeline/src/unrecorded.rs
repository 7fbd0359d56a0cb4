//! A change that landed without the ledger's knowing: the database lost the end of its ledger after the merge was asked for.

use selfext_domain::ports::{BranchSince, ForgeError, LandedCommit, MergeGrant};
use selfext_domain::{CommitMeta, CommitSha, MergeQueueRule, MergeStarted, MergeWay, Rules, RunId, Stage, Tested};

use crate::journal::{Journal, Stop};
use crate::merge::window_of;
use crate::{Observer, Pipeline, refusals};

/// The way by which a change landed of which the ledger does not know: through the queue, if the rules let selfext use one.
const fn landed_by(rules: &Rules) -> MergeWay {
    match rules.merge_queue {
        MergeQueueRule::Enqueue { .. } => MergeWay::Queue,
        MergeQueueRule::Refuse => MergeWay::Direct,
    }
}

/// The commit as which a run's change landed, among those that its base went through.
pub(crate) fn landing<'a>(since: &'a BranchSince, run: &RunId) -> Option<&'a LandedCommit> {
    since.line().find(|commit| CommitMeta::find(&commit.message).is_some_and(|meta| meta.run_id == *run))
}

impl Pipeline {
    /// Looks, when a run is taken up again on a base that has moved, whether the move is its own landing, and records it. It
    /// takes a permit first, as every landing does, so that a pause and a changed history hold it back.
    pub(crate) async fn record_unrecorded(
        &self,
        journal: &mut Journal<'_>,
        tip: &CommitSha,
        observer: &dyn Observer,
    ) -> Result<Option<Stop>, Stop> {
        let Some(tested) = journal.run().tested().filter(|tested| tested.base_commit != *tip).cloned() else {
            return Ok(None);
        };
        let refused = |error: &ForgeError| {
            refusals::of_forge(Stage::PromotionPipeline, "whether the change has landed could not be read", error)
        };
        let since = match self.ports.forge.branch_since(&self.config.base, &tested.base_commit).await {
            Ok(since) => since,
            // The commit is gone: the base was made anew, and verification says what that means for the change.
            Err(ForgeError::NotFound(_)) => return Ok(None),
            Err(error) => return Ok(Some(journal.refuse(refused(&error), None).await?)),
        };
        let Some(landed) = landing(&since, journal.run().id()) else {
            return Ok(None);
        };
        let request = match self.ports.forge.find_pull_request(journal.run().branch(), &self.config.base).await {
            Ok(Some(request)) => request,
            Ok(None) => return Ok(None),
            Err(error) => return Ok(Some(journal.refuse(refused(&error), None).await?)),
        };
        let rules = match self.read_rules(&tested.base_commit).await {
            Ok(rules) => rules,
            Err(refusal) => return Ok(Some(journal.refuse(refusal, None).await?)),
        };
        journal.claim(Tested { holder: self.config.holder.clone(), ..tested.clone() }).await?;
        let started = MergeStarted {
            head: request.head,
            base_commit: tested.base_commit,
            tree: tested.tree,
            branch: tested.branch,
            method: rules.merge_method,
            way: landed_by(&rules),
            message: landed.message.clone(),
            // It has landed, so there is nothing to let through.
            permit_status: false,
            health: window_of(journal, &rules),
            holder: self.config.holder.clone(),
            deadline_seconds: self.deadline_seconds(),
        };
        Ok(Some(match self.begin_merge(journal, started, Some(request.number)).await? {
            MergeGrant::Granted(_, _) => self.land(journal, landed.sha.clone(), observer).await?,
            MergeGrant::Refused(refusal) => journal.refuse(refusal, Some(request.number)).await?,
        }))
    }
}
