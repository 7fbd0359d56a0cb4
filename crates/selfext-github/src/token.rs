//! The credential.

use std::fmt;

use http::HeaderValue;
use http::header::InvalidHeaderValue;

/// The longest token that is taken, in bytes; GitHub's longest have about 520.
const MAX_BYTES: usize = 4096;

/// A text that cannot be a token. It does not show the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a token must be 1 to 4096 visible ASCII characters")]
pub struct InvalidToken;

/// A token for GitHub: a personal one, an installation's, or any that is sent as `Authorization: Bearer …`.
///
/// Shown as `[token]` by `Display` and `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretToken(String);

impl SecretToken {
    /// Takes a token; white space around it, as a file or a variable may have it, is dropped.
    ///
    /// # Errors
    /// [`InvalidToken`] if nothing or anything but visible ASCII characters is left.
    pub fn parse(text: &str) -> Result<Self, InvalidToken> {
        let text = text.trim();
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        if text.is_empty() || text.len() > MAX_BYTES || !visible {
            return Err(InvalidToken);
        }
        Ok(Self(text.to_owned()))
    }

    /// The token itself, for git. Whoever asks keeps it from being shown.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The value of the `Authorization` header, marked so that no layer prints it.
    pub(crate) fn authorization(&self) -> Result<HeaderValue, InvalidHeaderValue> {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", self.0))?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// An answer without this token: a server or a proxy may echo what it was sent.
    pub(crate) fn remove_from(&self, body: Vec<u8>) -> Vec<u8> {
        let token = self.0.as_bytes();
        if !body.windows(token.len()).any(|part| part == token) {
            return body;
        }
        String::from_utf8_lossy(&body).replace(&self.0, "[token]").into_bytes()
    }
}

impl fmt::Debug for SecretToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[token]")
    }
}

impl fmt::Display for SecretToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[token]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_never_shown() {
        let token = SecretToken::parse(" hush-1234\n").unwrap();
        assert_eq!(format!("{token} {token:?} {:#?}", Some(&token)), "[token] [token] Some(\n    [token],\n)");
        assert!(!format!("{:?}", token.authorization().unwrap()).contains("hush"));
    }

    #[test]
    fn what_cannot_stand_in_a_header_is_no_token_and_is_not_shown() {
        for bad in ["", " \n", "a b", "a\nb", "tökèn", &"x".repeat(MAX_BYTES + 1)] {
            let error = SecretToken::parse(bad).unwrap_err();
            assert_eq!(error.to_string(), InvalidToken.to_string());
        }
    }

    #[test]
    fn an_echoed_token_is_removed() {
        let token = SecretToken::parse("hush-1234").unwrap();
        assert_eq!(token.remove_from(b"{\"message\":\"bad hush-1234!\"}".to_vec()), b"{\"message\":\"bad [token]!\"}");
        assert_eq!(token.remove_from(b"ok \xff".to_vec()), b"ok \xff");
        assert_eq!(token.remove_from(Vec::new()), b"");
    }
}
