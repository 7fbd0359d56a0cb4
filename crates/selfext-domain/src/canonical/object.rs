//! An object of the canonical form, written member by member.

use serde_json::Value;

use super::{CanonicalError, write, write_string};

/// Writes an object whose members come in the order of their keys, so that none of them has to be kept. What is not there is left
/// out, as everywhere in the form.
pub(crate) struct ObjectWriter {
    out: String,
    last: &'static str,
}

impl ObjectWriter {
    /// An object with room for so many bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        let mut out = String::with_capacity(bytes);
        out.push('{');
        Self { out, last: "" }
    }

    pub fn text(&mut self, key: &'static str, text: Option<&str>) {
        if let Some(text) = text {
            write_string(text, self.member(key));
        }
    }

    pub fn number(&mut self, key: &'static str, number: Option<u64>) {
        if let Some(number) = number {
            self.member(key).push_str(&number.to_string());
        }
    }

    pub fn value(&mut self, key: &'static str, value: &Value) -> Result<(), CanonicalError> {
        if value.is_null() { Ok(()) } else { write(value, self.member(key)) }
    }

    pub fn finish(mut self) -> String {
        self.out.push('}');
        self.out
    }

    fn member(&mut self, key: &'static str) -> &mut String {
        debug_assert!(self.last < key, "{key} stands behind {}", self.last);
        if !self.last.is_empty() {
            self.out.push(',');
        }
        self.last = key;
        write_string(key, &mut self.out);
        self.out.push(':');
        &mut self.out
    }
}
