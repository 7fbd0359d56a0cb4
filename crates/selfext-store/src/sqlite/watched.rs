//! Who waits for a landed change: what a merge has to know of the runs that are watched.

use selfext_domain::ports::LedgerError;
use selfext_domain::{RecordedEvent, RunId};
use sqlx::Row as _;

use super::columns::{event_columns, event_row};
use super::errors::failed;
use super::transaction::Writing;
use crate::request::{MergeRequest, run_id};
use crate::stored_text::stored;

/// A run that is to take another back.
pub(super) struct TakesBack {
    /// The other.
    pub target: RunId,
    /// The number of the event that says of the other that this run takes it back; `None` if the ledger does not say so.
    pub started: Option<i64>,
}

impl Writing<'_> {
    /// Which run the merge's own is to take back, if it is a rollback.
    pub async fn takes_back(&mut self, merge: &MergeRequest<'_>) -> Result<Option<TakesBack>, LedgerError> {
        const TAKES_BACK: &str = "SELECT p.content ->> '$.payload.rollback_of', (
                SELECT w.event FROM self_extension_watched_runs w
                WHERE w.run_id = p.content ->> '$.payload.rollback_of' AND w.event_type = 'rollback_started'
                  AND w.rollback_run = p.run_id AND w.repository = ?2 AND w.base = ?3)
            FROM self_extension_events p WHERE p.run_id = ?1 AND p.sequence = 1 AND p.event_type = 'proposed'";
        let row = self
            .row(TAKES_BACK, |query| {
                query
                    .bind(stored(merge.run.as_str()).into_owned())
                    .bind(stored(merge.subject.repository.as_str()).into_owned())
                    .bind(stored(merge.subject.base.as_str()).into_owned())
            })
            .await?;
        let Some(row) = row else { return Ok(None) };
        let Some(target) = row.try_get::<Option<String>, _>(0).map_err(failed)? else { return Ok(None) };
        Ok(Some(TakesBack { target: run_id(&target)?, started: row.try_get(1).map_err(failed)? }))
    }

    /// The event that says why the merge has to wait, if it has to. What takes another back, since the event `started`, waits only
    /// for what was to be taken back before.
    pub async fn held_back(
        &mut self,
        merge: &MergeRequest<'_>,
        started: Option<i64>,
    ) -> Result<Option<RecordedEvent>, LedgerError> {
        const HELD: &str = concat!(
            "SELECT ",
            event_columns!("e"),
            " FROM self_extension_watched_runs w JOIN self_extension_events e ON e.id = w.event
              WHERE w.repository = ?1 AND w.base = ?2
                AND (?3 IS NULL OR (w.event_type = 'rollback_started' AND w.event < ?3))
              ORDER BY CASE w.event_type WHEN 'rollback_failed' THEN 1 WHEN 'promoted' THEN 3 ELSE 2 END, w.promoted LIMIT 1"
        );
        let row = self
            .row(HELD, |query| {
                query
                    .bind(stored(merge.subject.repository.as_str()).into_owned())
                    .bind(stored(merge.subject.base.as_str()).into_owned())
                    .bind(started)
            })
            .await?;
        row.map(|row| event_row(&row).map_err(failed)?.into_recorded()).transpose()
    }
}
