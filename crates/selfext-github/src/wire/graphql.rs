//! GraphQL requests and answers.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::message::clean;

/// A request.
#[derive(Serialize)]
pub(crate) struct GraphqlRequest<V> {
    pub(crate) query: &'static str,
    pub(crate) variables: V,
}

/// An answer, whose status says nothing: what failed is in `errors`.
#[derive(Deserialize)]
pub(crate) struct GraphqlAnswer<T> {
    pub(crate) data: Option<T>,
    #[serde(default)]
    pub(crate) errors: Option<Vec<GraphqlError>>,
}

/// One thing that went wrong.
#[derive(Deserialize)]
pub(crate) struct GraphqlError {
    /// In words.
    message: String,
    /// In GitHub's own kind of word, such as `STALE_DATA`; errors of the document itself have none.
    #[serde(default, rename = "type")]
    kind: Option<String>,
    /// The field that it is about.
    #[serde(default)]
    path: Option<Vec<Value>>,
}

impl GraphqlError {
    /// Whether it is about a limit.
    pub(crate) fn is_limit(&self) -> bool {
        self.kind.as_deref() == Some("RATE_LIMITED") || self.message.to_ascii_lowercase().contains("rate limit")
    }

    /// What it says for people.
    pub(crate) fn words(&self) -> String {
        let path = self.path.iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join(".");
        clean(&format!("{} {path}: {}", self.kind.as_deref().unwrap_or("error"), self.message))
    }
}
