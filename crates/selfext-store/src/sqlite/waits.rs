//! Waits in a SQLite file.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use selfext_domain::RunId;
use selfext_domain::ports::{LedgerError, Waits};

use super::SqliteDatabase;
use super::database::to_its_end;
use super::errors::cut_off;
use super::transaction::Writing;
use crate::standing::seconds;
use crate::stored_text::stored;

/// Waits in a SQLite file.
#[derive(Clone, Debug)]
pub struct SqliteWaits {
    database: Arc<SqliteDatabase>,
}

impl SqliteWaits {
    pub(crate) const fn new(database: Arc<SqliteDatabase>) -> Self {
        Self { database }
    }
}

#[async_trait]
impl Waits for SqliteWaits {
    async fn begin(&self, run: &RunId, holder: &str, what: &str, time: Duration) -> Result<(), LedgerError> {
        const FORGET: &str = "DELETE FROM self_extension_waits
            WHERE (run_id, holder) <> (?1, ?2)
              AND until <= iif(run_id = ?1, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
                               strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-1 hour'))";
        const BEGIN: &str = "INSERT INTO self_extension_waits (run_id, holder, what, since, until, written_by)
            VALUES (?1, ?2, ?3, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?4), ?5)
            ON CONFLICT (run_id, holder) DO UPDATE
            SET what = excluded.what, until = excluded.until, written_by = excluded.written_by,
                since = iif(what = excluded.what AND until > excluded.since, since, excluded.since)";
        let database = Arc::clone(&self.database);
        let (run, holder) = (stored(run.as_str()).into_owned(), stored(holder).into_owned());
        let what = stored(what).into_owned();
        let until = format!("+{:.3} seconds", seconds(time));
        let work = async move {
            let mut writing = Writing::begin(&database).await?;
            let written_by = writing.written_by.to_owned();
            let key = (run.clone(), holder.clone());
            writing.row(FORGET, |query| query.bind(key.0).bind(key.1)).await?;
            writing.row(BEGIN, |query| query.bind(run).bind(holder).bind(what).bind(until).bind(written_by)).await?;
            writing.commit().await
        };
        to_its_end(work).await.ok_or_else(cut_off)?
    }

    async fn end(&self, run: &RunId, holder: &str) -> Result<(), LedgerError> {
        const END: &str = "DELETE FROM self_extension_waits WHERE run_id = ?1 AND holder = ?2";
        let database = Arc::clone(&self.database);
        let (run, holder) = (stored(run.as_str()).into_owned(), stored(holder).into_owned());
        let work = async move {
            let mut writing = Writing::begin(&database).await?;
            writing.row(END, |query| query.bind(run).bind(holder)).await?;
            writing.commit().await
        };
        to_its_end(work).await.ok_or_else(cut_off)?
    }
}
