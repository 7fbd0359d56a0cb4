//! The body of a refused request.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

/// What GitHub says about a refused request; shown as one line.
#[derive(Debug, Deserialize)]
pub(crate) struct ErrorBody {
    pub(crate) message: String,
    /// Texts or objects, or a single text: the endpoints differ.
    #[serde(default)]
    errors: Value,
}

impl ErrorBody {
    /// Whether one of the errors is about this field and has this code.
    pub(crate) fn blames(&self, field: &str, code: &str) -> bool {
        let errors = self.errors.as_array().map_or(&[][..], Vec::as_slice);
        errors.iter().any(|error| error["field"] == field && error["code"] == code)
    }
}

impl fmt::Display for ErrorBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let details: Vec<String> = match &self.errors {
            Value::Array(errors) => errors.iter().map(detail).collect(),
            Value::Null => Vec::new(),
            single => vec![detail(single)],
        };
        if details.is_empty() { Ok(()) } else { write!(f, " ({})", details.join("; ")) }
    }
}

fn detail(error: &Value) -> String {
    if let Some(text) = error.as_str() {
        return text.to_owned();
    }
    let names = ["resource", "field", "code"].iter().filter_map(|name| error[*name].as_str());
    let place = names.collect::<Vec<_>>().join(" ");
    match (place.as_str(), error["message"].as_str()) {
        ("", Some(message)) => message.to_owned(),
        (place, Some(message)) => format!("{place}: {message}"),
        (place, None) => place.to_owned(),
    }
}
