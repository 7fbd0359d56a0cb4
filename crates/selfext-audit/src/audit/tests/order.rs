//! Rows that are gone, or stand elsewhere.

use super::FindingKind::{CutOff, Edited, Forged, Missing, Reordered};
use super::*;

#[test]
fn a_missing_row_is_named_by_its_number_and_its_hash() {
    let ledger = Ledger::example();
    let mut rows = stored(&ledger);
    rows.remove(4);
    let report = audit_unsealed(&rows);
    assert_eq!(found(&report), [(Missing, About::Events, Some("a"), Some(3))]);
    assert_eq!(report.findings[0].place.position, Some(ledger.rows[6].position));
    assert!(report.findings[0].expected.contains(&ledger.rows[4].link.hash.to_string()), "{}", report.findings[0]);
    // Under the seals, it is counted as well; the seal behind it can be judged by its count alone.
    let report = audit(&rows, &ledger);
    let finding = (Missing, About::Events, None, None);
    assert_eq!(found(&report), [finding, (Missing, About::Events, Some("a"), Some(3))]);
    assert_eq!((report.counts.checkpoints_held, report.counts.checkpoints_unjudged), (0, 1));
}

#[test]
fn rows_that_no_other_row_names_are_missed_by_the_seals_between_which_they_stood() {
    let ledger = Ledger::example();
    // The last event of a run, a whole run, the first of all.
    for (gone, expected) in
        [(vec![12], vec![(CutOff, 13)]), (vec![7, 9], vec![(Missing, 13)]), (vec![10], vec![(Missing, 13)])]
    {
        let mut rows = stored(&ledger);
        gone.iter().rev().for_each(|at| drop(rows.remove(*at)));
        assert!(audit_unsealed(&rows).is_clean());
        let report = audit(&rows, &ledger);
        let found: Vec<_> = report.findings.iter().map(|finding| (finding.kind, finding.place.leaf.unwrap())).collect();
        assert_eq!(found, expected, "{gone:?}");
        assert_eq!((report.counts.checkpoints_held, report.sealed), (1, 6));
    }
    let mut rows = stored(&ledger);
    rows.remove(3);
    let report = audit(&rows, &ledger);
    assert_eq!(found(&report)[1], (Missing, About::Events, Some("control"), Some(1)));
}

#[test]
fn a_ledger_that_ends_before_its_last_seal_was_cut_off() {
    let ledger = Ledger::example();
    for left in [0, 3, 5, 6, 9, 12] {
        let report = audit(&stored(&ledger)[..left], &ledger);
        assert_eq!(found(&report), [(CutOff, About::Events, None, None)], "{left}");
        let finding = &report.findings[0];
        assert!(finding.expected.starts_with("13 events") && finding.found.starts_with(&format!("{left} events")));
    }
}

#[test]
fn rows_that_changed_places_are_reordered_and_neither_missing_nor_edited() {
    let ledger = Ledger::example();
    let mut rows = stored(&ledger);
    let (third, fourth) = (rows[4].row.position, rows[6].row.position);
    rows.swap(4, 6);
    (rows[4].row.position, rows[6].row.position) = (third, fourth);
    let report = audit_unsealed(&rows);
    assert_eq!(found(&report), [(Reordered, About::Sequence, Some("a"), Some(3))]);
    let report = audit(&rows, &ledger);
    let reordered = (Reordered, About::Sequence, Some("a"), Some(3));
    assert_eq!(found(&report), [(Forged, About::Root, None, None), reordered]);
}

#[test]
fn a_row_that_turns_up_late_with_another_hash_is_edited_as_well() {
    let ledger = Ledger::example();
    let mut rows = stored(&ledger);
    let mut late = rows.remove(4);
    late.row.content = late.row.content.replace("\"m\"", "\"n\"");
    let link = selfext_domain::Link::new(ledger.rows[4].link.prev_hash, late.row.content.as_bytes());
    late.content_hash = link.content_hash.as_bytes().to_vec();
    late.hash = link.hash.as_bytes().to_vec();
    late.row.position = selfext_domain::Position { transaction: 1000, id: 1000 };
    rows.push(late);
    let report = audit_unsealed(&rows);
    assert_eq!(
        found(&report),
        [(Reordered, About::Sequence, Some("a"), Some(3)), (Edited, About::Hash, Some("a"), Some(3))]
    );
}

#[test]
fn a_position_that_does_not_grow_is_reordered() {
    let ledger = Ledger::example();
    let mut rows = stored(&ledger);
    rows[4].row.position = rows[3].row.position;
    assert_eq!(found(&audit(&rows, &ledger)), [(Reordered, About::Position, Some("a"), Some(3))]);
}

#[test]
fn an_event_too_many_is_forged_and_its_seal_counts_it() {
    let ledger = Ledger::example();
    let mut twice = stored(&ledger);
    let mut again = twice[2].clone();
    again.row.position.id += 1;
    twice.insert(3, again);
    assert_eq!(
        found(&audit(&twice, &ledger))[..],
        [(Forged, About::Sequence, Some("a"), Some(2)), (Forged, About::Events, None, None)]
    );

    // A whole run that was never sealed, legal and chained as it must be.
    let mut added = Ledger { rows: ledger.rows[..3].to_vec() };
    added.append("z", crate::sample::body("proposed"));
    let mut z = Stored::of(&added.rows[3]);
    z.row.position = selfext_domain::Position { transaction: 31, id: 3 };
    let mut rows = stored(&ledger);
    rows.insert(3, z);
    assert!(audit_unsealed(&rows).findings.is_empty());
    let report = audit(&rows, &ledger);
    assert_eq!(found(&report), [(Forged, About::Events, None, None)]);
    assert!(report.findings[0].expected.starts_with("6 events") && report.findings[0].found == "7");
}
