//! Text as the canonical form spells it, for looking up what the database derived from contents.

use std::borrow::Cow;

use selfext_domain::canonical;
use serde_json::Value;

/// How a text stands in a derived column.
pub(crate) fn stored(text: &str) -> Cow<'_, str> {
    canonical::spelled(text)
}

/// A text as a derived column has it, read back; `None` if no text is stored like this.
pub(crate) fn unstored(text: &str) -> Option<String> {
    canonical::from_str(&Value::from(text).to_string()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_stored_as_its_canonical_form_has_it() {
        for text in ["plain", "␛", "a\0b", "␛0", "␛␛\0", "\"\\é"] {
            let canonical = canonical::to_string(&text).unwrap();
            let column: String = serde_json::from_str(&canonical).unwrap();
            assert_eq!(stored(text), column);
            assert_eq!(unstored(&column).as_deref(), Some(text));
        }
        assert_eq!(unstored("a␛"), None);
    }
}
