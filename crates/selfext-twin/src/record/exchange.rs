//! One request and its answer.

use std::time::Duration;

use serde_json::Value;

/// A request, and the answer if there was one. Headers are not kept, so no token is.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Exchange {
    /// The place in the order of arrival, from 1; never used twice by a twin.
    pub sequence: u64,
    /// The method.
    pub method: String,
    /// The path and the query as they stood in the request line, still encoded.
    pub path_and_query: String,
    /// The path's template as GitHub's API description has it, or `None` if the twin knows no such route.
    pub route: Option<&'static str>,
    /// The request's body, if it was JSON. Of one over 1 MiB the form alone: a text of more than 1 KiB in it is told by its length,
    /// and if it is still over 1 MiB it is left out.
    pub request_body: Option<Value>,
    /// The status that the client was sent, or `None` while there is no answer and if it was never sent one.
    pub status: Option<u16>,
    /// The answer's body, if it was JSON and was sent whole; the form alone, as of a request, if it was over 1 MiB.
    pub response_body: Option<Value>,
    /// The status that the twin's own work came to, also if a fault hid it from the client; `None` if no work was
    /// done.
    pub performed: Option<u16>,
    /// The fault that was played on this exchange, in a word.
    pub fault: Option<&'static str>,
    /// When the request's head had been read, since the twin was opened.
    pub started: Duration,
    /// When the answer was ready, or the connection was given up; `None` while neither has happened.
    pub ended: Option<Duration>,
}
