//! Redaction of hostile output.

use selfext_domain::{Digest32, Keep, RedactedText, TextCap, code_block, plain, redact};

/// No so many characters of a secret in a row may be left.
const WINDOW: usize = 12;

/// What may stand inside a secret without a reader seeing it, and what breaks a line.
const SEPARATORS: &[&str] = &[
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
    "\u{9b}1m",
    "\0",
    "\n",
    "\r\n",
    "\n    ",
    "\\\n",
    "\r",
];

/// Prefixes of secrets, and how long what follows them is.
const FORMS: &[(&str, usize)] = &[
    ("ghp_", 36),
    ("gho_", 36),
    ("ghs_", 36),
    ("github_pat_", 82),
    ("glpat-", 20),
    ("npm_", 36),
    ("AIza", 35),
    ("hf_", 34),
    ("sk-ant-api03-", 95),
    ("sk_live_", 24),
    ("xoxb-123456789012-", 40),
];

/// Letters that spell no prefix of another secret.
const ALPHABET: &[u8] = b"ABCDEFGHJKLMNOPQRSTUVWXYZabdehijlnopqrstuvwz0123456789";

/// A secret that is planted into any text, split by what a reader does not see or by wraps, is gone afterwards. Redacting twice
/// is redacting once, and what GitHub is shown mentions nobody.
pub fn redaction(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let once = redact(&text);
    assert_eq!(redact(&once), once, "not settled: {text:?}");
    let kept = RedactedText::from_text(&text, TextCap { max_bytes: 300, keep: Keep::Tail });
    assert!(kept.as_str().len() <= 300);
    for shown in [plain(&text), code_block(&kept)] {
        assert!(!shown.contains("@a") && !shown.contains("#1"), "{shown:?}");
    }
    let [form, first, second, third, at, rest @ ..] = data else { return };
    let secret = secret(*form, data);
    let mut planted = String::new();
    for (place, letter) in secret.chars().enumerate() {
        for (cut, kind) in [(first, 0), (second, 1), (third, 2)] {
            if place > 0 && place == usize::from(*cut) % secret.len() {
                planted.push_str(SEPARATORS[(usize::from(*cut) / 7 + kind * 5) % SEPARATORS.len()]);
            }
        }
        planted.push(letter);
    }
    // A backspace takes characters of the secret back, and what is left of it then is none.
    let around = String::from_utf8_lossy(rest).replace('\u{8}', "");
    let mut cut = usize::from(*at).min(around.len());
    while !around.is_char_boundary(cut) {
        cut -= 1;
    }
    let whole = format!("{} {planted} {}", &around[..cut], &around[cut..]);
    let redacted = redact(&whole);
    let seen: String = redacted.split_whitespace().collect();
    for window in secret.as_bytes().windows(WINDOW) {
        let window = std::str::from_utf8(window).expect("ASCII");
        assert!(
            !redacted.contains(window) && !seen.contains(window),
            "{window:?} of {whole:?} is left in {redacted:?}"
        );
    }
}

/// A secret that the text around it cannot hold but by chance: it is made of the digest of the whole input.
fn secret(form: u8, data: &[u8]) -> String {
    let (prefix, length) = FORMS[usize::from(form) % FORMS.len()];
    let mut secret = prefix.to_owned();
    let mut seed = data.to_vec();
    while secret.len() < prefix.len() + length {
        let digest = Digest32::of(&seed).to_string();
        for pair in digest.as_bytes().chunks(4) {
            let number = pair
                .iter()
                .fold(0_usize, |sum, digit| sum * 16 + (char::from(*digit).to_digit(16).unwrap_or(0) as usize));
            if secret.len() < prefix.len() + length {
                secret.push(char::from(ALPHABET[number % ALPHABET.len()]));
            }
        }
        seed.push(0);
    }
    secret
}
