//! The promotion control on Postgres.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use selfext_domain::ports::{ControlError, PauseAnswer, PauseRequest, PromotionControl, ResumeAnswer, ResumeRequest};
use selfext_domain::{ControlState, PermitTerms, RecordedEvent};
use sqlx::Row as _;

use super::Connections;
use super::answer::{Answer, call};
use super::columns::event_rows;
use super::connections::Statement;
use super::errors::controlling;
use super::ledger::OPEN_PERMITS;
use crate::permit;
use crate::reading::{doubtful, read};
use crate::request::ControlChange;
use crate::row::recorded;

/// The promotion control on Postgres: the row of `agent_state`, whose lock `self_extension_begin_merge` takes too.
#[derive(Clone, Debug)]
pub struct PgPromotionControl {
    connections: Arc<Connections>,
}

impl PgPromotionControl {
    pub(crate) const fn new(connections: Arc<Connections>) -> Self {
        Self { connections }
    }

    /// Makes a change, durable when this returns.
    async fn change<'q>(
        &self,
        change: &ControlChange,
        statement: impl Fn() -> Statement<'q> + Send + Sync,
    ) -> Result<RecordedEvent, ControlError> {
        let rows = self.connections.fetch(statement).await.map_err(|error| controlling(error, change.id))?;
        let answer = Answer::of(&rows).map_err(ControlError::unavailable)?;
        match answer.outcome.as_str() {
            "recorded" => answer.event().map_err(ControlError::unavailable),
            "id-reused" => Err(ControlError::IdReused(change.id)),
            "control" => Err(answer.control().err().unwrap_or_else(doubtful)),
            _ => Err(ControlError::unavailable(answer.unforeseen())),
        }
    }

    /// The open permits, in a statement after the change was durable, so that none that came before it is missing.
    async fn in_flight(&self) -> Result<Vec<PermitTerms>, ControlError> {
        let rows = self.connections.fetch(|| sqlx::query(OPEN_PERMITS)).await.map_err(ControlError::unavailable)?;
        let rows = event_rows(&rows).map_err(ControlError::unavailable)?;
        let events = recorded(rows).map_err(ControlError::unavailable)?;
        events.iter().map(|event| permit::terms(event).map_err(ControlError::unavailable)).collect()
    }
}

#[async_trait]
impl PromotionControl for PgPromotionControl {
    async fn read(&self) -> Result<ControlState, ControlError> {
        const ROW: &str = "SELECT s.value::text, s.updated_at FROM public.agent_state s WHERE s.key = 'self_extension:promotion_control'";
        let rows = self.connections.fetch(|| sqlx::query(ROW)).await.map_err(ControlError::unavailable)?;
        let row = rows.first().ok_or(ControlError::Missing)?;
        let value: String = row.try_get(0).map_err(ControlError::unavailable)?;
        let updated_at: DateTime<Utc> = row.try_get(1).map_err(ControlError::unavailable)?;
        read(Some((&value, updated_at)))
    }

    /// Two round trips: the change, and the permits that are open after it.
    async fn pause(&self, request: &PauseRequest) -> Result<PauseAnswer, ControlError> {
        let change = ControlChange::pause(request)?;
        let event = self
            .change(&change, || {
                sqlx::query(call!("self_extension_pause($1, $2, $3::text::jsonb)"))
                    .bind(change.id.as_uuid())
                    .bind(&change.content)
                    .bind(&change.value)
            })
            .await?;
        Ok(PauseAnswer { event, in_flight: self.in_flight().await? })
    }

    /// Two round trips: the change, and the permits that are open after it.
    async fn resume(&self, request: &ResumeRequest) -> Result<ResumeAnswer, ControlError> {
        let change = ControlChange::resume(request)?;
        let event = self
            .change(&change, || {
                sqlx::query(call!("self_extension_resume($1, $2, $3::text::jsonb)"))
                    .bind(change.id.as_uuid())
                    .bind(&change.content)
                    .bind(&change.value)
            })
            .await?;
        Ok(ResumeAnswer { event, in_flight: self.in_flight().await? })
    }
}
