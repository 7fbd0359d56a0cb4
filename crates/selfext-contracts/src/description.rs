//! Checks HTTP exchanges against GitHub's own descriptions of its REST API and its GraphQL API.

mod graphql;
mod path;
mod schema;

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Mutex, PoisonError},
};

use jsonschema::Validator;
use serde_json::{Value, json};
use url::form_urlencoded;

use self::path::PathTemplate;

const DESCRIPTION: &str = include_str!("../../../tests/github-description/github-openapi-subset.json");

/// Where GraphQL is spoken.
const GRAPHQL: &str = "/graphql";

/// GitHub's description of the part of its REST API that selfext uses, and its GraphQL schema, from
/// `tests/github-description`. `POST /graphql` is checked by the latter: the document, its variables, and the answer.
///
/// It is stricter than GitHub in one point: a property of a request body that is not described is an error, since
/// GitHub ignores it in silence. And it is laxer than the description in two: an answer of 400 and above for which no
/// body is described may have one, which then must be an error body; and any `GET` may be answered 304, which GitHub's
/// documentation says of all of them and the description of a few.
#[derive(Debug)]
pub struct GithubDescription {
    operations: Vec<Operation>,
    document: Value,
    /// Schemas that were used before, compiled, by the place of their text in the document.
    compiled: Mutex<HashMap<String, Validator>>,
}

#[derive(Debug)]
struct Operation {
    method: String,
    template: PathTemplate,
    /// The JSON pointer of the operation in the document.
    place: String,
}

impl GithubDescription {
    /// Reads the description, which is part of this crate. Load it once and share it: it keeps what it compiled.
    ///
    /// # Panics
    /// If the description in the repository is damaged.
    #[must_use]
    pub fn load() -> Self {
        let mut document: Value = serde_json::from_str(DESCRIPTION)
            .unwrap_or_else(|error| panic!("GitHub's description is no JSON: {error}"));
        schema::modernise(&mut document);
        let operations = operations_of(&document);
        Self { operations, document, compiled: Mutex::default() }
    }

    /// Checks one request and the answer to it.
    ///
    /// `path_and_query` is as it was sent, escaped, without the base URL's own path. Of the operations whose path
    /// matches, the one with the longest literal part counts; `{ref}`, `{path}`, `{branch}` and `{basehead}` may hold
    /// slashes. A body is `None` where none was sent; one that is no JSON cannot be checked here.
    ///
    /// # Errors
    /// If the exchange is not as described: each way in which it is not, in words.
    pub fn check(
        &self,
        method: &str,
        path_and_query: &str,
        request_body: Option<&Value>,
        status: u16,
        response_body: Option<&Value>,
    ) -> Result<(), Vec<String>> {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        if (method, path_and_query) == ("POST", GRAPHQL) {
            let wrong = graphql::check(request_body, status, response_body);
            return if wrong.is_empty() { Ok(()) } else { Err(wrong) };
        }
        let Some((operation, values)) = self.find(method, path) else {
            return Err(vec![format!("{method} {path}: GitHub describes no such operation")]);
        };
        let mut wrong = Vec::new();
        self.check_path(operation, &values, &mut wrong);
        self.check_query(operation, query, &mut wrong);
        self.check_request(operation, request_body, &mut wrong);
        self.check_response(operation, status, response_body, &mut wrong);
        if wrong.is_empty() {
            return Ok(());
        }
        let words = wrong.into_iter().map(|what| format!("{method} {path}: {what}"));
        Err(words.collect())
    }

    fn find(&self, method: &str, path: &str) -> Option<(&Operation, HashMap<String, String>)> {
        self.operations
            .iter()
            .filter(|operation| operation.method.eq_ignore_ascii_case(method))
            .filter_map(|operation| Some((operation, operation.template.matches(path)?)))
            .max_by_key(|(operation, _)| operation.template.literal_length())
    }

    fn check_path(&self, operation: &Operation, values: &HashMap<String, String>, wrong: &mut Vec<String>) {
        for (place, parameter) in self.parameters(operation, "path") {
            let name = name_of(parameter);
            if let Some(value) = values.get(name) {
                self.check_parameter(&place, name, value, wrong);
            }
        }
    }

    fn check_query(&self, operation: &Operation, query: &str, wrong: &mut Vec<String>) {
        let described = self.parameters(operation, "query");
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match described.iter().find(|(_, parameter)| name_of(parameter) == name) {
                Some((place, _)) => self.check_parameter(place, &name, &value, wrong),
                None => wrong.push(format!("the query parameter `{name}` is not described")),
            }
        }
    }

    fn check_parameter(&self, place: &str, name: &str, value: &str, wrong: &mut Vec<String>) {
        let place = format!("{place}/schema");
        let typed = match self.document.pointer(&place).and_then(|schema| schema["type"].as_str()) {
            Some("integer" | "number" | "boolean") => serde_json::from_str(value).unwrap_or_else(|_| json!(value)),
            _ => json!(value),
        };
        self.check_schema(&place, &typed, &format!("the parameter `{name}`"), wrong);
    }

    fn check_request(&self, operation: &Operation, body: Option<&Value>, wrong: &mut Vec<String>) {
        let (place, described) = self.at(&format!("{}/requestBody", operation.place));
        let required = described["required"] == json!(true);
        match (body, json_schema_in(&place, described)) {
            (Some(_), None) => wrong.push("no request body is described".to_owned()),
            (Some(body), Some(schema)) => {
                self.check_schema(&schema, body, "the request body", wrong);
                let (_, schema) = self.at(&schema);
                schema::find_undescribed(schema, body, "", &mut |property| {
                    wrong.push(format!("the request body's `{property}` is not described"));
                });
            }
            (None, Some(_)) if required => wrong.push("the request body is missing".to_owned()),
            (None, _) => {}
        }
    }

    fn check_response(&self, operation: &Operation, status: u16, body: Option<&Value>, wrong: &mut Vec<String>) {
        let (place, described) = self.at(&format!("{}/responses/{status}", operation.place));
        if status == 304 && operation.method.eq_ignore_ascii_case("get") {
            if body.is_some() {
                wrong.push("the body of the answer 304 should be empty".to_owned());
            }
            return;
        }
        if described.is_null() {
            wrong.push(format!("the status {status} is not described"));
            return;
        }
        let what = format!("the body of the answer {status}");
        match (body, json_schema_in(&place, described)) {
            (Some(body), Some(schema)) => self.check_schema(&schema, body, &what, wrong),
            (None, Some(_)) => wrong.push(format!("{what} is missing")),
            (Some(body), None) if status >= 400 => {
                self.check_schema("/components/schemas/basic-error", body, &what, wrong);
            }
            (Some(_), None) => wrong.push(format!("{what} should be empty")),
            (None, None) => {}
        }
    }

    fn check_schema(&self, place: &str, value: &Value, what: &str, wrong: &mut Vec<String>) {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        let validator = match compiled.entry(place.to_owned()) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => match schema::compile(&self.document, place) {
                Ok(validator) => entry.insert(validator),
                Err(error) => {
                    wrong.push(format!("{what} cannot be checked: {error}"));
                    return;
                }
            },
        };
        wrong.extend(validator.iter_errors(value).map(|error| {
            let inside = error.instance_path().as_str();
            match inside {
                "" => format!("{what}: {error}"),
                _ => format!("{what} at {inside}: {error}"),
            }
        }));
    }

    fn parameters(&self, operation: &Operation, position: &str) -> Vec<(String, &Value)> {
        let place = format!("{}/parameters", operation.place);
        let count = self.document.pointer(&place).and_then(Value::as_array).map_or(0, Vec::len);
        (0..count)
            .map(|index| self.at(&format!("{place}/{index}")))
            .filter(|(_, parameter)| parameter["in"] == position)
            .collect()
    }

    /// What stands at a place of the document, and its own place where there is a reference to it. `Null` if nothing does.
    fn at(&self, place: &str) -> (String, &Value) {
        let found = self.document.pointer(place).unwrap_or(&Value::Null);
        match found["$ref"].as_str().and_then(|to| to.strip_prefix('#')) {
            Some(other) => self.at(other),
            None => (place.to_owned(), found),
        }
    }
}

fn operations_of(document: &Value) -> Vec<Operation> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths
        .flat_map(|(path, methods)| {
            let escaped = path.replace('~', "~0").replace('/', "~1");
            let methods = methods.as_object().into_iter().flatten();
            methods.map(move |(method, _)| Operation {
                method: method.clone(),
                template: PathTemplate::parse(path),
                place: format!("/paths/{escaped}/{method}"),
            })
        })
        .collect()
}

fn name_of(parameter: &Value) -> &str {
    parameter["name"].as_str().unwrap_or_default()
}

/// The place of the schema of a JSON body, in a request body or response that stands at `place`.
fn json_schema_in(place: &str, described: &Value) -> Option<String> {
    described["content"]["application/json"].get("schema").map(|_| format!("{place}/content/application~1json/schema"))
}

#[cfg(test)]
mod tests;
