//! The secret half of a key.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use zeroize::Zeroizing;

use super::key::{ENCODED_LEN, split_key};
use super::{KeyError, KeyId, KeyKind, KeyName, VerifierKey};

/// A secret key with its name. Its memory is overwritten when it is dropped, and nothing prints it.
///
/// The secret is signed with, not read, save for [`SignerKey::to_secret_text`], which is what belongs into a file that nobody
/// else can read, away from the database.
pub struct SignerKey {
    verifier: VerifierKey,
    secret: SigningKey,
}

const PREFIX: &str = "PRIVATE+KEY+";

impl SignerKey {
    /// A new key from 32 bytes of a cryptographic random number generator, which the caller has. The same bytes make the same
    /// key.
    #[must_use]
    pub fn generate(name: KeyName, random: &[u8; 32]) -> Self {
        let secret = SigningKey::from_bytes(random);
        Self { verifier: VerifierKey::new(name, KeyKind::Ed25519, secret.verifying_key()), secret }
    }

    /// Reads `PRIVATE+KEY+name+id+base64(0x01 ‖ seed)`.
    ///
    /// # Errors
    /// [`KeyError`] says what the text is not, without showing any of it.
    pub fn from_secret_text(text: &str) -> Result<Self, KeyError> {
        let (name, id, encoded) = split_key(text.strip_prefix(PREFIX).ok_or(KeyError::Malformed)?)?;
        let bytes = Zeroizing::new(STANDARD.decode(encoded).map_err(|_| KeyError::Malformed)?);
        let (kind, seed) = bytes.split_first().ok_or(KeyError::Malformed)?;
        if *kind != KeyKind::Ed25519.byte() {
            return Err(KeyError::UnknownKind(*kind));
        }
        let key = Self::generate(name, seed.try_into().map_err(|_| KeyError::Malformed)?);
        if key.verifier.id() == id { Ok(key) } else { Err(KeyError::WrongId) }
    }

    /// The secret as text, for [`SignerKey::from_secret_text`] and for Go's tools.
    #[must_use]
    pub fn to_secret_text(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new([KeyKind::Ed25519.byte(); 33]);
        bytes[1..].copy_from_slice(self.secret.as_bytes());
        // Room for all of it, so that growing leaves no copy behind.
        let mut text = String::with_capacity(PREFIX.len() + self.name().as_str().len() + 10 + ENCODED_LEN);
        text.push_str(PREFIX);
        text.push_str(self.name().as_str());
        text.push('+');
        text.push_str(&self.id().to_string());
        text.push('+');
        let mut text = Zeroizing::new(text);
        STANDARD.encode_string(*bytes, &mut text);
        text
    }

    /// Its public half.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &KeyName {
        self.verifier.name()
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.verifier.id()
    }

    pub(super) fn sign(&self, text: &str) -> Vec<u8> {
        self.secret.sign(text.as_bytes()).to_bytes().to_vec()
    }
}

impl fmt::Debug for SignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignerKey({}+{})", self.name(), self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PETER: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";

    #[test]
    fn the_secret_of_gos_tests_is_read_and_written_and_never_shown() {
        let key = SignerKey::from_secret_text(PETER).unwrap();
        assert_eq!(key.to_secret_text().as_str(), PETER);
        assert_eq!(key.verifier().to_string(), "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
        assert_eq!(format!("{key:?}"), "SignerKey(PeterNeumann+c74f20a3)");
    }

    #[test]
    fn a_mangled_secret_is_refused() {
        for at in 0..PETER.len() {
            assert!(SignerKey::from_secret_text(&PETER[at + 1..]).is_err());
            assert!(SignerKey::from_secret_text(&PETER[..at]).is_err());
            let mut bytes = PETER.as_bytes().to_vec();
            bytes[at] += 1;
            assert!(SignerKey::from_secret_text(&String::from_utf8(bytes).unwrap()).is_err(), "{at}");
        }
    }

    #[test]
    fn a_generated_key_survives_being_written() {
        let name = KeyName::parse("example.com/ledger").unwrap();
        let key = SignerKey::generate(name, &[7; 32]);
        let again = SignerKey::from_secret_text(&key.to_secret_text()).unwrap();
        assert_eq!(again.verifier(), key.verifier());
        assert_eq!(key.verifier().to_string().parse::<VerifierKey>().as_ref(), Ok(key.verifier()));
    }
}
