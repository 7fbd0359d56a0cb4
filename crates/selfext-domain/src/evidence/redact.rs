//! The redaction itself: all finders over a readable text, until nothing is found any more.

use std::borrow::Cow;
use std::ops::Range;

use super::escape_sequences::readable;
use super::joined::Joined;
use super::kind::Kind;
use super::shapes::SHAPES;
use super::{assignment, authorization};

/// Taking one secret out can bring the edge of another to light. Each round leaves less text outside of
/// markers; ordinary text settles in the first round, text with secrets in the second.
const ROUNDS: usize = 6;

/// Replaces secrets by `[redacted:kind]` and removes what could hide them from a reader.
///
/// Escape sequences, control characters except `\n` and `\t`, and invisible characters are removed first;
/// carriage returns become line breaks. Found are then: tokens of GitHub, GitLab, Slack, npm, crates.io,
/// `PyPI`, Hugging Face and others; keys of model providers, Stripe, AWS and Google; JWTs; private key blocks,
/// also truncated ones; authorization headers; credentials in URLs; values assigned to names such as
/// `NAME_TOKEN`, `password` or `api-key`. Secrets of a known form are also found when they are broken by
/// a line wrap, with or without indentation; at most the last 11 letters of one may then stay, when they
/// read like a word that begins the next line.
///
/// What has neither a form nor a name nor a scheme is not found. Two redactions are as good as one:
/// `redact(redact(x)) == redact(x)`. Text that does not settle is replaced as a whole.
#[must_use]
pub fn redact(text: &str) -> Cow<'_, str> {
    let mut current = readable(text);
    for _ in 0..ROUNDS {
        match round(&current) {
            Some(next) => current = Cow::Owned(next),
            None => return current,
        }
    }
    Cow::Borrowed(Kind::Unsettled.marker())
}

/// One round; nothing when nothing is found.
fn round(text: &str) -> Option<String> {
    let mut finds: Vec<(Range<usize>, Kind)> = Vec::new();
    for shape in SHAPES.iter() {
        finds.extend(shape.find_in(text).map(|range| (range, shape.kind)));
    }
    if let Some(joined) = Joined::of(text) {
        for shape in SHAPES.iter() {
            finds.extend(shape.find_over_wraps(&joined).map(|range| (range, shape.kind)));
        }
    }
    finds.extend(authorization::find_in(text).into_iter().map(|range| (range, Kind::Authorization)));
    finds.extend(assignment::find_in(text).into_iter().map(|range| (range, Kind::Assignment)));
    finds.sort_unstable_by_key(|(range, kind)| (range.start, range.end, *kind));
    (!finds.is_empty()).then(|| replace(text, finds))
}

/// Replaces sorted finds; overlapping ones become one.
fn replace(text: &str, finds: Vec<(Range<usize>, Kind)>) -> String {
    let mut merged: Vec<(Range<usize>, Kind)> = Vec::with_capacity(finds.len());
    for (range, kind) in finds {
        match merged.last_mut() {
            Some((last, first_kind)) if range.start < last.end => {
                last.end = last.end.max(range.end);
                *first_kind = kind.min(*first_kind);
            }
            _ => merged.push((range, kind)),
        }
    }
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for (range, kind) in merged {
        out.push_str(&text[copied..range.start]);
        out.push_str(kind.marker());
        copied = range.end;
    }
    out.push_str(&text[copied..]);
    out
}
