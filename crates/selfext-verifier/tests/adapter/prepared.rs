use std::fs;
use std::path::PathBuf;

use selfext_domain::ports::Verifier as _;
use selfext_domain::{Candidate, OnBase, RunId, StageReport, StageRules};
use selfext_verifier::WorktreeVerifier;

use crate::place::{Place, candidate, path, script};

fn prepares(text: &str) -> StageRules {
    let on_base = OnBase { lock_files: vec![path("README")], keep: vec![path("deps")] };
    StageRules { on_base: Some(on_base), ..script(text) }
}

/// Whether it was reused, and what was found of it.
async fn prepared(verifier: &WorktreeVerifier, candidate: &Candidate, text: &str) -> (bool, String) {
    let stages = [prepares(text), StageRules { name: "look".to_owned(), ..script("cat deps/made") }];
    let run = RunId::parse("run").unwrap();
    let reports: Vec<StageReport> = verifier.run_stages(&run, candidate, &stages).await.unwrap();
    assert!(reports.iter().all(|report| report.result.passed()), "{reports:?}");
    (reports[0].prepared.unwrap().reused, reports[1].output.as_str().to_owned())
}

fn layers(place: &Place) -> Vec<PathBuf> {
    let entries = fs::read_dir(place.cache().join("prepared")).unwrap().map(|entry| entry.unwrap().path());
    let mut layers: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    layers.sort();
    layers
}

const MAKE: &str = "mkdir deps && echo good > deps/made";

#[tokio::test]
async fn half_of_what_was_prepared_is_made_anew() {
    let place = Place::make();
    let verifier = place.verifier();
    let candidate = candidate(&verifier, &place.source.head()).await;
    assert_eq!(prepared(&verifier, &candidate, MAKE).await, (false, "good\n".to_owned()));
    let layer = layers(&place).remove(0);
    // As a crash in the middle of removing it, or a disk that lost the end of a file, would leave it.
    for spoil in [
        &(|| fs::remove_file(layer.join("about.json")).unwrap()) as &dyn Fn(),
        &|| fs::write(layer.join("about.json"), "{\"rep").unwrap(),
        &|| fs::write(layer.join("about.json"), "").unwrap(),
    ] {
        fs::write(layer.join("kept/0/made"), "bad\n").unwrap();
        spoil();
        assert_eq!(prepared(&verifier, &candidate, MAKE).await, (false, "good\n".to_owned()));
        assert_eq!(prepared(&verifier, &candidate, MAKE).await, (true, "good\n".to_owned()));
    }
}

#[tokio::test]
async fn those_used_last_are_kept() {
    let place = Place::make();
    let verifier = place.verifier();
    let candidate = candidate(&verifier, &place.source.head()).await;
    let make = |number: usize| format!("mkdir deps && echo {number} > deps/made");
    for number in 0..8 {
        prepared(&verifier, &candidate, &make(number)).await;
    }
    assert!(prepared(&verifier, &candidate, &make(0)).await.0);
    prepared(&verifier, &candidate, &make(8)).await;
    assert_eq!(layers(&place).len(), 8);
    assert_eq!(prepared(&verifier, &candidate, &make(0)).await, (true, "0\n".to_owned()));
    assert_eq!(prepared(&verifier, &candidate, &make(1)).await, (false, "1\n".to_owned()));
}
