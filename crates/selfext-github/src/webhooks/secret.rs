//! The secret that GitHub signs deliveries with.

use std::fmt;

use ring::hmac;

/// The shortest secret, in bytes: nobody tries all of as many.
const SHORTEST: usize = 16;

/// A text that cannot be a webhook's secret. It does not show the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a webhook's secret must have at least 16 characters, and should be a random text that is used for nothing else"
)]
pub struct InvalidWebhookSecret;

/// What GitHub was given as the secret of a webhook. Shown as `[secret]`; nothing gives it back.
#[derive(Clone)]
pub struct WebhookSecret(hmac::Key);

impl WebhookSecret {
    /// Takes a secret; white space around it, as a file or a variable may have it, is dropped.
    ///
    /// # Errors
    /// [`InvalidWebhookSecret`] if it has fewer than 16 bytes.
    pub fn parse(text: &str) -> Result<Self, InvalidWebhookSecret> {
        let text = text.trim();
        if text.len() < SHORTEST {
            return Err(InvalidWebhookSecret);
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, text.as_bytes())))
    }

    /// Whether this is the body's tag, in a time that does not depend on where they differ.
    pub(super) fn signed(&self, body: &[u8], tag: &[u8]) -> bool {
        hmac::verify(&self.0, body, tag).is_ok()
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn githubs_own_example_is_signed() {
        // From GitHub's documentation on validating deliveries.
        let secret = WebhookSecret::parse(" It's a Secret to Everybody\n").unwrap();
        let tag = hex::decode("757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17").unwrap();
        assert!(secret.signed(b"Hello, World!", &tag));
        assert!(!secret.signed(b"Hello, World?", &tag));
        assert!(!secret.signed(b"Hello, World!", &tag[..31]));
        assert!(!secret.signed(b"Hello, World!", &[]));
    }

    #[test]
    fn a_secret_is_long_and_never_shown() {
        for short in ["", "  \n", "fifteen letters"] {
            assert_eq!(WebhookSecret::parse(short).unwrap_err(), InvalidWebhookSecret);
        }
        assert_eq!(format!("{:?}", WebhookSecret::parse("sixteen letters!").unwrap()), "[secret]");
    }
}
