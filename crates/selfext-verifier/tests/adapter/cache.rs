use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use selfext_domain::ports::{Verifier as _, VerifierError};
use selfext_verifier::{VerifierConfig, WorktreeVerifier};

use crate::place::{Place, candidate, change, files, main_branch, read, run, script, unavailable};

#[tokio::test]
async fn the_cache_is_private_and_holds_no_hook() {
    let place = Place::make();
    let verifier = place.verifier();
    assert!(!place.cache().exists());
    let candidate = candidate(&verifier, &place.source.head()).await;
    run(&verifier, &candidate, script("true")).await;
    assert_eq!(fs::metadata(place.cache()).unwrap().permissions().mode() & 0o777, 0o700);
    assert!(!files(&place.cache()).iter().any(|(path, _)| path.to_string_lossy().contains("/hooks/")));
    let left: Vec<_> =
        fs::read_dir(place.cache().join("worktrees")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, [".guard"]);
}

#[tokio::test]
async fn a_thousand_files_take_as_many_processes_as_one() {
    let place = Place::make();
    let log = place.path("calls");
    let counting = place.git_that(&format!("echo \"$*\" >> '{}'", log.display()));
    let verifier = WorktreeVerifier::new(VerifierConfig { git: counting, ..place.config() });
    let base = place.source.head();
    read(&verifier, &base).await.unwrap();
    for files in [1, 1_000] {
        fs::remove_file(&log).unwrap();
        verifier.prepare(&main_branch(), &base, &change(files)).await.unwrap();
        let calls = fs::read_to_string(&log).unwrap();
        // One of them reads where the base's links lead.
        assert_eq!(calls.lines().count(), 7, "{calls}");
    }
}

#[tokio::test]
async fn an_altered_configuration_of_the_cache_is_put_back() {
    let place = Place::make();
    let verifier = place.verifier();
    let base = place.source.head();
    let change = change(1);
    let prepared = verifier.prepare(&main_branch(), &base, &change).await.unwrap();
    let repository = place.cache().join("sha1.git");
    let (config, canary) = (repository.join("config"), place.path("canary"));
    let right = fs::read_to_string(&config).unwrap();
    fs::create_dir_all(repository.join("info")).unwrap();
    fs::write(repository.join("info/attributes"), "* filter=x\n").unwrap();
    fs::write(&config, format!("{right}[filter \"x\"]\n\tsmudge = touch {}; cat\n", canary.display())).unwrap();
    assert!(run(&verifier, &prepared, script("cat README")).await.result.passed());
    assert!(!canary.exists());
    assert_eq!(fs::read_to_string(&config).unwrap(), right);
    assert!(!repository.join("info/attributes").exists());
    // These alone would change what a stage sees, too.
    fs::write(repository.join("info/attributes"), "* text eol=crlf\n").unwrap();
    assert_eq!(run(&verifier, &prepared, script("cat README")).await.output.as_str(), "hello\n");
    let alternates = repository.join("objects/info/alternates");
    fs::write(&alternates, place.source.folder().join(".git/objects").to_str().unwrap()).unwrap();
    assert_eq!(verifier.prepare(&main_branch(), &base, &change).await.unwrap(), prepared);
    assert!(!alternates.exists());
}

#[tokio::test]
async fn a_candidate_of_another_cache_is_refused() {
    let place = Place::make();
    let prepared = candidate(&place.verifier(), &place.source.head()).await;
    let elsewhere = WorktreeVerifier::new(VerifierConfig { cache: place.path("elsewhere"), ..place.config() });
    let id = selfext_domain::RunId::parse("run").unwrap();
    let told = unavailable(elsewhere.run_stages(&id, &prepared, &[script("true")]).await);
    assert!(told.contains("the candidate cannot be read"), "{told}");
}

#[tokio::test]
async fn what_a_crashed_run_left_is_swept_by_the_next() {
    let place = Place::make();
    let verifier = place.verifier();
    let candidate = candidate(&verifier, &place.source.head()).await;
    let orphan = place.cache().join("worktrees/0123456789abcdef-x");
    fs::create_dir_all(orphan.join("work/target")).unwrap();
    fs::write(orphan.join("lock"), "").unwrap();
    run(&verifier, &candidate, script("true")).await;
    assert!(!orphan.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_verifiers_may_fill_one_cache_at_once() {
    let place = Arc::new(Place::make());
    let base = place.source.head();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let (place, base) = (Arc::clone(&place), base.clone());
        tasks.spawn(async move {
            let verifier = place.verifier();
            let candidate = verifier.prepare(&main_branch(), &base, &change(3)).await?;
            verifier
                .run_stages(&selfext_domain::RunId::parse("same").unwrap(), &candidate, &[script("cat new/2")])
                .await
        });
    }
    for outcome in tasks.join_all().await {
        let reports: Result<_, VerifierError> = outcome;
        assert!(reports.unwrap()[0].result.passed());
    }
}
