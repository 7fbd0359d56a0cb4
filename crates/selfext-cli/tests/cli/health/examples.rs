//! What `examples/watch` shows is what the command takes.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::world::World;

fn example(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/watch");
    fs::read_to_string(folder.join(name)).unwrap()
}

/// The words of a command line that begin with two dashes must be options of `watch`, and the line one that is understood.
#[track_caller]
fn assert_understood(words: &[&str]) {
    let world = World::new();
    let help = world.run(["watch", "--help"]).expect(0, &[]).stdout;
    for word in words.iter().filter(|word| word.starts_with("--")) {
        assert!(help.contains(&format!("{word} ")), "{word} is no option of watch");
    }
    // A database that cannot be is found to be wrong only after all words were understood.
    let mut command = world.command(words);
    command.env("SELFEXT_GITHUB_TOKEN", "a-token").args(["--once", "--database", "postgres://127.0.0.1:1/selfext"]);
    crate::world::Ran::of(&mut command).expect(1, &["could not be opened"]);
}

#[test]
fn the_services_command_line_is_understood_and_its_variables_are_in_its_file() {
    let unit = example("selfext-watch.service");
    let line = unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/selfext ")).unwrap();
    let line = line.replace("${SELFEXT_REPOSITORY}", "o/agent").replace("${SELFEXT_BASE}", "main");
    assert!(!line.contains('$'), "{line}");
    assert_understood(&line.split_whitespace().collect::<Vec<_>>());
    let variables = example("selfext-watch.env");
    for name in ["SELFEXT_REPOSITORY=", "SELFEXT_BASE=", "SELFEXT_DATABASE_URL=", "SELFEXT_GITHUB_TOKEN="] {
        assert!(variables.lines().any(|line| line.starts_with(name)), "{name}");
    }
    for option in ["--seal-every", "--seal-to"] {
        assert!(unit.contains(option) && World::new().run(["watch", "--help"]).stdout.contains(option), "{option}");
    }
}

#[test]
fn the_service_is_one_that_systemd_takes() {
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("selfext-watch.service");
    let program = env!("CARGO_BIN_EXE_selfext");
    // The program and the file of variables are where they are on a machine that has the service.
    let text = example("selfext-watch.service").replace("/usr/local/bin/selfext", program);
    let text: Vec<&str> = text.lines().filter(|line| !line.starts_with("EnvironmentFile=")).collect();
    fs::write(&unit, text.join("\n")).unwrap();
    let Ok(verified) = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&unit).output() else {
        assert!(std::env::var_os("SELFEXT_TEST_TOOLS").is_none(), "there is no systemd-analyze here");
        eprintln!("not looked at: there is no systemd-analyze here");
        return;
    };
    let said = String::from_utf8_lossy(&verified.stderr);
    assert!(verified.status.success() && !said.contains("Unknown"), "{said}");
}

#[test]
fn the_containers_command_lines_are_understood() {
    let lines = example("compose.yaml");
    let line = lines.lines().find_map(|line| line.trim().strip_prefix("command: ")).unwrap();
    let words: Vec<String> = serde_json::from_str(line).unwrap();
    assert_understood(
        &words.iter().map(|word| if word == "OWNER/NAME" { "o/agent" } else { word }).collect::<Vec<_>>(),
    );
    let recipe = example("Dockerfile");
    let json = |key: &str| {
        let line = recipe.lines().find_map(|line| line.strip_prefix(key)).unwrap();
        serde_json::from_str::<Vec<String>>(line).unwrap()
    };
    assert_eq!(json("ENTRYPOINT "), ["selfext"]);
    World::new().run(json("CMD ")).expect(0, &["Usage: selfext watch"]);
    let rust = include_str!("../../../../../Cargo.toml").lines().find_map(|line| line.strip_prefix("rust-version = "));
    let image = format!("FROM rust:{}-slim-bookworm AS build", rust.unwrap().trim_matches('"'));
    assert!(recipe.contains(&image), "{image}");
}
