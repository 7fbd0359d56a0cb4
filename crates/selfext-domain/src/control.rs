//! The promotion control: the operator's pause switch as it is stored.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::newtype::text_newtype;
use crate::ports::ControlError;
use crate::{InvalidValue, OperatorName};

/// The key of the control's row in `agent_state`.
pub const CONTROL_KEY: &str = "self_extension:promotion_control";

/// The promotion control as it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum ControlState {
    /// Promotion runs.
    Running,
    /// Promotion is paused.
    Paused(Pause),
}

/// An operator's pause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Who paused, by the name that was given.
    pub by: OperatorName,
    /// Why; redacted.
    pub reason: String,
    /// Whether rollbacks may still merge.
    pub allow_rollbacks: bool,
    /// Since when, by the database's clock.
    pub since: DateTime<Utc>,
}

text_newtype!(
    /// What identifies a database server's history: 1 to 128 visible ASCII characters. A server that may have lost its last
    /// commits, as a promoted standby may, has another one than before.
    History,
    |text| {
        let legal = (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if legal { Ok(()) } else { Err(InvalidValue::new("history", text, "is not 1 to 128 visible ASCII characters")) }
    }
);

/// The history that an operator accepted last, and the one that the database has now: they differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryChange {
    /// The one that was accepted; `None` if none is known.
    pub accepted: Option<History>,
    /// The one that was found; `None` if the database does not tell, as a standby.
    pub found: Option<History>,
}

impl fmt::Display for HistoryChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name =
            |history: &Option<History>| history.as_ref().map_or_else(|| "unknown".to_owned(), History::to_string);
        write!(f, "the database's history is {}, and the accepted one is {}", name(&self.found), name(&self.accepted))
    }
}

/// The control's row as it is stored: what the operator said, and under which history of the database it was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredControl {
    /// What the operator said.
    pub state: ControlState,
    /// The accepted history; `None` on a database that has no notion of it.
    pub history: Option<History>,
}

/// The stored value is not what this version understands. It reads as a refusal, never as running.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the promotion control's value {0}")]
pub struct MalformedControl(&'static str);

/// The stored form; every field is needed, no other is allowed, so that a later version's fields are not overlooked.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    version: u64,
    paused: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<OperatorName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    allow_rollbacks: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    history: Option<History>,
}

impl StoredControl {
    /// Reads the stored value. `updated_at` is the row's own time.
    ///
    /// # Errors
    /// [`MalformedControl`] for everything but the two documented forms,
    /// `{"version":1,"paused":false}` and `{"version":1,"paused":true,"by":…,"reason":…,"allow_rollbacks":…}`, each with
    /// `"history":…` where the database has one.
    pub fn from_value(value: &Value, updated_at: DateTime<Utc>) -> Result<Self, MalformedControl> {
        // A sequence would be read field by field, too.
        if !value.is_object() {
            return Err(MalformedControl("is no JSON object"));
        }
        let wire = Wire::deserialize(value).map_err(|_| MalformedControl("is not of the documented form"))?;
        let history = wire.history;
        let state = match (wire.version, wire.paused, wire.by, wire.reason, wire.allow_rollbacks) {
            (1, false, None, None, None) => ControlState::Running,
            (1, true, Some(by), Some(reason), Some(allow_rollbacks)) => {
                ControlState::Paused(Pause { by, reason, allow_rollbacks, since: updated_at })
            }
            (1, ..) => return Err(MalformedControl("mixes the forms of paused and running")),
            _ => return Err(MalformedControl("is of a version that this selfext does not know")),
        };
        Ok(Self { state, history })
    }

    /// The value to store. The time is the row's own.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut value = match &self.state {
            ControlState::Running => json!({"version": 1, "paused": false}),
            ControlState::Paused(pause) => json!({
                "version": 1, "paused": true, "by": pause.by, "reason": pause.reason, "allow_rollbacks": pause.allow_rollbacks,
            }),
        };
        if let Some(history) = &self.history {
            value["history"] = json!(history);
        }
        value
    }

    /// What the control says on a database of this history. What lets anything through counts only under the accepted one:
    /// after another, a pause may be lost, and merges may be on their way of which the ledger knows nothing any more.
    ///
    /// # Errors
    /// [`ControlError::HistoryChanged`].
    pub fn under(self, found: Option<&History>) -> Result<ControlState, ControlError> {
        let closed = matches!(&self.state, ControlState::Paused(pause) if !pause.allow_rollbacks);
        if closed || self.history.as_ref() == found {
            return Ok(self.state);
        }
        Err(ControlError::HistoryChanged(HistoryChange { accepted: self.history, found: found.cloned() }))
    }
}

/// Values that must all read as malformed, for the contract suites of the adapters, which also ask the database.
#[must_use]
pub fn malformed_examples() -> Vec<Value> {
    vec![
        json!(null),
        json!(false),
        json!("running"),
        json!([]),
        json!([1, false]),
        json!({}),
        json!({"paused": false}),
        json!({"version": 1}),
        json!({"version": 2, "paused": false}),
        json!({"version": "1", "paused": false}),
        json!({"version": 1, "paused": "false"}),
        json!({"version": 1, "paused": 0}),
        json!({"version": 1, "paused": null}),
        json!({"version": 1, "paused": false, "extra": 1}),
        json!({"version": 1, "paused": false, "by": "ops"}),
        json!({"version": 1, "paused": true}),
        json!({"version": 1, "paused": true, "by": "ops", "reason": "r"}),
        json!({"version": 1, "paused": true, "by": "", "reason": "r", "allow_rollbacks": false}),
        json!({"version": 1, "Paused": false}),
        json!({"version": 1, "paused": false, "history": 1}),
        json!({"version": 1, "paused": false, "history": ""}),
        json!({"version": 1, "paused": false, "history": "a b"}),
        json!({"version": 1, "paused": false, "history": "ä"}),
        json!({"version": 1, "paused": false, "history": "x".repeat(129)}),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at() -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000, 0).unwrap()
    }

    fn history(text: &str) -> History {
        History::parse(text).unwrap()
    }

    fn paused(allow_rollbacks: bool) -> ControlState {
        let by = OperatorName::parse("ops").unwrap();
        ControlState::Paused(Pause { by, reason: "deploy".into(), allow_rollbacks, since: at() })
    }

    #[test]
    fn both_forms_read_back() {
        for state in [ControlState::Running, paused(true)] {
            for history in [None, Some(history("7/1"))] {
                let stored = StoredControl { state: state.clone(), history };
                assert_eq!(StoredControl::from_value(&stored.to_value(), at()), Ok(stored));
            }
        }
    }

    #[test]
    fn everything_else_is_malformed_and_never_running() {
        for value in malformed_examples() {
            assert!(StoredControl::from_value(&value, at()).is_err(), "{value}");
        }
    }

    #[test]
    fn what_lets_anything_through_counts_only_under_the_accepted_history() {
        let histories = [None, Some(history("7/1")), Some(history("7/2"))];
        for state in [ControlState::Running, paused(false), paused(true)] {
            for accepted in &histories {
                for found in &histories {
                    let stored = StoredControl { state: state.clone(), history: accepted.clone() };
                    let read = stored.under(found.as_ref());
                    if accepted == found || state == paused(false) {
                        assert_eq!(read.unwrap(), state);
                    } else {
                        assert!(matches!(read, Err(ControlError::HistoryChanged(_))), "{read:?}");
                    }
                }
            }
        }
    }
}
