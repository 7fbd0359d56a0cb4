use std::fs;

use selfext_domain::ports::Verifier as _;
use selfext_domain::{ChangeSetBuilder, EntryChange};

use crate::verifier::VerifierWorld;
use crate::verifier::change::{change, change_of, main_branch, path, script, write_as};
use crate::verifier::scene::Scene;

pub async fn a_candidate_is_the_tree_that_git_makes<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let candidate = scene
        .prepare(&change_of(&[
            ("README", Some("changed\n")),
            ("a new/folder/ünï#1", Some("x")),
            ("dir.x", Some("sorts before the folder dir\n")),
            ("dir/file", None),
            ("run", Some("#!/bin/sh\n")),
        ]))
        .await;
    let source = &scene.source;
    let base_tree = source.tree();
    source.write("README", "changed\n");
    source.write("a new/folder/ünï#1", "x");
    source.write("dir.x", "sorts before the folder dir\n");
    fs::remove_file(source.folder().join("dir/file")).unwrap();
    source.write("run", "#!/bin/sh\n");
    source.git(&["add", "--all"]);
    assert_eq!(candidate.tree, source.write_tree());
    assert_eq!((&candidate.base, &candidate.base_tree), (&scene.base, &base_tree));
    let write = |content: &str, executable| EntryChange::Write { content: content.as_bytes().into(), executable };
    let expected = [
        (path("README"), write("changed\n", false)),
        (path("a new/folder/ünï#1"), write("x", false)),
        (path("dir.x"), write("sorts before the folder dir\n", false)),
        (path("dir/file"), EntryChange::Delete),
        (path("run"), write("#!/bin/sh\n", true)),
    ];
    assert_eq!(candidate.entries, expected);
}

pub async fn the_same_change_gives_the_same_candidate<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let change = change_of(&[("README", Some("changed\n")), ("dir/file", None)]);
    let first = scene.prepare(&change).await;
    assert_eq!(scene.prepare(&change).await, first);
    assert_eq!(scene.another_verifier().prepare(&main_branch(), &scene.base, &change).await.unwrap(), first);
    assert!(scene.run(&first, &[script("echo spoilt > README; rm run")]).await[0].result.passed());
    assert_eq!(scene.prepare(&change).await, first);
}

pub async fn modes_are_kept_unless_asked_for<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let asked = change()
        .file(path("README"), write_as("hello\n", true))
        .file(path("new"), write_as("x", true))
        .file(path("run"), write_as("x", false))
        .build();
    let candidate = scene.prepare(&asked.unwrap()).await;
    scene.source.put("README", "100755", b"hello\n");
    scene.source.put("new", "100755", b"x");
    scene.source.put("run", "100644", b"x");
    assert_eq!(candidate.tree, scene.source.write_tree());
    let kept = scene.prepare(&change_of(&[("README", Some("a")), ("new", Some("b")), ("run", Some("c"))])).await;
    scene.source.put("README", "100644", b"a");
    scene.source.put("new", "100644", b"b");
    scene.source.put("run", "100755", b"c");
    assert_eq!(kept.tree, scene.source.write_tree());
}

pub async fn what_does_not_differ_is_no_entry<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let same = scene.prepare(&change_of(&[("README", Some("hello\n")), ("dir/file", Some("in a folder\n"))])).await;
    assert_eq!((same.tree, same.entries), (same.base_tree, vec![]));
    let one = scene.prepare(&change_of(&[("README", Some("hello\n")), ("dir/file", Some("changed\n"))])).await;
    assert_eq!(one.entries.len(), 1);
    assert_eq!(one.entries[0].0, path("dir/file"));
}

pub async fn contents_are_stored_as_they_are<W: VerifierWorld>() {
    let mut scene = Scene::<W>::set();
    scene.source.write(".gitattributes", "* text=auto ident\n*.txt text eol=crlf working-tree-encoding=UTF-16\n");
    scene.base = scene.source.commit();
    let all: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let files: &[(&str, &[u8])] = &[
        ("crlf", b"a\r\nb\r\n"),
        ("empty", b""),
        ("binary", &all),
        ("ident", b"$Id: x $\n"),
        ("b.txt", b"\xff\r\n\0"),
    ];
    let add = |builder: ChangeSetBuilder, (name, content): &(&str, &[u8])| builder.write(path(name), *content);
    let candidate = scene.prepare(&files.iter().fold(change(), add).build().unwrap()).await;
    for (name, content) in files {
        scene.source.put(name, "100644", content);
    }
    assert_eq!(candidate.tree, scene.source.write_tree());
}

pub async fn a_link_or_submodule_is_replaced_by_a_file<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let candidate = scene.prepare(&change_of(&[("link", Some("no link\n")), ("sub", Some("no submodule\n"))])).await;
    scene.source.put("link", "100644", b"no link\n");
    scene.source.put("sub", "100644", b"no submodule\n");
    assert_eq!(candidate.tree, scene.source.write_tree());
    let stage = script("test -f link && test ! -L link && test -f sub && test \"$(cat README)\" = hello");
    assert!(scene.run(&candidate, &[stage]).await[0].result.passed());
}

pub async fn a_file_may_become_a_folder_and_a_folder_a_file<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let change = change_of(&[
        ("README", None),
        ("README/inside", Some("x")),
        ("dir", Some("a file now\n")),
        ("dir/file", None),
        ("dir/other", None),
        ("link", None),
        ("link/inside", Some("x")),
    ]);
    let candidate = scene.prepare(&change).await;
    for (name, content) in [("README/inside", "x"), ("dir", "a file now\n"), ("link/inside", "x")] {
        scene.source.put(name, "100644", content.as_bytes());
    }
    assert_eq!(candidate.tree, scene.source.write_tree());
    assert!(scene.run(&candidate, &[script("test -f dir && cat README/inside link/inside")]).await[0].result.passed());
}

pub async fn deleting_what_is_not_there_is_refused<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    for name in ["none", "dir", "sub", "dir/none", "README/x", "readme", "link/x"] {
        let change = change_of(&[(name, None), ("new", Some("x"))]);
        assert_eq!(scene.refusal(&change).await, [path(name)]);
    }
    let link = scene.prepare(&change_of(&[("link", None)])).await;
    assert_eq!(link.entries, [(path("link"), EntryChange::Delete)]);
}

pub async fn a_path_below_what_is_no_folder_is_refused<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    for name in ["README/x", "run/x/y", "link/x", "sub/x", "dir/file/x"] {
        assert_eq!(scene.refusal(&change_of(&[(name, Some("x"))])).await, [path(name)]);
    }
    let both = scene.refusal(&change_of(&[("README/x", Some("x")), ("none", None)])).await;
    assert_eq!(both, [path("README/x"), path("none")]);
}

pub async fn a_file_in_the_place_of_a_folder_is_refused<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    assert_eq!(scene.refusal(&change_of(&[("dir", Some("x"))])).await, [path("dir")]);
    let half = change_of(&[("dir", Some("x")), ("dir/file", None)]);
    assert_eq!(scene.refusal(&half).await, [path("dir")]);
}

pub async fn names_that_differ_in_case_alone_are_refused<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    for name in ["readme", "DIR/new", "Dir", "dir/File"] {
        assert_eq!(scene.refusal(&change_of(&[(name, Some("x"))])).await, [path(name)]);
    }
    assert_eq!(scene.refusal(&change_of(&[("new", Some("x")), ("NEW", Some("y"))])).await, [path("NEW"), path("new")]);
    let renamed = scene.prepare(&change_of(&[("README", None), ("readme", Some("x"))])).await;
    assert_eq!(renamed.entries.len(), 2);
}

pub async fn names_that_differ_in_normal_form_alone_are_refused<W: VerifierWorld>() {
    let mut scene = Scene::<W>::set();
    scene.source.write("caf\u{e9}/menu", "x");
    scene.base = scene.source.commit();
    for name in ["cafe\u{301}/menu", "cafe\u{301}/other", "caf\u{e9}/MENU", "CAF\u{c9}/new", "cafe\u{301}"] {
        assert_eq!(scene.refusal(&change_of(&[(name, Some("x"))])).await, [path(name)]);
    }
    let both = change_of(&[("a\u{308}", Some("x")), ("\u{e4}", Some("y"))]);
    assert_eq!(scene.refusal(&both).await, [path("a\u{308}"), path("\u{e4}")]);
    let renamed = change_of(&[("caf\u{e9}/menu", None), ("cafe\u{301}/menu", Some("x"))]);
    assert_eq!(scene.prepare(&renamed).await.entries.len(), 2);
}

pub async fn a_thousand_files_are_one_candidate<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let name = |number: usize| format!("many/{}/{number}", number % 37);
    let add =
        |builder: ChangeSetBuilder, number: usize| builder.write(path(&name(number)), format!("content {number}\n"));
    let candidate = scene.prepare(&(0..1_000).fold(change(), add).build().unwrap()).await;
    assert_eq!(candidate.entries.len(), 1_000);
    for number in 0..1_000 {
        scene.source.write(&name(number), format!("content {number}\n"));
    }
    scene.source.git(&["add", "--all"]);
    assert_eq!(candidate.tree, scene.source.write_tree());
    let counted = scene.run(&candidate, &[script("find many -type f | wc -l")]).await;
    assert_eq!(counted[0].output.as_str().trim(), "1000");
}
