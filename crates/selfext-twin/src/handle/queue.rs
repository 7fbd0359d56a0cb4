//! Merge queues and merges in the background.

use std::sync::Arc;

use super::TwinHandle;
use crate::control::{AutoCheck, QueueCommit, QueueEntry};
use crate::error::TwinError;
use crate::forge::EnqueueRefusal;
use crate::state::Pull;

impl TwinHandle {
    /// The entries of a branch's merge queue, from its front, as they are recorded. The repository is not asked, and nothing
    /// lands.
    pub async fn queue(&self, base: &str) -> Vec<QueueEntry> {
        let store = self.world.store.lock().await;
        let entry = |number: &u64| store.state.pulls.get(number).map(Pull::queue_entry);
        store.state.queue(base).iter().filter_map(entry).collect()
    }

    /// Puts a pull request at the end of the merge queue of its base, as if somebody had.
    ///
    /// # Errors
    ///
    /// [`TwinError::NoSuchThing`] if there is no such pull request, [`TwinError::Refused`] if it may not be there;
    /// [`TwinError::Closed`], [`TwinError::Git`] and [`TwinError::Files`] if it cannot be done.
    pub async fn enqueue(&self, pull_request: u64) -> Result<(), TwinError> {
        self.put_into_queue(pull_request, false).await
    }

    /// Puts a pull request at the front of the merge queue of its base, as if somebody had. The commits of all others are made
    /// anew.
    ///
    /// # Errors
    ///
    /// As [`enqueue`](Self::enqueue).
    pub async fn enqueue_ahead(&self, pull_request: u64) -> Result<(), TwinError> {
        self.put_into_queue(pull_request, true).await
    }

    async fn put_into_queue(&self, pull_request: u64, jump: bool) -> Result<(), TwinError> {
        let mut store = self.world.store.lock().await;
        self.world.check_open()?;
        let done = self.world.enqueue(&mut store, pull_request, None, jump).await;
        done.map(|_| ()).map_err(|refusal| refused(refusal, pull_request))
    }

    /// Throws a pull request out of its merge queue, as GitHub does when its checks do not end in time, and as anybody may.
    ///
    /// # Errors
    ///
    /// As [`enqueue`](Self::enqueue); [`TwinError::Refused`] if it is in no queue.
    pub async fn throw_out(&self, pull_request: u64) -> Result<(), TwinError> {
        let mut store = self.world.store.lock().await;
        self.world.check_open()?;
        let done = self.world.dequeue(&mut store, pull_request).await;
        done.map_err(|refusal| refused(refusal, pull_request))
    }

    /// Makes a pull request a draft, which takes it out of its merge queue, or ready for review.
    ///
    /// # Errors
    ///
    /// As [`enqueue`](Self::enqueue).
    pub async fn set_draft(&self, pull_request: u64, draft: bool) -> Result<(), TwinError> {
        let mut store = self.world.store.lock().await;
        self.world.check_open()?;
        let pull = store.state.pulls.get_mut(&pull_request);
        let pull = pull.ok_or_else(|| TwinError::NoSuchThing(format!("pull request {pull_request}")))?;
        pull.draft = draft;
        if draft {
            pull.queued = None;
        }
        store.save()?;
        Ok(self.world.advance_queues(&mut store).await?)
    }

    /// Sets checks by this rule on each commit that a merge queue makes, as CI does that runs on `merge_group`. Without it they
    /// get none. It takes the place of an earlier rule and is forgotten when the twin closes.
    ///
    /// The rule must not use the handle: the state is locked while it runs.
    pub fn on_queue_commit(&self, rule: impl Fn(&QueueCommit) -> Vec<AutoCheck> + Send + Sync + 'static) {
        self.world.knobs.set_on_queue_commit(Some(Arc::new(rule)));
    }

    /// Sets these checks on each commit that a merge queue makes.
    pub fn on_queue_commit_set(&self, checks: impl IntoIterator<Item = AutoCheck>) {
        let checks: Vec<AutoCheck> = checks.into_iter().collect();
        self.on_queue_commit(move |_| checks.clone());
    }

    /// Keeps merges in the background from being carried out, those that wait and those to come. Forgotten when the twin closes:
    /// one that is opened later carries them out as soon as it is served, unless it was told to hold them before.
    pub fn hold_async_merges(&self) {
        self.world.knobs.hold_merges(true);
    }

    /// Carries out the merges in the background that were held back, and returns when that is done.
    ///
    /// # Errors
    ///
    /// [`TwinError::Closed`], [`TwinError::Git`] and [`TwinError::Files`] if it cannot be done.
    pub async fn release_async_merges(&self) -> Result<(), TwinError> {
        self.world.knobs.hold_merges(false);
        let mut store = self.world.store.lock().await;
        self.world.check_open()?;
        Ok(self.world.carry_out_merges(&mut store).await?)
    }

    /// The pull requests with a merge in the background that has not been carried out.
    pub async fn waiting_async_merges(&self) -> Vec<u64> {
        let store = self.world.store.lock().await;
        store.state.waiting_merges().into_iter().map(|(number, _)| number).collect()
    }

    /// Forgets what came of all merges in the background, as GitHub does after a day.
    ///
    /// # Errors
    ///
    /// [`TwinError::Closed`] and [`TwinError::Files`] if it cannot be kept.
    pub async fn forget_async_merges(&self) -> Result<(), TwinError> {
        let mut store = self.world.store.lock().await;
        self.world.check_open()?;
        store.state.forget_requested_merges();
        Ok(store.save()?)
    }

    /// Says whether the API has the operations for merging in the background. Without them their paths are answered as any
    /// unknown one is. Forgotten when the twin closes.
    pub fn set_async_merges(&self, there: bool) {
        self.world.knobs.set_without_async_merges(!there);
    }
}

fn refused(refusal: EnqueueRefusal, pull_request: u64) -> TwinError {
    match refusal {
        EnqueueRefusal::NotFound => TwinError::NoSuchThing(format!("pull request {pull_request}")),
        EnqueueRefusal::Unfit(words) => TwinError::Refused(words),
        EnqueueRefusal::Failed(error) => error.into(),
    }
}
