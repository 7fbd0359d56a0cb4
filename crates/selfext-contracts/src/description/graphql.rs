//! Exchanges of GraphQL, checked against GitHub's schema.

mod answer;

use std::sync::LazyLock;

use apollo_compiler::executable::Operation;
use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::response::JsonValue;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use serde_json::{Value, json};

use self::answer::Answer;

const SCHEMA: &str = include_str!("../../../../tests/github-description/github-schema.graphql");

/// What is wrong with the schema as GitHub publishes it: two fields of `EnterpriseOwnerInfo` are in it twice, word for word.
const KNOWN_ERROR: &str = "duplicate definitions for the `repositoryDeployKeySetting";

/// Read once a process: it is large.
static COMPILED: LazyLock<Valid<Schema>> = LazyLock::new(|| {
    Schema::parse_and_validate(SCHEMA, "github-schema.graphql").unwrap_or_else(|found| {
        let known = found.errors.iter().all(|wrong| wrong.error.to_string().starts_with(KNOWN_ERROR));
        assert!(known, "GitHub's schema is none: {}", found.errors);
        Valid::assume_valid(found.partial)
    })
});

/// The members that a request may have.
const MEMBERS: [&str; 3] = ["query", "variables", "operationName"];

/// Each way in which a request or the answer to it is not as the schema allows, in words.
pub(super) fn check(request: Option<&Value>, status: u16, response: Option<&Value>) -> Vec<String> {
    let mut wrong = Vec::new();
    match read(request) {
        Err(words) => wrong.push(words),
        Ok(document) => match chosen(&document, request) {
            Err(words) => wrong.push(words),
            Ok(operation) => {
                check_variables(operation, request, &mut wrong);
                check_response(&document, operation, status, response, &mut wrong);
            }
        },
    }
    wrong.into_iter().map(|words| format!("POST /graphql: {words}")).collect()
}

fn read(request: Option<&Value>) -> Result<Valid<ExecutableDocument>, String> {
    let Some(Value::Object(members)) = request else {
        return Err("the request body is missing or no object".to_owned());
    };
    if let Some(other) = members.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
        return Err(format!("the request body's `{other}` is not described"));
    }
    let Some(Value::String(query)) = members.get("query") else {
        return Err("the request has no document".to_owned());
    };
    ExecutableDocument::parse_and_validate(&COMPILED, query.as_str(), "request.graphql")
        .map_err(|error| format!("the document: {}", error.errors))
}

fn chosen<'a>(document: &'a ExecutableDocument, request: Option<&Value>) -> Result<&'a Operation, String> {
    let name = request.and_then(|request| request["operationName"].as_str());
    let operation = document.operations.get(name);
    operation.map(|operation| &**operation).map_err(|error| error.message().to_string())
}

fn check_variables(operation: &Operation, request: Option<&Value>, wrong: &mut Vec<String>) {
    let variables = request.and_then(|request| request.get("variables")).cloned().unwrap_or_else(|| json!({}));
    let JsonValue::Object(variables) = JsonValue::from(variables) else {
        wrong.push("the variables are no object".to_owned());
        return;
    };
    for name in variables.keys() {
        if !operation.variables.iter().any(|declared| declared.name == name.as_str()) {
            wrong.push(format!("the variable `{}` is not declared", name.as_str()));
        }
    }
    if let Err(error) = coerce_variable_values(&COMPILED, operation, &variables) {
        wrong.push(error.message().to_string());
    }
}

fn check_response(
    document: &ExecutableDocument,
    operation: &Operation,
    status: u16,
    response: Option<&Value>,
    wrong: &mut Vec<String>,
) {
    match (status, response) {
        (200, Some(response)) => Answer { schema: &COMPILED, document, operation }.check(response, wrong),
        (200, None) => wrong.push("the answer is missing".to_owned()),
        (400.., Some(body)) if body["message"].is_string() => {}
        (400.., None) => {}
        _ => wrong.push(format!("an answer with the status {status} is not GraphQL's")),
    }
}

#[cfg(test)]
mod tests;
