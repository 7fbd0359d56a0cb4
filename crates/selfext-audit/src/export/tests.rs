//! Exports, written, read back and touched.

use std::io::{BufReader, Cursor};

use proptest::prelude::*;
use selfext_domain::Digest32;

use super::*;
use crate::sample::Ledger;

fn exported(ledger: &Ledger) -> (String, Vec<ExportLine>) {
    let mut writer = ExportWriter::new(Vec::new()).unwrap();
    let mut lines = Vec::new();
    for (at, row) in ledger.rows.iter().enumerate() {
        let event = ExportedEvent {
            transaction: row.position.transaction,
            id: row.position.id,
            sequence: row.sequence,
            content: row.content.clone(),
            prev_hash: row.link.prev_hash,
            hash: row.link.hash,
            created_at: "2026-11-25 08:00:00.123456+00".into(),
            written_by: "agent".into(),
        };
        writer.event(event.clone()).unwrap();
        lines.push(ExportLine::Event(Box::new(event)));
        if at % 5 == 4 {
            writer.checkpoint(&ledger.seal(at + 1)).unwrap();
            lines.push(ExportLine::Checkpoint(ledger.seal(at + 1)));
        }
    }
    (String::from_utf8(writer.finish().unwrap()).unwrap(), lines)
}

/// Reads all lines. An audit has to notice the same, although it looks at the checkpoints first.
fn read(text: &str) -> Result<Vec<ExportLine>, ExportError> {
    let lines = ExportReader::new(Cursor::new(text)).and_then(Iterator::collect);
    // However much of it is at hand at a time: less than a line, a few, all.
    for buffer in [7, 2_000, BUFFER] {
        let audited = audit(BufReader::with_capacity(buffer, Cursor::new(text)), Vec::new(), &[], |_| {});
        assert_eq!(
            audited.map(|_| ()).map_err(|error| error.to_string()),
            lines.as_ref().map(|_: &Vec<_>| ()).map_err(ToString::to_string)
        );
    }
    lines
}

#[test]
fn what_is_written_is_read() {
    let (text, lines) = exported(&Ledger::example());
    assert_eq!(read(&text).unwrap(), lines);
    assert!(
        text.starts_with("{\"header\":{\"format\":\"selfext-export/1\"}}\n{\"event\":{\"transaction\":10,\"id\":1,")
    );
    assert!(text.ends_with("{\"end\":{\"events\":13,\"checkpoints\":2}}\n"));
}

#[test]
fn a_cut_export_is_noticed_wherever_it_was_cut() {
    let (text, _) = exported(&Ledger::example());
    for at in (0..text.len()).step_by(11).chain([text.len() - 1]) {
        let cut: String = String::from_utf8_lossy(&text.as_bytes()[..at]).into_owned();
        let line = cut.matches('\n').count() as u64 + 1;
        match read(&cut) {
            Err(ExportError::Cut { line: found }) => assert_eq!(found, line),
            other => panic!("cut at {at}: {other:?}"),
        }
    }
}

#[test]
fn lines_that_were_taken_out_put_in_or_put_elsewhere_are_noticed() {
    let (text, _) = exported(&Ledger::example());
    let lines: Vec<_> = text.lines().collect();
    let joined = |lines: &[&str]| lines.iter().fold(String::new(), |text, line| text + line + "\n");
    let without = |at: usize| {
        let mut fewer = lines.clone();
        fewer.remove(at);
        joined(&fewer)
    };
    assert!(matches!(read(&without(0)), Err(ExportError::OutOfPlace { line: 1, found: "event", expected: "header" })));
    assert!(matches!(read(&without(3)), Err(ExportError::Counts { expected_events: 13, events: 12, .. })));
    assert!(matches!(read(&without(6)), Err(ExportError::Counts { expected_checkpoints: 2, checkpoints: 1, .. })));
    let (count, last) = (lines.len() as u64, lines.last().unwrap());
    let twice = read(&format!("{text}{last}\n"));
    assert!(matches!(twice, Err(ExportError::OutOfPlace { line, found: "another line", .. }) if line == count + 1));
    let again = [&lines[..2], &[lines[0]], &lines[2..]].concat();
    assert!(matches!(read(&joined(&again)), Err(ExportError::OutOfPlace { line: 3, found: "header", .. })));
}

#[test]
fn an_audit_tells_how_far_it_is_every_thousand_events() {
    let mut writer = ExportWriter::new(Vec::new()).unwrap();
    let zero = Digest32::from_bytes([0; 32]);
    for id in 1..=2_500 {
        writer
            .event(ExportedEvent {
                transaction: id,
                id,
                sequence: 1,
                content: "{}".into(),
                prev_hash: zero,
                hash: zero,
                created_at: "x".into(),
                written_by: "y".into(),
            })
            .unwrap();
    }
    let mut told = Vec::new();
    let report = audit(Cursor::new(writer.finish().unwrap()), Vec::new(), &[], |counts| told.push(counts.events));
    assert_eq!((told, report.unwrap().counts.events), (vec![1_000, 2_000], 2_500));
}

#[test]
fn a_line_of_another_form_is_named_by_its_number() {
    let (text, _) = exported(&Ledger::example());
    for (from, to) in
        [("\"sequence\":1,", "\"sequence\":\"1\","), ("\"event\":", "\"evens\":"), ("\"id\":1,", "\"id\":1,\"x\":2,")]
    {
        let changed = text.replacen(from, to, 1);
        assert!(matches!(read(&changed), Err(ExportError::Malformed { line: 2, .. })), "{to}");
    }
    assert!(
        matches!(read(&text.replace("export/1", "export/2")), Err(ExportError::Format(format)) if format == "selfext-export/2")
    );
    assert!(matches!(read(""), Err(ExportError::Cut { line: 1 })));
    let not_utf8 = [text.lines().next().unwrap().as_bytes(), b"\n{\"checkpoint\":{\"note\":\"\xff\"}}\n"].concat();
    let read: Result<Vec<_>, _> = ExportReader::new(Cursor::new(not_utf8)).unwrap().collect();
    assert!(matches!(read, Err(ExportError::Malformed { line: 2, .. })));
}

#[test]
fn a_line_without_an_end_is_not_read_into_memory() {
    struct Endless;
    impl std::io::Read for Endless {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            out.fill(b'a');
            Ok(out.len())
        }
    }
    let reader = ExportReader::new(std::io::BufReader::new(Endless));
    assert!(matches!(reader, Err(ExportError::TooLong { line: 1 })));
    let mut writer = ExportWriter::new(Vec::new()).unwrap();
    assert!(matches!(writer.checkpoint(&"\n".repeat(MAX_LINE / 2)), Err(WriteError::TooLong)));
}

proptest! {
    #[test]
    fn no_input_makes_it_panic_and_any_content_survives(bytes in prop::collection::vec(any::<u8>(), 0..200), content in any::<String>(), sequence in any::<i64>()) {
        if let Ok(reader) = ExportReader::new(Cursor::new(&bytes)) {
            reader.for_each(drop);
        }
        let zero = Digest32::from_bytes([0; 32]);
        let event = ExportedEvent {
            transaction: 1, id: 2, sequence, content, prev_hash: zero, hash: zero, created_at: "x".into(), written_by: "y".into(),
        };
        let mut writer = ExportWriter::new(Vec::new()).unwrap();
        writer.event(event.clone()).unwrap();
        let mut written = writer.finish().unwrap();
        prop_assert_eq!(read(std::str::from_utf8(&written).unwrap()).unwrap(), vec![ExportLine::Event(Box::new(event))]);
        if let Some(byte) = bytes.first() {
            let at = usize::from(*byte) % written.len();
            written[at] ^= bytes.last().copied().unwrap_or(1);
            if let Ok(reader) = ExportReader::new(Cursor::new(&written)) {
                reader.for_each(drop);
            }
        }
    }
}
