//! Projects with a `Cargo.toml`.

use std::path::Path;

use toml::Value;

use super::project::{Project, has, names, text};
use super::stage::Stage;

/// Crates that answer `--help` by themselves.
const PARSERS: &[&str] = &["clap", "argh", "bpaf", "gumdrop", "structopt"];

pub fn find(folder: &Path) -> Option<Project> {
    let manifest = text(folder, "Cargo.toml")?;
    let manifest = manifest.parse::<toml::Table>().unwrap_or_default();
    let lock = text(folder, "Cargo.lock");
    let mut flags: Vec<&str> = Vec::new();
    if lock.is_some() {
        flags.push("--locked");
    }
    let fetches = lock.as_ref().is_none_or(|lock| lock.contains("\nsource = "));
    let has_all = !fetches || is_vendored(folder);
    if has_all || lock.is_some() {
        flags.push("--offline");
    }
    let mut whole = flags.clone();
    if manifest.contains_key("workspace") {
        whole.push("--workspace");
    }
    let cargo = |verb: &'static str, flags: &[&'static str]| [&["cargo", verb], flags].concat();
    let mut compile =
        Stage::new("compile", &[cargo("build", &whole), vec!["--all-targets"]].concat()).within_seconds(1_800);
    if !has_all && lock.is_none() {
        compile = compile
            .because("Cargo fetches the dependencies, so this stage has the network. With a Cargo.lock the base alone needs it.")
            .online();
    }
    if lock.is_none() {
        compile = compile.because(
            "Without a Cargo.lock a verification is not of the versions that will run. Commit one, and say --locked.",
        );
    }
    let fetch = Stage::new("fetch", &["cargo", "fetch", "--locked"]).prepared(vec!["Cargo.lock"], &[]);
    let test = Stage::new("test", &cargo("test", &whole))
        .within_seconds(1_800)
        .matching(r"test result: ok\. [1-9][0-9]* passed");
    let mut stages: Vec<Stage> = (!has_all && lock.is_some()).then_some(fetch).into_iter().collect();
    stages.extend([compile, test]);
    stages.extend(start_up(folder, &manifest, &flags));
    let deciding = &["Cargo.toml", "Cargo.lock", "**/build.rs", ".cargo/**", "rust-toolchain*"];
    Some(Project { kind: "Rust", stages, deciding })
}

/// Whether the sources of the dependencies are in the repository.
fn is_vendored(folder: &Path) -> bool {
    text(folder, ".cargo/config.toml").is_some_and(|config| config.contains("vendored-sources"))
}

/// Starting the first program there is.
fn start_up(folder: &Path, manifest: &toml::Table, flags: &[&str]) -> Option<Stage> {
    let (program, answers) = packages(folder, manifest).into_iter().find_map(|(folder, manifest)| {
        let answers = depends_on(&manifest, PARSERS);
        Some((program(&folder, &manifest)?, answers))
    })?;
    let command = [&["cargo", "run", "--quiet"], flags, &["--bin", &program, "--", "--help"]].concat();
    let stage = Stage::new("start-up", &command).within_seconds(300);
    Some(if answers {
        stage.because("That it starts at all.")
    } else {
        stage
            .because(
                "That it starts at all, if it knows --help: a program that ignores it would run until the time is up.",
            )
            .suggested()
    })
}

/// The packages of a manifest: its own, and the workspace's members that are named or below a named folder.
fn packages(folder: &Path, manifest: &toml::Table) -> Vec<(std::path::PathBuf, toml::Table)> {
    let mut packages = vec![(folder.to_owned(), manifest.clone())];
    let members = manifest.get("workspace").and_then(|workspace| workspace.get("members")).and_then(Value::as_array);
    for member in members.into_iter().flatten().filter_map(Value::as_str) {
        let places: Vec<_> = match member.strip_suffix("/*") {
            Some(above) => names(&folder.join(above)).into_iter().map(|name| folder.join(above).join(name)).collect(),
            None => vec![folder.join(member)],
        };
        let read = |place: std::path::PathBuf| {
            let manifest = text(&place, "Cargo.toml")?.parse().ok()?;
            Some((place, manifest))
        };
        packages.extend(places.into_iter().filter_map(read));
    }
    packages
}

/// The name of a package's first program.
fn program(folder: &Path, manifest: &toml::Table) -> Option<String> {
    let named = manifest.get("bin").and_then(Value::as_array).and_then(|programs| programs.first());
    let named = named.and_then(|program| program.get("name")).and_then(Value::as_str);
    let package = || manifest.get("package")?.get("name")?.as_str();
    let name = named.or_else(|| has(folder, "src/main.rs").then(package).flatten())?;
    Some(name.to_owned())
}

fn depends_on(manifest: &toml::Table, names: &[&str]) -> bool {
    let dependencies = manifest.get("dependencies").and_then(Value::as_table);
    dependencies.is_some_and(|dependencies| names.iter().any(|name| dependencies.contains_key(*name)))
}
