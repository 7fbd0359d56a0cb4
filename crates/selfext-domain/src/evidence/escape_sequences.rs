//! Takes out what a reader does not see, so that the scanner reads what the reader reads.

use std::borrow::Cow;

use super::shapes::may_begin_secret;

/// The text without escape sequences, control characters (`\n` and `\t` stay) and invisible characters.
/// Every kind of line break becomes `\n`, a backspace takes back the character before it.
/// The result holds none of these, so that doing it twice changes nothing.
pub(super) fn readable(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_readable) {
        return Cow::Borrowed(text);
    }
    let visible: String = text.chars().filter(|c| !is_invisible(*c)).collect();
    let mut out = String::with_capacity(visible.len());
    let mut rest = visible.as_str();
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '\n' | '\t' => out.push(c),
            '\r' => {
                rest = rest.trim_start_matches('\r');
                if !rest.starts_with('\n') {
                    out.push('\n');
                }
            }
            '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => out.push('\n'),
            '\u{8}' if !out.ends_with('\n') => {
                out.pop();
            }
            '\u{1b}' => rest = after_escape(rest),
            '\u{9b}' => rest = after_parameters(rest),
            '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => rest = after_string(rest),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

fn is_readable(c: char) -> bool {
    matches!(c, ' '..='~' | '\n' | '\t') || !(c.is_control() || is_invisible(c) || matches!(c, '\u{2028}' | '\u{2029}'))
}

/// Characters without a glyph of their own: zero-width, direction, filler, variation and tag characters.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// What follows an escape character. An unknown sequence loses only the escape character itself:
/// taking more could take the first letter of a secret and so hide it from the scanner.
fn after_escape(rest: &str) -> &str {
    let Some(&first) = rest.as_bytes().first() else {
        return rest;
    };
    match first {
        b'[' => after_parameters(&rest[1..]),
        b']' | b'P' | b'X' | b'^' | b'_' => after_string(&rest[1..]),
        b'(' | b')' | b'*' | b'+' | b'#' | b'%' => match rest.as_bytes().get(1) {
            Some(byte) if byte.is_ascii_alphanumeric() && !begins_secret(&rest[1..]) => &rest[2..],
            _ => &rest[1..],
        },
        b'7' | b'8' | b'=' | b'>' | b'\\' | b'D' | b'E' | b'H' | b'M' => &rest[1..],
        _ => rest,
    }
}

/// What follows `ESC [`: parameters, intermediates and one final byte, unless that is a secret's first. Of a sequence that is
/// none, the intermediates are kept: they may be the dashes of a private key block.
fn after_parameters(rest: &str) -> &str {
    let rest = rest.trim_start_matches(|c| matches!(c, '0'..='?'));
    let ending = rest.trim_start_matches(|c| matches!(c, ' '..='/'));
    let intermediates = &rest[..rest.len() - ending.len()];
    match ending.as_bytes().first() {
        _ if intermediates.contains("--") => rest,
        Some(b'A'..=b'Z' | b'a'..=b'z' | b'@' | b'~' | b'`') if !begins_secret(ending) => &ending[1..],
        _ => rest,
    }
}

/// How far is looked for the beginning of a secret: longer than any prefix with some sequences in it.
const VIEW: usize = 96;

/// Whether a text begins with what a secret begins with, once the sequences and wraps in it are taken out.
fn begins_secret(rest: &str) -> bool {
    let mut view = String::new();
    let mut chars = rest.chars().take(VIEW).peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\u{1b}', Some('[')) | ('\u{9b}', _) => {
                let is_inside = |c: &char| matches!(c, ' '..='?' | '[');
                while chars.next_if(is_inside).is_some() {}
                chars.next();
            }
            ('\u{1b}', Some(']')) | ('\u{9d}', _) => while chars.next_if(|c| !c.is_control()).is_some() {},
            _ if c.is_control() || c.is_whitespace() || c == '\\' => {}
            _ => view.push(c),
        }
    }
    may_begin_secret(&view)
}

/// What follows a control string (a title, a link). One that does not end on its line is no string,
/// and its text is kept: a reader of the log must not lose the rest of it to one stray byte.
fn after_string(rest: &str) -> &str {
    match rest.find(|c: char| c.is_control()) {
        Some(at) if rest[at..].starts_with('\u{7}') => &rest[at + 1..],
        Some(at) if rest[at..].starts_with('\u{9c}') => &rest[at + 2..],
        Some(at) if rest[at..].starts_with("\u{1b}\\") => &rest[at + 2..],
        _ => rest,
    }
}
