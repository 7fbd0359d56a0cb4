//! SHA-256 digests.

use std::fmt;
use std::str::FromStr;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest as _, Sha256};

use crate::InvalidValue;

/// A SHA-256 digest; as text, 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct Digest32([u8; 32]);

/// The value of each hexadecimal digit; 255 for every other byte.
const DIGITS: [u8; 256] = {
    let mut digits = [255; 256];
    let mut value = 0;
    while value < 16 {
        digits[b"0123456789abcdef"[value as usize] as usize] = value;
        digits[b"0123456789ABCDEF"[value as usize] as usize] = value;
        value += 1;
    }
    digits
};

impl Digest32 {
    /// The digest of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Takes a digest as it is.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 64 digits that it is as text, written into this room.
    #[must_use]
    pub fn digits<'a>(&self, room: &'a mut [u8; 64]) -> &'a str {
        // The room is right, and digits are ASCII.
        let written = hex::encode_to_slice(self.0, room);
        written.ok().and_then(|()| std::str::from_utf8(room).ok()).unwrap_or_default()
    }

    pub(crate) fn parse(what: &'static str, text: &str) -> Result<Self, InvalidValue> {
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        let pairs: &[[u8; 2]; 32] = match (pairs.try_into(), rest) {
            (Ok(pairs), []) => pairs,
            _ => return Err(InvalidValue::new(what, text, "is not 64 hexadecimal digits")),
        };
        let mut wrong = 0;
        let bytes = pairs.map(|[high, low]| {
            let (high, low) = (DIGITS[usize::from(high)], DIGITS[usize::from(low)]);
            wrong |= high | low;
            (high << 4) | low
        });
        if wrong > 15 {
            return Err(InvalidValue::new(what, text, "is not 64 hexadecimal digits"));
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Digest32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.digits(&mut [0; 64]))
    }
}

impl fmt::Debug for Digest32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl<'de> Deserialize<'de> for Digest32 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Digits)
    }
}

/// Reads the digits where they stand.
struct Digits;

impl Visitor<'_> for Digits {
    type Value = Digest32;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Digest32, E> {
        text.parse().map_err(E::custom)
    }
}

impl FromStr for Digest32 {
    type Err = InvalidValue;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse("digest", text)
    }
}

impl TryFrom<String> for Digest32 {
    type Error = InvalidValue;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Digest32> for String {
    fn from(digest: Digest32) -> Self {
        digest.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_digest_is_64_digits_in_either_case() {
        let digest = Digest32::of(b"x");
        let text = digest.to_string();
        assert_eq!(text, hex::encode(digest.as_bytes()));
        assert_eq!(Digest32::try_from(text.to_uppercase()).unwrap(), digest);
        for bad in [&text[1..], &text[2..], &format!("{text}0"), &format!("{text}00"), &text.replace('a', "g"), ""] {
            assert!(Digest32::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_text_is_a_digest_exactly_if_it_is_hexadecimal(text in "[0-9a-fA-F]{64}|[0-9a-fg/:@`G]{62,66}|\\PC{0,64}") {
            let decoded = hex::decode(&text).ok().filter(|bytes| bytes.len() == 32);
            let digest = Digest32::try_from(text).ok().map(|digest| digest.as_bytes().to_vec());
            prop_assert_eq!(digest, decoded);
        }
    }
}
