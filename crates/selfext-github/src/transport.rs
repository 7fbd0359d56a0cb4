//! Requests that got no whole answer.

use std::error::Error;
use std::io;
use std::time::Duration;

use selfext_domain::ports::ForgeError;
use selfext_domain::redact;

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    /// It certainly never left this machine.
    #[error("the request was not sent: {0}")]
    NotSent(String),
    /// It may have arrived, and may have been obeyed.
    #[error("no whole answer came: {0}")]
    Lost(String),
    /// It was not sent, because GitHub's limits ask to wait longer than it may.
    #[error("GitHub's limits ask to wait {} seconds", .0.as_secs())]
    Limited(Duration),
    /// It was answered without end, or nearly.
    #[error("the answer has more than {0} bytes")]
    TooLarge(usize),
    /// The answer points to where the request is not sent: the credential would go along.
    #[error("{0}")]
    Elsewhere(String),
    /// What had to be known first could not be had: a token, or which repository it is. The request was not sent, or was
    /// answered by the word alone that it must be sent otherwise.
    #[error("the request was not sent")]
    Before(#[source] ForgeError),
}

impl SendError {
    /// What the client said, without what its `Debug` and some of its `Display`s hold: backtraces.
    pub(crate) fn from_client(error: &octocrab::Error) -> Self {
        let mut refused = false;
        let mut said = Vec::new();
        let mut next = error.source();
        while let Some(cause) = next {
            refused |= is_connection_refused(cause);
            let text = cause.to_string();
            if said.last() != Some(&text) {
                said.push(text);
            }
            next = cause.source();
        }
        if said.is_empty() {
            said.push("the client could not work".to_owned());
        }
        let said = redact(&said.join(": ")).into_owned();
        if refused { Self::NotSent(said) } else { Self::Lost(said) }
    }
}

/// Whether nobody listened. The system says so to an attempt to connect alone, so that nothing was sent.
fn is_connection_refused(cause: &(dyn Error + 'static)) -> bool {
    let Some(error) = cause.downcast_ref::<io::Error>() else {
        return false;
    };
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<io::Error>());
    error.kind() == io::ErrorKind::ConnectionRefused
        || inner.is_some_and(|inner| inner.kind() == io::ErrorKind::ConnectionRefused)
}

impl From<SendError> for ForgeError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::NotSent(_) | SendError::Lost(_) => Self::unavailable(error),
            SendError::Limited(retry_after) => Self::RateLimited { retry_after },
            SendError::TooLarge(_) => Self::Unreadable(error.to_string()),
            SendError::Elsewhere(said) => Self::Refused(said),
            SendError::Before(error) => error,
        }
    }
}
