//! The contents that are written: `tested` events as the library makes them, and SQL that makes the same.

use selfext_contracts::ledger::Story;
use selfext_domain::{Event, EventId};
use uuid::Uuid;

const RUN: &str = "the run";

/// An expression of SQL for the content of an event, where those of the run's name and of the event's id are given.
pub fn in_sql(event: impl Fn(&Story) -> Event, run: &str, id: &str) -> String {
    in_sql_with(event, run, id, None)
}

/// The same, with an expression for the fingerprint.
pub fn in_sql_with(event: impl Fn(&Story) -> Event, run: &str, id: &str, fingerprint: Option<&str>) -> String {
    let story = Story::new(RUN);
    let event = Event { id: EventId::from_uuid(Uuid::from_u128(u128::MAX)), ..event(&story) };
    let mut content = event.to_content().unwrap().replace('\'', "''");
    let mut put = |from: &str, to: &str| content = content.replace(from, &format!("' || {to} || '"));
    put(RUN, run);
    put(&event.id.to_string(), id);
    if let Some(fingerprint) = fingerprint {
        put(&story.subject.fingerprint.to_string(), fingerprint);
    }
    format!("'{content}'")
}
