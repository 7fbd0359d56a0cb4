//! Whether a text is in the canonical form, told in one pass and without building anything.

use super::{ESCAPE, unescaped};

/// Where a text leaves the canonical form, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at byte {at}: {problem}")]
pub struct NotCanonical {
    /// The byte at which it was noticed, from 0.
    pub at: usize,
    /// What is wrong there.
    pub problem: &'static str,
}

/// Nested deeper than this, JSON is not read either.
const MAX_DEPTH: usize = 127;

/// Checks that a text is exactly what [`to_string`](super::to_string) would write for the value that it holds.
///
/// # Errors
/// [`NotCanonical`] says where the text leaves the form first.
pub fn check(text: &str) -> Result<(), NotCanonical> {
    check_members(text, |_| {}).map(|_| ())
}

/// A member of the outermost object, as it is written.
pub(crate) struct Member<'a> {
    pub key: &'a str,
    pub value: &'a str,
    /// Whether the value holds no escape of any kind.
    pub is_plain: bool,
}

/// As [`check`], but shows each member of the outermost object on the way, in order. Answers whether there is a `␛`.
pub(crate) fn check_members<'a>(text: &'a str, seen: impl FnMut(Member<'a>)) -> Result<bool, NotCanonical> {
    let mut form = Form { text, at: 0, depth: 0, is_plain: true, is_escaped: false, seen };
    form.value(true)?;
    if form.at == text.len() { Ok(form.is_escaped) } else { form.refuse("something follows the value") }
}

/// The bytes at which a string has to be looked at: its end, escapes, control characters, and how `␛` begins.
const IS_SPECIAL: [bool; 256] = {
    let mut special = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        special[byte] = true;
        byte += 1;
    }
    special[b'"' as usize] = true;
    special[b'\\' as usize] = true;
    special[0xE2] = true;
    special
};

/// How many bytes at the beginning need no look. What follows them begins a character.
pub(super) fn plain_bytes(bytes: &[u8]) -> usize {
    const LOW: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = u64::from_le_bytes([0x80; 8]);
    /// A bit for each byte below a limit of at most 128. Behind the first of them there may be more bits.
    const fn below(word: u64, limit: u64) -> u64 {
        word.wrapping_sub(LOW * limit) & !word & HIGH
    }
    const fn equal(word: u64, byte: u8) -> u64 {
        below(word ^ (LOW * byte as u64), 1)
    }
    let (words, rest) = bytes.as_chunks();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let special = below(word, 0x20) | equal(word, b'"') | equal(word, b'\\') | equal(word, 0xE2);
        if special != 0 {
            return at * 8 + special.trailing_zeros() as usize / 8;
        }
    }
    let special = rest.iter().position(|byte| IS_SPECIAL[usize::from(*byte)]);
    bytes.len() - rest.len() + special.unwrap_or(rest.len())
}

struct Form<'a, F> {
    text: &'a str,
    at: usize,
    depth: usize,
    /// Whether no escape was met since this was last set.
    is_plain: bool,
    /// Whether `␛` was met.
    is_escaped: bool,
    seen: F,
}

impl<'a, F: FnMut(Member<'a>)> Form<'a, F> {
    fn refuse<T>(&self, problem: &'static str) -> Result<T, NotCanonical> {
        Err(NotCanonical { at: self.at, problem })
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Steps over the byte if it is next.
    fn eat(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn expect(&mut self, literal: &str, problem: &'static str) -> Result<(), NotCanonical> {
        if !self.text.as_bytes()[self.at..].starts_with(literal.as_bytes()) {
            return self.refuse(problem);
        }
        self.at += literal.len();
        Ok(())
    }

    fn value(&mut self, may_be_null: bool) -> Result<(), NotCanonical> {
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => self.string().map(|_| ()),
            Some(b't') => self.expect("true", "no JSON value"),
            Some(b'f') => self.expect("false", "no JSON value"),
            Some(b'n') if may_be_null => self.expect("null", "no JSON value"),
            Some(b'n') => self.refuse("a member without a value is left out"),
            Some(b'-' | b'0'..=b'9') => self.integer(),
            Some(b' ' | b'\t' | b'\n' | b'\r') => self.refuse("there is no white space between the parts"),
            _ => self.refuse("no JSON value"),
        }
    }

    fn nested(&mut self, inside: fn(&mut Self) -> Result<(), NotCanonical>) -> Result<(), NotCanonical> {
        if self.depth == MAX_DEPTH {
            return self.refuse("nested too deeply");
        }
        self.depth += 1;
        self.at += 1;
        inside(self)?;
        self.depth -= 1;
        Ok(())
    }

    fn array(&mut self) -> Result<(), NotCanonical> {
        if self.eat(b']') {
            return Ok(());
        }
        loop {
            self.value(true)?;
            if self.eat(b']') {
                return Ok(());
            }
            self.expect(",", "neither `,` nor `]`")?;
        }
    }

    fn object(&mut self) -> Result<(), NotCanonical> {
        if self.eat(b'}') {
            return Ok(());
        }
        let mut before: Option<&'a str> = None;
        // Keys without escapes stand in the order of what is written.
        let mut keys_are_plain = true;
        loop {
            if self.peek() != Some(b'"') {
                return self.refuse("no key");
            }
            let (begin, was_plain) = (self.at, std::mem::replace(&mut self.is_plain, true));
            let key = self.string()?;
            keys_are_plain &= self.is_plain;
            self.is_plain &= was_plain;
            let follows = |before: &str| if keys_are_plain { before < key } else { is_behind(before, key) };
            if before.is_some_and(|before| !follows(before)) {
                self.at = begin;
                return self.refuse("the key does not stand in order, or stands twice");
            }
            before = Some(key);
            self.expect(":", "no `:` behind the key")?;
            if self.depth == 1 {
                self.is_plain = true;
                let begin = self.at;
                self.value(false)?;
                let (value, is_plain) = (&self.text[begin..self.at], self.is_plain);
                (self.seen)(Member { key, value, is_plain });
            } else {
                self.value(false)?;
            }
            if self.eat(b'}') {
                return Ok(());
            }
            self.expect(",", "neither `,` nor `}`")?;
        }
    }

    /// Steps over a string; answers what stands between its quotation marks.
    fn string(&mut self) -> Result<&'a str, NotCanonical> {
        self.at += 1;
        let begin = self.at;
        loop {
            let rest = &self.text.as_bytes()[self.at..];
            let plain = plain_bytes(rest);
            self.at += plain;
            if rest.get(plain) == Some(&b'"') {
                let inside = &self.text[begin..self.at];
                self.at += 1;
                return Ok(inside);
            }
            self.at += match rest[plain..] {
                [b'\\', b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't', ..] => self.escape(2),
                [b'\\', b'u', b'0', b'0', high, low, ..] if is_only_escaped_so(high, low) => self.escape(6),
                [b'\\', ..] => return self.refuse("not the shortest escape"),
                [0xE2, 0x90, 0x9B, b'0', ..] => self.own_escape(4),
                [0xE2, 0x90, 0x9B, 0xE2, 0x90, 0x9B, ..] => self.own_escape(6),
                [0xE2, 0x90, 0x9B, ..] => return self.refuse("a broken escape"),
                // Another character that begins like the escape.
                [0xE2, ..] => 1,
                [_, ..] => return self.refuse("a control character that is not escaped"),
                [] => return self.refuse("the string does not end"),
            };
        }
    }

    /// An escape of JSON's, of so many bytes.
    const fn escape(&mut self, bytes: usize) -> usize {
        self.is_plain = false;
        bytes
    }

    /// An escape of the canonical form's own.
    const fn own_escape(&mut self, bytes: usize) -> usize {
        self.is_escaped = true;
        self.escape(bytes)
    }

    fn integer(&mut self) -> Result<(), NotCanonical> {
        let rest = &self.text[self.at..];
        let sign = usize::from(rest.starts_with('-'));
        let digits = rest[sign..].bytes().take_while(u8::is_ascii_digit).count();
        let number = &rest[..sign + digits];
        let fits = number.parse::<i64>().is_ok() || number.parse::<u64>().is_ok();
        let shortest = number != "-0" && (digits == 1 || !rest[sign..].starts_with('0'));
        if !fits || !shortest || matches!(rest.as_bytes().get(number.len()), Some(b'.' | b'e' | b'E')) {
            return self.refuse("not an integer of 64 bits in its shortest form");
        }
        self.at += number.len();
        Ok(())
    }
}

/// Whether `\u00` and these two digits are the only escape of their character: a control character without a short one. NUL
/// has its own.
fn is_only_escaped_so(high: u8, low: u8) -> bool {
    match high {
        b'0' => matches!(low, b'1'..=b'7' | b'b' | b'e' | b'f'),
        b'1' => matches!(low, b'0'..=b'9' | b'a'..=b'f'),
        _ => false,
    }
}

/// Whether a key, as it is written, stands behind the one before it.
fn is_behind(before: &str, key: &str) -> bool {
    let plain = |key: &str| !key.contains(['\\', ESCAPE]);
    if plain(before) && plain(key) {
        return before.as_bytes() < key.as_bytes();
    }
    let read = |key: &str| unescaped(&serde_json::from_str::<String>(&format!("\"{key}\"")).ok()?).ok();
    match (read(before), read(key)) {
        (Some(before), Some(key)) => before.as_bytes() < key.as_bytes(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::super::{to_string, to_value};
    use super::*;

    /// What the check must agree with: writing what was read gives the same text.
    fn is_canonical(text: &str) -> bool {
        to_value(text).ok().and_then(|value| to_string(&value).ok()).is_some_and(|written| written == text)
    }

    #[test]
    fn other_spellings_of_a_value_are_refused() {
        let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        let (deep_enough, too_deep) = (deep(127), deep(128));
        for (text, canonical) in [
            (r#"{"a":1,"b":[true,false,null,"x"],"c":{}}"#, true),
            ("18446744073709551615", true),
            ("-9223372036854775808", true),
            (r#""\u0001\u000b\u001f\b\t\n\f\r\"\\/é""#, true),
            (r#"{"a␛0":1,"a␛␛":2}"#, true),
            (r#"{"a\n":1,"ab":2}"#, true),
            (&deep_enough, true),
            (&too_deep, false),
            (r#"{"a":null}"#, false),
            (r#"{"b":1,"a":1}"#, false),
            (r#"{"a":1,"a":1}"#, false),
            (r#"{"a": 1}"#, false),
            (" 1", false),
            ("1 ", false),
            ("-0", false),
            ("01", false),
            ("1.0", false),
            ("1e3", false),
            ("18446744073709551616", false),
            ("-9223372036854775809", false),
            (r#""\/""#, false),
            (r#""\u0041""#, false),
            (r#""\u0000""#, false),
            (r#""\u0009""#, false),
            (r#""\u001F""#, false),
            (r#""\u00e9""#, false),
            (r#""␛""#, false),
            (r#""␛1""#, false),
            ("\"\u{1}\"", false),
            ("\"a", false),
            ("", false),
            ("-", false),
            ("[1,]", false),
            ("[1", false),
            ("{\"a\"", false),
            ("tru", false),
        ] {
            assert_eq!(check(text).is_ok(), canonical, "{text}");
            assert_eq!(is_canonical(text), canonical, "{text}");
        }
    }

    #[test]
    fn the_first_byte_that_needs_a_look_is_found_wherever_it_stands() {
        for byte in 0..=255 {
            for at in 0..20 {
                for other in [b'a', 0x7F, 0x80, 0xFF] {
                    let mut bytes = [other; 24];
                    bytes[at] = byte;
                    let expected = if IS_SPECIAL[usize::from(byte)] { at } else { 24 };
                    assert_eq!(plain_bytes(&bytes), expected, "{byte} at {at}");
                    assert_eq!(plain_bytes(&bytes[..=at]), expected.min(at + 1), "{byte} at {at}");
                }
            }
        }
    }

    #[test]
    fn the_first_wrong_byte_is_named() {
        let error = check(r#"{"b":1,"a":1}"#).unwrap_err();
        assert_eq!((error.at, error.problem), (7, "the key does not stand in order, or stands twice"));
    }

    fn json_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "[a␛\\\\\"\0\n\u{1f}é]{0,4}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec(("[ab␛\0\n\u{1f}]{0,3}", inner), 0..4)
                    .prop_map(|members| members.into_iter().collect::<serde_json::Map<_, _>>().into()),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_passes_and_every_other_text_is_judged_as_by_writing_it_again(
            value in json_value(), at in any::<prop::sample::Index>(), with in "[ -~␛\\PC]?"
        ) {
            if let Ok(text) = to_string(&value) {
                prop_assert_eq!(check(&text), Ok(()));
                let changed: String = {
                    let chars: Vec<char> = text.chars().collect();
                    let at = at.index(chars.len() + 1);
                    let rest = chars.get(at + 1..).unwrap_or_default();
                    chars[..at].iter().copied().chain(with.chars()).chain(rest.iter().copied()).collect()
                };
                prop_assert_eq!(check(&changed).is_ok(), is_canonical(&changed), "{}", changed);
            }
            // As serde_json spells it: keys sorted or not, floats, null members, NUL as an escape.
            let text = json!({"v": value}).to_string();
            prop_assert_eq!(check(&text).is_ok(), is_canonical(&text), "{}", text);
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), json in "[\\[\\]{}\",:0-9a-f\\\\u␛ -]{0,40}") {
            prop_assert_eq!(check(&text).is_ok(), is_canonical(&text));
            prop_assert_eq!(check(&json).is_ok(), is_canonical(&json));
        }
    }
}
