use std::fs;
use std::os::unix::fs::symlink;

use selfext_domain::{CommitSha, FileChange, Inverse};

use crate::verifier::VerifierWorld;
use crate::verifier::change::{path, write_as};
use crate::verifier::scene::Scene;

/// The paths and details of the conflicts, none of which can be marked.
fn unmarked(inverse: &Inverse) -> Vec<(&str, &str)> {
    assert!(inverse.conflicts.iter().all(|conflict| conflict.marked.is_none()), "{inverse:?}");
    inverse.conflicts.iter().map(|conflict| (conflict.path.as_str(), conflict.detail.as_str())).collect()
}

/// Sees that these are the conflicts, each with a word of its detail.
fn assert_conflicts(inverse: &Inverse, expected: &[(&str, &str)]) {
    let found = unmarked(inverse);
    let fits = |((path, detail), (name, word)): (&(&str, &str), &(&str, &str))| path == name && detail.contains(word);
    assert!(found.len() == expected.len() && found.iter().zip(expected).all(fits), "{found:?} is not {expected:?}");
}

pub async fn lines_that_others_changed_too_are_marked<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    scene.source.write("dir/file", "top\nin a new folder\nend\n");
    scene.source.write("README", "changed\n");
    let landed = scene.source.commit();
    scene.source.write("dir/file", "top\nin their folder\nend\n");
    let base = scene.source.commit();
    let inverse = scene.invert(&landed, &base).await;
    let marked = "<<<<<<< as it is now\ntop\nin their folder\nend\n||||||| as it landed\ntop\nin a new folder\nend\n=======\n\
                  in a folder\n>>>>>>> before it landed\n";
    let [conflict] = &inverse.conflicts[..] else { panic!("{inverse:?}") };
    assert_eq!(
        (conflict.path.as_str(), conflict.detail.as_str()),
        ("dir/file", "others have changed the same lines since")
    );
    assert_eq!(conflict.marked.as_deref().map(String::from_utf8_lossy).as_deref(), Some(marked));
    assert_eq!(inverse.files, [(path("README"), write_as("hello\n", false))].into());
    assert_eq!(scene.invert(&landed, &base).await, inverse);

    // A person can be given both.
    let text = FileChange::Write { content: marked.as_bytes().into(), executable: None };
    let candidate = scene.on(&base, inverse.files.into_iter().chain([(path("dir/file"), text)])).await;
    assert_eq!(candidate.entries.len(), 2);
}

pub async fn what_others_did_to_a_file_is_told_where_nothing_can_be_merged<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let source = &scene.source;
    source.write("binary", [0, 1]);
    source.write("README", "changed\n");
    source.write("new", "new\n");
    source.write("dir/other", "changed\n");
    source.write("selfext.toml", "changed\n");
    source.remove("dir/file");
    let landed = source.commit();
    source.write("binary", [0, 2]);
    source.remove("README");
    source.write("new", "theirs\n");
    source.write("dir/file", "theirs\n");
    source.remove("dir/other");
    symlink("file", source.folder().join("dir/other")).unwrap();
    source.remove("selfext.toml");
    source.write("selfext.toml/inside", "theirs\n");
    let base = source.commit();
    let inverse = scene.invert(&landed, &base).await;
    let expected = [
        ("README", "others have deleted it since"),
        ("binary", "it is binary"),
        ("dir/file", "it was deleted, and others have put a file there since"),
        ("dir/other", "others have made a symbolic link of it since"),
        ("new", "it was new, and others have changed it since"),
        ("selfext.toml", "others have made a folder of it since"),
    ];
    assert_conflicts(&inverse, &expected);
    assert!(inverse.files.is_empty());

    // A text that grew beyond all measure is not merged either.
    let large = |first: &str| first.to_owned() + &"line\n".repeat(2 << 20);
    source.write("large", large("1\n"));
    source.commit();
    source.write("large", large("2\n"));
    let landed = source.commit();
    source.write("large", large("2\n") + "end\n");
    let base = source.commit();
    assert_conflicts(&scene.invert(&landed, &base).await, &[("large", "larger than the 8 MiB")]);
    assert_eq!(scene.taken_back(&landed, &landed).await.entries.len(), 1);
}

pub async fn a_link_or_submodule_that_was_there_cannot_be_restored<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let source = &scene.source;
    source.remove("link");
    source.write("link", "a file now\n");
    fs::remove_dir(source.folder().join("sub")).unwrap();
    source.remove("dir/file");
    symlink("other", source.folder().join("dir/file")).unwrap();
    symlink("README", source.folder().join("new-link")).unwrap();
    let landed = source.commit();
    let inverse = scene.invert(&landed, &landed).await;
    let expected = [
        ("link", "it was a symbolic link, which no change set can write"),
        ("sub", "it was a submodule, which no change set can write"),
    ];
    assert_conflicts(&inverse, &expected);
    let restored = [(path("dir/file"), write_as("in a folder\n", false)), (path("new-link"), FileChange::Delete)];
    assert_eq!(inverse.files, restored.clone().into());
    scene.on(&landed, inverse.files).await;

    // A submodule that landed cannot be deleted by a change set.
    source.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{landed},sub2")]);
    fs::create_dir(source.folder().join("sub2")).unwrap();
    let with_submodule = source.commit();
    assert_conflicts(&scene.invert(&with_submodule, &with_submodule).await, &[("sub2", "is a submodule")]);

    // Where a person has put them back, nothing is left to do.
    source.git(&["checkout", "--quiet", scene.base.as_str(), "--", "link"]);
    source.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{},sub", first_parent(&scene))]);
    fs::create_dir_all(source.folder().join("sub")).unwrap();
    let base = source.commit();
    let inverse = scene.invert(&landed, &base).await;
    assert_eq!(inverse, Inverse { files: restored.into(), conflicts: Vec::new() });
}

/// What the scene's submodule is at.
fn first_parent<W: VerifierWorld>(scene: &Scene<W>) -> CommitSha {
    CommitSha::parse(scene.source.git(&["rev-parse", &format!("{}^", scene.base)])).unwrap()
}

pub async fn a_file_or_folder_of_others_is_not_pushed_aside<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let source = &scene.source;
    source.remove("dir/file");
    source.remove("dir/other");
    source.remove("README");
    source.write("README/inside", "new\n");
    source.remove("run");
    source.remove("binary");
    let landed = source.commit();
    assert_eq!(scene.taken_back(&landed, &landed).await.tree, source.tree_of(&scene.base));
    source.write("dir", "a file of others\n");
    source.write("README/theirs", "theirs\n");
    source.write("run/theirs", "theirs\n");
    source.write("BINARY", "theirs\n");
    let base = source.commit();
    let inverse = scene.invert(&landed, &base).await;
    let expected = [
        ("README", "which is a folder that holds README/theirs"),
        ("binary", "take binary for BINARY"),
        ("dir/file", "needs dir to be a folder"),
        ("dir/other", "needs dir to be a folder"),
        ("run", "which is a folder that holds run/theirs"),
    ];
    assert_conflicts(&inverse, &expected);
    assert_eq!(inverse.files, [(path("README/inside"), FileChange::Delete)].into());
    scene.on(&base, inverse.files).await;
}
