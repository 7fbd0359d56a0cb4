//! Object ids.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The id of the empty tree, which every repository knows without storing it.
pub(crate) const EMPTY_TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/// The SHA-1 of a git object; 40 lower-case hexadecimal digits as text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Oid([u8; 20]);

impl Oid {
    /// The id that stands for "no object" in ref updates.
    pub(crate) const ZERO: Self = Self([0; 20]);

    /// Reads a full id; upper-case digits are accepted, as GitHub does.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != 40 {
            return None;
        }
        let mut bytes = [0; 20];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
        }
        Some(Self(bytes))
    }

    /// The id in its binary form, as it stands in a tree object.
    pub(super) fn from_raw(raw: &[u8]) -> Option<Self> {
        raw.try_into().ok().map(Self)
    }

    /// The binary form.
    pub(super) fn raw(&self) -> &[u8; 20] {
        &self.0
    }
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Oid> for String {
    fn from(oid: Oid) -> Self {
        oid.to_string()
    }
}

impl TryFrom<String> for Oid {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or_else(|| format!("{text:?} is not a full object id"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_text_and_back_and_anything_else_is_refused() {
        let oid = Oid::parse(EMPTY_TREE).expect("valid");
        assert_eq!(oid.to_string(), EMPTY_TREE);
        assert_eq!(Oid::parse(&EMPTY_TREE.to_uppercase()), Some(oid));
        for bad in ["", "4b825dc", &EMPTY_TREE.replace('4', "g"), &format!("{EMPTY_TREE}0")] {
            assert_eq!(Oid::parse(bad), None, "{bad}");
        }
    }
}
