//! The one serialisation of what is hashed: JSON in a form that has no second spelling.
//!
//! Objects with their keys in the order of their UTF-8 bytes and without members that are null, no white space, integers in
//! decimal, strings with the shortest escapes (`\"`, `\\`, `\b`, `\f`, `\n`, `\r`, `\t`, otherwise `\u00xx` for control
//! characters, everything else as it is), `true`, `false`, arrays. No floats: they have second spellings.
//! Because no database text can hold NUL, `␛` (U+241B) escapes in strings: NUL is written `␛0`, and `␛` itself `␛␛`.

mod form;
mod object;

use std::borrow::Cow;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub(crate) use form::{Member, check_members};
pub use form::{NotCanonical, check};
pub(crate) use object::ObjectWriter;

/// Why a value has no canonical form, or a text is not one.
#[derive(Debug, thiserror::Error)]
pub enum CanonicalError {
    /// A number that is not an integer of 64 bits.
    #[error("the number {0} is not an integer of 64 bits")]
    NotAnInteger(String),
    /// The value does not serialise, or the text is not the JSON of the wanted type.
    #[error("the JSON is not of the expected shape")]
    Json(#[from] serde_json::Error),
    /// An escape in a string is neither `␛0` nor `␛␛`.
    #[error("a string holds a broken escape")]
    BrokenEscape,
}

/// The character that escapes NUL and itself in strings. A text without it is plain JSON.
pub const ESCAPE: char = '\u{241B}';

/// The canonical form of a value.
///
/// # Errors
/// [`CanonicalError::NotAnInteger`] for floats.
pub fn to_string(value: &impl Serialize) -> Result<String, CanonicalError> {
    let mut out = String::new();
    write(&serde_json::to_value(value)?, &mut out)?;
    Ok(out)
}

/// Reads a canonical form back.
///
/// # Errors
/// [`CanonicalError`] if the text is not JSON, not of the wanted type, or holds a broken escape.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, CanonicalError> {
    Ok(serde_json::from_value(to_value(text)?)?)
}

/// Reads a canonical form back as JSON.
///
/// # Errors
/// As [`from_str`].
pub fn to_value(text: &str) -> Result<Value, CanonicalError> {
    let mut value: Value = serde_json::from_str(text)?;
    unescape(&mut value)?;
    Ok(value)
}

/// A text as a string of the canonical form holds it, before JSON's own escapes: how it stands in a column that a database
/// derives from a content.
#[must_use]
pub fn spelled(text: &str) -> Cow<'_, str> {
    // Most texts hold neither, nor the byte that begins the one of them that is not ASCII.
    if text.bytes().any(|byte| matches!(byte, 0 | 0xE2)) && text.contains([ESCAPE, '\0']) {
        Cow::Owned(text.replace(ESCAPE, "\u{241B}\u{241B}").replace('\0', "\u{241B}0"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Canonical text as plain JSON, so that types can be read straight from it: most texts hold no escape and are that already.
pub(crate) fn plain(text: &str) -> Result<Cow<'_, str>, CanonicalError> {
    if text.contains(ESCAPE) { Ok(Cow::Owned(to_value(text)?.to_string())) } else { Ok(Cow::Borrowed(text)) }
}

fn write(value: &Value, out: &mut String) -> Result<(), CanonicalError> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) if number.is_f64() => {
            return Err(CanonicalError::NotAnInteger(number.to_string()));
        }
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(item, out)?;
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().filter(|(_, value)| !value.is_null()).collect();
            // They are sorted already, unless another crate of the same build makes serde_json keep the order of insertion.
            members.sort_by_key(|(key, _)| key.as_bytes());
            out.push('{');
            for (at, (key, value)) in members.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_string(key, out);
                out.push(':');
                write(value, out)?;
            }
            out.push('}');
        }
    }
    Ok(())
}

/// Writes a string in one pass: what needs no look is copied at once.
fn write_string(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    loop {
        let (plain, special) = rest.split_at(form::plain_bytes(rest.as_bytes()));
        out.push_str(plain);
        let mut chars = special.chars();
        let Some(next) = chars.next() else { break };
        match next {
            '\0' => out.extend([ESCAPE, '0']),
            ESCAPE => out.extend([ESCAPE, ESCAPE]),
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control @ '\u{1}'..='\u{1f}' => {
                out.push_str("\\u00");
                let code = u32::from(control);
                out.extend([code / 16, code % 16].into_iter().filter_map(|digit| char::from_digit(digit, 16)));
            }
            other => out.push(other),
        }
        rest = chars.as_str();
    }
    out.push('"');
}

fn unescape(value: &mut Value) -> Result<(), CanonicalError> {
    match value {
        Value::String(text) => *text = unescaped(text)?,
        Value::Array(items) => items.iter_mut().try_for_each(unescape)?,
        Value::Object(members) => {
            if members.keys().any(|key| key.contains(ESCAPE)) {
                let all = std::mem::take(members);
                for (key, value) in all {
                    members.insert(unescaped(&key)?, value);
                }
            }
            members.iter_mut().try_for_each(|(_, value)| unescape(value))?;
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    Ok(())
}

fn unescaped(text: &str) -> Result<String, CanonicalError> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, c == ESCAPE) {
            (c, false) => out.push(c),
            (_, true) => match chars.next() {
                Some('0') => out.push('\0'),
                Some(ESCAPE) => out.push(ESCAPE),
                _ => return Err(CanonicalError::BrokenEscape),
            },
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_form_is_as_published() {
        let value =
            json!({"b": 1, "a": ["x\0y␛", true, -7, null], "é": "\u{1}\n\"\\/é", "none": null, "big": u64::MAX});
        let text = to_string(&value).unwrap();
        assert_eq!(text, r#"{"a":["x␛0y␛␛",true,-7,null],"b":1,"big":18446744073709551615,"é":"\u0001\n\"\\/é"}"#);
    }

    #[test]
    fn floats_have_no_canonical_form() {
        assert!(matches!(to_string(&json!(1.5)), Err(CanonicalError::NotAnInteger(_))));
    }

    #[test]
    fn a_broken_escape_is_an_error() {
        for text in [r#""␛""#, r#""␛1""#] {
            assert!(matches!(to_value(text), Err(CanonicalError::BrokenEscape)));
        }
    }

    proptest! {
        #[test]
        fn a_string_is_what_json_makes_of_its_spelling(text in "[\0-\u{24ff}\u{241b}]*") {
            prop_assert_eq!(to_string(&text).unwrap(), serde_json::to_string(&spelled(&text)).unwrap());
        }

        #[test]
        fn every_text_survives_and_no_nul_is_written(key in any::<String>(), text in any::<String>()) {
            let value = json!({key: [text, "␛0\0"]});
            let written = to_string(&value).unwrap();
            prop_assert!(!written.contains('\0') && !written.contains("\\u0000"));
            prop_assert_eq!(to_value(&written).unwrap(), value.clone());
            prop_assert_eq!(to_string(&to_value(&written).unwrap()).unwrap(), written);
        }
    }
}
