use proptest::prelude::*;

use super::super::{RedactedText, TextCap, code_block, inline, plain, redact};
use super::ordinary::ORDINARY;
use super::samples::{jwt, of_a_form, pem, samples};

/// The base of the windows of a secret that must not survive.
const WINDOW: usize = 12;

/// Letters that spell no prefix of another secret.
const ALPHABET: &str = "[A-HJ-Zabdehijlnopqrstuvwz0-9]";

fn tokens() -> impl Strategy<Value = String> {
    let of = |prefix: &'static str, length: usize| {
        proptest::string::string_regex(&format!("{ALPHABET}{{{length}}}"))
            .unwrap()
            .prop_map(move |body| format!("{prefix}{body}"))
            .boxed()
    };
    prop_oneof![
        of("ghp_", 36),
        of("gho_", 36),
        of("ghu_", 36),
        of("ghs_", 36),
        of("ghr_", 76),
        of("github_pat_", 82),
        of("sk-", 48),
        of("sk-proj-", 120),
        of("sk-ant-api03-", 95),
        of("sk_live_", 24),
        of("xoxb-123456789012-", 40),
        of("xapp-1-", 80),
        of("npm_", 36),
        of("AIza", 35),
        of("glpat-", 20),
        of("cio", 32),
        of("pypi-AgEIcHlwaS5vcmc", 120),
        of("hf_", 34),
        of("hooks.slack.com/services/T0/B0/", 24),
        "[A-HJ-Z0-9]{16}".prop_map(|body| format!("AKIA{body}")),
        Just(jwt()),
        Just(format!("ghs_123456_{}", jwt())),
    ]
}

fn surroundings() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~\n\tä€]{0,80}", prop::sample::select(ORDINARY).prop_map(str::to_owned)]
}

/// Puts separators into a text at positions given as fractions.
fn split(secret: &str, separators: &[(prop::sample::Index, &str)]) -> String {
    let mut parts: Vec<(usize, &str)> =
        separators.iter().map(|(index, separator)| (1 + index.index(secret.len() - 1), *separator)).collect();
    parts.sort_unstable();
    let mut out = String::new();
    let mut copied = 0;
    for (at, separator) in parts {
        out.push_str(&secret[copied..at]);
        out.push_str(separator);
        copied = at;
    }
    out + &secret[copied..]
}

fn survives(redacted: &str, secret: &str) -> bool {
    let compact: String = redacted.split_whitespace().collect();
    let characters: Vec<char> = secret.chars().collect();
    characters.windows(WINDOW.min(characters.len())).any(|window| {
        let window: String = window.iter().collect();
        redacted.contains(&window) || compact.contains(&window)
    })
}

const UNSEEN: &[&str] = &[
    "\u{200b}",
    "\u{200d}",
    "\u{2060}",
    "\u{feff}",
    "\u{ad}",
    "\u{202e}",
    "\u{e0020}",
    "\u{1b}[1;31m",
    "\u{1b}[0m",
    "\u{1b}]8;;x\u{7}",
];
const WRAPS: &[&str] = &["\n", "\r\n", "\n    ", "\\\n", "\r"];

/// Pieces that come near to every rule, to be put together at random.
fn soup() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "TOKEN", "my_token", "API_KEY", "password", "\"secret\"", "=", ": ", " = ", "=>", "\"", "'", "\\", "\\\"", "|\n  ",
            "Authorization", ": ", "Bearer ", "Basic ", "token ", "ghp_", "ghs_", "sk-", "cio", "eyJ", ".", "-", "_", "://", "@", ":", "/",
            "\n", "\r", " ", "\n  ", "\u{1b}[", "\u{1b}]", "\u{8}", "\u{200b}", "[redacted:secret]", "[redacted:jwt]", "[redacted:", "]",
            "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "AKIA", "#1", "@a", "closes ", "`", "```", "<!--", "[skip ci]", ",", "}",
        ]).prop_map(str::to_owned),
        2 => "[A-Za-z0-9]{1,40}",
        1 => prop::sample::select(samples().into_iter().map(|s| format!("{}{}{}", s.before, s.secret, s.after)).collect::<Vec<_>>()),
        1 => "\\PC{0,10}",
        1 => any::<String>(),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_part_of_a_planted_token_survives(
        before in surroundings(),
        token in tokens(),
        after in surroundings(),
        edge in prop::sample::select(vec![" ", "\n", "\"", "=", "(", "\t"]),
        unseen in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(UNSEEN)), 0..6),
        wraps in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(WRAPS)), 0..4),
    ) {
        let separators: Vec<_> = if wraps.len() > 2 { unseen } else { wraps };
        let text = format!("{before}{edge}{}{edge}{after}", split(&token, &separators));
        let redacted = redact(&text);
        prop_assert!(!survives(&redacted, &token), "{text:?} became {redacted:?}");
    }

    #[test]
    fn no_part_of_a_token_survives_that_is_split_by_wraps_and_unseen_characters_at_once(
        before in surroundings(),
        token in tokens(),
        after in surroundings(),
        edge in prop::sample::select(vec![" ", "\n", "\"", "=", "(", "\t"]),
        separators in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select([UNSEEN, WRAPS].concat())), 0..8),
    ) {
        let text = format!("{before}{edge}{}{edge}{after}", split(&token, &separators));
        let redacted = redact(&text);
        prop_assert!(!survives(&redacted, &token), "{text:?} became {redacted:?}");
    }

    #[test]
    fn no_part_of_a_planted_sample_survives(
        before in surroundings(),
        sample in 0..samples().len(),
        after in surroundings(),
        unseen in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(UNSEEN)), 0..4),
    ) {
        let sample = &samples()[sample];
        let text = format!("{before}\n{}{}{}\n{after}", sample.before, split(&sample.secret, &unseen), sample.after);
        let redacted = redact(&text);
        prop_assert!(!redacted.contains(&sample.secret), "{text:?} became {redacted:?}");
        if sample.secret.len() > WINDOW {
            prop_assert!(!survives(&redacted, &sample.secret), "{text:?} became {redacted:?}");
        }
    }

    #[test]
    fn no_line_of_a_private_key_survives_a_cut(before in surroundings(), after in surroundings(), max in 0usize..600) {
        let block = pem("RSA PRIVATE KEY");
        let raw = format!("{before}\n{block}\n{after}");
        for cap in [TextCap::head(max), TextCap::tail(max)] {
            let kept = RedactedText::from_text(&raw, cap);
            prop_assert!(!survives(kept.as_str(), &block), "{kept}");
            prop_assert!(kept.as_str().len() <= max);
        }
    }

    #[test]
    fn a_token_survives_no_cut(before in surroundings(), token in 0..of_a_form().len(), after in surroundings(), max in 0usize..300) {
        let token = &of_a_form()[token];
        let raw = format!("{before}\n{}{}{}\n{after}", token.before, token.secret, token.after);
        for cap in [TextCap::head(max), TextCap::tail(max)] {
            prop_assert!(!survives(RedactedText::from_text(&raw, cap).as_str(), &token.secret));
        }
    }

    #[test]
    fn redacting_twice_is_redacting_once(text in soup()) {
        let once = redact(&text).into_owned();
        prop_assert_eq!(redact(&once).into_owned(), once);
    }

    #[test]
    fn a_capped_text_is_stable_under_redaction(text in soup(), max in 0usize..400) {
        for cap in [TextCap::head(max), TextCap::tail(max)] {
            let kept = RedactedText::from_truncated_output(text.as_bytes(), cap);
            prop_assert!(kept.as_str().len() <= max);
            prop_assert_eq!(redact(kept.as_str()).into_owned(), kept.as_str());
        }
    }

    #[test]
    fn any_bytes_become_text(raw in prop::collection::vec(any::<u8>(), 0..400), max in 0usize..200) {
        let kept = RedactedText::from_output(&raw, TextCap::tail(max));
        prop_assert!(kept.as_str().len() <= max);
        let controls = kept.as_str().chars().filter(|c| c.is_control() && !matches!(c, '\n' | '\t')).count();
        prop_assert_eq!(controls, 0);
    }

    #[test]
    fn escaping_is_total_and_lets_nothing_act(text in soup()) {
        let kept = RedactedText::from_text(&text, TextCap::tail(2_000));
        let (block, line, once) = (code_block(&kept), inline(&text), plain(&text));
        prop_assert_eq!(plain(&once), once.clone());
        prop_assert!(line.chars().count() <= 200 && !line.contains('\n'));
        for shown in [&block, &line, &once] {
            for act in ["@a", "#1", "<!--"].iter().take(if shown == &once { 2 } else { 3 }) {
                prop_assert!(!shown.contains(act), "{shown:?}");
            }
        }
        prop_assert!(!once.contains("[skip ci]"));
        let fence: String = block.chars().take_while(|c| *c == '`').collect();
        let closing = format!("\n{fence}\n");
        prop_assert_eq!(block.find(&closing).map(|at| at + closing.len()), Some(block.len()));
    }
}
