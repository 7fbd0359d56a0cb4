use super::super::redact;
use super::samples::{body, jwt, pem, samples};

#[test]
fn every_kind_of_secret_is_replaced_by_its_marker_and_what_is_around_it_stays() {
    for sample in samples() {
        let text = format!("before\n{}{}{} after", sample.before, sample.secret, sample.after);
        let redacted = redact(&text);
        assert!(!redacted.contains(&sample.secret), "{text:?} became {redacted:?}");
        let marker = format!("[redacted:{}]", sample.marker);
        assert!(redacted.contains(&marker), "{text:?} became {redacted:?}");
        assert!(redacted.starts_with("before\n"), "{text:?} became {redacted:?}");
    }
}

#[test]
fn an_assignment_keeps_its_name_and_its_form() {
    for (text, expected) in [
        ("A_TOKEN=abc\nB=1", "A_TOKEN=[redacted:secret]\nB=1"),
        ("{\"api_key\":\"a b\",\"n\":1}", "{\"api_key\":\"[redacted:secret]\",\"n\":1}"),
        ("{\"password\":123456,\"n\":1}", "{\"password\":[redacted:secret],\"n\":1}"),
        ("export X_SECRET='a b' Y=1", "export X_SECRET='[redacted:secret]' Y=1"),
        ("https://u:p@host/x", "https://[redacted:url-credentials]@host/x"),
        ("Authorization: Bearer abc, x", "Authorization: Bearer [redacted:authorization], x"),
    ] {
        assert_eq!(redact(text), expected);
    }
}

#[test]
fn the_form_of_a_secret_names_it_even_in_an_assignment() {
    let text = format!("GITHUB_TOKEN=ghp_{}", body(36));
    assert_eq!(redact(&text), "GITHUB_TOKEN=[redacted:github-token]");
}

#[test]
fn a_private_key_without_its_end_is_redacted_to_the_end_of_the_text() {
    let block = pem("RSA PRIVATE KEY");
    let cut = &block[..block.len() - 60];
    assert_eq!(redact(&format!("log\n{cut}\nmore")), "log\n[redacted:private-key]");
}

#[test]
fn a_private_key_without_its_beginning_is_redacted_from_its_first_line() {
    let block = pem("RSA PRIVATE KEY");
    let rest = block.split_once('\n').map_or("", |(_, rest)| rest);
    assert_eq!(redact(&format!("log\n{rest}\nmore")), "log\n[redacted:private-key]\nmore");
}

#[test]
fn a_secret_under_colours_links_and_zero_width_characters_is_found() {
    let token = format!("ghp_{}", body(36));
    for split in [
        "\u{1b}[31m",
        "\u{1b}[0;1;38;5;200m",
        "\u{1b}[K",
        "\u{9b}1m",
        "\u{1b}]0;title\u{7}",
        "\u{1b}]8;;https://a.example\u{1b}\\",
        "\u{1b}(B",
        "\u{1b}",
        "\u{0}",
        "\u{7}",
        "x\u{8}",
        "\u{200b}",
        "\u{200d}",
        "\u{2060}",
        "\u{feff}",
        "\u{ad}",
        "\u{202e}",
        "\u{2066}",
        "\u{fe0f}",
        "\u{e0041}",
    ] {
        let hidden = format!("{}{split}{}{split}{}", &token[..2], &token[2..20], &token[20..]);
        assert_eq!(redact(&hidden), "[redacted:github-token]", "split by {split:?}");
    }
}

#[test]
fn an_escape_sequence_does_not_take_the_first_letter_of_a_secret_with_it() {
    for sample in samples() {
        for begun in ["\u{1b}[", "\u{1b}[31", "\u{1b}[31 ", "\u{9b}", "\u{1b}("] {
            let text = format!("{begun}{}{}{}", sample.before, sample.secret, sample.after);
            let redacted = redact(&text);
            let marker = format!("[redacted:{}]", sample.marker);
            assert!(
                redacted.contains(&marker) && !redacted.contains(&sample.secret[1..]),
                "{text:?} became {redacted:?}"
            );
        }
    }
}

#[test]
fn an_escape_sequence_before_a_split_prefix_does_not_take_its_first_letter() {
    let token = format!("ghp_{}", body(36));
    for split in ["\u{9b}1m", "\u{1b}[0m", "\u{200b}", "\u{1b}]8;;x\u{7}", "\n", "\r\n  ", "\\\n"] {
        let hidden = format!("\u{1b}[31 {}{split}{}{split}{}", &token[..1], &token[1..3], &token[3..]);
        assert_eq!(redact(&hidden).trim_start(), "[redacted:github-token]", "split by {split:?}");
    }
}

#[test]
fn a_secret_broken_by_line_wraps_is_found() {
    for secret in [format!("ghp_{}", body(36)), format!("sk-ant-api03-{}", body(90)), jwt(), format!("cio{}", body(32))]
    {
        for wrap in ["\n", "\n    ", "\r\n\t", "\\\n  ", "\r"] {
            for at in [1, 3, 5, 12, secret.len() - 2] {
                let text = format!("key: {}{wrap}{} rest", &secret[..at], &secret[at..]);
                let redacted = redact(&text);
                let compact: String = redacted.split_whitespace().collect();
                assert!(!compact.contains(&secret[secret.len() - 14..]), "{text:?} became {redacted:?}");
                assert!(redacted.ends_with(" rest"), "{text:?} became {redacted:?}");
            }
        }
    }
}

#[test]
fn wrapped_secrets_in_a_row_are_all_found() {
    let (first, second) = (format!("ghp_{}", body(36)), format!("sk-{}", body(48)));
    let text = format!("is\n{}\n{}\n{}\n{}\nand", &first[..20], &first[20..], &second[..20], &second[20..]);
    assert_eq!(redact(&text), "is\n[redacted:github-token]\n[redacted:api-key]\nand");
}

#[test]
fn a_secret_that_ends_its_line_leaves_the_next_line_alone() {
    for secret in [format!("ghp_{}", body(36)), format!("sk-ant-api03-{}", body(90))] {
        for next in ["error: no", "PATH=/bin", "Done", "GITHUB_REPOSITORY=a/b"] {
            let redacted = redact(&format!("{secret}\n{next}")).into_owned();
            assert!(redacted.ends_with(&format!("]\n{next}")), "{redacted:?}");
        }
    }
}

#[test]
fn a_value_that_a_wrap_broke_is_followed_while_the_lines_look_random() {
    let text = format!("DEPLOY_TOKEN={}\n  {}\nnext line", body(40), body(12));
    assert_eq!(redact(&text), "DEPLOY_TOKEN=[redacted:secret]\nnext line");
}

#[test]
fn a_forged_marker_hides_nothing() {
    let text = "A_TOKEN=[redacted:secret]hunter and B_TOKEN=[redacted:hunter]";
    assert_eq!(redact(text), "A_TOKEN=[redacted:secret] and B_TOKEN=[redacted:secret]]");
}
