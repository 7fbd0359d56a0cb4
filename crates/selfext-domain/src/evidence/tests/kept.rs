use std::borrow::Cow;

use super::super::redact;
use super::ordinary::ORDINARY;

#[test]
fn ordinary_text_is_borrowed_as_it_is() {
    for text in ORDINARY {
        let redacted = redact(text);
        assert_eq!(redacted, *text);
        assert!(matches!(redacted, Cow::Borrowed(_)), "{text:?} was copied");
    }
}

#[test]
fn ordinary_lines_one_under_the_other_stay() {
    let text = ORDINARY.join("\n");
    assert_eq!(redact(&text), text);
}

#[test]
fn line_breaks_and_tabs_stay_and_other_breaks_become_line_breaks() {
    assert_eq!(redact("a\tb\nc\r\nd\re\r\r\nf\u{c}g\u{2028}h\u{85}i"), "a\tb\nc\nd\ne\nf\ng\nh\ni");
}

#[test]
fn an_unfinished_escape_sequence_costs_no_text() {
    assert_eq!(redact("a\u{1b}]0;title\nb\u{1b}Qc\u{1b}"), "a0;title\nbQc");
}

#[test]
fn letters_of_every_language_stay() {
    let text = "größer, 日本語, עברית, é, 👍";
    assert_eq!(redact(text), text);
}
