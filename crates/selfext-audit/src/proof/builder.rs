//! A run's proof, made in one pass over the ledger.

use selfext_domain::{Digest32, RunId};

use super::{ProvedEvent, RunProof};
use crate::checkpoint::{CheckpointError, SignedCheckpoint};
use crate::leaf::event_leaf;
use crate::merkle::{CollectError, ProofCollector};
use crate::note::VerifierKey;

/// Makes a [`RunProof`] while the hashes of the ledger's events stream by, in the order of their positions. Of the other runs'
/// events it needs the hash alone, and of the events behind the checkpoint nothing.
#[derive(Clone, Debug)]
pub struct RunProofBuilder {
    run: RunId,
    note: String,
    root: Digest32,
    collector: ProofCollector,
    events: Vec<ProvedEvent>,
}

/// Why there is no proof.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// The checkpoint cannot be trusted.
    #[error("the checkpoint cannot be trusted")]
    Checkpoint(#[from] CheckpointError),
    /// Fewer events came than the checkpoint seals, or none of the run.
    #[error("the ledger ended before the checkpoint's size was reached")]
    Collect(#[from] CollectError),
    /// The checkpoint seals no event of the run.
    #[error("the checkpoint seals no event of the run {0}")]
    NotSealed(RunId),
    /// The events are not those that were sealed.
    #[error("the root of the ledger's events is {found}, but {expected} was sealed")]
    Root {
        /// The sealed root.
        expected: Digest32,
        /// The root of what came.
        found: Digest32,
    },
}

impl RunProofBuilder {
    /// Begins a proof under a checkpoint.
    ///
    /// # Errors
    /// [`BuildError::Checkpoint`].
    pub fn new(run: RunId, note: &str, keys: &[VerifierKey]) -> Result<Self, BuildError> {
        let opened = SignedCheckpoint::open(note, keys)?;
        let checkpoint = opened.checkpoint();
        let collector = ProofCollector::new(checkpoint.size);
        Ok(Self { run, note: note.to_owned(), root: checkpoint.root, collector, events: Vec::new() })
    }

    /// Takes the next event of the ledger, which is none of the run's, by its stored chain hash.
    pub fn other(&mut self, hash: Digest32) {
        self.collector.push(event_leaf(hash));
    }

    /// Takes the next event of the ledger, which is one of the run's.
    pub fn own(&mut self, sequence: u64, content: &str, hash: Digest32) {
        let leaf = self.collector.pushed();
        // What stands behind the checkpoint is not sealed, and so not a part of the proof.
        if self.collector.want_inclusion(leaf).is_ok() {
            self.events.push(ProvedEvent { sequence, leaf, content: content.to_owned(), path: Vec::new() });
            self.collector.push(event_leaf(hash));
        }
    }

    /// Whether all events that the checkpoint seals have been taken: what is still to come need not be read.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.collector.root().is_some()
    }

    /// The proof.
    ///
    /// # Errors
    /// [`BuildError`] if the events were too few, or not those that were sealed.
    pub fn finish(mut self) -> Result<RunProof, BuildError> {
        for event in &mut self.events {
            event.path = self.collector.inclusion(event.leaf)?;
        }
        if self.events.is_empty() {
            return Err(BuildError::NotSealed(self.run));
        }
        match self.collector.root() {
            Some(found) if found != self.root => Err(BuildError::Root { expected: self.root, found }),
            _ => Ok(RunProof::new(&self.run, self.note, self.events)),
        }
    }
}
