//! The audit of the ledger in its database.

use selfext_audit::audit::{Auditor, Counts, Report, StoredRow};
use selfext_audit::note::VerifierKey;
use selfext_domain::Position;
use selfext_domain::ports::LedgerError;

use super::rows::{Rows, checkpoints};
use crate::Operations;

/// What an audit of a ledger in its database says.
#[derive(Debug)]
pub struct Audit {
    /// What was found in the events and their seals.
    pub report: Report,
    /// Where what the database keeps beside the ledger contradicts it ([`Archive::contradictions`](selfext_domain::ports::Archive::contradictions)). One sentence each.
    pub contradictions: Vec<String>,
}

impl Audit {
    /// Whether everything was judged and nothing is wrong.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.report.is_clean() && self.contradictions.is_empty()
    }
}

impl Operations {
    /// Verifies the whole ledger as it is stored, with the checkpoints that it has itself, and those that were kept elsewhere
    /// (`anchors`). Reads it once, a page at a time, in bounded memory; `progress` hears how far it is. It trusts `keys`, which
    /// must not come from the database, and nothing else; without any, no checkpoint can be judged.
    ///
    /// Events of transactions that are still open, or began before one that is, are not audited yet.
    ///
    /// # Errors
    /// [`LedgerError`] if the ledger cannot be read to its end. What is wrong with it is no error but a finding.
    pub async fn audit(
        &self,
        keys: Vec<VerifierKey>,
        anchors: &[String],
        mut progress: impl FnMut(Counts) + Send,
    ) -> Result<Audit, LedgerError> {
        let archive = self.archive();
        let mut auditor = Auditor::new(keys);
        for checkpoint in checkpoints(&*archive).await? {
            auditor.checkpoint(&checkpoint.note);
        }
        for note in anchors {
            auditor.anchor(note);
        }
        let mut rows = Rows::after(archive.clone(), Position::START);
        loop {
            let page = rows.page().await?;
            if page.is_empty() {
                break;
            }
            let audited = tokio::task::spawn_blocking(move || {
                for row in &page {
                    auditor.event(&StoredRow::from(&row));
                }
                auditor
            });
            auditor = audited.await.map_err(LedgerError::unavailable)?;
            progress(auditor.counts());
        }
        let contradictions = archive.contradictions().await?;
        Ok(Audit { report: auditor.finish(), contradictions })
    }
}
