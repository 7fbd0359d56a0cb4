//! How a secret that shows itself by its form is found: a pattern, and where the find begins and ends.

use std::ops::Range;

use regex::Regex;

use super::assigned::looks_random;
use super::joined::Joined;
use super::kind::{Kind, only_markers};

/// The form of one kind of secret. Group 1 of the pattern, if there is one, is the secret in the match.
pub(super) struct Shape {
    pub(super) kind: Kind,
    regex: Regex,
    word_start: Option<&'static str>,
    end: End,
    plausible: fn(&str) -> bool,
}

/// How far a find may reach over a line wrap.
#[derive(Clone, Copy)]
enum End {
    /// Of unknown length: over every wrap, but not into a last fragment that reads like an ordinary word.
    Open,
    /// Complete at this many bytes: a wrap after that ends it, unless what follows looks random too.
    CompleteAt(usize),
    /// The pattern has an end of its own.
    Exact,
    /// The pattern takes account of line breaks itself, or would take too much if they were taken out.
    WithinLines,
}

impl Shape {
    pub(super) fn new(kind: Kind, pattern: &'static str) -> Self {
        let regex = super::constant(pattern);
        Self { kind, regex, word_start: None, end: End::Open, plausible: |_| true }
    }

    /// The secret begins with `prefix`, which must stand at the start of a word. The pattern's classes
    /// must cover the prefix, so that a match reaches to the end of the run it began in.
    pub(super) fn at_word_start(mut self, prefix: &'static str) -> Self {
        self.word_start = Some(prefix);
        self
    }

    pub(super) fn complete_at(mut self, bytes: usize) -> Self {
        self.end = End::CompleteAt(bytes);
        self
    }

    pub(super) fn exact(mut self) -> Self {
        self.end = End::Exact;
        self
    }

    pub(super) fn within_lines(mut self) -> Self {
        self.end = End::WithinLines;
        self
    }

    pub(super) fn when(mut self, plausible: fn(&str) -> bool) -> Self {
        self.plausible = plausible;
        self
    }

    /// The finds in a text.
    pub(super) fn find_in(&self, text: &str) -> impl Iterator<Item = Range<usize>> {
        self.find(text, |_| false)
    }

    /// The finds in a joined text that reach over a wrap, as ranges of its source.
    pub(super) fn find_over_wraps(&self, joined: &Joined) -> impl Iterator<Item = Range<usize>> {
        let crosses =
            |found: &Range<usize>| !matches!(self.end, End::WithinLines) && !joined.seams_within(found).is_empty();
        self.find(&joined.text, |at| joined.starts_line(at))
            .filter(crosses)
            .map(move |found| joined.source_range(&(found.start..self.end_over_wraps(joined, &found))))
    }

    fn find(&self, text: &str, starts_line: impl Fn(usize) -> bool) -> impl Iterator<Item = Range<usize>> {
        self.regex.captures_iter(text).filter_map(move |found| {
            let secret = found.get(1).or_else(|| found.get(0))?.range();
            let secret = self.word_start_within(text, secret, &starts_line)?;
            let kept = &text[secret.clone()];
            ((self.plausible)(kept) && !only_markers(kept)).then_some(secret)
        })
    }

    /// Moves the start to the first prefix that begins a word.
    fn word_start_within(
        &self,
        text: &str,
        found: Range<usize>,
        starts_line: impl Fn(usize) -> bool,
    ) -> Option<Range<usize>> {
        let Some(prefix) = self.word_start else {
            return Some(found);
        };
        text[found.clone()]
            .match_indices(prefix)
            .map(|(at, _)| found.start + at)
            .find(|at| is_word_start(&text[..*at]) || starts_line(*at))
            .map(|start| start..found.end)
    }

    fn end_over_wraps(&self, joined: &Joined, found: &Range<usize>) -> usize {
        let seams = joined.seams_within(found);
        let cut = match self.end {
            End::Exact | End::WithinLines => None,
            End::CompleteAt(bytes) => {
                let ends = seams.iter().skip(1).map(|seam| seam.at).chain([found.end]);
                let mut fragments = seams.iter().map(|seam| seam.at).zip(ends);
                fragments
                    .find(|(at, end)| at - found.start >= bytes && !goes_on(&joined.text[*at..*end]))
                    .map(|(at, _)| at)
            }
            End::Open => seams.last().map(|seam| seam.at).filter(|at| {
                let (fragment, after) = (&joined.text[*at..found.end], &joined.text[found.end..]);
                is_next_line(fragment, after)
            }),
        };
        match cut {
            // What is cut off must hold no secret, and what is left must be one.
            Some(at)
                if !self.regex.is_match(&joined.text[at..found.end])
                    && self.regex.is_match(&joined.text[found.start..at]) =>
            {
                at
            }
            _ => found.end,
        }
    }
}

/// Whether a word begins where `before` ends; `\n` and its like, as JSON writes them, count as space.
fn is_word_start(before: &str) -> bool {
    !before.ends_with(|c: char| c.is_ascii_alphanumeric())
        || ["\\n", "\\r", "\\t"].iter().any(|escape| before.ends_with(escape))
}

/// Whether a secret that could be complete goes on in the fragment after a wrap.
fn goes_on(fragment: &str) -> bool {
    fragment.len() >= 12 && looks_random(fragment)
}

/// Whether the fragment after a wrap reads like the start of an ordinary line (`error: …`, `PATH=…`)
/// rather than the end of a secret. At most 11 characters of a secret can be mistaken for one.
fn is_next_line(fragment: &str, after: &str) -> bool {
    let letters = |case: fn(&u8) -> bool| fragment.as_bytes().iter().skip(1).all(case);
    let word = fragment.bytes().all(|byte| byte.is_ascii_alphabetic())
        && (letters(u8::is_ascii_lowercase) || letters(u8::is_ascii_uppercase));
    let name = after.starts_with([':', '=', '(']);
    let variable = after.starts_with('=')
        && fragment.contains('_')
        && fragment.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    (fragment.len() < 12 && (word || name)) || variable
}
