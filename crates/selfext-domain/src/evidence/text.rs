//! The only form in which output is kept.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use super::cap::TextCap;
use super::redact::redact;

/// Text that went through [`redact`] and then through a [`TextCap`].
///
/// There is no other way to make one: reading a stored one redacts again, so that a forged record, or
/// one written by an older version that knew fewer secrets, cannot bring a secret in. Redaction of what
/// this version wrote changes nothing.
#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct RedactedText(String);

/// Stands where [`RedactedText::from_truncated_output`] left something out.
const EARLIER: &str = "… earlier output cut …\n";

impl RedactedText {
    /// Redacts and caps the whole output of a program; bytes that are not UTF-8 become `U+FFFD`.
    ///
    /// For output whose beginning is missing use [`RedactedText::from_truncated_output`]. Output whose
    /// *end* is missing may end with a part of a secret that is too short to be recognised.
    #[must_use]
    pub fn from_output(raw: &[u8], cap: TextCap) -> Self {
        Self::from_text(&String::from_utf8_lossy(raw), cap)
    }

    /// Redacts and caps a text.
    #[must_use]
    pub fn from_text(text: &str, cap: TextCap) -> Self {
        Self(cap.fit(redact(text).into_owned()))
    }

    /// Redacts and caps the last part of an output whose beginning was not kept.
    ///
    /// The rest of a token whose prefix is missing cannot be recognised, so everything up to and
    /// including the first line break is left out, and everything if there is no line break. A secret
    /// of several lines, or one that a wrap broke just there, can leave its later lines; of those, only
    /// the lines of a private key block with its end are found.
    #[must_use]
    pub fn from_truncated_output(raw: &[u8], cap: TextCap) -> Self {
        let text = String::from_utf8_lossy(raw);
        let whole_lines = text.find(['\n', '\r']).map_or("", |at| &text[at + 1..]);
        Self::from_text(&format!("{EARLIER}{whole_lines}"), cap)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RedactedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RedactedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl<'de> Deserialize<'de> for RedactedText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(Self(redact(&text).into_owned()))
    }
}
