//! Secrets that show themselves by an authorization scheme before them.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::assigned::over_wraps;
use super::constant;
use super::kind::only_markers;
use super::shapes::{has_digit, has_lower, has_upper};

/// A header with a scheme and one word of credentials, in a request, in JSON or in code.
static HEADER: LazyLock<Regex> = LazyLock::new(|| {
    constant(
        r#"(?i)authorization\\{0,4}["']?\s*(?:[:=,]|=>)\s*\\{0,4}["']?(?:bearer|token|basic|bot|apikey|api-key|jwt)[ \t]+([^\s"'\\,;]+)"#,
    )
});

/// A header whose credentials are a list of parameters: the rest of the line.
static PARAMETERS: LazyLock<Regex> = LazyLock::new(|| {
    constant(
        r#"(?i)authorization\\{0,4}["']?\s*[:=]\s*\\{0,4}["']?((?:AWS4-HMAC-SHA256|Digest|Negotiate|NTLM|Hawk|SharedKey|Signature|OAuth)[ \t][^\n]+)"#,
    )
});

/// `bearer xyz` anywhere.
static BEARER: LazyLock<Regex> = LazyLock::new(|| constant(r"(?i)\bbearer[ \t]+([A-Za-z0-9._~+/=-]+)"));

/// `Basic dXNlcjpwYXNz` anywhere.
static BASIC: LazyLock<Regex> = LazyLock::new(|| constant(r"(?i)\bbasic[ \t]+([A-Za-z0-9+/_-]{12,}={0,2})"));

/// Words that follow "bearer" in a sentence.
const PROSE: [&str; 39] = [
    "and",
    "are",
    "as",
    "auth",
    "authentication",
    "authorization",
    "bond",
    "by",
    "can",
    "challenge",
    "credential",
    "credentials",
    "error",
    "for",
    "format",
    "from",
    "has",
    "header",
    "headers",
    "in",
    "is",
    "key",
    "may",
    "must",
    "not",
    "of",
    "or",
    "prefix",
    "scheme",
    "schemes",
    "that",
    "the",
    "to",
    "token",
    "tokens",
    "type",
    "was",
    "with",
    "value",
];

/// The credentials in a text.
pub(super) fn find_in(text: &str) -> Vec<Range<usize>> {
    let secrets = |regex: &'static Regex, plausible: fn(&str) -> bool| {
        regex
            .captures_iter(text)
            .filter_map(|found| found.get(1))
            .filter(move |found| plausible(found.as_str()) && !only_markers(found.as_str()))
            .map(|found| found.start()..over_wraps(text, found.end()))
    };
    let mut found: Vec<_> = secrets(&HEADER, |word| !is_reference(word)).collect();
    found.extend(secrets(&PARAMETERS, |_| true));
    found.extend(secrets(&BEARER, |word| !is_prose(word)));
    found
        .extend(secrets(&BASIC, |word| has_upper(word) && has_lower(word) && (has_digit(word) || word.ends_with('='))));
    found
}

fn is_prose(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_ascii_lowercase();
    word.is_empty() || PROSE.contains(&word.as_str())
}

/// `$TOKEN`, `${{ secrets.TOKEN }}`, `<token>`, `***`: the name of a secret, not a secret.
fn is_reference(word: &str) -> bool {
    word.starts_with("${")
        || (word.starts_with('<') && word.ends_with('>'))
        || word.strip_prefix('$').is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'))
        || !word.contains(char::is_alphanumeric)
}
