//! The note itself.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::key::SignedAt;
use super::{KeyId, KeyKind, KeyName, SignerKey, VerifierKey};

/// One signature of a note, verified or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    /// The name of the key.
    pub name: KeyName,
    /// The key's id.
    pub id: KeyId,
    /// What the key made of the text.
    pub signature: Vec<u8>,
}

/// A text with its signatures. Until [`SignedNote::verify`] has said who signed it, it is a claim.
///
/// A note has at most 1,000,000 bytes and 100 signatures; its text ends with a newline and holds no other control characters
/// below U+0020.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedNote {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// A signature that a known key made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedSignature {
    /// The name of the key.
    pub name: KeyName,
    /// What the key signs.
    pub kind: KeyKind,
    /// When a witness says it signed, in seconds since 1970; nothing for other keys.
    pub time: Option<u64>,
}

/// Why a text is no note, or one that cannot be trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// It is not of the form of a signed note.
    #[error("the note is malformed: {0}")]
    Malformed(&'static str),
    /// It has no signature of a known key.
    #[error("no known key signed the note")]
    Unsigned,
    /// A known key is named, but did not sign this text.
    #[error("the signature of {name}+{id} is not valid")]
    Invalid {
        /// The name of the key.
        name: KeyName,
        /// Its id.
        id: KeyId,
    },
    /// Two different known keys have the same name and id.
    #[error("two of the known keys are called {name}+{id}")]
    Ambiguous {
        /// The name of the keys.
        name: KeyName,
        /// Their id.
        id: KeyId,
    },
}

impl SignedNote {
    const MAX_BYTES: usize = 1_000_000;
    const MAX_SIGNATURES: usize = 100;

    /// Reads a note. Nothing is verified yet.
    ///
    /// # Errors
    /// [`NoteError::Malformed`].
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        if note.len() > Self::MAX_BYTES {
            return Err(NoteError::Malformed("it is longer than 1,000,000 bytes"));
        }
        check_text(note)?;
        let split = note.rfind("\n\n").ok_or(NoteError::Malformed("no empty line stands before the signatures"))?;
        let (text, lines) = (&note[..=split], &note[split + 2..]);
        if lines.is_empty() {
            return Err(NoteError::Malformed("it has no signatures"));
        }
        let lines: Vec<_> = lines.strip_suffix('\n').unwrap_or(lines).split('\n').collect();
        if lines.len() > Self::MAX_SIGNATURES {
            return Err(NoteError::Malformed("it has more than 100 signatures"));
        }
        let signatures = lines.into_iter().map(parse_signature).collect::<Result<_, _>>()?;
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// Signs a text.
    ///
    /// # Errors
    /// [`NoteError::Malformed`] if the text cannot be that of a note.
    pub fn sign(text: String, key: &SignerKey) -> Result<Self, NoteError> {
        check_text(&text)?;
        if text.len() > Self::MAX_BYTES / 2 {
            return Err(NoteError::Malformed("the text is longer than 500,000 bytes"));
        }
        let signature = NoteSignature { name: key.name().clone(), id: key.id(), signature: key.sign(&text) };
        Ok(Self { text, signatures: vec![signature] })
    }

    /// Adds a signature that somebody else made of the same text, such as a witness's.
    ///
    /// # Errors
    /// [`NoteError::Malformed`] if it is no line of a signature, or one too many.
    pub fn add_signature_line(&mut self, line: &str) -> Result<(), NoteError> {
        check_text(line)?;
        let signature = parse_signature(line.strip_suffix('\n').unwrap_or(line))?;
        if self.signatures.len() >= Self::MAX_SIGNATURES {
            return Err(NoteError::Malformed("it has more than 100 signatures"));
        }
        self.signatures.push(signature);
        Ok(())
    }

    /// Verifies the note: at least one known key signed it, and every signature that names a known key is that key's.
    /// Signatures of unknown keys are ignored.
    ///
    /// # Errors
    /// [`NoteError`] if the text must not be trusted.
    pub fn verify(&self, keys: &[VerifierKey]) -> Result<Vec<VerifiedSignature>, NoteError> {
        let mut verified = Vec::new();
        for NoteSignature { name, id, signature } in &self.signatures {
            let mut known = keys.iter().filter(|key| key.name() == name && key.id() == *id);
            let Some(key) = known.next() else { continue };
            if known.any(|other| other != key) {
                return Err(NoteError::Ambiguous { name: name.clone(), id: *id });
            }
            let SignedAt(time) =
                key.verify(&self.text, signature).ok_or_else(|| NoteError::Invalid { name: name.clone(), id: *id })?;
            let signature = VerifiedSignature { name: name.clone(), kind: key.kind(), time };
            if !verified.contains(&signature) {
                verified.push(signature);
            }
        }
        if verified.is_empty() { Err(NoteError::Unsigned) } else { Ok(verified) }
    }

    /// The signed text, with the newline at its end.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// All signatures, verified or not.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }
}

fn check_text(text: &str) -> Result<(), NoteError> {
    if text.bytes().any(|byte| byte < 0x20 && byte != b'\n') {
        return Err(NoteError::Malformed("it holds a control character"));
    }
    if text.ends_with('\n') { Ok(()) } else { Err(NoteError::Malformed("it does not end with a newline")) }
}

fn parse_signature(line: &str) -> Result<NoteSignature, NoteError> {
    let malformed = NoteError::Malformed("a signature is not of the form `— name base64`");
    let (name, encoded) = line.strip_prefix("— ").and_then(|rest| rest.split_once(' ')).ok_or(malformed.clone())?;
    let name = KeyName::parse(name).map_err(|_| malformed.clone())?;
    let bytes = STANDARD.decode(encoded).map_err(|_| malformed.clone())?;
    match bytes.split_first_chunk() {
        Some((id, signature)) if !signature.is_empty() => {
            Ok(NoteSignature { name, id: KeyId::from_bytes(*id), signature: signature.to_vec() })
        }
        _ => Err(malformed),
    }
}

impl fmt::Display for NoteSignature {
    /// The line of the signature, without its newline.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.id.as_bytes().to_vec();
        bytes.extend_from_slice(&self.signature);
        write!(f, "— {} {}", self.name, STANDARD.encode(bytes))
    }
}

impl fmt::Display for SignedNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}
