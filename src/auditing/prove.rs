//! Proofs that need neither the ledger nor its database.

use selfext_audit::checkpoint::{CheckpointError, SignedCheckpoint};
use selfext_audit::event_leaf;
use selfext_audit::merkle::{CollectError, ProofCollector};
use selfext_audit::note::VerifierKey;
use selfext_audit::proof::{BuildError, ConsistencyProof, RunProof, RunProofBuilder};
use selfext_domain::ports::{Archive, LedgerError, LedgerRow, StoredCheckpoint};
use selfext_domain::{Digest32, Position, RunId, canonical};

use super::rows::Rows;
use crate::Operations;

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// Nothing was sealed yet.
    #[error("the ledger was not sealed yet; `selfext seal` does")]
    Unsealed,
    /// The ledger does not hold what was sealed, or not the run.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The earlier checkpoint, or the ledger's last one, cannot be trusted.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The ledger holds fewer events than were sealed, or the earlier checkpoint seals more than the last one.
    #[error(transparent)]
    Collect(#[from] CollectError),
    /// The events are not those that were sealed, so there is nothing to prove.
    #[error("the ledger's events do not have the root that was sealed; audit it")]
    Contradicted,
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Operations {
    /// Proves what the ledger's last checkpoint seals of a run. Reads the sealed ledger once.
    ///
    /// # Errors
    /// [`ProveError`].
    pub async fn prove(&self, run: &RunId, keys: &[VerifierKey]) -> Result<RunProof, ProveError> {
        let archive = self.archive();
        let last = sealed(&*archive).await?;
        let mut builder = RunProofBuilder::new(run.clone(), &last.note, keys)?;
        let stored_run = canonical::spelled(run.as_str()).into_owned();
        let mut rows = Rows::after(archive, Position::START);
        while !builder.is_complete() {
            let page = rows.page().await?;
            if page.is_empty() {
                break;
            }
            for row in &page {
                let hash = hash(&row)?;
                match u64::try_from(row.sequence) {
                    Ok(sequence) if row.derived.run_id == stored_run => builder.own(sequence, row.content, hash),
                    _ => builder.other(hash),
                }
            }
        }
        Ok(builder.finish()?)
    }

    /// Proves that the ledger's last checkpoint continues an earlier one, given as its signed note. Reads the sealed ledger once.
    ///
    /// # Errors
    /// [`ProveError`].
    pub async fn prove_consistency(&self, earlier: &str, keys: &[VerifierKey]) -> Result<ConsistencyProof, ProveError> {
        let archive = self.archive();
        let last = sealed(&*archive).await?;
        let first = SignedCheckpoint::open(earlier, keys)?.checkpoint().size;
        let second = SignedCheckpoint::open(&last.note, keys)?.checkpoint().clone();
        let mut collector = ProofCollector::new(second.size);
        collector.want_consistency(first)?;
        let mut rows = Rows::after(archive, Position::START);
        while collector.root().is_none() {
            let page = rows.page().await?;
            if page.is_empty() {
                break;
            }
            for row in &page {
                collector.push(event_leaf(hash(&row)?));
            }
        }
        let path = collector.consistency(first)?;
        if collector.root() != Some(second.root) {
            return Err(ProveError::Contradicted);
        }
        Ok(ConsistencyProof::new(earlier.to_owned(), last.note, path))
    }
}

async fn sealed(archive: &dyn Archive) -> Result<StoredCheckpoint, ProveError> {
    archive.last_checkpoint().await?.ok_or(ProveError::Unsealed)
}

fn hash(row: &LedgerRow<'_>) -> Result<Digest32, ProveError> {
    let bytes = <[u8; 32]>::try_from(row.hash).map_err(|_| ProveError::Contradicted)?;
    Ok(Digest32::from_bytes(bytes))
}
