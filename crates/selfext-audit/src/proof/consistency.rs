//! That one checkpoint continues another.

use selfext_domain::Digest32;
use serde::{Deserialize, Serialize};

use super::{ProofError, check_format};
use crate::checkpoint::SignedCheckpoint;
use crate::merkle::verify_consistency;
use crate::note::VerifierKey;

/// Shows to whoever has the public key that nothing which the first checkpoint seals was changed or dropped up to the second.
/// The [module](super) documents its JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsistencyProof {
    format: String,
    first: String,
    second: String,
    path: Vec<Digest32>,
}

impl ConsistencyProof {
    const FORMAT: &'static str = "selfext-consistency-proof/1";

    /// A proof of parts that are verified by whoever gets it; a [`ProofCollector`](crate::merkle::ProofCollector) collects the
    /// path.
    #[must_use]
    pub fn new(first: String, second: String, path: Vec<Digest32>) -> Self {
        Self { format: Self::FORMAT.to_owned(), first, second, path }
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

    /// Verifies it with nothing but the public keys, and answers the two checkpoints.
    ///
    /// # Errors
    /// [`ProofError`] says what does not hold.
    pub fn verify(&self, keys: &[VerifierKey]) -> Result<(SignedCheckpoint, SignedCheckpoint), ProofError> {
        if self.format != Self::FORMAT {
            return Err(ProofError::Format(self.format.clone()));
        }
        let first = SignedCheckpoint::open(&self.first, keys)?;
        let second = SignedCheckpoint::open(&self.second, keys)?;
        let (old, new) = (first.checkpoint(), second.checkpoint());
        if old.origin != new.origin {
            return Err(ProofError::OtherLedger);
        }
        verify_consistency(old.size, old.root, new.size, new.root, &self.path).map_err(ProofError::Inconsistent)?;
        Ok((first, second))
    }
}
