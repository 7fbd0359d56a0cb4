//! Names of git objects.

use crate::InvalidValue;
use crate::newtype::text_newtype;

fn check_object_name(what: &'static str, text: &str) -> Result<(), InvalidValue> {
    let hex = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if !hex || !(text.len() == 40 || text.len() == 64) {
        return Err(InvalidValue::new(what, text, "is not 40 or 64 lower-case hexadecimal digits"));
    }
    if text.bytes().all(|b| b == b'0') {
        return Err(InvalidValue::new(what, text, "is git's null object"));
    }
    Ok(())
}

text_newtype!(
    /// The full name of a commit: 40 (SHA-1) or 64 (SHA-256) lower-case hexadecimal digits.
    CommitSha,
    |text| check_object_name("commit SHA", text)
);
text_newtype!(
    /// The full name of a tree: what a commit holds, whatever its history.
    TreeSha,
    |text| check_object_name("tree SHA", text)
);

impl CommitSha {
    /// The first ten digits, for people.
    #[must_use]
    pub fn short(&self) -> &str {
        self.as_str().get(..10).unwrap_or(self.as_str())
    }
}
