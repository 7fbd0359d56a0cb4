//! Waits on Postgres.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use selfext_domain::RunId;
use selfext_domain::ports::{LedgerError, Waits};

use super::Connections;
use super::errors::reading;
use crate::standing::seconds;
use crate::stored_text::stored;

/// Waits on Postgres.
#[derive(Clone, Debug)]
pub struct PgWaits {
    connections: Arc<Connections>,
}

impl PgWaits {
    pub(crate) const fn new(connections: Arc<Connections>) -> Self {
        Self { connections }
    }
}

#[async_trait]
impl Waits for PgWaits {
    async fn begin(&self, run: &RunId, holder: &str, what: &str, time: Duration) -> Result<(), LedgerError> {
        const BEGIN: &str = "SELECT public.self_extension_begin_wait($1, $2, $3, $4)::text";
        let (run, holder, what) = (stored(run.as_str()), stored(holder), stored(what));
        let statement = || sqlx::query(BEGIN).bind(&*run).bind(&*holder).bind(&*what).bind(seconds(time));
        self.connections.fetch(statement).await.map_err(reading)?;
        Ok(())
    }

    async fn end(&self, run: &RunId, holder: &str) -> Result<(), LedgerError> {
        const END: &str = "SELECT public.self_extension_end_wait($1, $2)::text";
        let (run, holder) = (stored(run.as_str()), stored(holder));
        let statement = || sqlx::query(END).bind(&*run).bind(&*holder);
        self.connections.fetch(statement).await.map_err(reading)?;
        Ok(())
    }
}
