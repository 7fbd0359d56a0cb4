//! Trees that are deep, wide, or have names that no file system takes.

use std::fs;

use selfext_domain::ports::{Verifier as _, VerifierError};
use selfext_domain::{ChangeSet, ExecutionContext, ToolName};

use crate::place::{Place, candidate, main_branch, path, run, script, try_run, unavailable};

fn deep(folders: usize) -> String {
    format!("{}file", "d/".repeat(folders))
}

/// A base that holds one more file, at this path.
fn place_with(name: &str) -> (Place, selfext_domain::CommitSha) {
    let place = Place::make();
    let small = place.object("blob", b"small\n");
    let base =
        place.commit_tree(&place.tree_of([format!("100644 {small}\t{name}"), format!("100644 {small}\tREADME")]));
    (place, base)
}

#[tokio::test]
async fn a_base_of_more_than_a_thousand_folders_in_one_another_serves() {
    let (place, base) = place_with(&deep(1_500));
    let verifier = place.verifier();
    let candidate = candidate(&verifier, &base).await;
    let down = "n=0; while [ $n -lt 1500 ]; do cd -P d || exit 1; n=$((n+1)); done; cat file";
    let report = run(&verifier, &candidate, script(down)).await;
    assert_eq!(report.output.as_str(), "small\n", "{report:?}");
    assert!(place.left().is_empty());
}

#[tokio::test]
async fn a_base_that_is_deeper_than_paths_can_be_long_is_refused() {
    for folders in [1_750, 2_000] {
        let (place, base) = place_with(&deep(folders));
        let verifier = place.verifier();
        let candidate = candidate(&verifier, &base).await;
        let told = unavailable(try_run(&verifier, &candidate, script("true")).await);
        assert!(told.contains(&format!("a path of {} bytes", deep(folders).len())), "{told}");
        assert!(place.left().is_empty());
    }
    // git itself takes no more than some thousands, here or where it is fetched from.
    let (place, base) = place_with(&deep(20_000));
    unavailable(place.verifier().prepare(&main_branch(), &base, &crate::place::change(1)).await);
}

#[tokio::test]
async fn names_are_as_long_as_a_file_system_takes_them() {
    let (place, base) = place_with(&format!("{0}/{0}", "n".repeat(255)));
    let verifier = place.verifier();
    let prepared = candidate(&verifier, &base).await;
    assert!(run(&verifier, &prepared, script("cat n*/n*")).await.result.passed());
    let (place, base) = place_with(&"n".repeat(256));
    let verifier = place.verifier();
    let prepared = candidate(&verifier, &base).await;
    let told = unavailable(try_run(&verifier, &prepared, script("true")).await);
    assert!(told.contains("the candidate cannot be checked out"), "{told}");
    assert!(place.left().is_empty());
}

#[tokio::test]
async fn a_change_writes_no_deeper_than_it_may() {
    let place = Place::make();
    let verifier = place.verifier();
    let base = place.source.head();
    let of = |names: &[String]| {
        let context = ExecutionContext::new(ToolName::parse("write").unwrap());
        let builder = ChangeSet::builder("deep", context);
        names.iter().fold(builder, |builder, name| builder.write(path(name), "x")).build().unwrap()
    };
    let long = format!("{0}/{0}", "n".repeat(255));
    let taken = verifier.prepare(&main_branch(), &base, &of(&[deep(128), long])).await.unwrap();
    assert!(run(&verifier, &taken, script("cat n*/n*")).await.result.passed());
    let many: Vec<String> = (0..200).map(|number| format!("{number}/{}", deep(1_020))).collect();
    match verifier.prepare(&main_branch(), &base, &of(&many)).await {
        Err(VerifierError::DoesNotApply { detail, paths }) => {
            assert!(detail.contains("1021 folders deep in 0; at most 128") && paths.len() == 200, "{detail}");
        }
        other => panic!("{other:?}"),
    }
    assert!(place.left().is_empty());
}

#[tokio::test]
async fn a_base_of_very_many_files_serves() {
    let place = Place::make();
    let small = place.object("blob", b"small\n");
    let many = (0..30_000).map(|number| format!("100644 {small}\t{}/{number}", number % 100));
    let base = place.commit_tree(&place.tree_of(many));
    let verifier = place.verifier();
    let candidate = candidate(&verifier, &base).await;
    let report = run(&verifier, &candidate, script("find . -type f | wc -l")).await;
    assert_eq!(report.output.as_str().trim(), "30001");
    assert!(place.left().is_empty());
}

/// Names that git itself never puts into a tree, and that would lead out of the worktree or into git's own folder.
#[tokio::test]
async fn a_base_with_names_that_lead_elsewhere_is_refused() {
    for name in
        ["..", ".", ".git", ".GIT", "git~1", "../canary", "a/../../canary", "/canary", ".git/objects/info/alternates"]
    {
        let place = Place::make();
        let raw = |object: &str| -> Vec<u8> {
            (0..object.len()).step_by(2).map(|at| u8::from_str_radix(&object[at..at + 2], 16).unwrap()).collect()
        };
        let file = raw(&place.object("blob", b"[core]\n"));
        let entry = |mode: &str, name: &str, object: &[u8]| [format!("{mode} {name}\0").as_bytes(), object].concat();
        let inner = raw(&place.object("tree", &entry("100644", "canary", &file)));
        for (mode, object) in [("40000", &inner), ("100644", &file), ("120000", &file)] {
            let base = place.commit_tree(&place.object("tree", &entry(mode, name, object)));
            let verifier = place.verifier();
            match verifier.prepare(&main_branch(), &base, &crate::place::change(1)).await {
                Err(VerifierError::Unavailable { detail, .. }) => {
                    assert!(detail.contains("git ended with"), "{detail}");
                }
                other => panic!("{mode} {name}: {other:?}"),
            }
            let reached = crate::place::files(&place.cache()).into_iter().any(|(file, _)| file.ends_with("canary"));
            assert!(!reached && !place.path("canary").exists() && !fs::exists("/canary").unwrap());
            assert!(place.left().is_empty());
        }
    }
}
