//! Whatever is done to a sealed ledger is found, and nothing makes the auditor panic.

use proptest::prelude::*;
use selfext_domain::Position;

use super::*;
use crate::export::{ExportLine, ExportReader, ExportWriter, ExportedEvent};

proptest! {
    #[test]
    fn any_row_that_is_touched_taken_out_or_moved_is_found(
        at in 0_usize..13, other in 0_usize..13, touch in 0..7, byte in any::<prop::sample::Index>()
    ) {
        let ledger = Ledger::example();
        let mut rows = stored(&ledger);
        match touch {
            0 => drop(rows.remove(at)),
            1 if at != other => rows.swap(at, other),
            2 => {
                let mut copy = rows[other].clone();
                copy.row.position = rows[at].row.position;
                if at == other {
                    rows.push(copy);
                } else {
                    rows[at] = copy;
                }
            }
            3 => {
                let content = &mut rows[at].row.content;
                let spot = byte.index(content.len());
                let Some(c) = content.get(spot..spot + 1) else { return Ok(()) };
                let with = if c == "0" { "1" } else { "0" };
                content.replace_range(spot..=spot, with);
            }
            4 => rows[at].hash[byte.index(32)] ^= 1,
            5 => rows[at].prev_hash[byte.index(32)] ^= 1,
            6 => rows[at].content_hash[byte.index(32)] ^= 1,
            _ => return Ok(()),
        }
        let report = audit(&rows, &ledger);
        prop_assert!(report.counts.findings > 0);
    }

    #[test]
    fn any_rewriting_with_all_hashes_made_anew_is_found_under_a_seal(at in 0_usize..13, byte in any::<prop::sample::Index>()) {
        let ledger = Ledger::example();
        let mut anew = ledger.clone();
        let content = &mut anew.rows[at].content;
        let spot = byte.index(content.len());
        let Some(c) = content.get(spot..spot + 1) else { return Ok(()) };
        let with = if c == "0" { "1" } else { "0" };
        content.replace_range(spot..=spot, with);
        let run = anew.rows[at].run.clone();
        anew.relink(&run);
        let mut auditor = Auditor::new(keys());
        auditor.anchor(&ledger.seal(13));
        for row in &anew.rows {
            auditor.event(&StoredRow {
                position: row.position,
                sequence: row.sequence,
                content: &row.content,
                content_hash: None,
                prev_hash: row.link.prev_hash.as_bytes(),
                hash: row.link.hash.as_bytes(),
                columns: None,
            });
        }
        prop_assert!(auditor.finish().counts.findings > 0);
    }

    #[test]
    fn no_rows_and_no_checkpoints_make_it_panic(
        rows in prop::collection::vec(
            (any::<(u64, u64)>(), any::<i64>(), "(\\{\"run_id\":\"[ab]\"\\})?\\PC{0,9}", prop::collection::vec(any::<u8>(), 0..40), 0_usize..13),
            0..12
        ),
        seals in prop::collection::vec((0_usize..13, any::<u64>(), prop::option::of(any::<(u64, u64)>()), 0_usize..12), 0..6)
    ) {
        let ledger = Ledger::example();
        let good = stored(&ledger);
        let mut auditor = Auditor::new(keys());
        for (at, ((transaction, id), sequence, content, hash, number)) in rows.iter().enumerate() {
            for (size, other, position, when) in &seals {
                if *when == at {
                    auditor.anchor(&ledger.seal(*size));
                    let position = position.map(|(transaction, id)| Position { transaction, id });
                    let size = if other % 2 == 0 { *other } else { other % 13 };
                    let origin = crate::sample::key().name().clone();
                    let checkpoint = crate::checkpoint::Checkpoint::new(origin, size, crate::merkle::empty_root(), position);
                    auditor.checkpoint(&checkpoint.sign(&crate::sample::key()).unwrap().to_string());
                }
            }
            good[*number].feed(&mut auditor);
            let position = Position { transaction: *transaction, id: *id };
            let columns = None;
            auditor.event(&StoredRow { position, sequence: *sequence, content, content_hash: None, prev_hash: hash, hash, columns });
            let mut touched = good[*number].clone();
            touched.row.sequence = sequence % 7;
            touched.row.position = position;
            touched.feed(&mut auditor);
        }
        let _ = auditor.finish();
    }
}

#[test]
fn an_export_is_audited_as_the_ledger_is() {
    let ledger = Ledger::example();
    let mut writer = ExportWriter::new(Vec::new()).unwrap();
    for (at, row) in ledger.rows.iter().enumerate() {
        let Position { transaction, id } = row.position;
        let event = ExportedEvent {
            transaction,
            id,
            sequence: row.sequence,
            content: row.content.clone(),
            prev_hash: row.link.prev_hash,
            hash: row.link.hash,
            created_at: "now".into(),
            written_by: "me".into(),
        };
        writer.event(event).unwrap();
        if SEALS.contains(&(at + 1)) {
            writer.checkpoint(&ledger.seal(at + 1)).unwrap();
        }
    }
    let export = writer.finish().unwrap();
    let mut auditor = Auditor::new(keys());
    for line in ExportReader::new(export.as_slice()).unwrap() {
        match line.unwrap() {
            ExportLine::Event(event) => auditor.event(&StoredRow::from(&*event)),
            ExportLine::Checkpoint(note) => auditor.checkpoint(&note),
        }
    }
    let report = auditor.finish();
    assert_eq!(report, audit(&stored(&ledger), &ledger));
    let mut told = 0;
    let whole = crate::export::audit(std::io::Cursor::new(&export), keys(), &[], |_| told += 1).unwrap();
    assert_eq!((whole, told), (report, 0));
}
