//! `createRef`.

use serde_json::{Value, json};

use super::failure::{Failure, RunError};
use super::step::{Input, must_be_here};
use crate::api::call::Call;
use crate::api::error::ApiError;
use crate::api::refs::{EXISTS, make};
use crate::api::repository_json::node_id;
use crate::git::Oid;

/// A ref that is wished for.
pub(super) struct NewReference {
    repository: String,
    name: String,
    oid: String,
}

impl NewReference {
    pub(super) fn read(input: &Input) -> Result<Self, Failure> {
        let (repository, name) = (input.required("repositoryId")?, input.required("name")?);
        Ok(Self { repository, name, oid: input.required("oid")? })
    }

    pub(super) async fn run(&self, call: &Call<'_>) -> Result<Value, RunError> {
        must_be_here(call.world, &self.repository)?;
        match make(call, &self.name, &self.oid).await {
            Ok((name, target)) => Ok(json!({"ref": ref_json(name.as_str(), target.oid)})),
            Err(ApiError::Refused { message, .. }) if message == EXISTS => {
                let words = format!("A ref named {:?} already exists in the repository.", self.name);
                Err(Failure::new("UNPROCESSABLE", words).into())
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// A branch as GraphQL shows it: name and prefix apart.
pub(super) fn ref_json(name: &str, target: Oid) -> Value {
    let (prefix, short) = name.match_indices('/').nth(1).map_or(("", name), |(at, _)| name.split_at(at + 1));
    json!({
        "id": node_id("Ref", name),
        "name": short,
        "prefix": prefix,
        "target": {"id": node_id("Commit", target), "oid": target},
    })
}
