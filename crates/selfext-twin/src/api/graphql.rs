//! GitHub's GraphQL API, as far as it publishes a change and queues it for merging, with five mutations, and tells how a pull
//! request stands and who is in a team, with three queries.
//!
//! The fields of a mutation are carried out one after another in their order. One that fails is null and has an entry in
//! `errors`, and the later ones are carried out all the same; the status is 200 whatever happened.

mod commit;
mod document;
mod failure;
mod kind;
mod members;
mod pull_json;
mod pull_request;
mod queue;
mod reference;
mod repository;
mod step;

use axum::http::HeaderName;
use serde_json::{Map, Value, json};

use self::document::Operation;
use self::failure::{Failure, RunError};
use self::step::Step;
use super::call::Call;
use super::reply::Reply;
use super::route::{ApiResult, Route};

pub(super) const ROUTES: &[Route] =
    &[Route { method: "POST", template: "/graphql", docs: "", run: |call| Box::pin(answer(call)) }];

async fn answer(call: &Call<'_>) -> ApiResult {
    let body = call.body()?;
    let planned = match body.string("query") {
        Ok(Some(query)) => plan(query, &body.members("variables"), body.string("operationName").ok().flatten()),
        _ => Err(Failure::of_document("A query attribute must be specified and must be a string.")),
    };
    let steps = match planned {
        Ok(steps) => steps,
        Err(failure) => return Ok(reply(json!({"errors": [failure.json(&[])]}))),
    };
    let (mut data, mut errors) = (Map::new(), Vec::new());
    for (field, step) in &steps {
        let value = match step.run(call).await {
            Ok(payload) => field.select(&payload),
            Err(RunError::Refused(failure)) => {
                errors.push(failure.json(&[&field.key]));
                Value::Null
            }
            Err(RunError::RefusedBelow(name, failure, rest)) => {
                let below = field.below(name).map_or(name, |below| &below.key);
                errors.push(failure.json(&[&field.key, below]));
                field.select(&rest)
            }
            Err(RunError::Failed(error)) => return Err(error),
        };
        data.insert(field.key.clone(), value);
    }
    let mut answer = json!({"data": data});
    if !errors.is_empty() {
        answer["errors"] = Value::Array(errors);
    }
    Ok(reply(answer))
}

/// What a document asks for, or why none of it is done.
fn plan(
    query: &str,
    variables: &Map<String, Value>,
    name: Option<&str>,
) -> Result<Vec<(document::Field, Step)>, Failure> {
    let Operation { fields, mutates } = Operation::parse(query, variables, name)?;
    fields
        .into_iter()
        .map(|field| {
            let step = if mutates { Step::read(&field)? } else { Step::read_query(&field)? };
            let field = field.narrowed(step.payload());
            field.check(step.payload())?;
            Ok((field, step))
        })
        .collect()
}

fn reply(answer: Value) -> Reply {
    Reply::ok(answer).with(HeaderName::from_static("x-ratelimit-resource"), Some("graphql"))
}
