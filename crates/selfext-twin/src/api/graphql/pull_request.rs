//! `createPullRequest`.

use serde_json::{Value, json};

use super::failure::{Failure, RunError};
use super::pull_json::pull_json;
use super::step::{Input, must_be_here};
use crate::api::call::Call;
use crate::api::pulls::{Wish, open};

/// A pull request that is wished for.
pub(super) struct NewPullRequest {
    repository: String,
    head: String,
    base: String,
    title: String,
    body: Option<String>,
    draft: bool,
}

impl NewPullRequest {
    pub(super) fn read(input: &Input) -> Result<Self, Failure> {
        Ok(Self {
            repository: input.required("repositoryId")?,
            head: input.required("headRefName")?,
            base: input.required("baseRefName")?,
            title: input.required("title")?,
            body: input.string("body")?,
            draft: input.flag("draft")?.unwrap_or(false),
        })
    }

    pub(super) async fn run(&self, call: &Call<'_>) -> Result<Value, RunError> {
        must_be_here(call.world, &self.repository)?;
        let wish = Wish {
            head: &self.head,
            base: &self.base,
            title: Some(&self.title),
            body: self.body.as_deref(),
            draft: self.draft,
        };
        let mut store = call.world.store.lock().await;
        let pull = open(call.world, &mut store, &wish).await?;
        Ok(json!({"pullRequest": pull_json(call, &store.state, &pull).await?}))
    }
}
