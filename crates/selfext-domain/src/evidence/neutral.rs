//! Breaks what GitHub would act on: mentions, references, closing keywords, switches for CI.
//!
//! A break is a zero-width space put into the word: the text reads the same, no parser takes it for
//! what it looks like, and [`redact`] removes it again, which makes breaking twice the same as once.

use std::sync::LazyLock;

use regex::Regex;

use super::constant;
use super::redact::redact;

pub(super) const BREAK: char = '\u{200b}';

/// Byte offsets of a text at which a [`BREAK`] goes.
pub(super) struct Breaks<'t> {
    text: &'t str,
    offsets: Vec<usize>,
}

static GH_NUMBER: LazyLock<Regex> = LazyLock::new(|| constant(r"(?i)gh-[0-9]"));

/// A keyword before anything that may be a reference to an issue.
static CLOSING: LazyLock<Regex> = LazyLock::new(|| {
    constant(
        r"(?i)\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)[:\s]+(?:[\w.-]+(?:/[\w.-]+)?)?(?:#[0-9]|gh-[0-9]|https?://)",
    )
});

/// The number in an address of an issue or pull request, on any host; a mere address makes a backlink.
static ISSUE_URL: LazyLock<Regex> = LazyLock::new(|| constant(r"(?i)/(?:issues|pulls?|discussions)/([0-9])"));

/// `[skip ci]`, `[ci skip]`, `[no ci]`, `[skip actions]`, `***NO_CI***`, the trailer `skip-checks: true`.
static CI_SWITCH: LazyLock<Regex> = LazyLock::new(|| {
    constant(
        r"(?ix) \[ ()[^\[\]\n]{0,40}\b(?:skip|no[\ _-]?ci)\b[^\[\]\n]{0,40} \] | \*\*\* ()no_ci | skip ()-checks\s*:",
    )
});

impl<'t> Breaks<'t> {
    /// The places where GitHub would find a mention or a reference.
    pub(super) fn of_references(text: &'t str) -> Self {
        let mut breaks = Self { text, offsets: Vec::new() };
        for (at, mark) in text.match_indices(['@', '#']) {
            let next = text[at + 1..].chars().next();
            let acts = match mark {
                "@" => next.is_some_and(|c| !c.is_whitespace()),
                _ => next.is_some_and(|c| c.is_ascii_digit()),
            };
            if acts {
                breaks.offsets.push(at + 1);
            }
        }
        breaks.after_matches(&GH_NUMBER, "gh-".len());
        breaks.after_matches(&CLOSING, 1);
        breaks.at_groups(&ISSUE_URL);
        breaks
    }

    /// Also the switches that keep CI from running.
    pub(super) fn and_ci_switches(mut self) -> Self {
        self.at_groups(&CI_SWITCH);
        self
    }

    /// Adds a break so many bytes after the start of each match.
    pub(super) fn after_matches(&mut self, regex: &Regex, bytes: usize) {
        self.offsets.extend(regex.find_iter(self.text).map(|found| found.start() + bytes));
    }

    /// Adds a break where each match's group begins.
    pub(super) fn at_groups(&mut self, regex: &Regex) {
        let groups = regex
            .captures_iter(self.text)
            .filter_map(|found| found.iter().skip(1).flatten().next().map(|group| group.start()));
        self.offsets.extend(groups);
    }

    /// The text with the breaks in it.
    pub(super) fn apply(mut self) -> String {
        self.offsets.sort_unstable();
        self.offsets.dedup();
        let mut out = String::with_capacity(self.text.len() + self.offsets.len() * BREAK.len_utf8());
        let mut copied = 0;
        for at in self.offsets {
            out.push_str(&self.text[copied..at]);
            out.push(BREAK);
            copied = at;
        }
        out.push_str(&self.text[copied..]);
        out
    }
}

/// A text for places where GitHub reads plain text: commit messages and titles of pull requests.
///
/// Redacts it, and breaks mentions (`@name`), references (`#12`, `GH-12`, `owner/repo#12`, addresses of
/// issues and pull requests), closing keywords before any of these, and switches for CI (`[skip ci]` and
/// its like) by invisible zero-width spaces. Line breaks and the readable text stay. Not capped: at most
/// twice as many characters as after [`redact`]. Idempotent. Trailers such as `Co-authored-by:` stay
/// trailers; only the addresses in them are broken.
#[must_use]
pub fn plain(text: &str) -> String {
    Breaks::of_references(&redact(text)).and_ci_switches().apply()
}
