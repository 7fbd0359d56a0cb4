//! The one error of values that are parsed at the edge.

use std::fmt;

/// A value that cannot be what it was meant to be: what it should have been, how it began, and what is wrong.
///
/// The value is shown escaped and shortened, so that the message is safe to print and to log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} {shown} {problem}")]
pub struct InvalidValue {
    what: &'static str,
    shown: String,
    problem: String,
}

impl InvalidValue {
    /// How many characters of a refused value an error shows.
    const SHOWN: usize = 80;

    pub(crate) fn new(what: &'static str, value: &str, problem: impl fmt::Display) -> Self {
        let mut shown: String = value.chars().take(Self::SHOWN).collect();
        if shown.len() < value.len() {
            shown.push('…');
        }
        Self { what, shown: format!("{shown:?}"), problem: problem.to_string() }
    }

    /// What the value was meant to be, for example `repository path`.
    #[must_use]
    pub fn what(&self) -> &'static str {
        self.what
    }
}

/// Whether a character shows nothing of its own, or turns the text around it: such characters hide what a reader would
/// otherwise see, so no id, path or name may hold them.
pub(crate) fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}'
            | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
            | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}')
}

/// Whether a text holds such a character. Most texts are ASCII, in which only control characters are invisible.
pub(crate) fn holds_invisible(text: &str) -> bool {
    if text.is_ascii() { text.bytes().any(|byte| byte.is_ascii_control()) } else { text.chars().any(is_invisible) }
}

/// The shared rule of free-form ids and names: 1 to `max` characters, none invisible, no white space at either end.
pub(crate) fn check_label(what: &'static str, value: &str, max: usize) -> Result<(), InvalidValue> {
    let problem = if value.is_empty() {
        "is empty".to_owned()
    } else if value.len() > max && value.chars().count() > max {
        format!("is longer than {max} characters")
    } else if holds_invisible(value) {
        "holds a control or invisible character".to_owned()
    } else if value.trim() != value {
        "begins or ends with white space".to_owned()
    } else {
        return Ok(());
    };
    Err(InvalidValue::new(what, value, problem))
}
