use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use selfext_domain::ports::Verifier as _;

use crate::verifier::change::{change_of, main_branch, path, script};
use crate::verifier::scene::Scene;
use crate::verifier::{SourceRepository, VerifierWorld};

/// Says, in the process that a case starts again, where the canary would be.
const AGAIN: &str = "SELFEXT_CONTRACT_AGAIN";
const SECRET: &str = "planted-4f1c9e";

/// Every hook that git knows and that a verifier could set off.
const HOOKS: [&str; 14] = [
    "applypatch-msg",
    "fsmonitor-watchman",
    "post-checkout",
    "post-commit",
    "post-index-change",
    "post-merge",
    "post-rewrite",
    "pre-auto-gc",
    "pre-commit",
    "pre-push",
    "post-update",
    "pre-receive",
    "reference-transaction",
    "update",
];

fn write_program(file: &Path, canary: &Path) {
    fs::create_dir_all(file.parent().expect("a folder above")).expect("a folder");
    fs::write(file, format!("#!/bin/sh\necho {} >> '{}'\ncat\n", file.display(), canary.display())).expect("a file");
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).expect("a mode");
}

/// The settings that would have git run a program.
fn settings(program: &Path) -> Vec<(String, String)> {
    let shown = program.display();
    let hooks = program.with_file_name("hooks");
    for hook in HOOKS {
        fs::create_dir_all(&hooks).expect("a folder");
        fs::copy(program, hooks.join(hook)).expect("a hook");
    }
    let mut settings: Vec<(String, String)> = [
        "core.fsmonitor",
        "core.alternateRefsCommand",
        "core.sshCommand",
        "core.gitProxy",
        "core.askPass",
        "core.pager",
        "core.editor",
        "credential.helper",
        "diff.external",
        "gpg.program",
        "uploadpack.packObjectsHook",
        "filter.canary.clean",
        "filter.canary.smudge",
        "filter.canary.process",
        "diff.canary.command",
        "diff.canary.textconv",
        "merge.canary.driver",
    ]
    .into_iter()
    .map(|name| (name.to_owned(), shown.to_string()))
    .collect();
    settings.push(("core.hooksPath".to_owned(), hooks.display().to_string()));
    settings.push(("filter.canary.required".to_owned(), "true".to_owned()));
    settings
}

/// Attributes that ask for every driver that the settings define, and for all that git does by itself.
const ATTRIBUTES: &str = "* filter=canary diff=canary merge=canary ident text eol=crlf export-subst export-ignore\n\
                          *.wide filter=canary working-tree-encoding=UTF-16\n";

/// A commit whose attributes ask for every driver that the settings define.
fn commit_attributes(source: &SourceRepository) {
    source.write(".gitattributes", ATTRIBUTES);
    source.write(".gitmodules", "[submodule \"sub\"]\n\tpath = sub\n\turl = ext::sh -c canary\n");
    source.git(&["-c", "core.hooksPath=/dev/null", "add", "--all"]);
    source.git(&["-c", "core.hooksPath=/dev/null", "commit", "--quiet", "--message=attributes"]);
}

/// Everything that a verifier does, on this scene's tip; answers what a stage printed.
async fn everything<W: VerifierWorld>(scene: &mut Scene<W>, look: &str) -> String {
    let before = scene.base.clone();
    scene.base = scene.source.head();
    let attributes = change_of(&[
        (".gitattributes", Some(ATTRIBUTES)),
        ("new.wide", Some("wide\n")),
        ("README", Some("changed\n")),
        ("dir/.gitattributes", Some("* filter=canary\n")),
        (".gitmodules", Some("[submodule \"sub\"]\n\tpath = sub\n\turl = ext::sh -c canary\n\tupdate = !canary\n")),
    ]);
    let candidate = scene.prepare(&attributes).await;
    scene.verifier.read_file(&main_branch(), &scene.base, &path("README")).await.expect("a file");
    let changed = scene.verifier.changed_between(&main_branch(), &before, &scene.base, &[path(".gitattributes")]).await;
    assert_eq!(changed.expect("a comparison"), [path(".gitattributes")]);
    let report = scene.run(&candidate, &[script(&format!("grep -q changed README || exit 9\n{look}"))]).await.remove(0);
    assert!(report.result.passed(), "{report:?}");
    report.output.as_str().to_owned()
}

pub async fn nothing_that_the_source_configures_is_run<W: VerifierWorld>(_: &str) {
    let mut scene = Scene::<W>::set();
    commit_attributes(&scene.source);
    let canary = scene.place().join("canary");
    let program = scene.place().join("traps/program");
    write_program(&program, &canary);
    for (name, value) in settings(&program) {
        scene.source.git(&["config", &name, &value]);
    }
    let own_hooks = scene.source.folder().join(".git/hooks");
    fs::create_dir_all(&own_hooks).unwrap();
    for hook in HOOKS {
        fs::copy(&program, own_hooks.join(hook)).unwrap();
    }
    fs::create_dir_all(scene.source.folder().join(".git/info")).unwrap();
    fs::write(scene.source.folder().join(".git/info/attributes"), "* filter=canary\n").unwrap();
    everything(&mut scene, "true").await;
    assert!(!canary.exists(), "{}", fs::read_to_string(&canary).unwrap_or_default());
}

pub async fn secrets_of_the_agent_are_not_seen_and_its_configuration_is_not_used<W: VerifierWorld>(name: &str) {
    if let Some(canary) = env::var_os(AGAIN) {
        return in_a_hostile_environment::<W>(Path::new(&canary)).await;
    }
    let place = tempfile::TempDir::new().unwrap();
    let (canary, home, program) =
        (place.path().join("canary"), place.path().join("home"), place.path().join("traps/program"));
    write_program(&program, &canary);
    fs::create_dir_all(&home).unwrap();
    let settings = settings(&program);
    for (name, value) in &settings {
        let set =
            Command::new("git").args(["config", "--file"]).arg(home.join(".gitconfig")).args([name, value]).status();
        assert!(set.unwrap().success());
    }
    // The name of a test does not begin with that of its crate.
    let name = name.split_once("::").map_or(name, |(_, name)| name);
    let mut again = Command::new(env::current_exe().unwrap());
    again.args([name, "--exact", "--test-threads=1"]).env(AGAIN, &canary);
    again.env("HOME", &home).env("GITHUB_TOKEN", SECRET).env("DATABASE_URL", SECRET).env("PASSWORD", SECRET);
    again
        .env("GIT_DIR", "/nonexistent")
        .env("GIT_INDEX_FILE", "/nonexistent/index")
        .env("GIT_WORK_TREE", "/nonexistent");
    again
        .env("GIT_EXTERNAL_DIFF", &program)
        .env("GIT_ASKPASS", &program)
        .env("GIT_SSH_COMMAND", &program)
        .env("GIT_TRACE", "1");
    again.env("GIT_CONFIG_COUNT", settings.len().to_string());
    for (number, (name, value)) in settings.iter().enumerate() {
        again.env(format!("GIT_CONFIG_KEY_{number}"), name).env(format!("GIT_CONFIG_VALUE_{number}"), value);
    }
    let output = again.output().unwrap();
    let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
    assert!(!canary.exists(), "{}", fs::read_to_string(&canary).unwrap_or_default());
}

async fn in_a_hostile_environment<W: VerifierWorld>(canary: &Path) {
    let mut scene = Scene::<W>::set();
    commit_attributes(&scene.source);
    let look = "env; cat \"$HOME\"/.* 2>&1; find \"$HOME\" \"$TMPDIR\" .. -type f -exec cat {} + 2>&1; true";
    let seen = everything(&mut scene, look).await;
    assert!(!seen.contains(SECRET), "{seen}");
    assert!(!canary.exists());
}
