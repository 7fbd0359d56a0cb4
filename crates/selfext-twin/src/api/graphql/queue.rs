//! `enqueuePullRequest` and `dequeuePullRequest`.

use serde_json::{Value, json};

use super::failure::{Failure, RunError};
use super::pull_json::entry_json;
use super::step::{Input, unresolved};
use crate::api::call::Call;
use crate::api::repository_json::node_id;
use crate::forge::{EnqueueRefusal, Scope};
use crate::state::State;

/// A pull request that is to be put into its queue.
pub(super) struct Enqueue {
    pull_request: String,
    expected: Option<String>,
    jump: bool,
}

impl Enqueue {
    pub(super) fn read(input: &Input) -> Result<Self, Failure> {
        Ok(Self {
            pull_request: input.required("pullRequestId")?,
            expected: input.string("expectedHeadOid")?,
            jump: input.flag("jump")?.unwrap_or(false),
        })
    }

    pub(super) async fn run(&self, call: &Call<'_>) -> Result<Value, RunError> {
        let mut store = call.world.store.lock().await;
        let number = number_of(&store.state, &self.pull_request)?;
        let added = call.world.enqueue(&mut store, number, self.expected.as_deref(), self.jump).await;
        let added = added.map_err(refused)?;
        // One that does not fit onto those ahead is out already, and is shown as it was.
        let pull = store.state.pulls.get(&number).filter(|pull| pull.queued.is_some()).unwrap_or(&added);
        Ok(json!({"mergeQueueEntry": entry_json(call, &store.state, pull).await?}))
    }
}

/// A pull request that is to be taken out of it.
pub(super) struct Dequeue {
    pull_request: String,
}

impl Dequeue {
    pub(super) fn read(input: &Input) -> Result<Self, Failure> {
        Ok(Self { pull_request: input.required("id")? })
    }

    pub(super) async fn run(&self, call: &Call<'_>) -> Result<Value, RunError> {
        let mut store = call.world.store.lock().await;
        let number = number_of(&store.state, &self.pull_request)?;
        call.world.settle(&mut store, Scope::One(number)).await?;
        let entry = match store.state.pulls.get(&number) {
            Some(pull) => entry_json(call, &store.state, pull).await?,
            None => Value::Null,
        };
        call.world.dequeue(&mut store, number).await.map_err(refused)?;
        Ok(json!({"mergeQueueEntry": entry}))
    }
}

fn number_of(state: &State, id: &str) -> Result<u64, Failure> {
    let pull = state.pulls.values().find(|pull| node_id("PullRequest", pull.id) == id);
    pull.map(|pull| pull.number).ok_or_else(|| unresolved(id))
}

fn refused(refusal: EnqueueRefusal) -> RunError {
    match refusal {
        EnqueueRefusal::NotFound => Failure::new("NOT_FOUND", "Could not resolve to a PullRequest").into(),
        EnqueueRefusal::Unfit(words) => Failure::new("UNPROCESSABLE", words).into(),
        EnqueueRefusal::Failed(error) => error.into(),
    }
}
