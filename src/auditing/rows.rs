//! Reading the whole ledger, a page at a time.

use std::sync::Arc;

use selfext_domain::Position;
use selfext_domain::ports::{Archive, LedgerError, LedgerRows, StoredCheckpoint};

/// How many rows are read at once. Few enough that a page of large events fits into memory.
const PAGE: u32 = 1_000;

/// The rows behind a position. While a page is worked on, the next one is fetched.
pub(super) struct Rows {
    archive: Arc<dyn Archive>,
    next: Option<tokio::task::JoinHandle<Result<LedgerRows, LedgerError>>>,
}

impl Rows {
    pub fn after(archive: Arc<dyn Archive>, position: Position) -> Self {
        let next = Some(fetch(&archive, position));
        Self { archive, next }
    }

    /// The next page; empty at the end.
    pub async fn page(&mut self) -> Result<LedgerRows, LedgerError> {
        let Some(next) = self.next.take() else { return Ok(LedgerRows::default()) };
        let page = next.await.map_err(LedgerError::unavailable)??;
        if let Some(last) = page.last_position() {
            self.next = Some(fetch(&self.archive, last));
        }
        Ok(page)
    }
}

impl Drop for Rows {
    fn drop(&mut self) {
        if let Some(next) = &self.next {
            next.abort();
        }
    }
}

fn fetch(archive: &Arc<dyn Archive>, position: Position) -> tokio::task::JoinHandle<Result<LedgerRows, LedgerError>> {
    let archive = Arc::clone(archive);
    tokio::spawn(async move { archive.rows_after(position, PAGE).await })
}

/// All checkpoints of a ledger, the smallest first.
pub(super) async fn checkpoints(archive: &dyn Archive) -> Result<Vec<StoredCheckpoint>, LedgerError> {
    let mut all: Vec<StoredCheckpoint> = Vec::new();
    loop {
        let size = all.last().map_or(0, |last| last.size);
        let page = archive.checkpoints_after(size, PAGE).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}
