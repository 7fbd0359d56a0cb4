//! Merges in the background.

use super::{EnqueueRefusal, MergeRefusal, MergeRequest, Scope};
use crate::clock;
use crate::control::MergeMethod;
use crate::state::{MergeAction, RequestOutcome, RequestedMerge, Store};
use crate::world::{World, WorldError};

impl World {
    /// Carries out the merges that were asked for, unless they are held back. What came of each is recorded after it: a crash in
    /// between is made good by the next look, as a pull request that is merged already counts as merged by its request.
    pub(crate) async fn carry_out_merges(&self, store: &mut Store) -> Result<(), WorldError> {
        if self.knobs.holds_merges() {
            return Ok(());
        }
        for (number, request) in store.state.waiting_merges() {
            let outcome = self.carry_out(store, number, &request).await?;
            store.state.end_requested_merge(number, &request.uuid, outcome, clock::now());
            store.save()?;
        }
        Ok(())
    }

    /// Carries out merges as they come, until the twin closes.
    pub(crate) async fn merge_in_background(&self) {
        loop {
            if let Err(error) = self.carry_out_merges(&mut *self.store.lock().await).await {
                tracing::error!(error = &error as &dyn std::error::Error, "a merge in the background failed");
            }
            tokio::select! {
                biased;
                () = self.closing() => return,
                () = self.merge_asked_for.notified() => {}
            }
        }
    }

    async fn carry_out(
        &self,
        store: &mut Store,
        number: u64,
        request: &RequestedMerge,
    ) -> Result<RequestOutcome, WorldError> {
        self.settle(store, Scope::One(number)).await?;
        let failed = |words: &str| Ok(RequestOutcome::Failed(words.to_owned()));
        let Some(pull) = store.state.pulls.get(&number) else { return failed("Pull request not found") };
        if let Some(merged) = &pull.merged {
            return Ok(RequestOutcome::Merged(merged.sha));
        }
        if pull.queued.is_some() {
            return Ok(RequestOutcome::Enqueued);
        }
        let has_queue = store.state.settings.queue_rules(&pull.base).is_some();
        if request.action == MergeAction::MergeQueue || (request.action == MergeAction::Default && has_queue) {
            return match self.enqueue(store, number, Some(&request.head.to_string()), false).await {
                Ok(_) => Ok(RequestOutcome::Enqueued),
                Err(EnqueueRefusal::NotFound) => failed("Pull request not found"),
                Err(EnqueueRefusal::Unfit(words)) => Ok(RequestOutcome::Failed(words)),
                Err(EnqueueRefusal::Failed(error)) => Err(error),
            };
        }
        let asked = MergeRequest {
            number,
            head: Some(request.head.to_string()),
            method: request.method.unwrap_or(MergeMethod::Merge),
            title: request.title.clone(),
            message: request.message.clone(),
            by: self.config.login.clone(),
        };
        match self.merge_pull(store, &asked).await {
            Ok(sha) => Ok(RequestOutcome::Merged(sha)),
            Err(MergeRefusal::Failed(error)) => Err(error),
            Err(refusal) => Ok(RequestOutcome::Failed(refusal.words())),
        }
    }
}
