//! The control's row as it was read.

use chrono::{DateTime, Utc};
use selfext_domain::ports::{ControlError, PauseRequest};
use selfext_domain::{ControlState, History, HistoryChange, StoredControl, canonical};
use serde_json::Value;

/// A row of the control as a database gave it, with the history that the database has at the same moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct ControlRow {
    /// The value and its time; `None` if there is no row.
    pub value: Option<(String, DateTime<Utc>)>,
    /// The history; `None` on SQLite, which has none, and on a standby.
    pub history: Option<String>,
}

impl ControlRow {
    /// What the row says under this history.
    pub fn read(&self) -> Result<ControlState, ControlError> {
        self.stored()?.under(self.history()?.as_ref())
    }

    /// Whether it still says what this pause said, or more: somebody else may have resumed since.
    pub fn is_paused_as(&self, request: &PauseRequest) -> bool {
        let Ok(StoredControl { state: ControlState::Paused(pause), .. }) = self.stored() else { return false };
        !pause.allow_rollbacks || request.allow_rollbacks
    }

    /// The history that the database has.
    pub fn history(&self) -> Result<Option<History>, ControlError> {
        self.history.as_deref().map(History::parse).transpose().map_err(ControlError::unavailable)
    }

    /// How the accepted history differs from it. A row that is missing or malformed tells of no accepted one.
    pub fn history_change(&self) -> Result<Option<HistoryChange>, ControlError> {
        let accepted = self.stored().map_or(None, |stored| stored.history);
        let found = self.history()?;
        Ok((accepted != found).then_some(HistoryChange { accepted, found }))
    }

    /// Reads the value. Its text has the escapes of the ledger's contents, so that a reason with NUL can be stored.
    fn stored(&self) -> Result<StoredControl, ControlError> {
        let (text, updated_at) = self.value.as_ref().ok_or(ControlError::Missing)?;
        let value = canonical::to_value(text).unwrap_or_default();
        // A list would be read as the fields in their order, which is no documented form.
        let value = if value.is_object() { value } else { Value::Null };
        StoredControl::from_value(&value, *updated_at).map_err(ControlError::Malformed)
    }
}

/// What is wrong with a value that the database takes for malformed and this code does not: a doubt refuses.
pub(crate) fn doubtful() -> ControlError {
    let problem = StoredControl::from_value(&Value::Null, DateTime::UNIX_EPOCH);
    problem.map_or_else(ControlError::Malformed, |_| ControlError::Missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_documented_forms_are_understood() {
        let read =
            |text: &str| ControlRow { value: Some((text.to_owned(), DateTime::UNIX_EPOCH)), history: None }.read();
        assert!(matches!(read(r#"{"paused": false, "version": 1}"#), Ok(ControlState::Running)));
        for text in ["", "[1,false]", "[1,true,\"ops\",\"r\",false]", "1e400", "null", r#"{"version":1,"paused":false"#]
        {
            assert!(matches!(read(text), Err(ControlError::Malformed(_))), "{text}");
        }
        let broken = r#"{"version":1,"paused":true,"by":"ops","reason":"␛","allow_rollbacks":true}"#;
        assert!(matches!(read(broken), Err(ControlError::Malformed(_))));
        assert!(matches!(ControlRow::default().read(), Err(ControlError::Missing)));
        assert!(matches!(doubtful(), ControlError::Malformed(_)));
    }
}
