//! Secrets that show themselves by the name they are assigned to: `NAME_TOKEN=value` and its kin.

use std::ops::Range;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::assigned::Value;
use super::constant;
use super::kind::only_markers;
use super::shapes::{has_digit, has_lower, has_upper};

/// The end of a name that names a secret, an optional type, and the separator.
static NAME: LazyLock<Regex> = LazyLock::new(|| {
    constant(
        r#"(?x)
        (?P<name> (?i: token | secret | passw(?:or)?d | passphrase | authorization | [_-](?:pass|pwd|auth)
          | (?:api|access|secret|private|signing|encryption|account|auth|master|ssh|deploy|service|storage|license)[_-]?key )
          | _KEY )
        (?P<close> \\{0,4} ["'`] \]? )?
        (?: [\ \t]* : [\ \t]* &? (?:'static[\ \t]+)? (?:str|String) )?
        (?P<gap> [\ \t]* ) (?P<sep> => | := | = | : )
        "#,
    )
});

/// A command line's `--token VALUE` and a netrc's `login NAME password VALUE`.
static WORDS: LazyLock<Regex> = LazyLock::new(|| {
    constant(
        r"(?i)(?:--[a-z0-9-]{0,40}(?:token|password|secret|api-key|passphrase)|\blogin[ \t]+[^\s]+[ \t]+password)[ \t]+([^\s-][^\s]*)",
    )
});

/// The values of assignments in a text.
pub(super) fn find_in(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(name) = NAME.captures_at(text, from) {
        let Some(site) = Site::of(text, &name) else {
            break;
        };
        from = site.value_at;
        let stops: &[char] = if site.in_json { &[',', '}', ']'] } else { &[] };
        let value = Value::at(text, site.value_at, stops);
        if site.holds_secret(&text[value.range.clone()], &value) {
            let range = value.whole(text, stops);
            from = range.end.max(from);
            found.push(range);
        }
    }
    let words = WORDS.captures_iter(text).filter_map(|words| words.get(1));
    found.extend(words.filter(|value| is_secretish(value.as_str())).map(|value| value.range()));
    found.retain(|range| !only_markers(&text[range.clone()]));
    found
}

/// What stands around an assignment, as far as it says whether the value is a secret.
struct Site<'t> {
    /// The whole identifier.
    name: &'t str,
    separator: &'t str,
    /// The separator touches the name and the value.
    tight: bool,
    /// The name is in quotes.
    in_json: bool,
    before: Before,
    /// Where the value begins.
    value_at: usize,
}

/// What stands before the name.
#[derive(PartialEq)]
enum Before {
    /// Only indentation or a list mark.
    LineStart,
    /// A word, as in a sentence.
    Word,
    Other,
}

impl<'t> Site<'t> {
    fn of(text: &'t str, found: &Captures<'_>) -> Option<Self> {
        let (name, separator, gap) = (found.name("name")?, found.name("sep")?, found.name("gap")?);
        let closing = found.name("close");
        let start = identifier_start(text, name.start());
        let spaces = text[separator.end()..].bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        Some(Self {
            name: &text[start..name.end()],
            separator: &text[separator.range()],
            tight: gap.is_empty() && spaces == 0,
            in_json: closing.is_some_and(|close| !close.as_str().ends_with(']')),
            before: Before::of(text, start),
            value_at: separator.end() + spaces,
        })
    }

    fn holds_secret(&self, secret: &str, value: &Value) -> bool {
        if is_harmless(secret) || only_markers(secret) {
            return false;
        }
        if value.quoted {
            // "unexpected token: "}"" is a sentence of a parser, not an assignment.
            let sentence =
                self.name.eq_ignore_ascii_case("token") && self.separator == ":" && self.before == Before::Word;
            return !sentence || is_secretish(secret);
        }
        if is_secretish(secret) {
            return true;
        }
        // "Authorization: Bearer": the scheme alone is no secret.
        if self.name.to_ascii_lowercase().ends_with("authorization") {
            return false;
        }
        let in_environment = self.name.contains('_') && !self.name.bytes().any(|byte| byte.is_ascii_lowercase());
        let whole_line = self.before == Before::LineStart && value.ends_line;
        let header = self.name.contains('-') && self.separator == ":";
        match self.separator {
            "=" if self.tight => !secret.starts_with('='),
            "=" | ":" if in_environment || header => !begins_code(secret),
            "=" | ":" if whole_line || self.in_json => !is_code(secret),
            _ => false,
        }
    }
}

impl Before {
    fn of(text: &str, at: usize) -> Self {
        let marks = ["", "-", "+", ">", "<", "*", "#", "export", "set", "\"", "'"];
        if line_before(text, at).is_some_and(|before| marks.contains(&before.trim())) {
            return Self::LineStart;
        }
        let words = text[..at].trim_end_matches(' ');
        if words.len() < at && words.ends_with(char::is_alphabetic) { Self::Word } else { Self::Other }
    }
}

/// Where the identifier that ends at a name begins; looks back at most 64 bytes.
fn identifier_start(text: &str, end: usize) -> usize {
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.".contains(byte);
    end - text.as_bytes()[..end].iter().rev().take(64).take_while(|byte| part(byte)).count()
}

/// What stands before an offset on its line, if that is short.
fn line_before(text: &str, at: usize) -> Option<&str> {
    let near = &text[text.ceil_char_boundary(at.saturating_sub(48)).min(at)..at];
    match near.rfind('\n') {
        Some(newline) => Some(&near[newline + 1..]),
        None => (near.len() == at).then_some(near),
    }
}

/// Values that are no secrets: small numbers, words of configuration languages, references, placeholders.
fn is_harmless(value: &str) -> bool {
    let number = value.len() < 6 && value.bytes().all(|byte| byte.is_ascii_digit());
    let word = ["true", "false", "null", "none", "nil", "undefined", "yes", "no", "some", "required", "optional"]
        .iter()
        .any(|word| value.eq_ignore_ascii_case(word));
    let variable = value.strip_prefix('$').is_some_and(|name| match name.strip_prefix(['{', '(']) {
        // Nothing stands after the closing bracket.
        Some(name) => !name.trim_end_matches(['}', ')']).contains(['}', ')']),
        None => name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_'),
    });
    let placeholder =
        value.strip_prefix('<').and_then(|name| name.strip_suffix('>')).is_some_and(|name| !name.contains(['<', '>']));
    number || word || variable || placeholder || !value.contains(char::is_alphanumeric)
}

/// Whether an unquoted value begins like an expression or a type of a programming language.
fn begins_code(value: &str) -> bool {
    value.starts_with(['&', '[', '(', '{', '<', '|', '=', ':', '`'])
}

/// Whether an unquoted value is such an expression: a call, a path, a type with parameters.
fn is_code(value: &str) -> bool {
    begins_code(value) || value.contains("::") || value.contains(['(', '<'])
}

/// Whether a value looks like a secret whatever stands around it.
fn is_secretish(value: &str) -> bool {
    let letters = has_lower(value) || has_upper(value);
    let mixed = has_lower(value) && has_upper(value) && value.len() >= 20;
    value.len() >= 8
        && !is_code(value)
        && !is_harmless(value)
        && ((has_digit(value) && letters) || mixed || value.len() >= 40)
}
