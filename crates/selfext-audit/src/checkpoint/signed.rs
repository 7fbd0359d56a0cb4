//! A checkpoint whose signatures were verified.

use super::{Checkpoint, CheckpointError};
use crate::note::{KeyKind, KeyName, NoteError, SignedNote, SignerKey, VerifierKey};

/// A witness's statement that it saw this checkpoint, consistent with all that it had seen before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosignature {
    /// The witness.
    pub witness: KeyName,
    /// When, by the witness's clock, in seconds since 1970.
    pub time: u64,
}

/// A checkpoint that the key of its own ledger signed, and the known witnesses that cosigned it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    cosignatures: Vec<Cosignature>,
}

impl SignedCheckpoint {
    /// Verifies a note: it is a checkpoint, a known key of the name of its origin signed it, and no signature of a known key is
    /// invalid. How many witnesses are enough is the caller's to say.
    ///
    /// # Errors
    /// [`CheckpointError`] if it must not be trusted.
    pub fn open(note: &str, keys: &[VerifierKey]) -> Result<Self, CheckpointError> {
        let note = SignedNote::parse(note)?;
        let signatures = note.verify(keys)?;
        let checkpoint: Checkpoint = note.text().parse()?;
        let by_origin = |kind, name: &KeyName| kind == KeyKind::Ed25519 && *name == checkpoint.origin;
        if !signatures.iter().any(|signature| by_origin(signature.kind, &signature.name)) {
            return Err(CheckpointError::NotByOrigin { origin: checkpoint.origin });
        }
        let cosignatures = signatures
            .into_iter()
            .filter_map(|signature| Some(Cosignature { witness: signature.name, time: signature.time? }))
            .collect();
        Ok(Self { checkpoint, cosignatures })
    }

    /// What is sealed.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The known witnesses that cosigned it.
    #[must_use]
    pub fn cosignatures(&self) -> &[Cosignature] {
        &self.cosignatures
    }
}

impl Checkpoint {
    /// Signs the checkpoint.
    ///
    /// # Errors
    /// [`CheckpointError::NotByOrigin`] if the key is not called like the origin; [`CheckpointError::Note`] if an extension line
    /// cannot stand in a note.
    pub fn sign(&self, key: &SignerKey) -> Result<SignedNote, CheckpointError> {
        let text = self.to_string();
        if *key.name() != self.origin {
            return Err(CheckpointError::NotByOrigin { origin: self.origin.clone() });
        }
        if text.parse().as_ref() != Ok(self) {
            return Err(NoteError::Malformed("an extension line is empty, or stands for another").into());
        }
        Ok(SignedNote::sign(text, key)?)
    }
}

#[cfg(test)]
mod tests {
    use selfext_domain::{Digest32, Position};

    use super::*;

    fn key(name: &str, seed: u8) -> SignerKey {
        SignerKey::generate(KeyName::parse(name).unwrap(), &[seed; 32])
    }

    fn checkpoint(origin: &str) -> Checkpoint {
        let position = Position { transaction: 5, id: 3 };
        Checkpoint::new(KeyName::parse(origin).unwrap(), 3, Digest32::of(b""), Some(position))
    }

    #[test]
    fn only_the_key_of_the_origin_makes_a_checkpoint() {
        let (log, other) = (key("log.example", 1), key("other.example", 2));
        let keys = [log.verifier().clone(), other.verifier().clone()];
        let note = checkpoint("log.example").sign(&log).unwrap();
        assert_eq!(SignedCheckpoint::open(&note.to_string(), &keys).unwrap().checkpoint(), &checkpoint("log.example"));
        assert!(matches!(checkpoint("log.example").sign(&other), Err(CheckpointError::NotByOrigin { .. })));
        // A note of another known key over the same text.
        let foreign = SignedNote::sign(checkpoint("log.example").to_string(), &other).unwrap().to_string();
        assert!(matches!(SignedCheckpoint::open(&foreign, &keys), Err(CheckpointError::NotByOrigin { .. })));
        assert!(matches!(
            SignedCheckpoint::open(&foreign, &keys[..1]),
            Err(CheckpointError::Note(NoteError::Unsigned))
        ));
    }

    #[test]
    fn a_changed_checkpoint_is_refused() {
        let log = key("log.example", 1);
        let keys = [log.verifier().clone()];
        let note = checkpoint("log.example").sign(&log).unwrap().to_string();
        for (from, to) in [("\n3\n", "\n4\n"), ("47DE", "48DE"), (" 5.3", " 5.4")] {
            let changed = note.replacen(from, to, 1);
            assert_ne!(changed, note);
            let opened = SignedCheckpoint::open(&changed, &keys);
            assert!(matches!(opened, Err(CheckpointError::Note(NoteError::Invalid { .. }))), "{opened:?}");
        }
    }

    #[test]
    fn an_extension_line_that_would_be_read_as_another_is_not_signed() {
        let log = key("log.example", 1);
        for line in ["", "a\nb", "selfext/1 7.7"] {
            let checkpoint = Checkpoint { extensions: vec![line.to_owned()], ..checkpoint("log.example") };
            assert!(checkpoint.sign(&log).is_err(), "{line:?}");
        }
    }
}
