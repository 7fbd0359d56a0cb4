use std::fs;
use std::os::unix::fs::symlink;

use selfext_domain::ports::{Verifier as _, VerifierError};
use selfext_domain::{CommitSha, FileChange, Inverse};

use crate::verifier::change::{change_of, main_branch, path, write_as};
use crate::verifier::scene::Scene;
use crate::verifier::{SourceRepository, VerifierWorld};

const ODD: [&str; 6] = ["a b/c d", "#1", "100%.txt", "50%25", "ünï/日本", "-x"];

fn lines(first: &str, last: &str) -> String {
    format!("{first}\n2\n3\n4\n5\n6\n7\n8\n{last}\n")
}

/// Does everything that a change can do to files.
fn change_everything(source: &SourceRepository) {
    source.write("README", "changed\n");
    source.remove("dir/file");
    source.write("new/deep/file", "new\n");
    source.write("binary", [0, 1, 2, 0xff]);
    source.set_executable("run", false);
    source.set_executable("dir/other", true);
    for name in ODD {
        source.write(name, "new\n");
    }
}

pub async fn a_whole_change_is_taken_back<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let before = scene.source.tree();
    change_everything(&scene.source);
    let landed = scene.source.commit();
    let inverse = scene.invert(&landed, &landed).await;
    let delete = |name: &str| (path(name), FileChange::Delete);
    let binary = FileChange::Write { content: (0..=255).collect(), executable: Some(false) };
    let expected = [
        (path("README"), write_as("hello\n", false)),
        (path("binary"), binary),
        (path("dir/file"), write_as("in a folder\n", false)),
        (path("dir/other"), write_as("beside it\n", false)),
        delete("new/deep/file"),
        (path("run"), write_as("#!/bin/sh\necho ran\n", true)),
    ];
    let files = expected.into_iter().chain(ODD.map(delete)).collect();
    assert_eq!(inverse, Inverse { files, conflicts: Vec::new() });
    assert_eq!(scene.taken_back(&landed, &landed).await.tree, before);
    assert_eq!(scene.invert(&landed, &landed).await, inverse);
    assert_eq!(scene.another_verifier().invert(&main_branch(), &landed, &landed).await.unwrap(), inverse);

    // And the change that took it back is taken back as well.
    for name in ODD {
        scene.source.remove(name);
    }
    scene.source.git(&["checkout", "--quiet", "HEAD~1", "--", "."]);
    scene.source.remove("new/deep/file");
    let reversal = scene.source.commit();
    assert_eq!(scene.source.tree(), before);
    assert_eq!(scene.taken_back(&reversal, &reversal).await.tree, scene.source.tree_of(&landed));
}

pub async fn modes_are_restored_under_what_others_wrote<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    scene.source.set_executable("run", false);
    scene.source.set_executable("README", true);
    scene.source.set_executable("binary", true);
    let landed = scene.source.commit();
    scene.source.write("run", "of others\n");
    scene.source.set_executable("README", false);
    scene.source.write("binary", [0, 0, 0]);
    let base = scene.source.commit();
    let inverse = scene.invert(&landed, &base).await;
    let binary = FileChange::Write { content: [0, 0, 0].into(), executable: Some(false) };
    let files = [(path("binary"), binary), (path("run"), write_as("of others\n", true))].into();
    assert_eq!(inverse, Inverse { files, conflicts: Vec::new() });
}

pub async fn what_others_changed_elsewhere_is_kept<W: VerifierWorld>() {
    let mut scene = Scene::<W>::set();
    scene.source.write("dir/other", lines("one", "nine"));
    scene.source.set_executable("dir/other", true);
    scene.base = scene.source.commit();
    change_everything(&scene.source);
    scene.source.write("dir/other", lines("ONE", "nine"));
    scene.source.set_executable("dir/other", false);
    let landed = scene.source.commit();
    scene.source.write("dir/other", lines("ONE", "NINE"));
    scene.source.write("selfext.toml", "version = 2\n");
    scene.source.write("new/by/others", "theirs\n");
    scene.source.remove("link");
    let base = scene.source.commit();

    let candidate = scene.taken_back(&landed, &base).await;
    let source = &scene.source;
    source.git(&["read-tree", scene.base.as_str()]);
    source.put("dir/other", "100755", lines("one", "NINE").as_bytes());
    source.put("selfext.toml", "100644", b"version = 2\n");
    source.put("new/by/others", "100644", b"theirs\n");
    source.git(&["update-index", "--force-remove", "link"]);
    assert_eq!(candidate.tree, source.write_tree());
}

pub async fn what_is_restored_already_is_left_alone<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    change_everything(&scene.source);
    let landed = scene.source.commit();
    scene.source.write("README", "hello\n");
    scene.source.remove("new/deep/file");
    scene.source.set_executable("run", true);
    scene.source.write("dir/file", "in a folder\n");
    let base = scene.source.commit();
    let inverse = scene.invert(&landed, &base).await;
    for name in ["README", "new/deep/file", "run", "dir/file"] {
        assert!(!inverse.files.contains_key(&path(name)), "{name}");
    }
    assert_eq!(scene.taken_back(&landed, &base).await.tree, scene.source.tree_of(&scene.base));
    scene.source.git(&["revert", "--no-edit", landed.as_str()]);
    let reverted = scene.source.head();
    assert_eq!(scene.invert(&landed, &reverted).await, Inverse::default());

    // Also where it was restored in the midst of other work.
    let commit = |first: &str, last: &str| {
        scene.source.write("long", lines(first, last));
        scene.source.commit()
    };
    commit("one", "nine");
    let (landed, base) = (commit("ONE", "nine"), commit("one", "NINE"));
    assert_eq!(scene.invert(&landed, &base).await, Inverse::default());
}

pub async fn a_merge_is_taken_back_to_its_first_parent<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let source = &scene.source;
    source.git(&["checkout", "--quiet", "-b", "side"]);
    change_everything(source);
    source.commit();
    source.git(&["checkout", "--quiet", "main"]);
    source.write("selfext.toml", "version = 2\n");
    let parent = source.commit();
    source.git(&["merge", "--quiet", "--no-ff", "--no-edit", "side"]);
    let landed = source.head();
    assert_eq!(scene.taken_back(&landed, &landed).await.tree, source.tree_of(&parent));
    // A commit of the side that is merged has its own parent.
    let of_side = CommitSha::parse(source.git(&["rev-parse", "side"])).unwrap();
    let candidate = scene.taken_back(&of_side, &landed).await;
    assert_eq!(candidate.tree, source.tree_of(&parent));
}

pub async fn bytes_are_restored_and_merged_as_they_are<W: VerifierWorld>() {
    let mut scene = Scene::<W>::set();
    let attributes = "* text=auto ident merge=ours\n*.txt text eol=crlf working-tree-encoding=UTF-16\n";
    let text = |first: &str, last: &str| format!("{first}\r\n$Id: x $\n3\r\n4\n5\n6\n\u{fe}\n{last}");
    let commit = |attributes: &str, texts: [String; 2]| {
        scene.source.put(".gitattributes", "100644", attributes.as_bytes());
        scene.source.put("a.txt", "100644", texts[0].as_bytes());
        scene.source.put("b.txt", "100644", texts[1].as_bytes());
        scene.source.git(&["commit", "--quiet", "--message=raw"]);
        scene.source.head()
    };
    let before = commit(attributes, [text("1", "8"), text("1", "8")]);
    let landed = commit("* -text\n", [text("one", "8"), text("one", "8")]);
    let base = commit("* -text\n", [text("one", "eight"), text("one", "8")]);
    scene.base = before;
    let candidate = scene.taken_back(&landed, &base).await;
    scene.source.git(&["read-tree", scene.base.as_str()]);
    scene.source.put("a.txt", "100644", text("1", "eight").as_bytes());
    assert_eq!(candidate.tree, scene.source.write_tree());
}

pub async fn a_thousand_files_are_taken_back_at_once<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let before = scene.source.tree();
    for number in 0..1_000 {
        scene.source.write(&format!("many/{}/{number}", number % 37), format!("content {number}\n"));
    }
    let landed = scene.source.commit();
    let candidate = scene.taken_back(&landed, &landed).await;
    assert_eq!((candidate.tree, candidate.entries.len()), (before, 1_000));
    fs::remove_dir_all(scene.source.folder().join("many")).unwrap();
    let reversal = scene.source.commit();
    let candidate = scene.taken_back(&reversal, &reversal).await;
    assert_eq!((candidate.tree, candidate.entries.len()), (scene.source.tree_of(&landed), 1_000));
}

pub async fn what_cannot_be_taken_back_is_an_error_that_says_why<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let unknown = CommitSha::parse("1234567890".repeat(4)).unwrap();
    for (landed, base) in [(&unknown, &scene.base), (&scene.base, &unknown), (&unknown, &unknown)] {
        let refused = scene.try_invert(landed, base).await;
        assert!(matches!(&refused, Err(VerifierError::BaseMissing(named)) if *named == unknown), "{refused:?}");
    }
    let root = CommitSha::parse(scene.source.git(&["rev-list", "--max-parents=0", "HEAD"])).unwrap();
    match scene.try_invert(&root, &scene.base).await {
        Err(VerifierError::Unavailable { detail, .. }) => {
            assert!(detail.contains("has no parent") && detail.contains(root.as_str()), "{detail}");
        }
        other => panic!("{other:?}"),
    }
    scene.source.write("no\\name", "x");
    let landed = scene.source.commit();
    match scene.try_invert(&landed, &landed).await {
        Err(VerifierError::DoesNotApply { detail, .. }) => assert!(detail.contains("no\\\\name"), "{detail}"),
        other => panic!("{other:?}"),
    }
}

pub async fn what_a_rollback_could_not_restore_is_told_before<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let all = change_of(&[("README", Some("x")), ("dir/file", None), ("new", Some("x")), ("run", Some("x"))]);
    assert_eq!(scene.prepare(&all).await.irreversible, []);
    let lost = change_of(&[("README", None), ("link", None), ("sub", Some("x"))]);
    let candidate = scene.prepare(&lost).await;
    assert_eq!(candidate.irreversible, [path("link"), path("sub")]);

    // It comes to that.
    scene.source.remove("README");
    scene.source.remove("link");
    fs::remove_dir(scene.source.folder().join("sub")).unwrap();
    scene.source.write("sub", "x");
    let landed = scene.source.commit();
    assert_eq!(scene.source.tree(), candidate.tree);
    let inverse = scene.invert(&landed, &landed).await;
    assert!(inverse.conflicts.iter().map(|conflict| &conflict.path).eq(&candidate.irreversible));
    assert_eq!(inverse.files, [(path("README"), write_as("hello\n", false))].into());

    // What others bring as a link is no concern of a change that leaves it alone.
    symlink("README", scene.source.folder().join("another")).unwrap();
    scene.source.commit();
    assert_eq!(scene.prepare(&all).await.irreversible, []);
}
