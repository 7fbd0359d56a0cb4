//! What is remembered of repositories, on Postgres.

use std::sync::Arc;

use async_trait::async_trait;
use selfext_domain::RepositoryName;
use selfext_domain::ports::{LedgerError, Repositories};
use sqlx::Row as _;

use super::Connections;
use super::errors::reading;
use crate::request::{remembered, signed};

/// What is remembered of repositories, on Postgres.
#[derive(Clone, Debug)]
pub struct PgRepositories {
    connections: Arc<Connections>,
}

impl PgRepositories {
    pub(crate) const fn new(connections: Arc<Connections>) -> Self {
        Self { connections }
    }
}

#[async_trait]
impl Repositories for PgRepositories {
    async fn remember(&self, forge: &str, repository: &RepositoryName, number: u64) -> Result<u64, LedgerError> {
        const REMEMBER: &str = "SELECT public.self_extension_remember_repository($1, $2, $3)";
        let statement = || sqlx::query(REMEMBER).bind(forge).bind(repository.as_str()).bind(signed(number));
        let rows = self.connections.fetch(statement).await.map_err(reading)?;
        let row = rows.first().ok_or_else(|| LedgerError::unavailable("the database told nothing"))?;
        remembered(row.try_get(0).map_err(reading)?)
    }
}
