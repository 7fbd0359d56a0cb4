//! Text inside the markdown of a pull request.

use std::sync::LazyLock;

use regex::Regex;

use super::constant;
use super::neutral::{BREAK, Breaks};
use super::redact::redact;
use super::text::RedactedText;

/// What would end or hide the markup around a block, should a reader not respect its fence.
static MARKUP: LazyLock<Regex> = LazyLock::new(|| constant(r"(?i)<()(?:!--|/?(?:details|summary|pre|code)\b)"));

/// Longer runs of backticks are broken, so that the fence stays short.
static BACKTICKS: LazyLock<Regex> = LazyLock::new(|| constant("`{16}()`"));

/// What the autolinker would take for an address.
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| constant(r"(?i)(?::()//|www()\.)"));

/// The most characters that [`inline`] answers with.
const INLINE_MAX: usize = 200;

/// A fenced code block with the text in it, from the fence to a line break after the closing fence.
///
/// It must be put at the start of a line. The fence is longer than any run of backticks in the text, so
/// nothing in it can end the block; and for readers that look for mentions, references, comments or
/// `</details>` without respect for fences, these are broken by invisible zero-width spaces too. At most
/// twice as many characters (four times as many bytes) as the text, plus 50.
#[must_use]
pub fn code_block(text: &RedactedText) -> String {
    let mut breaks = Breaks::of_references(text.as_str());
    breaks.at_groups(&MARKUP);
    breaks.at_groups(&BACKTICKS);
    let body = breaks.apply();
    let fence = "`".repeat(longest_run(&body).max(2) + 1);
    let last = if body.is_empty() || body.ends_with('\n') { "" } else { "\n" };
    format!("{fence}text\n{body}{last}{fence}\n")
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}

/// One line of text inside a paragraph, a list item or a table cell.
///
/// Redacts it; turns white space of every kind into single spaces; escapes what markdown and HTML would
/// read as markup; breaks mentions, references, closing keywords and addresses by zero-width spaces.
/// At most 200 characters, escapes included; a longer text ends with `…`.
#[must_use]
pub fn inline(text: &str) -> String {
    let redacted = redact(text);
    let line = redacted.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut breaks = Breaks::of_references(&line);
    breaks.at_groups(&ADDRESS);
    let broken = breaks.apply();

    let mut out = String::new();
    let mut length = 0;
    let mut units = broken.char_indices().map(|(at, c)| escaped(&broken[..at], c)).peekable();
    while let Some(unit) = units.next() {
        let size = unit.chars().count();
        let reserve = usize::from(units.peek().is_some());
        if length + size + reserve > INLINE_MAX {
            out.push('…');
            break;
        }
        out.push_str(&unit);
        length += size;
    }
    out
}

/// A character as it must be written after `before`.
fn escaped(before: &str, c: char) -> String {
    let in_number = || before.len() < 10 && before.bytes().all(|byte| byte.is_ascii_digit());
    match c {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        '\'' => "&#39;".to_owned(),
        '\\' | '`' | '*' | '_' | '[' | ']' | '{' | '}' | '~' | '|' | '!' | '$' => format!("\\{c}"),
        '#' | '-' | '+' | '=' | ':' if before.is_empty() => format!("\\{c}"),
        '.' | ')' if !before.is_empty() && in_number() => format!("\\{c}"),
        // A break needs no escape, and neither does anything else.
        BREAK => BREAK.to_string(),
        c => c.to_string(),
    }
}
