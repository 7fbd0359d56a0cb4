//! Heartbeats on Postgres.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use selfext_domain::ports::{Heartbeats, LedgerError};
use selfext_domain::{BranchName, HealthSample, Heartbeat, RepositoryName};
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::Connections;
use super::connections::Statement;
use super::errors::reading;
use crate::heartbeat::{HeartbeatRow, sample};
use crate::span::storable;
use crate::standing::seconds;
use crate::stored_text::stored;

/// How many digits of a second Postgres keeps.
const DIGITS: u16 = 6;

/// Heartbeats on Postgres.
#[derive(Clone, Debug)]
pub struct PgHeartbeats {
    connections: Arc<Connections>,
}

impl PgHeartbeats {
    pub(crate) const fn new(connections: Arc<Connections>) -> Self {
        Self { connections }
    }

    async fn row<'q>(&self, statement: impl Fn() -> Statement<'q> + Send + Sync) -> Result<PgRow, LedgerError> {
        let rows = self.connections.fetch(statement).await.map_err(reading)?;
        rows.into_iter().next().ok_or_else(|| LedgerError::unavailable("the database told nothing"))
    }
}

#[async_trait]
impl Heartbeats for PgHeartbeats {
    async fn record(&self, heartbeat: &Heartbeat) -> Result<DateTime<Utc>, LedgerError> {
        const RECORD: &str = "SELECT public.self_extension_record_heartbeat($1, $2, $3, $4, $5, $6)";
        let row = HeartbeatRow::of(heartbeat);
        let statement = || {
            sqlx::query(RECORD)
                .bind(&row.repository)
                .bind(&row.base)
                .bind(&row.commit)
                .bind(row.healthy)
                .bind(&row.reporter)
                .bind(row.detail.as_deref())
        };
        self.row(statement).await?.try_get(0).map_err(reading)
    }

    async fn samples(
        &self,
        repository: &RepositoryName,
        base: &BranchName,
        since: DateTime<Utc>,
    ) -> Result<Vec<HealthSample>, LedgerError> {
        const SAMPLES: &str = "SELECT h.recorded_at, h.commit_sha, h.healthy, h.reporter, h.detail
            FROM public.self_extension_heartbeats h
            WHERE h.repository = $1 AND h.base = $2 AND h.recorded_at >= $3 ORDER BY h.recorded_at, h.id";
        let (repository, base) = (stored(repository.as_str()), stored(base.as_str()));
        let since = storable(since, DIGITS);
        let statement = || sqlx::query(SAMPLES).bind(&*repository).bind(&*base).bind(since);
        let rows = self.connections.fetch(statement).await.map_err(reading)?;
        let read = |row: &PgRow| {
            let (commit, reporter): (&str, &str) = (row.try_get(1).map_err(reading)?, row.try_get(3).map_err(reading)?);
            let healthy = row.try_get(2).map_err(reading)?;
            sample(row.try_get(0).map_err(reading)?, commit, healthy, reporter, row.try_get(4).map_err(reading)?)
        };
        rows.iter().map(read).collect()
    }

    async fn forget(&self, repository: &RepositoryName, base: &BranchName, keep: Duration) -> Result<u64, LedgerError> {
        const FORGET: &str = "SELECT public.self_extension_forget_heartbeats($1, $2, $3)";
        let (repository, base) = (stored(repository.as_str()), stored(base.as_str()));
        let statement = || sqlx::query(FORGET).bind(&*repository).bind(&*base).bind(seconds(keep));
        let forgotten: i64 = self.row(statement).await?.try_get(0).map_err(reading)?;
        Ok(u64::try_from(forgotten).unwrap_or_default())
    }
}
