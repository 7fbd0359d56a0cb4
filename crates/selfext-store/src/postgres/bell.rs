//! A bell on Postgres: a notification on a channel of the repository's.

use std::sync::{Arc, OnceLock};

use selfext_domain::RepositoryName;
use sqlx::Error;

use super::Connections;
use super::ear::Ear;
use crate::bell::word;

/// A bell on Postgres.
pub(crate) struct PgBell {
    connections: Arc<Connections>,
    channel: String,
    /// From the first call of `heard` on.
    ear: OnceLock<Ear>,
}

impl PgBell {
    pub fn new(connections: Arc<Connections>, repository: &RepositoryName) -> Self {
        Self { connections, channel: format!("selfext_forge_{}", word(repository)), ear: OnceLock::new() }
    }

    pub async fn ring(&self) -> Result<(), Error> {
        let statement = || sqlx::query("SELECT pg_notify($1, '')").bind(self.channel.clone());
        self.connections.fetch(statement).await?;
        Ok(())
    }

    pub async fn heard(&self) {
        let listen = || Ear::listen(self.connections.options().clone(), self.channel.clone());
        self.ear.get_or_init(listen).heard().await;
    }
}
