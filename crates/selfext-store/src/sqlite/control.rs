//! The promotion control on SQLite.

use std::sync::Arc;

use async_trait::async_trait;
use selfext_domain::ports::{ControlError, PauseAnswer, PauseRequest, PromotionControl, ResumeAnswer, ResumeRequest};
use selfext_domain::{ControlState, PermitTerms, RecordedEvent, StreamId};

use super::SqliteDatabase;
use super::columns::{control_row, event_rows};
use super::database::{to_its_end, traced};
use super::errors::{control_failed, cut_off, failed};
use super::transaction::{OPEN_PERMITS, Writing};
use crate::permit;
use crate::reading::ControlRow;
use crate::request::ControlChange;
use crate::row::recorded;

/// The control's row.
pub(super) const ROW: &str =
    "SELECT s.value, s.updated_at FROM agent_state s WHERE s.key = 'self_extension:promotion_control'";

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

    /// The control and the open permits of one moment, read after the change was durable.
    async fn open(&self) -> Result<(ControlRow, Vec<PermitTerms>), ControlError> {
        let work = async {
            let mut moment = traced("BEGIN", self.database.reader.begin()).await?;
            let row = traced(ROW, sqlx::query(ROW).fetch_optional(&mut *moment)).await?;
            let rows = traced(OPEN_PERMITS, sqlx::query(OPEN_PERMITS).fetch_all(&mut *moment)).await?;
            let control = row.map_or_else(|| Ok(ControlRow::default()), |row| control_row(&row, 0)).map_err(failed)?;
            let permits =
                recorded(event_rows(&rows).map_err(failed)?)?.iter().map(permit::terms).collect::<Result<_, _>>();
            Ok((control, permits?))
        };
        work.await.map_err(control_failed)
    }
}

#[async_trait]
impl PromotionControl for SqlitePromotionControl {
    async fn read(&self) -> Result<ControlState, ControlError> {
        let row = traced(ROW, sqlx::query(ROW).fetch_optional(&self.database.reader)).await.map_err(control_failed)?;
        row.map_or_else(
            || Err(ControlError::Missing),
            |row| control_row(&row, 0).map_err(ControlError::unavailable)?.read(),
        )
    }

    async fn pause(&self, request: &PauseRequest) -> Result<PauseAnswer, ControlError> {
        let event = self.change(ControlChange::pause(request)?, true).await?;
        let (control, in_flight) = self.open().await?;
        Ok(PauseAnswer {
            event,
            in_flight,
            still_paused: control.is_paused_as(request),
            history: control.history_change()?,
        })
    }

    async fn resume(&self, request: &ResumeRequest) -> Result<ResumeAnswer, ControlError> {
        let event = self.change(ControlChange::resume(request)?, false).await?;
        let (_, in_flight) = self.open().await?;
        Ok(ResumeAnswer { event, in_flight })
    }
}
