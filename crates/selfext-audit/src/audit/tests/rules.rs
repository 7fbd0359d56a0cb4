//! Rows whose hashes fit, but that no writer of selfext's would have written.

use super::FindingKind::Forged;
use super::*;
use crate::sample::body;

fn judged(touch: impl FnOnce(&mut Ledger)) -> Report {
    let mut ledger = Ledger::example();
    touch(&mut ledger);
    audit_unsealed(&stored(&ledger))
}

#[test]
fn an_event_that_may_not_follow_is_forged() {
    for (stream, event_type, state) in [
        ("c", "tested", "failed"),
        ("b", "failed", "promoted"),
        ("a", "promoted", "healthy"),
        ("d", "tested", "a run that has not begun"),
        ("a", "promotion_pause_changed", "healthy"),
    ] {
        let report = judged(|ledger| ledger.append(stream, body(event_type)));
        let number = i64::from(u8::try_from(report.counts.events - 13).unwrap());
        assert_eq!(number, 1);
        assert_eq!(found(&report).len(), 1, "{stream} {event_type}");
        let finding = &report.findings[0];
        assert_eq!((finding.kind, finding.about), (Forged, About::Legality), "{stream} {event_type}");
        // A pause names no subject, which is noticed first.
        if event_type != "promotion_pause_changed" {
            let expected = format!("an event that may follow in {state}");
            assert_eq!((finding.expected.as_str(), finding.found.as_str()), (&*expected, event_type));
        }
    }
    let report = judged(|ledger| {
        let content = ledger.rows[0].content.replace("\"run_id\":\"a\"", "\"run_id\":\"control\"");
        ledger.append_content("control", content);
    });
    assert_eq!(found(&report), [(Forged, About::Legality, Some("control"), Some(3))]);
}

#[test]
fn what_becomes_of_a_landed_change_is_judged_too() {
    let legal = ["rollback_started", "rollback_failed", "rollback_acknowledged", "rollback_started", "rolled_back"];
    let report = judged(|ledger| legal.iter().for_each(|event_type| ledger.append("a", body(event_type))));
    assert_eq!(found(&report), []);
    let report = judged(|ledger| {
        ledger.append("b", body("health_window_failed"));
        for event_type in legal {
            ledger.append("b", body(event_type));
        }
    });
    assert_eq!(found(&report), []);
    for (before, event_type, state) in [
        ("rollback_started", "health_window_passed", "rolling-back"),
        ("rollback_failed", "health_window_passed", "rollback-failed"),
        ("rollback_failed", "rolled_back", "rollback-failed"),
        ("rolled_back", "rollback_acknowledged", "rolled-back"),
    ] {
        let report = judged(|ledger| {
            for one in ["rollback_started", before, event_type].iter().skip(usize::from(before == "rollback_started")) {
                ledger.append("a", body(one));
            }
        });
        assert_eq!(found(&report).len(), 1, "{before} {event_type}");
        assert_eq!(report.findings[0].expected, format!("an event that may follow in {state}"));
    }
}

#[test]
fn a_run_that_was_found_illegal_is_followed_but_not_judged_again() {
    let report = judged(|ledger| {
        ledger.append("c", body("tested"));
        ledger.append("c", body("tested"));
        ledger.append("c", body("promoted"));
    });
    assert_eq!(found(&report), [(Forged, About::Legality, Some("c"), Some(3))]);
    let mut ledger = Ledger::example();
    ledger.append("c", body("tested"));
    ledger.append("c", body("tested"));
    let mut rows = stored(&ledger);
    rows[14].prev_hash = vec![1; 32];
    assert_eq!(audit_unsealed(&rows).count_of(FindingKind::Edited), 1);
}

#[test]
fn an_event_of_another_subject_is_forged_in_open_and_in_closed_runs() {
    for stream in ["d", "a"] {
        let report = judged(|ledger| {
            ledger.append("d", body("proposed"));
            let event_type = if stream == "d" { "failed" } else { "health_window_passed" };
            let mut other = Ledger::example();
            other.rows.retain(|row| row.run == "x");
            if stream == "a" {
                // A run that may still be followed.
                ledger.rows.retain(|row| row.run != "a" || row.sequence < 5);
            }
            let mut one = Ledger::default();
            one.append(stream, body(event_type));
            let content = one.rows[0].content.replace("\"base\":\"main\"", "\"base\":\"other\"");
            let content = content.replace("0000-000000000001", "0000-000000000099");
            ledger.append_content(stream, content);
        });
        assert_eq!(found(&report).len(), 1, "{:?}", report.findings);
        assert_eq!((report.findings[0].kind, report.findings[0].about), (Forged, About::Legality));
    }
}

#[test]
fn a_content_that_is_not_canonical_or_no_event_is_forged() {
    let report = judged(|ledger| {
        let content = ledger.rows[12].content.replacen('{', "{ ", 1);
        ledger.rows[12].content = content;
        ledger.relink("a");
    });
    assert_eq!(found(&report), [(Forged, About::Form, Some("a"), Some(5))]);
    let report = judged(|ledger| {
        ledger.rows[12].content = ledger.rows[12].content.replace("\"samples\":1", "\"samples\":true");
        ledger.relink("a");
    });
    assert_eq!(found(&report), [(Forged, About::Meaning, Some("a"), Some(5))]);
    assert!(report.findings[0].found.contains("samples") || report.findings[0].found.contains("invalid type"));
}

#[test]
fn an_event_of_a_later_version_is_counted_and_its_run_is_not_judged() {
    let report = judged(|ledger| {
        ledger.append("c", body("tested"));
        let row = ledger.rows.last_mut().unwrap();
        row.content = row.content.replace("\"event_type\":\"tested\"", "\"event_type\":\"teleported\"");
        ledger.relink("c");
        ledger.append("c", body("promoted"));
    });
    assert_eq!((found(&report), report.counts.unknown_events, report.is_clean()), (vec![], 1, false));
}

#[test]
fn texts_of_unknown_origin_are_shown_escaped_and_shortened() {
    let mut rows = stored(&Ledger::example());
    rows[0].columns[3].1 = Some(format!("\u{1b}[31m\u{202e}{}", "é\"".repeat(500)));
    let report = audit_unsealed(&rows);
    let found = &report.findings[0].found;
    assert!(found.starts_with("\\u{1b}[31m\\u{202e}é\"é\"") && found.ends_with('…') && found.len() < 400, "{found}");
}

#[test]
fn only_so_many_findings_are_kept_and_all_are_counted() {
    let ledger = Ledger::example();
    let mut auditor = Auditor::new(keys()).keeping(2);
    for mut row in stored(&ledger) {
        row.hash[0] ^= 1;
        row.feed(&mut auditor);
    }
    assert_eq!(auditor.counts().findings, 13);
    let report = auditor.finish();
    assert_eq!((report.findings.len(), report.count_of(FindingKind::Edited)), (2, 13));
}
