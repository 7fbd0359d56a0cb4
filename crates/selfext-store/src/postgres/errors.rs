//! What Postgres' errors mean. They are told apart by SQLSTATE and by the names of constraints, never by their texts.

use selfext_domain::EventId;
use selfext_domain::ports::{ControlError, LedgerError};
use sqlx::Error;

use crate::row::unreadable;

/// The constraint that keeps event ids unique.
const EVENT_ID: &str = "self_extension_events_event_id_key";

/// The constraints that refuse an event where its stream does not end as its writer thinks, or which is recorded already.
const MISPLACED: [&str; 4] =
    [EVENT_ID, "self_extension_events_stream_key", "self_extension_events_no_gap", "self_extension_events_linked"];

/// Whether an event was refused because of where it was to stand. It may be there since an earlier try.
pub(super) fn is_misplaced(error: &Error) -> bool {
    matches!(error, Error::Database(error) if error.constraint().is_some_and(|name| MISPLACED.contains(&name)))
}

/// Whether the connection was lost: the statement was carried out or not, and another connection may say which.
pub(super) fn is_lost(error: &Error) -> bool {
    match error {
        Error::Io(_) => true,
        // The server is shut down, crashes, starts up, or ends a session that was idle; or the connection failed.
        Error::Database(error) => error.code().is_some_and(|code| code.starts_with("57P") || code.starts_with("08")),
        _ => false,
    }
}

/// An error of a statement that does not write.
pub(super) fn reading(error: Error) -> LedgerError {
    let Error::Database(database) = &error else {
        return unreadable(&error).unwrap_or_else(|| LedgerError::unavailable(error));
    };
    let code = database.code().unwrap_or_default().into_owned();
    match code.get(..2).unwrap_or_default() {
        // Read-only: a standby, or a server that is being moved. Another try may meet the primary.
        _ if code == "25006" => LedgerError::unavailable(error),
        // Data, integrity, state, rights, names and what a view does not take: repeating it does not help.
        "22" | "23" | "25" | "28" | "42" | "44" | "P0" => {
            LedgerError::Refused { detail: database.message().to_owned() }
        }
        _ if code == "XX001" || code == "XX002" => LedgerError::Corrupt { detail: database.message().to_owned() },
        _ => LedgerError::unavailable(error),
    }
}

/// An error of a statement that writes the event with this id.
pub(super) fn writing(error: Error, event: EventId) -> LedgerError {
    match &error {
        Error::Database(database) if database.constraint() == Some(EVENT_ID) => LedgerError::IdReused(event),
        _ => reading(error),
    }
}

/// An error of a statement that changes the control and writes the event with this id.
pub(super) fn controlling(error: Error, event: EventId) -> ControlError {
    match &error {
        Error::Database(database) if database.constraint() == Some(EVENT_ID) => ControlError::IdReused(event),
        Error::Database(database) if database.code().as_deref() == Some("42501") => {
            ControlError::NotPermitted { detail: database.message().to_owned() }
        }
        _ => ControlError::unavailable(error),
    }
}
