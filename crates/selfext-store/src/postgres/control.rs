//! The promotion control on Postgres.

use std::sync::Arc;

use async_trait::async_trait;
use selfext_domain::ports::{ControlError, PauseAnswer, PauseRequest, PromotionControl, ResumeAnswer, ResumeRequest};
use selfext_domain::{ControlState, PermitTerms};
use sqlx::Row as _;

use super::Connections;
use super::answer::{Answer, call};
use super::columns::{EVENT_COLUMNS, control_row, event_columns, event_row};
use super::connections::Statement;
use super::errors::controlling;
use crate::permit;
use crate::reading::{ControlRow, doubtful};
use crate::request::{ControlChange, history_accepted};

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
    ) -> Result<Answer, ControlError> {
        let rows = self.connections.fetch(statement).await.map_err(|error| controlling(error, change.id))?;
        let answer = Answer::of(&rows).map_err(ControlError::unavailable)?;
        if answer.is_recorded() {
            self.connections.wake_followers();
        }
        match answer.outcome.as_str() {
            "recorded" | "history" => Ok(answer),
            "id-reused" => Err(ControlError::IdReused(change.id)),
            "control" => Err(answer.control.read().err().unwrap_or_else(doubtful)),
            _ => Err(ControlError::unavailable(answer.unforeseen())),
        }
    }

    /// A session asks for its history once, which costs more than all else here, and keeps it in a parameter of its own: a server that is
    /// not in recovery takes no other history while its processes live. Who sets that parameter deceives only what his own login's sessions
    /// read here; what grants a permit asks each time.
    async fn row(&self) -> Result<ControlRow, ControlError> {
        const ROW: &str = "SELECT s.value::text, s.updated_at, coalesce(
                nullif(current_setting('selfext.history', true), ''),
                nullif(set_config('selfext.history', public.self_extension_history(), false), ''))
            FROM public.agent_state s WHERE s.key = 'self_extension:promotion_control'";
        let rows = self.connections.fetch(|| sqlx::query(ROW)).await.map_err(ControlError::unavailable)?;
        let row = rows.first().ok_or(ControlError::Missing)?;
        control_row(row, 0).map_err(ControlError::unavailable)
    }

    /// The open permits and the control, in a statement after a change was durable, so that no permit that came before it is
    /// missing; and all of one moment, so that no resume and no failover comes in between.
    async fn open(&self) -> Result<Open, ControlError> {
        const OPEN: &str = concat!(
            "SELECT ",
            event_columns!("e"),
            ", s.value::text, s.updated_at, h.history
             FROM (SELECT public.self_extension_history() AS history) h
             LEFT JOIN public.agent_state s ON s.key = 'self_extension:promotion_control'
             LEFT JOIN (public.self_extension_open_runs o JOIN public.self_extension_events e ON e.id = o.permit)
                    ON o.permit IS NOT NULL
             ORDER BY e.id"
        );
        let rows = self.connections.fetch(|| sqlx::query(OPEN)).await.map_err(ControlError::unavailable)?;
        let first = rows.first().ok_or_else(|| ControlError::unavailable("the database told nothing"))?;
        let control = control_row(first, EVENT_COLUMNS).map_err(ControlError::unavailable)?;
        let mut permits = Vec::with_capacity(rows.len());
        for row in &rows {
            // Without an open permit there is one row, with no event in it.
            if row.try_get::<Option<i64>, _>(0).map_err(ControlError::unavailable)?.is_some() {
                let event = event_row(row).map_err(ControlError::unavailable)?.into_recorded();
                let terms = event.and_then(|event| permit::terms(&event));
                permits.push(terms.map_err(ControlError::unavailable)?);
            }
        }
        Ok(Open { permits, control })
    }
}

#[async_trait]
impl PromotionControl for PgPromotionControl {
    async fn read(&self) -> Result<ControlState, ControlError> {
        self.row().await?.read()
    }

    /// Two round trips: the change, and what is open after it.
    async fn pause(&self, request: &PauseRequest) -> Result<PauseAnswer, ControlError> {
        let change = ControlChange::pause(request)?;
        let function = if request.allow_rollbacks {
            call!("self_extension_pause_as_operator($1, $2, $3::text::jsonb)")
        } else {
            call!("self_extension_pause($1, $2, $3::text::jsonb)")
        };
        let answer = self
            .change(&change, || {
                sqlx::query(function).bind(change.id.as_uuid()).bind(&change.content).bind(&change.value)
            })
            .await?;
        let event = answer.event().map_err(ControlError::unavailable)?;
        let Open { permits, control } = self.open().await?;
        let (still_paused, history) = (control.is_paused_as(request), control.history_change()?);
        Ok(PauseAnswer { event, in_flight: permits, still_paused, history })
    }

    /// Two round trips: the change, and what is open after it.
    async fn resume(&self, request: &ResumeRequest) -> Result<ResumeAnswer, ControlError> {
        let change = ControlChange::resume(request)?;
        let accept = request.accept.as_ref();
        let accepting = accept.map(|accept| history_accepted(request, accept)).transpose()?;
        let answer = self
            .change(&change, || {
                sqlx::query(call!("self_extension_resume($1, $2, $3::text::jsonb, $4, $5, $6)"))
                    .bind(change.id.as_uuid())
                    .bind(&change.content)
                    .bind(&change.value)
                    .bind(accept.map(|accept| accept.history.as_str()))
                    .bind(accept.map(|accept| accept.event.as_uuid()))
                    .bind(accepting.as_deref())
            })
            .await?;
        if answer.outcome == "history" {
            return Err(answer.control.history_change()?.map_or_else(doubtful, ControlError::HistoryChanged));
        }
        let event = answer.event().map_err(ControlError::unavailable)?;
        let open = self.open().await?;
        Ok(ResumeAnswer { event, in_flight: open.permits })
    }
}

/// What is open at one moment, and the control of that moment.
struct Open {
    permits: Vec<PermitTerms>,
    control: ControlRow,
}
