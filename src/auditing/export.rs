//! Exporting the ledger.

use std::io::Write;

use selfext_audit::export::{ExportWriter, ExportedEvent, WriteError};
use selfext_domain::ports::{LedgerError, LedgerRow};
use selfext_domain::{Digest32, Position};

use super::rows::{Rows, checkpoints};
use crate::Operations;

/// How much was exported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Events.
    pub events: u64,
    /// Checkpoints.
    pub checkpoints: u64,
}

/// Why there is no whole export.
#[derive(Debug, thiserror::Error)]
pub enum ExportFailure {
    /// The ledger cannot be read to its end.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The output cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A row's hashes are none, or its place cannot be told. An audit says which others are wrong.
    #[error("event {0} has no hashes that can be exported; audit the ledger in its database")]
    Broken(String),
}

impl Operations {
    /// Writes the whole ledger as JSON lines, with its checkpoints, a page at a time. Give it a buffered writer. What was written
    /// is of no use without its end, which an audit of it looks for.
    ///
    /// # Errors
    /// [`ExportFailure`].
    pub async fn export<W: Write + Send>(&self, out: W) -> Result<Exported, ExportFailure> {
        let archive = self.archive();
        let mut seals = checkpoints(&*archive).await?.into_iter().peekable();
        let mut writer = ExportWriter::new(out)?;
        let mut done = Exported::default();
        let mut rows = Rows::after(archive, Position::START);
        loop {
            let page = rows.page().await?;
            if page.is_empty() {
                break;
            }
            for row in &page {
                writer.event(exported(&row)?)?;
                done.events += 1;
                while let Some(seal) = seals.next_if(|seal| seal.size <= done.events) {
                    writer.checkpoint(&seal.note)?;
                    done.checkpoints += 1;
                }
            }
        }
        // Those that seal more than there is: an audit of the export finds that.
        for seal in seals {
            writer.checkpoint(&seal.note)?;
            done.checkpoints += 1;
        }
        writer.finish()?;
        Ok(done)
    }
}

fn exported(row: &LedgerRow<'_>) -> Result<ExportedEvent, ExportFailure> {
    let digest = |bytes: &[u8]| <[u8; 32]>::try_from(bytes).ok().map(Digest32::from_bytes);
    let (Some(prev_hash), Some(hash)) = (digest(row.prev_hash), digest(row.hash)) else {
        return Err(ExportFailure::Broken(row.derived.event_id.to_owned()));
    };
    let LedgerRow { position, sequence, content, created_at, written_by, .. } = *row;
    Ok(ExportedEvent {
        transaction: position.transaction,
        id: position.id,
        sequence,
        content: content.to_owned(),
        prev_hash,
        hash,
        created_at: created_at.to_owned(),
        written_by: written_by.to_owned(),
    })
}
