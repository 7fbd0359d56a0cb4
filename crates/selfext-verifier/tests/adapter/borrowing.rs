//! Objects that a repository borrows from another one.

use std::fs;

use selfext_domain::ports::Verifier as _;
use selfext_domain::{ChangeSet, ExecutionContext, RepoPath, ToolName};
use selfext_verifier::{GitSource, VerifierConfig, WorktreeVerifier};

use crate::place::{Place, candidate, files, git_with, main_branch, path, run, script};

#[tokio::test]
async fn what_the_source_borrows_is_copied_and_the_cache_borrows_nothing() {
    let place = Place::make();
    let borrower = place.path("borrower");
    let lender = place.source.folder();
    git_with(lender, &["clone", "--quiet", "--shared", "--bare", ".", borrower.to_str().unwrap()], b"");
    let alternates = borrower.join("objects/info/alternates");
    assert!(alternates.exists());
    // One that is not there, and a folder of secrets that is no place of objects.
    let secrets = place.path("secrets");
    fs::create_dir(&secrets).unwrap();
    fs::write(secrets.join("key"), "planted-9c1f").unwrap();
    let lines = format!("{}{}\n/nonexistent/objects\n", fs::read_to_string(&alternates).unwrap(), secrets.display());
    fs::write(&alternates, lines).unwrap();
    let config = VerifierConfig { source: GitSource::Path(borrower.clone()), ..place.config() };
    let verifier = WorktreeVerifier::new(config);
    let prepared = candidate(&verifier, &place.source.head()).await;
    let found = files(&place.cache());
    assert!(!found.iter().any(|(path, _)| path.ends_with("alternates")), "{found:?}");
    assert!(!found.iter().any(|(_, bytes)| bytes.windows(12).any(|part| part == b"planted-9c1f")));
    // The cache has all that it needs.
    fs::remove_dir_all(lender).unwrap();
    fs::remove_dir_all(&borrower).unwrap();
    let report = run(&verifier, &prepared, script("cat README new/0")).await;
    assert_eq!(report.output.as_str(), "hello\n0", "{report:?}");
}

#[tokio::test]
async fn no_change_names_what_git_would_borrow_by() {
    for name in [
        ".git/objects/info/alternates",
        "sub/.git/objects/info/alternates",
        "sub/.GIT/objects/info/http-alternates",
        "git~1/objects/info/alternates",
        ".git",
    ] {
        assert!(RepoPath::parse(name).is_err(), "{name}");
    }
}

/// These are names as all others. git is told where its folder is, and takes none that it comes by.
#[tokio::test]
async fn a_candidate_that_looks_like_a_repository_is_none() {
    let place = Place::make();
    let canary = place.path("canary");
    let program = format!("touch {}", canary.display());
    let config = format!("[core]\n\tbare = true\n\tfsmonitor = {program}\n[filter \"x\"]\n\tsmudge = {program}\n");
    let lent = place.source.folder().join(".git/objects");
    let context = ExecutionContext::new(ToolName::parse("write").unwrap());
    let change = ChangeSet::builder("a repository", context)
        .write(path("HEAD"), "ref: refs/heads/main\n")
        .write(path("refs/heads/main"), place.source.head().as_str())
        .write(path("config"), config)
        .write(path("objects/info/alternates"), lent.to_str().unwrap())
        .write(path("info/attributes"), "* filter=x eol=crlf\n")
        .build()
        .unwrap();
    let verifier = place.verifier();
    let prepared = verifier.prepare(&main_branch(), &place.source.head(), &change).await.unwrap();
    let report = run(&verifier, &prepared, script("cat README")).await;
    assert_eq!(report.output.as_str(), "hello\n", "{report:?}");
    assert!(!canary.exists());
    assert!(!place.cache().join("sha1.git/objects/info/alternates").exists());
}
