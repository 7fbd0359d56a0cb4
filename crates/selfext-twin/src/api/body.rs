//! The JSON object in a request's body.

use serde_json::{Map, Value};

use super::error::ApiError;

/// The members of a JSON object, read with the refusals that GitHub has for wrong ones.
#[derive(Clone, Debug)]
pub(super) struct Body(Map<String, Value>);

impl Body {
    /// Reads a body; an empty one and `null` are taken for an empty object.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, ApiError> {
        if bytes.is_empty() {
            return Ok(Self(Map::new()));
        }
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(members)) => Ok(Self(members)),
            Ok(Value::Null) => Ok(Self(Map::new())),
            Ok(_) => Err(ApiError::bad_request("Body should be a JSON object")),
            Err(_) => Err(ApiError::bad_request("Problems parsing JSON")),
        }
    }

    /// An object inside the body.
    pub(super) fn within(members: &Map<String, Value>) -> Self {
        Self(members.clone())
    }

    /// The members of an object inside the body; none if there is no such object.
    pub(super) fn members(&self, name: &str) -> Map<String, Value> {
        self.0.get(name).and_then(Value::as_object).cloned().unwrap_or_default()
    }

    /// Whether a member is given, also as null.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A string; missing and null are `None`.
    pub(super) fn string(&self, name: &str) -> Result<Option<&str>, ApiError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(wrong_kind(name, other, "a string")),
        }
    }

    /// A string that must be there.
    pub(super) fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.string(name)?
            .ok_or_else(|| ApiError::unprocessable(format!("Invalid request.\n\n\"{name}\" wasn't supplied.")))
    }

    /// One of some words; missing and null are `None`.
    pub(super) fn word(&self, name: &str, words: &[&str]) -> Result<Option<&str>, ApiError> {
        match self.string(name)? {
            Some(other) if !words.contains(&other) => {
                let words = format!("[\"{}\"]", words.join("\", \""));
                let told = format!("Invalid request.\n\nFor 'properties/{name}', {other} is not a member of {words}.");
                Err(ApiError::unprocessable(told))
            }
            word => Ok(word),
        }
    }

    /// A flag; missing and null are `None`.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(other) => Err(wrong_kind(name, other, "a boolean")),
        }
    }

    /// A list; missing and null are `None`.
    pub(super) fn list(&self, name: &str) -> Result<Option<&Vec<Value>>, ApiError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Array(list)) => Ok(Some(list)),
            Some(other) => Err(wrong_kind(name, other, "an array")),
        }
    }

    /// The members of an object; missing and null are `None`.
    pub(super) fn given_members(&self, name: &str) -> Result<Option<&Map<String, Value>>, ApiError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(members)) => Ok(Some(members)),
            Some(other) => Err(wrong_kind(name, other, "an object")),
        }
    }

    /// An object; missing and null are `None`.
    pub(super) fn object(&self, name: &str) -> Result<Option<Self>, ApiError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(members)) => Ok(Some(Self::within(members))),
            Some(other) => Err(wrong_kind(name, other, "an object")),
        }
    }
}

fn wrong_kind(name: &str, found: &Value, wanted: &str) -> ApiError {
    ApiError::unprocessable(format!("Invalid request.\n\nFor 'properties/{name}', {found} is not {wanted}."))
}
