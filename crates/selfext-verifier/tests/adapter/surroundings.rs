use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use selfext_domain::ports::Verifier as _;
use selfext_domain::{ChangeSet, ExecutionContext, StageResult, ToolName};

use crate::place::{Place, candidate, main_branch, path, run, script};

#[tokio::test]
async fn a_stage_finds_no_repository_not_even_one_above_the_cache() {
    let place = Place::make();
    let above = place.path("");
    assert!(Command::new("git").args(["init", "--quiet"]).current_dir(&above).status().unwrap().success());
    let verifier = place.verifier();
    let candidate = candidate(&verifier, &place.source.head()).await;
    let report = run(&verifier, &candidate, script("test ! -e .git && ! git rev-parse --git-dir")).await;
    assert_eq!(report.result, StageResult::Passed, "{report:?}");
}

#[tokio::test]
async fn the_files_are_those_of_an_ordinary_clone() {
    let place = Place::make();
    place.source.write(".gitattributes", "*.bat text eol=crlf\n");
    place.source.write("x.bat", "a\r\nb\r\n");
    let base = place.source.commit();
    let verifier = place.verifier();
    let candidate = candidate(&verifier, &base).await;
    let report = run(&verifier, &candidate, script("wc -c < x.bat; cksum < binary")).await;
    let expected =
        Command::new("sh").args(["-c", "wc -c < x.bat; cksum < binary"]).current_dir(place.source.folder()).output();
    assert_eq!(report.output.as_str(), String::from_utf8_lossy(&expected.unwrap().stdout));
}

#[tokio::test]
async fn cargo_tests_a_crate_without_dependencies() {
    let place = Place::make();
    let verifier = place.verifier();
    let context = ExecutionContext::new(ToolName::parse("write").unwrap());
    let change = ChangeSet::builder("a crate", context)
        .write(path("Cargo.toml"), "[package]\nname = \"agent\"\nversion = \"0.1.0\"\nedition = \"2024\"\n")
        .write(path("src/lib.rs"), "#[test]\nfn it_works() {}\n")
        .build()
        .unwrap();
    let candidate = verifier.prepare(&main_branch(), &place.source.head(), &change).await.unwrap();
    let mut stage = script("exec cargo test --offline");
    stage.timeout = Duration::from_mins(5);
    let report = run(&verifier, &candidate, stage).await;
    assert_eq!(report.result, StageResult::Passed, "{}", report.output);
    assert!(report.output.as_str().contains("it_works ... ok"), "{}", report.output);
}

#[tokio::test]
async fn a_relative_cache_is_below_the_folder_of_this_process() {
    // Tests run in the crate's own folder, which they must not fill: the way leads out of it at once.
    let place = Place::make();
    let here = std::env::current_dir().unwrap();
    let up: PathBuf = here.components().skip(1).map(|_| "..").collect();
    let cache = up.join(place.cache().strip_prefix("/").unwrap());
    assert!(cache.is_relative());
    let config = selfext_verifier::VerifierConfig { cache, ..place.config() };
    let verifier = selfext_verifier::WorktreeVerifier::new(config);
    let candidate = candidate(&verifier, &place.source.head()).await;
    let report = run(&verifier, &candidate, script("test -f README && test -d \"$HOME\"")).await;
    assert_eq!(report.result, StageResult::Passed);
    assert!(place.cache().exists());
}
