//! The value that stands after a name and a separator: where it begins and ends.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::constant;
use super::joined::is_token_byte;
use super::kind::ends_with_marker;
use super::shapes::{has_digit, has_lower, has_upper};

/// A value as it stands in the text.
pub(super) struct Value {
    pub(super) range: Range<usize>,
    /// In quotes, or a block of YAML: its ends are certain.
    pub(super) quoted: bool,
    /// Nothing but a line break follows an unquoted value.
    pub(super) ends_line: bool,
}

/// What may stand between the separator and a double quote: `Some(`, `Token(`, `b`, `r#`, `&`, a backslash.
static DOUBLE_QUOTE: LazyLock<Regex> = LazyLock::new(|| {
    constant(r#"^(?:&|b|r#*|br#*|f|u|String::from\(|[A-Z][A-Za-z]{0,30}\(){0,2}(?:\\{1,4}"|""""?|")"#)
});

/// The header of a YAML block and the first line of the block.
static BLOCK: LazyLock<Regex> = LazyLock::new(|| constant(r"^[|>][+-]?[ \t]*\n[ \t]+([^\s][^\n]*)"));

/// Longer unquoted values are judged by this many bytes.
const HEAD: usize = 256;

impl Value {
    /// The value that begins at `at`. `stops` are the characters, besides white space, that end an
    /// unquoted one. An unquoted value is measured only as far as [`HEAD`]; [`Value::whole`] does the rest.
    pub(super) fn at(text: &str, at: usize, stops: &[char]) -> Self {
        let rest = &text[at..];
        let (range, quoted) = if let Some(quote) = DOUBLE_QUOTE.find(rest) {
            let escaped = quote.as_str().contains('\\');
            let start = quote.end();
            (start..start + double_quoted(&rest[start..], escaped), true)
        } else if let Some(inside) = rest.strip_prefix('\'') {
            (1..1 + inside.find(['\'', '\n']).unwrap_or(inside.len()), true)
        } else if let Some(line) = BLOCK.captures(rest).and_then(|found| found.get(1)) {
            (line.range(), true)
        } else {
            let head = &rest[..rest.floor_char_boundary(HEAD)];
            (0..unquoted(head, stops), false)
        };
        let after = rest[range.end..].trim_start_matches([' ', '\t']);
        let ends_line = !quoted && (after.is_empty() || after.starts_with('\n'));
        Self { range: at + range.start..at + range.end, quoted, ends_line }
    }

    /// Where the value really ends, over the measured head and over line wraps.
    pub(super) fn whole(&self, text: &str, stops: &[char]) -> Range<usize> {
        let mut end = self.range.end;
        if !self.quoted && self.range.len() + 8 > HEAD {
            end = self.range.start + unquoted(&text[self.range.start..], stops);
        }
        self.range.start..over_wraps(text, end)
    }
}

/// The length of a double quoted value: to its quote or to the end of its line.
fn double_quoted(inside: &str, escaped: bool) -> usize {
    let mut backslash = false;
    for (at, byte) in inside.bytes().enumerate() {
        match byte {
            b'\n' => return at,
            b'"' if !backslash => return at,
            b'\\' if escaped => return at,
            b'\\' => backslash = !backslash,
            _ => backslash = false,
        }
    }
    inside.len()
}

/// The length of an unquoted value without the punctuation that closes what is around it.
fn unquoted(rest: &str, stops: &[char]) -> usize {
    let end = rest.find(|c: char| c.is_whitespace() || stops.contains(&c)).unwrap_or(rest.len());
    let mut value = &rest[..end];
    while !ends_with_marker(value) {
        match value.strip_suffix(['"', '\'', '`', ',', ';', ')', ']', '}', '\\']) {
            Some(shorter) => value = shorter,
            None => break,
        }
    }
    value.len()
}

/// Follows a value that reaches the end of its line into the next lines, as long as such a line holds
/// one fragment that looks random and nothing else.
pub(super) fn over_wraps(text: &str, mut end: usize) -> usize {
    while let Some(fragment) = next_fragment(text, end) {
        end = fragment.end;
    }
    end
}

fn next_fragment(text: &str, end: usize) -> Option<Range<usize>> {
    let rest = &text[end..];
    let rest = rest.strip_prefix('\\').unwrap_or(rest).strip_prefix('\n')?;
    let line = rest.trim_start_matches([' ', '\t']);
    let length = line.bytes().take_while(|byte| is_token_byte(*byte)).count();
    let (fragment, after) = line.split_at(length);
    let after = after.trim_start_matches(['"', '\'', '\\', ',', ';', ')', '}']);
    let start = text.len() - line.len();
    let alone = after.is_empty() || after.starts_with('\n');
    (alone && looks_random(fragment)).then_some(start..start + length)
}

/// Whether a fragment is no word, no path and no assignment.
pub(super) fn looks_random(fragment: &str) -> bool {
    let inner_upper = fragment.get(1..).is_some_and(has_upper);
    let path = fragment.contains('/') && fragment.contains('.');
    let name = fragment.split_once('=').is_some_and(|(_, value)| value.contains(|c| c != '='));
    let letters = has_lower(fragment) || has_upper(fragment);
    !path && !name && ((has_digit(fragment) && letters) || (inner_upper && has_lower(fragment)))
}
