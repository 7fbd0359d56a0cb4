//! What GitHub says about a refused request, fit to be shown.

use selfext_domain::redact;

/// The longest message that is passed on, in characters.
const MAX_CHARS: usize = 500;

/// A text of the forge's: redacted first, cut then, on one line.
pub(crate) fn clean(text: &str) -> String {
    let text = redact(text);
    let line: Vec<&str> = text.split_whitespace().collect();
    let line = line.join(" ");
    match line.char_indices().nth(MAX_CHARS) {
        None => line,
        Some(_) => line.chars().take(MAX_CHARS - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_short_line() {
        assert_eq!(clean(" a\n\tb  c "), "a b c");
        assert_eq!(clean(&"ä".repeat(500)).chars().count(), 500);
        assert_eq!(clean(&"ä".repeat(9000)).chars().count(), 500);
        assert!(clean(&"ä".repeat(9000)).ends_with("ä…"));
    }
}
