//! What SQLite's errors mean, by their primary result codes.

use rusqlite::ErrorCode;
use selfext_domain::ports::{ControlError, LedgerError};
use sqlx::Error;

use crate::row::unreadable;

/// An error of a statement.
pub(super) fn failed(error: Error) -> LedgerError {
    let Error::Database(database) = &error else {
        return unreadable(&error).unwrap_or_else(|| LedgerError::unavailable(error));
    };
    let code = database.code().and_then(|code| code.parse().ok());
    by_code(code, database.message()).unwrap_or_else(|| LedgerError::unavailable(error))
}

/// The same where SQLite was asked directly.
pub(super) fn append_failed(error: rusqlite::Error) -> LedgerError {
    let known = match &error {
        rusqlite::Error::SqliteFailure(failure, message) => {
            by_code(Some(failure.extended_code), message.as_deref().unwrap_or_default())
        }
        _ => None,
    };
    known.unwrap_or_else(|| LedgerError::unavailable(error))
}

/// Whether another process has the file.
pub(super) fn is_taken(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

fn by_code(code: Option<i32>, message: &str) -> Option<LedgerError> {
    match code? & 0xff {
        // ERROR, PERM, READONLY, CONSTRAINT, MISMATCH, AUTH: repeating it does not help.
        1 | 3 | 8 | 19 | 20 | 23 => Some(LedgerError::Refused { detail: message.to_owned() }),
        // CORRUPT, NOTADB
        11 | 26 => Some(LedgerError::Corrupt { detail: message.to_owned() }),
        _ => None,
    }
}

/// The same for the control, which knows fewer words.
pub(super) fn control_failed(error: LedgerError) -> ControlError {
    match error {
        LedgerError::IdReused(event) => ControlError::IdReused(event),
        LedgerError::Unavailable(source) => ControlError::Unavailable(source),
        other => ControlError::unavailable(other),
    }
}

/// The error of work that did not come to its end.
pub(super) fn cut_off() -> LedgerError {
    LedgerError::unavailable("the runtime ended before the work")
}
