use std::fs;

use selfext_domain::ports::{Verifier as _, VerifierError};
use selfext_domain::{BranchName, CommitSha};

use crate::verifier::VerifierWorld;
use crate::verifier::change::{change_of, main_branch, path, script};
use crate::verifier::scene::Scene;

pub async fn a_regular_file_is_read_and_nothing_else<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let read = async |name: &str| scene.verifier.read_file(&main_branch(), &scene.base, &path(name)).await.unwrap();
    assert_eq!(read("README").await.as_deref(), Some(&b"hello\n"[..]));
    assert_eq!(read("dir/file").await.as_deref(), Some(&b"in a folder\n"[..]));
    assert_eq!(read("run").await.as_deref(), Some(&b"#!/bin/sh\necho ran\n"[..]));
    assert_eq!(read("binary").await, Some((0..=255).collect()));
    for none in ["link", "sub", "dir", "none", "README/x", "dir/none", "link/x", ":(top)README", "READM?"] {
        assert_eq!(read(none).await, None, "{none}");
    }
}

pub async fn rules_are_read_from_the_base_whatever_the_candidate_says<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let candidate = scene.prepare(&change_of(&[("selfext.toml", Some("version = 2\n"))])).await;
    scene.run(&candidate, &[script("echo 'version = 3' > selfext.toml")]).await;
    let rules = scene.verifier.read_file(&main_branch(), &scene.base, &path("selfext.toml")).await.unwrap();
    assert_eq!(rules.as_deref(), Some(&b"version = 1\n"[..]));
}

pub async fn every_commit_of_the_branch_may_be_a_base<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let before = CommitSha::parse(scene.source.git(&["rev-parse", "HEAD~1"])).unwrap();
    let found = scene.verifier.read_file(&main_branch(), &before, &path("README")).await.unwrap();
    assert_eq!(found.as_deref(), Some(&b"first\n"[..]));
    // One that came after the verifier last looked.
    scene.source.write("README", "later\n");
    let after = scene.source.commit();
    let candidate =
        scene.verifier.prepare(&main_branch(), &after, &change_of(&[("dir/file", Some("x"))])).await.unwrap();
    assert_eq!((candidate.base, candidate.base_tree), (after, scene.source.tree()));
    // One on a branch whose name begins like another's.
    for branch in ["side", "side/line"] {
        scene.source.git(&["checkout", "--quiet", "-b", "draft"]);
        scene.source.write("README", branch);
        let tip = scene.source.commit();
        scene.source.git(&["branch", "--move", branch]);
        let branch_name = BranchName::parse(branch).unwrap();
        let found = scene.verifier.read_file(&branch_name, &tip, &path("README")).await.unwrap();
        assert_eq!(found.as_deref(), Some(branch.as_bytes()));
        scene.source.git(&["checkout", "--quiet", "main"]);
        scene.source.git(&["branch", "--delete", "--force", branch]);
    }
}

pub async fn a_base_that_cannot_be_had_is_missing<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let unknown = CommitSha::parse("1234567890".repeat(4)).unwrap();
    let no_commit = CommitSha::parse(scene.source.tree().as_str()).unwrap();
    let no_branch = BranchName::parse("no-such-branch").unwrap();
    let change = change_of(&[("new", Some("x"))]);
    // The branch first: once the verifier has the commit, it need not ask for the branch.
    let asked = [(&no_branch, &scene.base), (&main_branch(), &unknown), (&main_branch(), &no_commit)];
    for (branch, base) in asked {
        let read = scene.verifier.read_file(branch, base, &path("README")).await;
        assert!(matches!(&read, Err(VerifierError::BaseMissing(named)) if named == base), "{read:?}");
        let prepared = scene.verifier.prepare(branch, base, &change).await;
        assert!(matches!(&prepared, Err(VerifierError::BaseMissing(named)) if named == base), "{prepared:?}");
    }
    let compared = scene.verifier.changed_between(&main_branch(), &scene.base, &unknown, &[path("README")]).await;
    assert!(matches!(&compared, Err(VerifierError::BaseMissing(named)) if *named == unknown), "{compared:?}");
}

pub async fn a_base_survives_a_force_push<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let change = change_of(&[("README", Some("changed\n"))]);
    let before = scene.prepare(&change).await;
    scene.source.git(&["checkout", "--quiet", "--orphan", "anew"]);
    scene.source.write("README", "another history\n");
    let anew = scene.source.commit();
    scene.source.git(&["branch", "--move", "--force", "anew", "main"]);
    scene.source.git(&["reflog", "expire", "--expire=now", "--all"]);
    scene.source.git(&["gc", "--quiet", "--prune=now"]);
    let found = scene.verifier.read_file(&main_branch(), &anew, &path("README")).await.unwrap();
    assert_eq!(found.as_deref(), Some(&b"another history\n"[..]));
    assert_eq!(scene.prepare(&change).await, before);
    // The objects are the verifier's own: it needs the source no more.
    fs::remove_dir_all(scene.source.folder()).unwrap();
    assert_eq!(scene.another_verifier().prepare(&main_branch(), &scene.base, &change).await.unwrap(), before);
    assert!(scene.run(&before, &[script("grep changed README")]).await[0].result.passed());
}

pub async fn what_changed_between_two_bases_is_told<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    scene.source.git(&["rm", "--quiet", "dir/file"]);
    scene.source.write("dir/file/now/a/folder", "x");
    scene.source.write("run", "#!/bin/sh\necho ran\n");
    scene.source.git(&["update-index", "--chmod=-x", "run"]);
    scene.source.git(&["config", "core.fileMode", "false"]);
    scene.source.write("added", "x");
    scene.source.git(&["rm", "--quiet", "binary"]);
    let after = scene.source.commit();
    let asked: Vec<_> = ["README", "added", "binary", "dir/file", "dir/other", "none", "run", "README/x"]
        .map(path)
        .into_iter()
        .collect();
    let differ = async |from: &CommitSha, to: &CommitSha| {
        scene.verifier.changed_between(&main_branch(), from, to, &asked).await.unwrap()
    };
    let expected = ["added", "binary", "dir/file", "run"].map(path);
    assert_eq!(differ(&scene.base, &after).await, expected);
    assert_eq!(differ(&after, &scene.base).await, expected);
    assert_eq!(differ(&after, &after).await, []);
}
