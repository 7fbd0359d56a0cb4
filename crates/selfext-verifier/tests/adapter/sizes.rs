//! Trees that are large, or far larger than the repository that holds them.

use std::fs;
use std::time::{Duration, Instant};

use selfext_domain::ports::Verifier as _;
use selfext_verifier::{VerifierConfig, WorktreeVerifier};

use crate::place::{Place, candidate, change, git_with, main_branch, path, run, script, try_run, unavailable};

#[tokio::test]
async fn a_base_with_a_large_file_serves() {
    let place = Place::make();
    place.source.write("large", vec![0; 60 << 20]);
    let base = place.source.commit();
    let verifier = place.verifier();
    let candidate = candidate(&verifier, &base).await;
    let report = run(&verifier, &candidate, script("wc -c < large; cat new/0")).await;
    assert_eq!(report.output.as_str().split_whitespace().collect::<Vec<_>>(), ["62914560", "0"]);
    // As rules it is too large.
    assert!(
        unavailable(verifier.read_file(&main_branch(), &base, &path("large")).await).contains("large on the base has")
    );
}

/// A verifier that writes down each call of git.
fn counting(place: &Place) -> (WorktreeVerifier, std::path::PathBuf) {
    let log = place.path("calls");
    let git = place.git_that(&format!("echo \"$*\" >> '{}'", log.display()));
    (WorktreeVerifier::new(VerifierConfig { git, ..place.config() }), log)
}

/// 3,200 MB, if it were checked out.
#[tokio::test]
async fn one_large_file_under_many_names_is_refused_before_it_is_checked_out() {
    let place = Place::make();
    let large = place.object("blob", &vec![0; 8 << 20]);
    let base = place.commit_tree(&place.tree_of((0..400).map(|number| format!("100644 {large}\t{number}/large"))));
    let (verifier, log) = counting(&place);
    let candidate = candidate(&verifier, &base).await;
    let mut stage = script("true");
    stage.limits.disk_bytes = 1 << 30;
    let told = unavailable(try_run(&verifier, &candidate, stage.clone()).await);
    assert!(told.contains("limits.disk_bytes") && told.contains("3357"), "{told}");
    assert!(!fs::read_to_string(log).unwrap().contains("checkout-index"));
    assert!(place.left().is_empty());
    // As much as one of the stages may use is enough.
    let all = [script("exit 1"), stage];
    let id = selfext_domain::RunId::parse("run").unwrap();
    assert_eq!(verifier.run_stages(&id, &candidate, &all).await.unwrap().len(), 1);
}

/// The attribute `ident` makes twelve times as much of this file, which is read as it lies on the disk and not as git says.
#[tokio::test]
async fn files_that_grow_as_they_are_checked_out_are_stopped() {
    let place = Place::make();
    place.source.put(".gitattributes", "100644", b"grows* ident\n");
    for number in 0..8 {
        place.source.put(&format!("grows{number}"), "100644", "$Id$\n".repeat(400_000).as_bytes());
    }
    place.source.git(&["commit", "--quiet", "--message=grows"]);
    // It ends only when it is stopped, so that it cannot be faster than the look.
    let slow = place.git_that("case \"$*\" in *' checkout-index '*) git \"$@\"; exec sleep 600;; esac");
    let verifier = WorktreeVerifier::new(VerifierConfig { git: slow, ..place.config() });
    let candidate = candidate(&verifier, &place.source.head()).await;
    let mut stage = script("true");
    stage.limits.disk_bytes = 32 << 20;
    let told = unavailable(try_run(&verifier, &candidate, stage).await);
    assert!(told.contains("grow as they are checked out"), "{told}");
    assert!(place.left().is_empty());
}

/// Ten trees of a few hundred bytes that hold ten thousand million names.
#[tokio::test]
async fn a_tree_that_holds_itself_too_often_is_refused_in_time() {
    let place = Place::make();
    let mut held = format!("100644 blob {}", place.object("blob", b"x"));
    for _ in 0..10 {
        let entries = (0..10).map(|number| format!("{held}\t{number}\n")).collect::<Vec<_>>().concat();
        held = format!("040000 tree {}", git_with(place.source.folder(), &["mktree"], entries.as_bytes()));
    }
    let before = place.source.head();
    let base = place.commit_tree(held.rsplit_once(' ').unwrap().1);
    let verifier = place.verifier();
    let began = Instant::now();
    let told = unavailable(verifier.prepare(&main_branch(), &base, &change(1)).await);
    assert!(told.contains("git answers more than 256 MiB"), "{told}");
    let asked = ["0", "0/1", "README", "none"].map(path);
    let changed = verifier.changed_between(&main_branch(), &before, &base, &asked).await.unwrap();
    assert_eq!(changed, ["0", "0/1", "README"].map(path));
    // To go through all of it would take hours.
    assert!(began.elapsed() < Duration::from_mins(1), "{:?}", began.elapsed());
    assert!(verifier.read_file(&main_branch(), &base, &path("0/1/2")).await.unwrap().is_none());
}

#[tokio::test]
async fn a_symbolic_link_with_a_huge_target_is_refused() {
    let place = Place::make();
    let small = place.object("blob", &vec![b'x'; 1 << 20]);
    let base = place.commit_tree(&place.tree_of([format!("120000 {small}\tlink")]));
    let verifier = place.verifier();
    let candidate = candidate(&verifier, &base).await;
    let told = unavailable(try_run(&verifier, &candidate, script("true")).await);
    assert!(told.contains("the candidate cannot be checked out"), "{told}");
    assert!(place.left().is_empty());
    let huge = place.object("blob", &vec![b'x'; 32 << 20]);
    let base = place.commit_tree(&place.tree_of((0..10).map(|number| format!("120000 {huge}\tlink{number}"))));
    let told = unavailable(verifier.prepare(&main_branch(), &base, &change(1)).await);
    assert!(told.contains("links") && told.contains("more than 256 MiB"), "{told}");
}
