//! Names of keys.

use std::fmt;
use std::str::FromStr;

use super::KeyError;

/// The name of a key, best a URL without its scheme: not empty, at most 255 bytes, without white space, `+` or control
/// characters. A log's name is the origin of its checkpoints, too.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName(String);

impl KeyName {
    /// Parses the text.
    ///
    /// # Errors
    /// [`KeyError::Name`] if it is no name.
    pub fn parse(text: impl Into<String>) -> Result<Self, KeyError> {
        let text = text.into();
        let illegal = |c: char| c.is_whitespace() || c.is_control() || c == '+';
        if text.is_empty() || text.len() > 255 || text.contains(illegal) {
            return Err(KeyError::Name);
        }
        Ok(Self(text))
    }

    /// The name as it was parsed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for KeyName {
    type Err = KeyError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}
