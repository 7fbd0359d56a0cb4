//! Leases on Postgres.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use selfext_domain::ports::{Lease, Leases, LedgerError};
use sqlx::Row as _;

use super::Connections;
use super::errors::reading;
use crate::lease::lease;
use crate::standing::seconds;
use crate::stored_text::stored;

/// Leases on Postgres.
#[derive(Clone, Debug)]
pub struct PgLeases {
    connections: Arc<Connections>,
}

impl PgLeases {
    pub(crate) const fn new(connections: Arc<Connections>) -> Self {
        Self { connections }
    }
}

#[async_trait]
impl Leases for PgLeases {
    async fn acquire(&self, name: &str, holder: &str, time: Duration) -> Result<Lease, LedgerError> {
        const ACQUIRE: &str = "SELECT l.held_by, l.held_until FROM public.self_extension_acquire_lease($1, $2, $3) l";
        let (name, stored_holder) = (stored(name), stored(holder));
        let statement = || sqlx::query(ACQUIRE).bind(&*name).bind(&*stored_holder).bind(seconds(time));
        let rows = self.connections.fetch(statement).await.map_err(reading)?;
        let row = rows.first().ok_or_else(|| LedgerError::unavailable("the database told nothing"))?;
        lease(row.try_get(0).map_err(reading)?, row.try_get(1).map_err(reading)?, holder)
    }

    async fn release(&self, name: &str, holder: &str) -> Result<(), LedgerError> {
        const RELEASE: &str = "SELECT public.self_extension_release_lease($1, $2)::text";
        let (name, holder) = (stored(name), stored(holder));
        let statement = || sqlx::query(RELEASE).bind(&*name).bind(&*holder);
        self.connections.fetch(statement).await.map_err(reading)?;
        Ok(())
    }
}
