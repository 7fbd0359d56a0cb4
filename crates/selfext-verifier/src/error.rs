//! What the machine did not let us do, in words that are safe to keep.

use selfext_domain::ports::{Source, VerifierError};
use selfext_domain::{Keep, RedactedText, TextCap};

/// How much of a message is kept, in bytes. git says what matters last.
const DETAIL: TextCap = TextCap { max_bytes: 2_000, keep: Keep::Tail };

/// A redacted and capped message.
pub(crate) fn words(text: &str) -> String {
    RedactedText::from_text(text, DETAIL).as_str().to_owned()
}

pub(crate) fn unavailable(detail: &str) -> VerifierError {
    VerifierError::Unavailable { detail: words(detail), source: None }
}

pub(crate) fn unavailable_by(detail: &str, source: impl Into<Source>) -> VerifierError {
    VerifierError::Unavailable { detail: words(detail), source: Some(source.into()) }
}

/// Runs file work off the executor.
pub(crate) async fn blocking<T, F>(what: &str, work: F) -> Result<T, VerifierError>
where
    T: Send + 'static,
    F: FnOnce() -> std::io::Result<T> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(unavailable_by(what, error)),
        Err(error) => Err(unavailable_by(what, error)),
    }
}
