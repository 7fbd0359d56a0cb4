//! Taking back what is large, beside what the repository holds.

use selfext_domain::ports::Verifier as _;
use selfext_domain::{ChangeSet, ExecutionContext, RepoPath, ToolName};

use crate::place::{Place, main_branch, path};

/// One object of 8 MiB under thirty names: 240 MiB to be restored, and 192 MiB may be.
#[tokio::test]
async fn what_is_too_large_to_be_restored_is_told_before_it_lands_and_when_it_is_taken_back() {
    let place = Place::make();
    let large = place.object("blob", &vec![b'x'; 8 << 20]);
    let names: Vec<RepoPath> = (10..40).map(|number| path(&format!("large/{number}"))).collect();
    let base = place.commit_tree(&place.tree_of(names.iter().map(|name| format!("100644 {large}\t{name}"))));
    let small = place.object("blob", b"x");
    let landed = place.commit_tree(&place.tree_of([format!("100644 {small}\tsmall")]));
    let verifier = place.verifier();

    let context = ExecutionContext::new(ToolName::parse("t").unwrap());
    let change = names.iter().fold(ChangeSet::builder("why", context), |it, name| it.delete(name.clone()));
    let change = change.write(path("small"), "x").build().unwrap();
    let candidate = verifier.prepare(&main_branch(), &base, &change).await.unwrap();
    assert_eq!(candidate.irreversible, names[24..]);

    let inverse = verifier.invert(&main_branch(), &landed, &landed).await.unwrap();
    let restored: Vec<&RepoPath> = inverse.files.keys().collect();
    assert!(restored.into_iter().eq(names[..24].iter().chain([&path("small")])), "{:?}", inverse.conflicts);
    assert!(inverse.conflicts.iter().map(|conflict| &conflict.path).eq(&names[24..]));
    let detail = &inverse.conflicts[0].detail;
    assert!(detail.contains("8388608 bytes") && detail.contains("192 MiB"), "{detail}");
    assert!(place.left().is_empty());
}
