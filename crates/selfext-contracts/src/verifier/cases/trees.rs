use std::process::Command;

use selfext_domain::ports::{Verifier as _, VerifierError};
use selfext_domain::{StageLimits, StageResult, StageRules};

use crate::verifier::VerifierWorld;
use crate::verifier::change::{change_of, main_branch, path, run_id, script};
use crate::verifier::process::find;
use crate::verifier::scene::Scene;

const MIB: usize = 1 << 20;

pub async fn a_large_file_of_the_base_is_there_whole<W: VerifierWorld>() {
    let mut scene = Scene::<W>::set();
    scene.source.write("large", vec![b'x'; 40 * MIB]);
    scene.base = scene.source.commit();
    let candidate = scene.candidate().await;
    let report = scene.run(&candidate, &[script("wc -c < large")]).await.remove(0);
    assert_eq!(report.output.as_str().trim(), (40 * MIB).to_string());
    // It is too large to be read as rules, which is said and does no harm.
    let read = scene.verifier.read_file(&main_branch(), &scene.base, &path("large")).await;
    assert!(matches!(&read, Err(VerifierError::Unavailable { detail, .. }) if detail.contains("large")), "{read:?}");
}

pub async fn a_tree_that_would_fill_the_disk_is_not_checked_out<W: VerifierWorld>() {
    let mut scene = Scene::<W>::set();
    // One blob under many names: small as objects, large as files.
    scene.source.write("bomb/0", vec![b'x'; MIB]);
    scene.source.git(&["add", "--all"]);
    let blob = scene.source.git(&["rev-parse", ":bomb/0"]);
    for number in 1..64 {
        scene.source.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{blob},bomb/{number}")]);
    }
    scene.source.git(&["commit", "--quiet", "--message=bomb"]);
    scene.base = scene.source.head();
    let candidate = scene.candidate().await;
    let limited = |disk_bytes| StageRules {
        limits: StageLimits { disk_bytes, ..StageLimits::default() },
        ..script("ls bomb | wc -l")
    };
    let refused = scene.verifier.run_stages(&run_id("run-1"), &candidate, &[limited(32 * MIB as u64)]).await;
    let Err(VerifierError::Unavailable { detail, .. }) = refused else { panic!("{refused:?}") };
    assert!(detail.contains("disk_bytes") && detail.contains(&(32 * MIB).to_string()), "{detail}");
    assert!(find(&scene.room(), "63").is_empty());
    let report = scene.run(&candidate, &[limited(128 * MIB as u64)]).await.remove(0);
    assert_eq!(report.output.as_str().trim(), "64");
}

pub async fn deep_folders_and_long_names_work_or_are_refused<W: VerifierWorld>() {
    let mut scene = Scene::<W>::set();
    let deep = |depth: usize| format!("{}file", "d/".repeat(depth));
    let long = "n".repeat(255);
    let name = deep(100);
    let candidate = scene.prepare(&change_of(&[(&name, Some("deep\n")), (&long, Some("long\n"))])).await;
    let look = format!("cat {name}; cat {long}");
    let report = scene.run(&candidate, &[script(&look)]).await.remove(0);
    assert_eq!((report.output.as_str(), report.result), ("deep\nlong\n", StageResult::Passed));
    assert!(find(&scene.room(), "file").is_empty());

    // Longer than any path may be: no change can be, but a base can.
    let object = scene.source.git(&["rev-parse", "HEAD:README"]);
    let far = format!("{}file", format!("{}/", "n".repeat(250)).repeat(17));
    scene.source.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{object},{far}")]);
    scene.source.git(&["commit", "--quiet", "--message=far"]);
    scene.base = scene.source.head();
    let candidate = scene.candidate().await;
    let refused = scene.verifier.run_stages(&run_id("run-1"), &candidate, &[script("true")]).await;
    assert!(matches!(refused, Err(VerifierError::Unavailable { .. })), "{refused:?}");
    assert!(find(&scene.room(), "README").is_empty());

    // Deeper than git itself goes.
    scene.source.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{object},{}", deep(2_100))]);
    scene.source.git(&["commit", "--quiet", "--message=deep"]);
    scene.base = scene.source.head();
    let refused = scene.try_prepare(&change_of(&[("new", Some("n\n"))])).await;
    assert!(matches!(refused, Err(VerifierError::Unavailable { .. })), "{refused:?}");
}

pub async fn many_files_are_there_and_gone<W: VerifierWorld>() {
    let mut scene = Scene::<W>::set();
    for folder in 0..20 {
        for file in 0..250 {
            scene.source.write(&format!("many/{folder}/{file}"), format!("{folder} {file}"));
        }
    }
    scene.base = scene.source.commit();
    let candidate = scene.candidate().await;
    let report = scene.run(&candidate, &[script("find many -type f | wc -l")]).await.remove(0);
    assert_eq!(report.output.as_str().trim(), "5000");
    assert!(find(&scene.room(), "249").is_empty());
}

pub async fn attributes_do_what_they_do_in_any_clone<W: VerifierWorld>() {
    let mut scene = Scene::<W>::set();
    let attributes = [
        "subst export-subst",
        "ignored export-ignore",
        "id ident",
        "crlf text eol=crlf",
        "wide working-tree-encoding=UTF-16",
        "large filter=lfs diff=lfs merge=lfs -text",
        "macro binary",
    ];
    scene.source.write(".gitattributes", attributes.join("\n") + "\n");
    scene.source.write("subst", "$Format:%H %an$\n");
    scene.source.write("ignored", "there\n");
    scene.source.write("id", "$Id$\n");
    scene.source.write("crlf", "a\r\nb\r\n");
    scene.source.write("wide", [0xff, 0xfe, b'w', 0, b'\n', 0]);
    scene.source.write("large", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n");
    scene.source.write("macro", "\0\r\n");
    scene.base = scene.source.commit();
    let candidate = scene.prepare(&change_of(&[("new", Some("n\n"))])).await;
    let sums = "find . -type f ! -path './.git/*' ! -name new -print0 | LC_ALL=C sort -z | xargs -0 cksum";
    let seen = scene.run(&candidate, &[script(sums)]).await.remove(0);
    assert_eq!(seen.result, StageResult::Passed, "{seen:?}");

    let clone = scene.place().join("clone");
    let git = |arguments: &[&str]| {
        let done = Command::new("git")
            .args(arguments)
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .envs([("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_CONFIG_GLOBAL", "/dev/null")])
            .status();
        assert!(done.unwrap().success());
    };
    let (from, to) = (scene.source.folder().display().to_string(), clone.display().to_string());
    git(&["clone", "--quiet", "--no-local", &from, &to]);
    let expected = Command::new("sh").args(["-c", sums]).current_dir(&clone).output().unwrap().stdout;
    assert_eq!(seen.output.as_str(), String::from_utf8_lossy(&expected));
    let words = scene.run(&candidate, &[script("cat subst ignored")]).await.remove(0);
    assert_eq!(words.output.as_str(), "$Format:%H %an$\nthere\n");
}

pub async fn objects_that_a_source_borrows_are_copied_and_nothing_is_borrowed_on<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let shared = scene.place().join("shared");
    let (from, to) = (scene.source.folder().display().to_string(), shared.display().to_string());
    scene.source.git(&["clone", "--quiet", "--shared", &from, &to]);
    assert!(shared.join(".git/objects/info/alternates").exists());
    let room = scene.place().join("other room");
    let verifier = W::verifier(&shared, &room);
    let candidate = verifier.prepare(&main_branch(), &scene.base, &change_of(&[("new", Some("n\n"))])).await.unwrap();
    let reports = verifier.run_stages(&run_id("run-1"), &candidate, &[script("cat README new")]).await.unwrap();
    assert_eq!(reports[0].output.as_str(), "hello\nn\n");
    assert!(find(&room, "alternates").is_empty());
}
