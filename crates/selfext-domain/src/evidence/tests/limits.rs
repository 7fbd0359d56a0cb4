use super::super::{RedactedText, TextCap};
use super::samples::body;

fn text(raw: &str, cap: TextCap) -> String {
    RedactedText::from_text(raw, cap).as_str().to_owned()
}

#[test]
fn a_short_text_is_kept_whole() {
    assert_eq!(text("a\nb", TextCap::tail(3)), "a\nb");
}

#[test]
fn a_cut_says_how_many_bytes_are_gone_and_keeps_to_the_limit() {
    let long = "line\n".repeat(3_000);
    let head = text(&long, TextCap::head(1_000));
    assert!(head.starts_with("line\nline\n") && head.ends_with("… 14,048 bytes cut …\n"), "{head:?}");
    let tail = text(&long, TextCap::tail(1_000));
    assert!(tail.starts_with("… 14,048 bytes cut …\n") && tail.ends_with("line\n"), "{tail:?}");
    assert!(head.len() <= 1_000 && tail.len() <= 1_000);
}

#[test]
fn a_cut_falls_between_characters() {
    for max in 0..200 {
        for cap in [TextCap::head(max), TextCap::tail(max)] {
            assert!(text(&"€ö".repeat(100), cap).len() <= max);
        }
    }
}

#[test]
fn a_cut_never_goes_through_a_secret_or_a_marker() {
    let secret = format!("ghp_{}", body(36));
    let raw = format!("{}{secret}{}", "a ".repeat(60), " b".repeat(60));
    for max in 0..raw.len() {
        for cap in [TextCap::head(max), TextCap::tail(max)] {
            let cut = text(&raw, cap);
            let rest = cut.replace("[redacted:github-token]", "");
            assert!(!rest.contains("redacted") && !rest.contains("token]"), "{cut:?}");
            assert!(!rest.contains(&secret[4..8]) && cut.len() <= max, "{cut:?}");
        }
    }
}

#[test]
fn the_first_partial_line_of_truncated_output_is_left_out() {
    let raw = format!("{} tail of a token\nwhole line\n", body(30));
    let kept = RedactedText::from_truncated_output(raw.as_bytes(), TextCap::tail(1_000));
    assert_eq!(kept.as_str(), "… earlier output cut …\nwhole line\n");
    let one_line = RedactedText::from_truncated_output(body(300).as_bytes(), TextCap::tail(1_000));
    assert_eq!(one_line.as_str(), "… earlier output cut …\n");
}

#[test]
fn output_that_is_not_utf_8_is_kept_with_replacement_characters() {
    let kept = RedactedText::from_output(b"a\xffb", TextCap::head(100));
    assert_eq!(kept.as_str(), "a\u{fffd}b");
}

#[test]
fn reading_a_stored_text_redacts_it_again() {
    let forged = serde_json::to_string(&format!("x ghp_{}", body(36))).unwrap();
    let read: RedactedText = serde_json::from_str(&forged).unwrap();
    assert_eq!(read.as_str(), "x [redacted:github-token]");
    assert_eq!(serde_json::to_string(&read).unwrap(), "\"x [redacted:github-token]\"");
    assert_eq!(format!("{read} {read:?}"), "x [redacted:github-token] \"x [redacted:github-token]\"");
}
