//! The line of an event as [`ExportWriter`](super::ExportWriter) writes it, read without asking at each byte what else might stand
//! there. An export of millions of events has hardly any other lines.

use std::str::FromStr;

use memchr::memchr2;

use super::ExportedEvent;

/// The event of a line, if the line is as usual; whatever else there is must be read as JSON.
pub(super) fn event(line: &str) -> Option<ExportedEvent> {
    let (inside, end) = line.split_at_checked(line.len().checked_sub(1)?)?;
    if end != "\n" || inside.bytes().any(|byte| byte < 0x20) {
        return None;
    }
    let mut rest = Rest(inside);
    rest.literal("{\"event\":{\"transaction\":")?;
    let transaction = rest.number()?;
    rest.literal(",\"id\":")?;
    let id = rest.number()?;
    rest.literal(",\"sequence\":")?;
    let sequence = rest.number()?;
    rest.literal(",\"content\":\"")?;
    let content = rest.text()?;
    rest.literal(",\"prev_hash\":\"")?;
    let prev_hash = rest.plain()?.parse().ok()?;
    rest.literal(",\"hash\":\"")?;
    let hash = rest.plain()?.parse().ok()?;
    rest.literal(",\"created_at\":\"")?;
    let created_at = rest.plain()?.to_owned();
    rest.literal(",\"written_by\":\"")?;
    let written_by = rest.plain()?.to_owned();
    (rest.0 == "}}").then_some(ExportedEvent {
        transaction,
        id,
        sequence,
        content,
        prev_hash,
        hash,
        created_at,
        written_by,
    })
}

/// What is left of a line that has no control characters.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn literal(&mut self, literal: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(literal)?;
        Some(())
    }

    fn number<T: FromStr>(&mut self) -> Option<T> {
        let end = self.0.find(',')?;
        let (number, rest) = self.0.split_at_checked(end)?;
        let is_shortest = match number.strip_prefix('-').unwrap_or(number).as_bytes() {
            [b'0'] => number.len() == 1,
            [first, ..] => matches!(first, b'1'..=b'9'),
            [] => false,
        };
        self.0 = rest;
        number.parse().ok().filter(|_| is_shortest)
    }

    /// Up to the end of a string that has no escapes.
    fn plain(&mut self) -> Option<&'a str> {
        let end = memchr2(b'"', b'\\', self.0.as_bytes())?;
        let (text, rest) = self.0.split_at_checked(end)?;
        self.0 = rest.strip_prefix('"')?;
        Some(text)
    }

    /// Up to the end of a string, without its escapes.
    fn text(&mut self) -> Option<String> {
        let mut text = String::with_capacity(self.0.len());
        loop {
            let end = memchr2(b'"', b'\\', self.0.as_bytes())?;
            let (plain, rest) = self.0.split_at_checked(end)?;
            text.push_str(plain);
            let escaped = match rest.as_bytes() {
                [b'"', ..] => {
                    self.0 = rest.get(1..)?;
                    return Some(text);
                }
                [b'\\', b'"', ..] => '"',
                [b'\\', b'\\', ..] => '\\',
                [b'\\', b'n', ..] => '\n',
                _ => return None,
            };
            text.push(escaped);
            self.0 = rest.get(2..)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use selfext_domain::Digest32;

    use super::*;
    use crate::export::line::Line;

    /// What JSON says that the line is.
    fn as_json(line: &str) -> Option<ExportedEvent> {
        match serde_json::from_str(line) {
            Ok(Line::Event(event)) => Some(*event),
            _ => None,
        }
    }

    fn written(event: ExportedEvent) -> String {
        serde_json::to_string(&Line::Event(Box::new(event))).unwrap() + "\n"
    }

    fn some(content: &str) -> ExportedEvent {
        ExportedEvent {
            transaction: u64::MAX,
            id: 0,
            sequence: -12,
            content: content.to_owned(),
            prev_hash: Digest32::of(b"before"),
            hash: Digest32::of(b"it"),
            created_at: "2026-11-25 08:00:00".to_owned(),
            written_by: "agent".to_owned(),
        }
    }

    #[test]
    fn the_usual_line_is_read() {
        let expected = some("{\"a\":\"\\\"…\\n\\u001b\"}\n");
        assert_eq!(event(&written(expected.clone())), Some(expected));
    }

    #[test]
    fn what_is_unusual_is_left_to_json() {
        let line = written(some("{}"));
        for (from, to) in [
            ("\"id\":0", "\"id\":00"),
            ("\"id\":0", "\"id\":-0"),
            ("\"id\":0", "\"id\":+0"),
            ("\"id\":0", "\"id\":"),
            ("\"id\":0", "\"id\":0.0"),
            ("\"id\":0", "\"id\": 0"),
            (":-12", ":-012"),
            (":-12", ":-"),
            ("18446744073709551615", "18446744073709551616"),
            ("{}", "\\u007b}"),
            ("{}", "\u{1}"),
            ("{}", "\\"),
            ("agent", "a\\nt"),
            ("}}\n", "}} \n"),
            ("}}\n", "}}"),
            ("}}\n", "}}}\n"),
            ("}}\n", ",\"more\":1}}\n"),
            ("\"content\"", "\"contents\""),
        ] {
            let edited = line.replace(from, to);
            assert_ne!(edited, line, "{from}");
            assert_eq!(event(&edited), None, "{edited}");
        }
        assert_eq!(event(""), None);
    }

    proptest! {
        #[test]
        fn every_event_is_read_as_json_reads_it(content in "\\PC{0,40}|[\"\\\\\\n\\ta\u{1}…]{0,20}", by in "[a-z\"\\\\…]{0,3}") {
            let line = written(ExportedEvent { written_by: by, ..some(&content) });
            let usual = event(&line);
            prop_assert!(usual.is_none() || usual == as_json(&line));
        }

        #[test]
        fn no_other_line_is_taken_for_an_event(at in 0_usize..400, byte in any::<u8>()) {
            let mut line = written(some("{\"a\":\"\\\"\"}")).into_bytes();
            let at = at % line.len();
            line[at] = byte;
            if let Ok(line) = std::str::from_utf8(&line) {
                let usual = event(line);
                prop_assert!(usual.is_none() || usual == as_json(line), "{line}");
            }
        }
    }
}
