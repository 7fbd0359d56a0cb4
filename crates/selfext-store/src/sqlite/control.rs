//! The promotion control on SQLite.

use std::sync::Arc;

use async_trait::async_trait;
use selfext_domain::ports::{
    ControlError, LedgerError, PauseAnswer, PauseRequest, PromotionControl, ResumeAnswer, ResumeRequest,
};
use selfext_domain::{ControlState, PermitTerms, RecordedEvent, StreamId};

use super::SqliteDatabase;
use super::columns::{control_row, event_rows};
use super::database::{to_its_end, traced};
use super::errors::{control_failed, cut_off, failed};
use super::transaction::{OPEN_PERMITS, Writing};
use crate::permit;
use crate::request::ControlChange;
use crate::row::recorded;

/// The promotion control in a SQLite file: the row of `agent_state`. Whoever writes has the whole file, so that is its lock.
#[derive(Clone, Debug)]
pub struct SqlitePromotionControl {
    database: Arc<SqliteDatabase>,
}

impl SqlitePromotionControl {
    pub(crate) const fn new(database: Arc<SqliteDatabase>) -> Self {
        Self { database }
    }

    /// Makes a change, durable when this returns.
    async fn change(&self, change: ControlChange, pauses: bool) -> Result<RecordedEvent, ControlError> {
        let database = Arc::clone(&self.database);
        let work = async move {
            let mut writing = Writing::begin(&database).await.map_err(control_failed)?;
            if let Some(recorded) = writing.find(change.id, &change.content).await.map_err(control_failed)? {
                return Ok(recorded);
            }
            if pauses || writing.control().await? != ControlState::Running {
                writing.set_control(&change.value).await.map_err(control_failed)?;
            }
            let last = writing.last(StreamId::CONTROL).await.map_err(control_failed)?;
            let recorded = writing.insert(&change.content, last).await.map_err(control_failed)?;
            writing.commit().await.map_err(control_failed)?;
            Ok(recorded)
        };
        to_its_end(work).await.ok_or_else(|| control_failed(cut_off()))?
    }

    /// The open permits, read after the change was durable.
    async fn in_flight(&self) -> Result<Vec<PermitTerms>, ControlError> {
        let rows = traced(OPEN_PERMITS, sqlx::query(OPEN_PERMITS).fetch_all(&self.database.reader)).await;
        let terms = |rows: &[_]| -> Result<Vec<_>, LedgerError> {
            recorded(event_rows(rows).map_err(failed)?)?.iter().map(permit::terms).collect()
        };
        rows.and_then(|rows| terms(&rows)).map_err(control_failed)
    }
}

#[async_trait]
impl PromotionControl for SqlitePromotionControl {
    async fn read(&self) -> Result<ControlState, ControlError> {
        const ROW: &str =
            "SELECT s.value, s.updated_at FROM agent_state s WHERE s.key = 'self_extension:promotion_control'";
        let row = traced(ROW, sqlx::query(ROW).fetch_optional(&self.database.reader)).await.map_err(control_failed)?;
        row.map_or_else(
            || Err(ControlError::Missing),
            |row| control_row(&row, 0).map_err(ControlError::unavailable)?.read(),
        )
    }

    async fn pause(&self, request: &PauseRequest) -> Result<PauseAnswer, ControlError> {
        let event = self.change(ControlChange::pause(request)?, true).await?;
        Ok(PauseAnswer { event, in_flight: self.in_flight().await?, history: None })
    }

    async fn resume(&self, request: &ResumeRequest) -> Result<ResumeAnswer, ControlError> {
        let event = self.change(ControlChange::resume(request)?, false).await?;
        Ok(ResumeAnswer { event, accepted: None, in_flight: self.in_flight().await? })
    }
}
