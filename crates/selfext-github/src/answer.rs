//! One answer, and what it means where it is not the one that was hoped for.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use selfext_domain::ports::ForgeError;
use serde::de::DeserializeOwned;

use crate::message::clean;
use crate::rate_limit::{AskedWait, asked_wait, remaining};
use crate::wire::ErrorBody;

/// A whole answer; no token that was used occurs in its body.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// A server error, as the source of [`ForgeError::Unavailable`].
#[derive(Debug, thiserror::Error)]
#[error("it answered {status}: {message}")]
struct ServerError {
    status: u16,
    message: String,
}

impl Answer {
    /// The body of an answer with the status that was hoped for; every other one as the error that it means. `what` names
    /// the thing that was asked for.
    pub(crate) fn expect<T: DeserializeOwned>(self, status: StatusCode, what: &str) -> Result<T, ForgeError> {
        if self.status == status { self.decode(what) } else { Err(self.error(what)) }
    }

    pub(crate) fn decode<T: DeserializeOwned>(&self, what: &str) -> Result<T, ForgeError> {
        serde_json::from_slice(&self.body)
            .map_err(|error| ForgeError::Unreadable(clean(&format!("the answer about {what}: {error}"))))
    }

    /// GitHub's error body, if it is one.
    pub(crate) fn refusal(&self) -> Option<ErrorBody> {
        serde_json::from_slice(&self.body).ok()
    }

    /// What the answer says for people.
    pub(crate) fn message(&self) -> String {
        match self.refusal() {
            Some(body) => clean(&body.to_string()),
            None => format!("{} without an error of GitHub's", self.status.as_u16()),
        }
    }

    /// Whether GitHub refused with 422 for a reason that contains these words.
    pub(crate) fn is_invalid_for(&self, words: &str) -> bool {
        self.status == StatusCode::UNPROCESSABLE_ENTITY && self.message().to_ascii_lowercase().contains(words)
    }

    pub(crate) fn is(&self, status: StatusCode) -> bool {
        self.status == status
    }

    /// Whether GitHub itself does not take the credential: it authorised nothing then, and did nothing.
    pub(crate) fn is_refused_credential(&self) -> bool {
        self.status == StatusCode::UNAUTHORIZED && self.refusal().is_some()
    }

    /// How long the answer asks to wait, if it is about a limit.
    pub(crate) fn asked_wait(&self) -> Option<AskedWait> {
        asked_wait(self.status, &self.headers, &self.message())
    }

    /// How many requests remain of GitHub's hour, and how long it still lasts, if the answer says both.
    pub(crate) fn remaining(&self) -> Option<(u64, Duration)> {
        let (remaining, left) = remaining(&self.headers)?;
        Some((remaining, left?))
    }

    /// The error that an answer means which is not the one that was hoped for.
    pub(crate) fn error(&self, what: &str) -> ForgeError {
        if let Some(wait) = self.asked_wait() {
            return ForgeError::RateLimited { retry_after: wait.time };
        }
        let message = self.message();
        match self.status.as_u16() {
            401 | 403 => ForgeError::Unauthorized(message),
            404 | 410 => ForgeError::NotFound(what.to_owned()),
            300..=399 => ForgeError::Refused(format!("{what} is elsewhere: was the repository renamed?")),
            408 | 500.. => ForgeError::unavailable(ServerError { status: self.status.as_u16(), message }),
            400..=499 => ForgeError::Refused(message),
            status => ForgeError::Unreadable(format!("the answer about {what} has the status {status}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(status: u16, body: &str) -> ForgeError {
        let status = StatusCode::from_u16(status).unwrap();
        Answer { status, headers: HeaderMap::new(), body: body.as_bytes().to_vec() }.error("the branch x")
    }

    #[test]
    fn each_status_has_its_error() {
        let body = r#"{"message":"No","documentation_url":"u","errors":[{"resource":"R","field":"f","code":"c","message":"m"},"s"]}"#;
        assert!(matches!(error(401, body), ForgeError::Unauthorized(text) if text.starts_with("No")));
        assert!(matches!(error(403, body), ForgeError::Unauthorized(_)));
        assert!(matches!(error(404, body), ForgeError::NotFound(what) if what == "the branch x"));
        for status in [400, 405, 409, 422] {
            assert!(matches!(error(status, body), ForgeError::Refused(text) if text == "No (R f c: m; s)"), "{status}");
        }
        for status in [301, 307] {
            assert!(matches!(error(status, ""), ForgeError::Refused(text) if text.contains("renamed")));
        }
        for status in [408, 500, 502, 503] {
            let ForgeError::Unavailable(source) = error(status, "<html>") else { panic!("{status}") };
            assert_eq!(source.to_string(), format!("it answered {status}: {status} without an error of GitHub's"));
        }
        assert!(matches!(error(204, ""), ForgeError::Unreadable(_)));
        assert!(matches!(error(429, ""), ForgeError::RateLimited { .. }));
    }
}
