//! The promotion control: the operator's pause switch as it is stored.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::OperatorName;

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
}

impl ControlState {
    /// Reads the stored value. `updated_at` is the row's own time.
    ///
    /// # Errors
    /// [`MalformedControl`] for everything but the two documented forms,
    /// `{"version":1,"paused":false}` and `{"version":1,"paused":true,"by":…,"reason":…,"allow_rollbacks":…}`.
    pub fn from_stored(value: &Value, updated_at: DateTime<Utc>) -> Result<Self, MalformedControl> {
        // A sequence would be read field by field, too.
        if !value.is_object() {
            return Err(MalformedControl("is no JSON object"));
        }
        let wire = Wire::deserialize(value).map_err(|_| MalformedControl("is not of the documented form"))?;
        match wire {
            Wire { version: 1, paused: false, by: None, reason: None, allow_rollbacks: None } => Ok(Self::Running),
            Wire {
                version: 1,
                paused: true,
                by: Some(by),
                reason: Some(reason),
                allow_rollbacks: Some(allow_rollbacks),
            } => Ok(Self::Paused(Pause { by, reason, allow_rollbacks, since: updated_at })),
            Wire { version: 1, .. } => Err(MalformedControl("mixes the forms of paused and running")),
            _ => Err(MalformedControl("is of a version that this selfext does not know")),
        }
    }

    /// The value to store. The time is the row's own.
    #[must_use]
    pub fn to_stored(&self) -> Value {
        match self {
            Self::Running => serde_json::json!({"version": 1, "paused": false}),
            Self::Paused(pause) => serde_json::json!({
                "version": 1, "paused": true, "by": pause.by, "reason": pause.reason, "allow_rollbacks": pause.allow_rollbacks,
            }),
        }
    }
}

/// Values that must all read as malformed, for the contract suites of the adapters, which also ask the database.
#[must_use]
pub fn malformed_examples() -> Vec<Value> {
    use serde_json::json;
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
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at() -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000, 0).unwrap()
    }

    #[test]
    fn both_forms_read_back() {
        let pause = Pause {
            by: OperatorName::parse("ops").unwrap(),
            reason: "deploy".into(),
            allow_rollbacks: true,
            since: at(),
        };
        for control in [ControlState::Running, ControlState::Paused(pause)] {
            assert_eq!(ControlState::from_stored(&control.to_stored(), at()), Ok(control));
        }
    }

    #[test]
    fn everything_else_is_malformed_and_never_running() {
        for value in malformed_examples() {
            assert!(ControlState::from_stored(&value, at()).is_err(), "{value}");
        }
    }
}
