//! The private key of a GitHub App.

use std::fmt;
use std::sync::Arc;

use ring::rand::SystemRandom;
use ring::rsa::KeyPair;
use ring::signature::RSA_PKCS1_SHA256;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;

/// Why a text is not the private key of a GitHub App. It does not repeat the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAppKey {
    /// There is no block of a private key in it.
    #[error("it holds no private key in PEM form that is not encrypted; GitHub gives one as a .pem file")]
    NotPem,
    /// It is a key of another kind.
    #[error("it is not an RSA key of 2048 to 4096 bits, as GitHub gives them")]
    NotRsa,
}

/// The RSA private key of a GitHub App, which signs what asks for its tokens.
///
/// Its `Debug` says only that it is there; nothing can read it.
#[derive(Clone)]
pub struct AppKey(Arc<KeyPair>);

impl AppKey {
    /// Reads a key in PEM form: PKCS#1 (`BEGIN RSA PRIVATE KEY`), as GitHub hands it out, or PKCS#8 (`BEGIN PRIVATE KEY`). A
    /// variable that holds it on one line may have `\n` where the lines end.
    ///
    /// # Errors
    /// [`InvalidAppKey`] for anything else.
    pub fn from_pem(text: &str) -> Result<Self, InvalidAppKey> {
        let text = if text.trim().contains('\n') { text.to_owned() } else { text.replace("\\n", "\n") };
        let pair = match PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|_| InvalidAppKey::NotPem)? {
            PrivateKeyDer::Pkcs1(der) => KeyPair::from_der(der.secret_pkcs1_der()),
            PrivateKeyDer::Pkcs8(der) => KeyPair::from_pkcs8(der.secret_pkcs8_der()),
            _ => return Err(InvalidAppKey::NotRsa),
        };
        pair.map(|pair| Self(Arc::new(pair))).map_err(|_| InvalidAppKey::NotRsa)
    }

    /// A signature over the message, as RS256 wants it.
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let mut signature = vec![0; self.0.public().modulus_len()];
        self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).ok()?;
        Some(signature)
    }

    #[cfg(test)]
    pub(super) fn public_der(&self) -> Vec<u8> {
        self.0.public().as_ref().to_vec()
    }
}

impl fmt::Debug for AppKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AppKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use selfext_contracts::app_key::{ELLIPTIC, PKCS1, PKCS8};

    use super::*;

    #[test]
    fn both_forms_that_github_and_openssl_write_are_read() {
        let one_line = PKCS1.trim_end().replace('\n', "\\n");
        let keys = [PKCS1, PKCS8, &format!("\u{feff}some words\n{PKCS1}"), &one_line];
        let public = keys.map(|text| AppKey::from_pem(text).unwrap().public_der());
        assert!(public.iter().all(|der| *der == public[0]), "it is one key");
    }

    #[test]
    fn what_is_no_rsa_key_is_refused_and_never_shown() {
        let cut = &PKCS1[..PKCS1.len() / 2];
        let encrypted = PKCS8.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
        let body = PKCS1.lines().nth(3).unwrap();
        for (text, expected) in [
            ("", InvalidAppKey::NotPem),
            ("/path/to/key.pem", InvalidAppKey::NotPem),
            (cut, InvalidAppKey::NotPem),
            (&encrypted, InvalidAppKey::NotPem),
            (&PKCS1.replace(body, ""), InvalidAppKey::NotRsa),
            (ELLIPTIC, InvalidAppKey::NotRsa),
        ] {
            let error = AppKey::from_pem(text).unwrap_err();
            assert_eq!(error, expected, "{}", text.len());
            assert!(!format!("{error}{error:?}").contains(body));
        }
        assert_eq!(format!("{:?}", AppKey::from_pem(PKCS1).unwrap()), "AppKey(…)");
    }
}
