//! A heartbeat between the domain and its row.

use chrono::{DateTime, Utc};
use selfext_domain::ports::LedgerError;
use selfext_domain::{HealthSample, Heartbeat};

use crate::standing::read;
use crate::stored_text::{stored, unstored};

/// A heartbeat as its columns have it.
#[derive(Clone, Debug)]
pub(crate) struct HeartbeatRow {
    pub repository: String,
    pub base: String,
    pub commit: String,
    pub healthy: bool,
    pub reporter: String,
    pub detail: Option<String>,
}

impl HeartbeatRow {
    pub fn of(heartbeat: &Heartbeat) -> Self {
        let text = |text: &str| stored(text).into_owned();
        Self {
            repository: text(heartbeat.repository.as_str()),
            base: text(heartbeat.base.as_str()),
            commit: text(heartbeat.commit.as_str()),
            healthy: heartbeat.healthy,
            reporter: text(heartbeat.reporter.as_str()),
            detail: heartbeat.detail.as_deref().map(text),
        }
    }
}

/// A recorded heartbeat, read back.
pub(crate) fn sample(
    at: DateTime<Utc>,
    commit: &str,
    healthy: bool,
    reporter: &str,
    detail: Option<&str>,
) -> Result<HealthSample, LedgerError> {
    let corrupt = |text: &str| LedgerError::Corrupt { detail: format!("{text:?} is no detail of a heartbeat") };
    Ok(HealthSample {
        at,
        commit: read("commit of a heartbeat", commit)?,
        healthy,
        reporter: read("reporter of a heartbeat", reporter)?,
        detail: detail.map(|text| unstored(text).ok_or_else(|| corrupt(text))).transpose()?,
    })
}
