//! The control's row as it was read.

use chrono::{DateTime, Utc};
use selfext_domain::ports::ControlError;
use selfext_domain::{ControlState, canonical};
use serde_json::Value;

/// Reads the stored value, `None` being a row that is not there. Its text has the escapes of the ledger's contents, so that
/// a reason with NUL can be stored.
pub(crate) fn read(stored: Option<(&str, DateTime<Utc>)>) -> Result<ControlState, ControlError> {
    let (text, updated_at) = stored.ok_or(ControlError::Missing)?;
    let value = canonical::to_value(text).unwrap_or_default();
    // A list would be read as the fields in their order, which is no documented form.
    let value = if value.is_object() { value } else { Value::Null };
    ControlState::from_stored(&value, updated_at).map_err(ControlError::Malformed)
}

/// What is wrong with a value that the database takes for malformed and this code does not: a doubt refuses.
pub(crate) fn doubtful() -> ControlError {
    let problem = ControlState::from_stored(&Value::Null, DateTime::UNIX_EPOCH);
    problem.map_or_else(ControlError::Malformed, |_| ControlError::Missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_documented_forms_are_understood() {
        let read = |text| read(Some((text, DateTime::UNIX_EPOCH)));
        assert!(matches!(read(r#"{"paused": false, "version": 1}"#), Ok(ControlState::Running)));
        for text in ["", "[1,false]", "[1,true,\"ops\",\"r\",false]", "1e400", "null", r#"{"version":1,"paused":false"#]
        {
            assert!(matches!(read(text), Err(ControlError::Malformed(_))), "{text}");
        }
        let broken = r#"{"version":1,"paused":true,"by":"ops","reason":"␛","allow_rollbacks":true}"#;
        assert!(matches!(read(broken), Err(ControlError::Malformed(_))));
        assert!(matches!(super::read(None), Err(ControlError::Missing)));
        assert!(matches!(doubtful(), ControlError::Malformed(_)));
    }
}
