//! One row, edited in one place.

use super::FindingKind::Edited;
use super::*;
use selfext_domain::{Digest32, Link};

#[test]
fn an_untouched_ledger_is_clean() {
    let ledger = Ledger::example();
    let report = audit(&stored(&ledger), &ledger);
    assert!(report.is_clean(), "{:#?}", report.findings);
    let counts = Counts { events: 13, checkpoints: 2, checkpoints_held: 2, runs: 3, ..Counts::default() };
    assert_eq!((report.counts, report.sealed), (counts, 13));
    let mut open = ledger.clone();
    open.append("d", crate::sample::body("proposed"));
    let report = audit(&stored(&open), &ledger);
    assert_eq!((report.is_clean(), report.counts.open_runs, report.sealed), (true, 1, 13));
}

#[test]
fn an_edited_content_is_found_and_its_event_is_named() {
    let ledger = Ledger::example();
    let mut rows = stored(&ledger);
    rows[2].row.content = rows[2].row.content.replace("\"T\"", "\"U\"");
    let report = audit(&rows, &ledger);
    assert_eq!(found(&report), [(Edited, About::Content, Some("a"), Some(2))]);
    let finding = &report.findings[0];
    assert_eq!(finding.place.position, Some(ledger.rows[2].position));
    assert_eq!(finding.place.event.unwrap().as_uuid().as_u128(), 3);
    assert_eq!(finding.place.leaf, Some(2));
    assert!(finding.expected.contains(&ledger.rows[2].link.content_hash.to_string()));
    assert_eq!(finding.found, Digest32::of(rows[2].row.content.as_bytes()).to_string());
    assert!(finding.to_string().starts_with("edited: run a, number 2, position 30.3, event 00000000-"));
    // The seals hold: what was sealed are the hashes, and they are still there.
    assert_eq!(report.counts.checkpoints_held, 2);
}

#[test]
fn each_edited_hash_is_told_from_the_others() {
    let ledger = Ledger::example();
    let other = [7; 32].to_vec();
    for at in [0, 2, 12] {
        for (about, touch) in [
            (About::ContentHash, (|row, other| row.content_hash = other) as fn(&mut Stored, Vec<u8>)),
            (About::PrevHash, |row, other| row.prev_hash = other),
            (About::Hash, |row, other| row.hash = other),
        ] {
            for other in [other.clone(), vec![], vec![7; 33]] {
                let mut rows = stored(&ledger);
                touch(&mut rows[at], other);
                let report = audit(&rows, &ledger);
                let found = found(&report);
                let row = &ledger.rows[at];
                assert_eq!(found, [(Edited, about, Some(row.run.as_str()), Some(row.sequence))], "{at} {about}");
                assert_eq!(report.counts.checkpoints_held, 2, "{at} {about}");
            }
        }
    }
}

#[test]
fn an_edited_content_with_hashes_of_its_own_breaks_the_link_behind_it() {
    let ledger = Ledger::example();
    let mut rows = stored(&ledger);
    rows[2].row.content = rows[2].row.content.replace("\"T\"", "\"U\"");
    let link = Link::new(ledger.rows[2].link.prev_hash, rows[2].row.content.as_bytes());
    rows[2].content_hash = link.content_hash.as_bytes().to_vec();
    rows[2].hash = link.hash.as_bytes().to_vec();
    let report = audit_unsealed(&rows);
    assert_eq!(found(&report), [(Edited, About::PrevHash, Some("a"), Some(3))]);
    assert_eq!(report.findings[0].expected, link.hash.to_string());
    assert_eq!(report.findings[0].found, ledger.rows[2].link.hash.to_string());
}

#[test]
fn every_edited_column_is_named() {
    let ledger = Ledger::example();
    for at in [2, 3] {
        for (index, name) in COLUMNS.into_iter().enumerate() {
            for other in [Some("77".to_owned()), None] {
                let mut rows = stored(&ledger);
                if rows[at].columns[index].1 == other {
                    continue;
                }
                rows[at].columns[index].1 = other;
                let report = audit(&rows, &ledger);
                let row = &ledger.rows[at];
                let expected = [(Edited, About::Column(name), Some(row.run.as_str()), Some(row.sequence))];
                assert_eq!(found(&report), expected, "{name}");
            }
        }
    }
}

#[test]
fn an_edited_number_is_told_from_a_missing_row() {
    let ledger = Ledger::example();
    for number in [i64::MIN, -1, 0, 1, 3, 99, i64::MAX] {
        let mut rows = stored(&ledger);
        rows[2].row.sequence = number;
        let report = audit(&rows, &ledger);
        assert_eq!(found(&report), [(Edited, About::Sequence, Some("a"), Some(number))], "{number}");
        assert_eq!(
            (report.findings[0].expected.as_str(), report.findings[0].found.as_str()),
            ("2", &*number.to_string())
        );
    }
}
