//! The public half of a key, and what its signatures mean.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest as _, Sha256};

use super::KeyName;

/// Why a text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The name is empty, too long, or holds white space, `+` or control characters.
    #[error("a key's name is 1 to 255 bytes without white space, `+` or control characters")]
    Name,
    /// It is not of the documented form.
    #[error("the key is not of the form name+id+base64")]
    Malformed,
    /// It is of a kind that this version does not know.
    #[error("the key is of the unknown kind {0:#04x}")]
    UnknownKind(u8),
    /// The id is not that of the key.
    #[error("the key's id is not that of its name and bytes")]
    WrongId,
    /// The bytes are no key, or one that signs everything.
    #[error("the bytes are no usable Ed25519 key")]
    Weak,
}

/// What a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// The text of a note: the kind of a log's key.
    Ed25519,
    /// A checkpoint as a witness saw it at some time: <https://c2sp.org/tlog-cosignature>.
    Cosignature,
}

impl KeyKind {
    pub(super) const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::Cosignature => 0x04,
        }
    }

    fn of(byte: u8) -> Result<Self, KeyError> {
        match byte {
            0x01 => Ok(Self::Ed25519),
            0x04 => Ok(Self::Cosignature),
            other => Err(KeyError::UnknownKind(other)),
        }
    }
}

/// The short id by which a signature names its key, beside the name. It identifies; it proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyId([u8; 4]);

impl KeyId {
    /// Takes an id as it stands in a signature.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 4]) -> Self {
        Self(bytes)
    }

    /// The four bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 4] {
        &self.0
    }

    /// `SHA-256(name ‖ 0x0A ‖ kind ‖ public key)[..4]`.
    pub(super) fn of(name: &KeyName, kind: KeyKind, public: &VerifyingKey) -> Self {
        let mut hash = Sha256::new();
        hash.update(name.as_str());
        hash.update([b'\n', kind.byte()]);
        hash.update(public.as_bytes());
        let hash = hash.finalize();
        Self([hash[0], hash[1], hash[2], hash[3]])
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// A public key with its name: `name+id+base64(kind ‖ key)` as text. This is what an auditor has to get from somewhere else than
/// the database.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: KeyName,
    id: KeyId,
    kind: KeyKind,
    public: VerifyingKey,
}

impl VerifierKey {
    pub(super) fn new(name: KeyName, kind: KeyKind, public: VerifyingKey) -> Self {
        Self { id: KeyId::of(&name, kind, &public), name, kind, public }
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// What it signs.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Verifies a signature over the text of a note. For a cosignature, answers the time that the witness gave, in seconds
    /// since 1970.
    pub(super) fn verify(&self, text: &str, signature: &[u8]) -> Option<SignedAt> {
        match self.kind {
            KeyKind::Ed25519 => {
                let signature = Signature::from_slice(signature).ok()?;
                self.public.verify_strict(text.as_bytes(), &signature).ok()?;
                Some(SignedAt(None))
            }
            KeyKind::Cosignature => {
                let (time, signature) = signature.split_first_chunk()?;
                let time = u64::from_be_bytes(*time);
                let signature = Signature::from_slice(signature).ok()?;
                if i64::try_from(time).is_err() {
                    return None;
                }
                self.public.verify_strict(cosigned(time, text).as_bytes(), &signature).ok()?;
                Some(SignedAt(Some(time)))
            }
        }
    }
}

/// That a signature is valid, with the time that it gives.
pub(super) struct SignedAt(pub Option<u64>);

/// What a witness signs.
pub(super) fn cosigned(time: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

/// Splits `name+id+base64`. The last part may hold `+` itself.
pub(super) fn split_key(text: &str) -> Result<(KeyName, KeyId, &str), KeyError> {
    let (name, rest) = text.split_once('+').ok_or(KeyError::Malformed)?;
    let (id, encoded) = rest.split_once('+').ok_or(KeyError::Malformed)?;
    let mut bytes = [0; 4];
    hex::decode_to_slice(id, &mut bytes).map_err(|_| KeyError::Malformed)?;
    Ok((KeyName::parse(name)?, KeyId(bytes), encoded))
}

/// The length of `kind ‖ key` in base64.
pub(super) const ENCODED_LEN: usize = 44;

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, id, encoded) = split_key(text)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| KeyError::Malformed)?;
        let (kind, public) = bytes.split_first().ok_or(KeyError::Malformed)?;
        let kind = KeyKind::of(*kind)?;
        let public = VerifyingKey::from_bytes(public.try_into().map_err(|_| KeyError::Malformed)?);
        let public = public.ok().filter(|public| !public.is_weak()).ok_or(KeyError::Weak)?;
        let key = Self::new(name, kind, public);
        if key.id == id { Ok(key) } else { Err(KeyError::WrongId) }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![self.kind.byte()];
        bytes.extend_from_slice(self.public.as_bytes());
        write!(f, "{}+{}+{}", self.name, self.id, STANDARD.encode(bytes))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

    #[test]
    fn the_key_of_gos_documentation_is_read_and_written_as_it_is() {
        let key: VerifierKey = PETER.parse().unwrap();
        assert_eq!((key.name().as_str(), key.kind()), ("PeterNeumann", KeyKind::Ed25519));
        assert_eq!(key.to_string(), PETER);
        assert!("EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop".parse::<VerifierKey>().is_ok());
    }

    #[test]
    fn a_mangled_key_is_refused() {
        for begin in 0..PETER.len() {
            for end in begin..=PETER.len() {
                if (begin, end) != (0, PETER.len()) {
                    assert!(PETER[begin..end].parse::<VerifierKey>().is_err(), "{begin}..{end}");
                }
            }
            let mut bytes = PETER.as_bytes().to_vec();
            bytes[begin] += 1;
            assert!(String::from_utf8(bytes).unwrap().parse::<VerifierKey>().is_err(), "{begin}");
        }
        // The wrong length and an unknown kind, each with the id that belongs to it.
        let long = "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==";
        assert_eq!(long.parse::<VerifierKey>(), Err(KeyError::Malformed));
        let unknown = "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        assert_eq!(unknown.parse::<VerifierKey>(), Err(KeyError::UnknownKind(0x65)));
    }

    #[test]
    fn a_key_of_small_order_is_refused() {
        let mut bytes = [0; 33];
        bytes[0] = 1;
        bytes[1] = 1;
        let text = format!("weak+00000000+{}", STANDARD.encode(bytes));
        assert_eq!(text.parse::<VerifierKey>(), Err(KeyError::Weak));
    }

    #[test]
    fn names_follow_the_rules_of_notes() {
        for good in ["a", "example.com/log42", "Ärger", &"x".repeat(255)] {
            assert!(KeyName::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "a+b", "a\u{a0}b", "a\u{2003}b", "a\nb", "a\0b", "a\u{7f}b", &"x".repeat(256)] {
            assert_eq!(KeyName::parse(bad), Err(KeyError::Name), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), name in "[a-z]{0,3}", id in "[0-9a-f]{0,9}", key in "[A-Za-z0-9+/=]{0,60}") {
            let _ = text.parse::<VerifierKey>();
            let _ = format!("{name}+{id}+{key}").parse::<VerifierKey>();
        }
    }
}
