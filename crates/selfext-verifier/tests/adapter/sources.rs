use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use selfext_domain::CommitSha;
use selfext_domain::ports::Verifier as _;
use selfext_verifier::{GitSource, VerifierConfig, WorktreeVerifier};

use crate::place::{Place, candidate, main_branch, path, read, run, script, unavailable};

fn git(arguments: &[&str], folder: &Path) -> String {
    let output = Command::new("git").args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

async fn works_from(place: &Place, source: &Path, base: &CommitSha) {
    let verifier =
        WorktreeVerifier::new(VerifierConfig::new(GitSource::Path(source.to_owned()), place.path("other-cache")));
    let candidate = candidate(&verifier, base).await;
    assert!(run(&verifier, &candidate, script("cat new/0 README")).await.result.passed());
}

#[tokio::test]
async fn a_bare_a_shallow_and_a_linked_source_serve() {
    let place = Place::make();
    let (source, base) = (place.source.folder(), place.source.head());
    let source_url = format!("file://{}", source.display());
    for (name, options) in [("bare", &["--bare"][..]), ("shallow", &["--depth=1"]), ("shared", &["--shared"])] {
        let target = place.path(name);
        let words = [&["clone", "--quiet"], options, &[&source_url, target.to_str().unwrap()]].concat();
        git(&words, source);
        works_from(&place, &target, &base).await;
        fs::remove_dir_all(place.path("other-cache")).unwrap();
    }
    place.source.git(&["worktree", "add", "--quiet", "--detach", place.path("linked").to_str().unwrap()]);
    works_from(&place, &place.path("linked"), &base).await;
}

#[tokio::test]
async fn a_source_of_another_user_serves() {
    let place = Place::make();
    let source = place.source.folder();
    // Only root can give files away; for others git's own check is what stands in the way, and it is not asked here.
    let given = Command::new("chown").args(["-R", "65534:65534"]).arg(source).status();
    if given.is_ok_and(|status| status.success()) {
        let base = CommitSha::parse(git(&["-c", "safe.directory=*", "rev-parse", "HEAD"], source)).unwrap();
        works_from(&place, source, &base).await;
    }
}

#[tokio::test]
async fn a_repository_with_long_object_names_serves() {
    let place = Place::make();
    let source = place.path("long");
    fs::create_dir(&source).unwrap();
    git(&["init", "--quiet", "--object-format=sha256", "--initial-branch=main", "."], &source);
    fs::write(source.join("README"), "long\n").unwrap();
    git(&["add", "README"], &source);
    git(
        &["-c", "user.name=Nobody", "-c", "user.email=nobody@example.com", "commit", "--quiet", "--message=x"],
        &source,
    );
    let base = CommitSha::parse(git(&["rev-parse", "HEAD"], &source)).unwrap();
    assert_eq!(base.as_str().len(), 64);
    works_from(&place, &source, &base).await;
}

#[tokio::test]
async fn a_source_that_is_not_there_is_named() {
    let place = Place::make();
    let config = VerifierConfig::new(GitSource::Path(place.path("nowhere")), place.cache());
    let told = unavailable(read(&WorktreeVerifier::new(config), &place.source.head()).await);
    assert!(told.contains("nowhere"), "{told}");
}

#[tokio::test]
async fn a_missing_git_is_named() {
    let place = Place::make();
    let config = VerifierConfig { git: "no-such-git".into(), ..place.config() };
    let told = unavailable(read(&WorktreeVerifier::new(config), &place.source.head()).await);
    assert!(told.contains("install git"), "{told}");
}

#[tokio::test]
async fn a_file_of_more_than_one_mebibyte_is_not_read() {
    let place = Place::make();
    place.source.write("README", vec![b'x'; 1 << 20]);
    let base = place.source.commit();
    assert_eq!(read(&place.verifier(), &base).await.unwrap().map(|bytes| bytes.len()), Some(1 << 20));
    place.source.write("README", vec![b'x'; (1 << 20) + 1]);
    let base = place.source.commit();
    let told = unavailable(read(&place.verifier(), &base).await);
    assert!(told.contains("README") && told.contains("1048577"), "{told}");
}

#[tokio::test]
async fn a_fetch_that_takes_too_long_is_ended() {
    let place = Place::make();
    let slow = place.git_that("case \"$*\" in *' fetch '*) exec sleep 600;; esac");
    let config = VerifierConfig { git: slow, fetch_timeout: Duration::from_secs(1), ..place.config() };
    let began = Instant::now();
    let told = unavailable(read(&WorktreeVerifier::new(config), &place.source.head()).await);
    assert!(told.contains("longer than 1 seconds") && began.elapsed() < Duration::from_mins(1), "{told}");
    // It holds no lock.
    assert!(read(&place.verifier(), &place.source.head()).await.is_ok());
}

#[tokio::test]
async fn a_fetch_that_was_dropped_is_ended_and_holds_no_lock() {
    let place = Place::make();
    let mark = place.path("fetching");
    let slow = place.git_that(&format!("case \"$*\" in *' fetch '*) : > '{}'; exec sleep 600;; esac", mark.display()));
    let verifier = WorktreeVerifier::new(VerifierConfig { git: slow, ..place.config() });
    let base = place.source.head();
    tokio::select! {
        ended = read(&verifier, &base) => panic!("{ended:?}"),
        () = async { while !mark.exists() { tokio::time::sleep(Duration::from_millis(5)).await } } => {}
    }
    assert!(read(&place.verifier(), &base).await.is_ok());
}

#[tokio::test]
async fn a_known_base_is_not_fetched_again() {
    let place = Place::make();
    let base = place.source.head();
    let log = place.path("calls");
    let counting = place.git_that(&format!("echo \"$*\" >> '{}'", log.display()));
    let verifier = WorktreeVerifier::new(VerifierConfig { git: counting, ..place.config() });
    for _ in 0..3 {
        read(&verifier, &base).await.unwrap();
    }
    verifier.prepare(&main_branch(), &base, &crate::place::change(1)).await.unwrap();
    verifier.changed_between(&main_branch(), &base, &base, &[path("README")]).await.unwrap();
    let calls = fs::read_to_string(log).unwrap();
    assert_eq!(calls.lines().filter(|call| call.contains(" fetch ")).count(), 1, "{calls}");
}
