//! The contents that are written: `tested` events as the library makes them, and SQL that makes the same.

use selfext_contracts::ledger::Story;
use selfext_domain::{Event, EventId};
use uuid::Uuid;

const RUN: &str = "the run";
const GOAL: &str = "the goal";

/// Expressions of SQL for what tells one of many runs from the others.
pub struct OfMany<'a> {
    pub fingerprint: &'a str,
    pub goal: &'a str,
}

/// The columns that the ledger derives from an event's content, with expressions of SQL for their values.
pub fn derived_in_sql(event: impl Fn(&Story) -> Event, run: &str, id: &str) -> Vec<(String, String)> {
    let content = event(&Story::new(RUN)).to_content().unwrap();
    let members: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&content).unwrap();
    let columns = members.into_iter().filter(|(name, _)| name != "schema");
    let value = |name: &str, value: &serde_json::Value| match name {
        "event_id" => format!("({id})::uuid"),
        "run_id" | "correlation_id" => run.to_owned(),
        _ => format!("'{}'", value.as_str().map_or_else(|| value.to_string(), str::to_owned)),
    };
    columns.map(|(name, given)| (name.clone(), value(&name, &given))).collect()
}

/// An expression of SQL for the content of an event, where those of the run's name and of the event's id are given.
pub fn in_sql(event: impl Fn(&Story) -> Event, run: &str, id: &str) -> String {
    in_sql_with(event, run, id, None)
}

/// The same, of one of many runs.
pub fn in_sql_with(event: impl Fn(&Story) -> Event, run: &str, id: &str, of_many: Option<&OfMany<'_>>) -> String {
    let mut story = Story::new(RUN);
    if of_many.is_some() {
        story = story.for_goal(GOAL);
    }
    let event = Event { id: EventId::from_uuid(Uuid::from_u128(u128::MAX)), ..event(&story) };
    let mut content = event.to_content().unwrap().replace('\'', "''");
    let mut put = |from: &str, to: &str| content = content.replace(from, &format!("' || {to} || '"));
    put(RUN, run);
    put(&event.id.to_string(), id);
    if let Some(OfMany { fingerprint, goal }) = of_many {
        put(&story.subject.fingerprint.to_string(), fingerprint);
        put(GOAL, goal);
    }
    format!("'{content}'")
}
