//! That a run's events are in a sealed ledger.

use chrono::DateTime;
use selfext_domain::{Digest32, Event, FoldError, Link, Phase, Run, RunId};
use serde::{Deserialize, Serialize};

use super::{ProofError, check_format};
use crate::checkpoint::SignedCheckpoint;
use crate::leaf::event_leaf;
use crate::merkle::verify_inclusion;
use crate::note::VerifierKey;

/// One event of a [`RunProof`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvedEvent {
    /// Its number in the run.
    pub sequence: u64,
    /// Which of the ledger's events it is, from 0.
    pub leaf: u64,
    /// Its exact bytes.
    pub content: String,
    /// The inclusion proof.
    pub path: Vec<Digest32>,
}

/// Shows to whoever has the public key that these events of a run were sealed, in this order and from the first on. The
/// [module](super) documents its JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunProof {
    format: String,
    run: String,
    checkpoint: String,
    events: Vec<ProvedEvent>,
}

/// What a [`RunProof`] has shown.
///
/// The run may have gone on since, or even before the checkpoint: that there are no later events is not what a proof of these
/// can show, unless the run is [over](VerifiedRun::phase).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedRun {
    run: RunId,
    phase: Phase,
    events: Vec<Event>,
    checkpoint: SignedCheckpoint,
}

impl RunProof {
    const FORMAT: &'static str = "selfext-run-proof/1";

    /// A proof of parts that are verified by whoever gets it.
    #[must_use]
    pub fn new(run: &RunId, checkpoint: String, events: Vec<ProvedEvent>) -> Self {
        Self { format: Self::FORMAT.to_owned(), run: run.as_str().to_owned(), checkpoint, events }
    }

    /// Reads the JSON document. Nothing is verified yet.
    ///
    /// # Errors
    /// [`ProofError`] if it is none, or of another version.
    pub fn from_json(text: &str) -> Result<Self, ProofError> {
        check_format(text, Self::FORMAT)?;
        Ok(serde_json::from_str(text)?)
    }

    /// The JSON document.
    ///
    /// # Errors
    /// None that a caller can cause; serialising is fallible by its signature.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }

    /// The events, unverified.
    #[must_use]
    pub fn events(&self) -> &[ProvedEvent] {
        &self.events
    }
}

/// Verifies a proof with nothing but the public keys: the checkpoint's signature, every event's hash from its bytes, the chain
/// from its beginning, each event's place in the sealed tree, and that the run is a legal one.
///
/// # Errors
/// [`ProofError`] says what does not hold; then nothing of the proof may be believed.
pub fn verify(proof: &RunProof, keys: &[VerifierKey]) -> Result<VerifiedRun, ProofError> {
    if proof.format != RunProof::FORMAT {
        return Err(ProofError::Format(proof.format.clone()));
    }
    let checkpoint = SignedCheckpoint::open(&proof.checkpoint, keys)?;
    let id = RunId::parse(proof.run.as_str())?;
    let (size, root) = (checkpoint.checkpoint().size, checkpoint.checkpoint().root);
    let mut run: Option<Run> = None;
    let (mut hash, mut next_leaf) = (Link::GENESIS, 0);
    let mut events = Vec::with_capacity(proof.events.len());
    for (expected, proved) in (1_u64..).zip(&proof.events) {
        let sequence = proved.sequence;
        if sequence != expected || proved.leaf < next_leaf {
            return Err(ProofError::OutOfOrder { expected, sequence });
        }
        hash = Link::new(hash, proved.content.as_bytes()).hash;
        verify_inclusion(event_leaf(hash), proved.leaf, size, &proved.path, root)
            .map_err(|source| ProofError::NotSealed { sequence, source })?;
        let event = Event::from_content(&proved.content).map_err(|source| ProofError::Content { sequence, source })?;
        let illegal = |source| ProofError::Illegal { sequence, source };
        if event.stream.run() != Some(&id) {
            return Err(illegal(FoldError::Foreign { event: event.id }));
        }
        // No hash binds the database's times, and nothing that the fold decides depends on them.
        match &mut run {
            None => run = Some(Run::begin(&event, hash, DateTime::UNIX_EPOCH).map_err(illegal)?),
            Some(run) => run.take(&event, hash, DateTime::UNIX_EPOCH).map_err(illegal)?,
        }
        next_leaf = proved.leaf + 1;
        events.push(event);
    }
    let phase = run.ok_or(ProofError::Empty)?.phase();
    Ok(VerifiedRun { run: id, phase, events, checkpoint })
}

impl VerifiedRun {
    /// The run.
    #[must_use]
    pub const fn run(&self) -> &RunId {
        &self.run
    }

    /// Where it stood after the last of these events.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// Its events, from the first.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The checkpoint that seals them, with the witnesses that saw it.
    #[must_use]
    pub const fn checkpoint(&self) -> &SignedCheckpoint {
        &self.checkpoint
    }
}
