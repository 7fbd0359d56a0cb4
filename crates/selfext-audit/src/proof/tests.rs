//! Proofs, made from a ledger and touched.

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::event_leaf;
use crate::merkle::ProofCollector;
use crate::note::{KeyName, SignerKey};
use crate::sample::{self, Ledger, keys};

fn proof_of(ledger: &Ledger, run: &str, size: usize) -> Result<RunProof, BuildError> {
    let mut builder = RunProofBuilder::new(sample::run(run), &ledger.seal(size), &keys()).unwrap();
    for row in &ledger.rows {
        if row.run == run {
            builder.own(row.sequence.unsigned_abs(), &row.content, row.link.hash);
        } else {
            builder.other(row.link.hash);
        }
    }
    builder.finish()
}

#[test]
fn a_run_is_proved_up_to_the_checkpoint_with_the_public_key_alone() {
    let ledger = Ledger::example();
    for (size, events, phase) in [
        (13, 5, selfext_domain::Phase::Healthy),
        (12, 4, selfext_domain::Phase::Promoted),
        (1, 1, selfext_domain::Phase::Proposed),
    ] {
        let json = proof_of(&ledger, "a", size).unwrap().to_json().unwrap();
        let verified = verify(&RunProof::from_json(&json).unwrap(), &keys()).unwrap();
        assert_eq!((verified.events().len(), verified.phase(), verified.run().as_str()), (events, phase, "a"));
        assert_eq!(verified.checkpoint().checkpoint().size, size as u64);
    }
    assert!(matches!(proof_of(&ledger, "c", 7), Err(BuildError::NotSealed(run)) if run.as_str() == "c"));
}

#[test]
fn a_ledger_that_is_not_what_was_sealed_gives_no_proof() {
    let ledger = Ledger::example();
    let mut changed = ledger.clone();
    changed.rows[1].link.hash = changed.rows[0].link.hash;
    let mut builder = RunProofBuilder::new(sample::run("a"), &ledger.seal(13), &keys()).unwrap();
    for row in &changed.rows {
        assert!(!builder.is_complete());
        builder.own(row.sequence.unsigned_abs(), &row.content, row.link.hash);
    }
    assert!(builder.is_complete());
    assert!(matches!(builder.finish(), Err(BuildError::Root { .. })));
    let builder = RunProofBuilder::new(sample::run("a"), &ledger.seal(13), &keys()).unwrap();
    assert!(matches!(builder.finish(), Err(BuildError::NotSealed(_) | BuildError::Collect(_))));
}

#[test]
fn another_key_or_another_format_proves_nothing() {
    let proof = proof_of(&Ledger::example(), "a", 13).unwrap();
    let other = SignerKey::generate(KeyName::parse("ledger.example").unwrap(), &[4; 32]);
    assert!(matches!(verify(&proof, &[other.verifier().clone()]), Err(ProofError::Checkpoint(_))));
    let json = proof.to_json().unwrap().replace("proof/1", "proof/2");
    assert!(matches!(RunProof::from_json(&json), Err(ProofError::Format(_))));
    assert!(matches!(RunProof::from_json(&json.replace("format", "x")), Err(ProofError::Malformed(_))));
}

/// Every way to touch one value of a document.
fn touched(value: &Value, out: &mut Vec<Value>) {
    match value {
        Value::String(text) => {
            for at in text.char_indices().map(|(at, _)| at).step_by(7) {
                let c = text[at..].chars().next().unwrap();
                let other = if c == 'a' { 'b' } else { 'a' };
                out.push(format!("{}{other}{}", &text[..at], &text[at + c.len_utf8()..]).into());
            }
            out.push(String::new().into());
        }
        Value::Number(number) => {
            let number = number.as_u64().unwrap();
            out.extend([Value::from(number + 1), Value::from(number.wrapping_sub(1)), Value::from(u64::MAX)]);
        }
        Value::Array(items) => {
            for at in 0..items.len() {
                let mut fewer = items.clone();
                fewer.remove(at);
                // A run's last events may be left out: what is left is a proof of what is left.
                if at + 1 < items.len() || items[at].is_string() {
                    out.push(fewer.into());
                }
                let mut twice = items.clone();
                twice.insert(at, items[at].clone());
                out.push(twice.into());
                let mut inside = Vec::new();
                touched(&items[at], &mut inside);
                out.extend(inside.into_iter().map(|item| {
                    let mut items = items.clone();
                    items[at] = item;
                    items.into()
                }));
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                let mut inside = Vec::new();
                touched(member, &mut inside);
                out.extend(inside.into_iter().map(|member| {
                    let mut members = members.clone();
                    members.insert(key.clone(), member);
                    members.into()
                }));
            }
        }
        _ => {}
    }
}

#[test]
fn a_proof_that_was_touched_anywhere_proves_nothing() {
    let proof = proof_of(&Ledger::example(), "b", 13).unwrap();
    let mut documents = Vec::new();
    touched(&serde_json::to_value(&proof).unwrap(), &mut documents);
    assert!(documents.len() > 200, "{}", documents.len());
    for document in documents {
        let read = RunProof::from_json(&document.to_string());
        assert!(read.and_then(|proof| verify(&proof, &keys()).map(|_| ())).is_err(), "{document}");
    }
}

fn consistency_of(ledger: &Ledger, first: usize, second: usize) -> ConsistencyProof {
    let mut collector = ProofCollector::new(second as u64);
    collector.want_consistency(first as u64).unwrap();
    for row in &ledger.rows {
        collector.push(event_leaf(row.link.hash));
    }
    ConsistencyProof::new(ledger.seal(first), ledger.seal(second), collector.consistency(first as u64).unwrap())
}

#[test]
fn a_checkpoint_is_shown_to_continue_each_one_before_it() {
    let ledger = Ledger::example();
    for second in 0..=13 {
        for first in 0..=second {
            let json = consistency_of(&ledger, first, second).to_json().unwrap();
            let (old, new) = ConsistencyProof::from_json(&json).unwrap().verify(&keys()).unwrap();
            assert_eq!((old.checkpoint().size, new.checkpoint().size), (first as u64, second as u64));
        }
    }
}

#[test]
fn a_ledger_that_was_written_anew_does_not_continue_the_old_one() {
    let ledger = Ledger::example();
    let mut anew = ledger.clone();
    anew.rows[2].content = anew.rows[2].content.replace("\"T\"", "\"U\"");
    anew.relink("a");
    let path = |proof: ConsistencyProof| serde_json::to_value(proof).unwrap()["path"].clone();
    let path: Vec<_> = serde_json::from_value(path(consistency_of(&anew, 6, 13))).unwrap();
    let proof = ConsistencyProof::new(ledger.seal(6), anew.seal(13), path);
    assert!(matches!(proof.verify(&keys()), Err(ProofError::Inconsistent(_))));
    let mut documents = Vec::new();
    touched(&serde_json::to_value(consistency_of(&ledger, 6, 13)).unwrap(), &mut documents);
    for document in documents {
        let read = ConsistencyProof::from_json(&document.to_string());
        assert!(read.and_then(|proof| proof.verify(&keys()).map(|_| ())).is_err(), "{document}");
    }
}

proptest! {
    #[test]
    fn no_document_makes_it_panic(text in any::<String>(), leaf in any::<u64>(), sequence in any::<u64>(), size in 0_usize..13) {
        let _ = RunProof::from_json(&text);
        let _ = ConsistencyProof::from_json(&text);
        let events = vec![ProvedEvent { sequence, leaf, content: text.clone(), path: vec![] }];
        let proof = RunProof::new(&sample::run("a"), Ledger::example().seal(size), events);
        prop_assert!(verify(&proof, &keys()).is_err());
        prop_assert!(verify(&RunProof::new(&sample::run("a"), text, vec![]), &keys()).is_err());
    }
}
