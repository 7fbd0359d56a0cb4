//! What SQLite's errors mean, by their primary result codes.

use selfext_domain::ports::{ControlError, LedgerError};
use sqlx::Error;

/// An error of a statement.
pub(super) fn failed(error: Error) -> LedgerError {
    let Error::Database(database) = &error else { return LedgerError::unavailable(error) };
    let code: Option<u32> = database.code().and_then(|code| code.parse().ok());
    match code.map(|code| code & 0xff) {
        // ERROR, PERM, READONLY, CONSTRAINT, MISMATCH, AUTH: repeating it does not help.
        Some(1 | 3 | 8 | 19 | 20 | 23) => LedgerError::Refused { detail: database.message().to_owned() },
        // CORRUPT, NOTADB
        Some(11 | 26) => LedgerError::Corrupt { detail: database.message().to_owned() },
        _ => LedgerError::unavailable(error),
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
