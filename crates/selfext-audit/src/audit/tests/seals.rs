//! Checkpoints, and ledgers that contradict them.

use super::FindingKind::{Edited, Forged, Reordered};
use super::*;
use crate::checkpoint::Checkpoint;
use crate::merkle::empty_root;
use crate::note::{KeyName, SignerKey};
use crate::sample::key;

/// A ledger whose second event of `a` was rewritten, with every hash behind it.
fn rewritten() -> Ledger {
    let mut ledger = Ledger::example();
    ledger.rows[2].content = ledger.rows[2].content.replace("\"T\"", "\"U\"");
    ledger.relink("a");
    ledger
}

#[test]
fn a_run_that_was_rewritten_with_all_its_hashes_contradicts_the_seal_over_it() {
    let (ledger, rewritten) = (Ledger::example(), rewritten());
    let rows = stored(&rewritten);
    assert!(audit_unsealed(&rows).is_clean());
    let report = audit(&rows, &ledger);
    assert_eq!(found(&report), [(Forged, About::Root, None, None)]);
    assert_eq!(report.findings[0].place.leaf, Some(6));
    assert_eq!((report.counts.checkpoints_held, report.counts.checkpoints_unjudged), (0, 1));
}

#[test]
fn a_ledger_that_was_sealed_anew_contradicts_what_was_kept_elsewhere() {
    let (ledger, rewritten) = (Ledger::example(), rewritten());
    let mut auditor = Auditor::new(keys());
    auditor.anchor(&ledger.seal(6));
    for (at, row) in stored(&rewritten).iter().enumerate() {
        row.feed(&mut auditor);
        if at == 12 {
            auditor.checkpoint(&rewritten.seal(13));
        }
    }
    let report = auditor.finish();
    assert_eq!(found(&report), [(Forged, About::Root, None, None)]);
    assert_eq!(report.counts.checkpoints_unjudged, 1);
    // Both at one size: the two views stand beside each other.
    let mut auditor = Auditor::new(keys());
    auditor.anchor(&ledger.seal(6));
    auditor.checkpoint(&rewritten.seal(6));
    assert_eq!(auditor.counts().findings, 1);
}

#[test]
fn checkpoints_may_come_before_their_events_or_right_behind_them() {
    let ledger = Ledger::example();
    let mut auditor = Auditor::new(keys());
    auditor.anchor(&ledger.seal(13));
    auditor.checkpoint(&ledger.seal(0));
    auditor.anchor(&ledger.seal(0));
    for (at, row) in stored(&ledger).iter().enumerate() {
        row.feed(&mut auditor);
        auditor.checkpoint(&ledger.seal(at + 1));
    }
    let report = auditor.finish();
    assert!(report.is_clean(), "{:?}", report.findings);
    assert_eq!((report.counts.checkpoints, report.counts.checkpoints_held), (16, 16));
    assert_eq!(report.root.to_string(), audit(&stored(&ledger), &ledger).root.to_string());
}

#[test]
fn checkpoints_out_of_order_and_late_ones_are_reordered() {
    let ledger = Ledger::example();
    let mut auditor = Auditor::new(keys());
    auditor.checkpoint(&ledger.seal(13));
    auditor.checkpoint(&ledger.seal(6));
    for row in &stored(&ledger) {
        row.feed(&mut auditor);
    }
    let report = auditor.finish();
    assert_eq!(found(&report), [(Reordered, About::Checkpoint, None, None)]);
    assert_eq!(report.counts.checkpoints_held, 2);
    let mut auditor = Auditor::new(keys());
    for row in &stored(&ledger) {
        row.feed(&mut auditor);
    }
    auditor.anchor(&ledger.seal(6));
    assert_eq!(found(&auditor.finish()), [(Reordered, About::Checkpoint, None, None)]);
}

#[test]
fn a_checkpoint_of_no_known_key_is_forged_and_seals_nothing() {
    let ledger = Ledger::example();
    let stranger = SignerKey::generate(KeyName::parse("ledger.example").unwrap(), &[9; 32]);
    let checkpoint = Checkpoint::new(key().name().clone(), 0, empty_root(), None);
    let strange = checkpoint.sign(&stranger).unwrap().to_string();
    for note in [strange, ledger.seal(6).replace("\n6\n", "\n7\n"), "nothing of the kind".to_owned()] {
        let mut auditor = Auditor::new(keys());
        auditor.checkpoint(&note);
        let report = auditor.finish();
        assert_eq!(found(&report), [(Forged, About::Checkpoint, None, None)], "{note}");
        assert_eq!(report.counts.checkpoints_held, 0);
    }
}

#[test]
fn checkpoints_without_positions_are_judged_by_their_sizes() {
    let ledger = Ledger::example();
    let seal = |size: usize| {
        let signed = crate::checkpoint::SignedCheckpoint::open(&ledger.seal(size), &keys()).unwrap();
        let checkpoint = Checkpoint { position: None, ..signed.checkpoint().clone() };
        checkpoint.sign(&key()).unwrap().to_string()
    };
    let audit = |rows: &[Stored]| {
        let mut auditor = Auditor::new(keys());
        for size in SEALS {
            auditor.checkpoint(&seal(size));
        }
        for row in rows {
            row.feed(&mut auditor);
        }
        auditor.finish()
    };
    let rows = stored(&ledger);
    assert!(audit(&rows).is_clean());
    assert_eq!(audit(&rows[..9]).count_of(FindingKind::CutOff), 1);
    let without: Vec<_> = rows.iter().filter(|row| row.row.run != "c").cloned().collect();
    let report = audit(&without);
    assert!(!report.is_clean() && report.counts.checkpoints_held == 1, "{report:#?}");
}

#[test]
fn a_sealed_position_that_is_another_now_was_edited() {
    let ledger = Ledger::example();
    let mut rows = stored(&ledger);
    rows[5].row.position.transaction -= 1;
    let report = audit(&rows, &ledger);
    assert_eq!(found(&report), [(Edited, About::Position, None, None)]);
    assert_eq!(report.counts.checkpoints_held, 2);
}
