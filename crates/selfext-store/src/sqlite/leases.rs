//! Leases in a SQLite file.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use selfext_domain::ports::{Lease, Leases, LedgerError};
use sqlx::Row as _;

use super::SqliteDatabase;
use super::database::to_its_end;
use super::errors::{cut_off, failed};
use super::transaction::Writing;
use crate::lease::lease;
use crate::standing::seconds;
use crate::stored_text::stored;

/// Leases in a SQLite file.
#[derive(Clone, Debug)]
pub struct SqliteLeases {
    database: Arc<SqliteDatabase>,
}

impl SqliteLeases {
    pub(crate) const fn new(database: Arc<SqliteDatabase>) -> Self {
        Self { database }
    }
}

#[async_trait]
impl Leases for SqliteLeases {
    async fn acquire(&self, name: &str, holder: &str, time: Duration) -> Result<Lease, LedgerError> {
        const ACQUIRE: &str = "INSERT INTO self_extension_leases (name, holder, expires_at, written_by)
            VALUES (?1, ?2, strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?3), ?4)
            ON CONFLICT (name) DO UPDATE
            SET holder = excluded.holder, expires_at = excluded.expires_at, written_by = excluded.written_by
            WHERE holder = excluded.holder OR expires_at <= strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";
        const HELD: &str = "SELECT l.holder, l.expires_at FROM self_extension_leases l WHERE l.name = ?1";
        let (database, asked) = (Arc::clone(&self.database), holder.to_owned());
        let (name, holder) = (stored(name).into_owned(), stored(holder).into_owned());
        let until = format!("+{:.3} seconds", seconds(time));
        let work = async move {
            let mut writing = Writing::begin(&database).await?;
            let written_by = writing.written_by.to_owned();
            let key = name.clone();
            writing.row(ACQUIRE, |query| query.bind(key).bind(holder).bind(until).bind(written_by)).await?;
            let row = writing.row(HELD, |query| query.bind(name)).await?;
            let row = row.ok_or_else(|| LedgerError::unavailable("the database told nothing"))?;
            writing.commit().await?;
            lease(row.try_get(0).map_err(failed)?, row.try_get(1).map_err(failed)?, &asked)
        };
        to_its_end(work).await.ok_or_else(cut_off)?
    }

    async fn release(&self, name: &str, holder: &str) -> Result<(), LedgerError> {
        const RELEASE: &str = "DELETE FROM self_extension_leases WHERE name = ?1 AND holder = ?2";
        let database = Arc::clone(&self.database);
        let (name, holder) = (stored(name).into_owned(), stored(holder).into_owned());
        let work = async move {
            let mut writing = Writing::begin(&database).await?;
            writing.row(RELEASE, |query| query.bind(name).bind(holder)).await?;
            writing.commit().await
        };
        to_its_end(work).await.ok_or_else(cut_off)?
    }
}
