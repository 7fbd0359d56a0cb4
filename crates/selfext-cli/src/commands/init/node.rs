//! Projects with a `package.json`.

use std::path::Path;

use serde_json::Value;

use super::project::{Project, has, names, text};
use super::stage::Stage;

/// Packages that answer `--help` by themselves.
const PARSERS: &[&str] = &["commander", "yargs", "cac", "meow", "oclif", "@oclif/core"];

/// Test runners, by a word of the script that starts them, and what they print where something passed.
const RUNNERS: &[(&str, &str)] = &[
    ("jest", r"Tests:.* [1-9][0-9]* passed"),
    ("vitest", r"Tests .*[1-9][0-9]* passed"),
    ("mocha", r"[1-9][0-9]* passing"),
    ("ava", r"[1-9][0-9]* tests? passed"),
    ("node --test", NODE),
    ("node:test", NODE),
];
const NODE: &str = r"(?m)^(# |ℹ )pass [1-9]";

/// How the dependencies are installed exactly as a lock file says, and what starts a script.
struct Manager {
    name: &'static str,
    install: &'static [&'static str],
    /// None where the packages do not come into `node_modules` alone.
    lock_file: Option<&'static str>,
}

fn manager(folder: &Path) -> Option<Manager> {
    let (name, install, lock_file): (_, &[_], _) = if has(folder, "pnpm-lock.yaml") {
        ("pnpm", &["pnpm", "install", "--frozen-lockfile"], Some("pnpm-lock.yaml"))
    } else if has(folder, "yarn.lock") && has(folder, ".yarnrc.yml") {
        ("yarn", &["yarn", "install", "--immutable"], None)
    } else if has(folder, "yarn.lock") {
        ("yarn", &["yarn", "install", "--frozen-lockfile"], Some("yarn.lock"))
    } else {
        let lock_file = ["npm-shrinkwrap.json", "package-lock.json"].into_iter().find(|file| has(folder, file))?;
        ("npm", &["npm", "ci", "--no-audit", "--no-fund"], Some(lock_file))
    };
    Some(Manager { name, install, lock_file })
}

/// The packages of a workspace have folders of their own for what they need.
fn is_workspace(folder: &Path, package: &Value) -> bool {
    package.get("workspaces").is_some() || has(folder, "pnpm-workspace.yaml")
}

pub fn find(folder: &Path) -> Option<Project> {
    let package: Value = serde_json::from_str(&text(folder, "package.json")?).unwrap_or_default();
    let mut stages = Vec::new();
    let manager = manager(folder);
    let needs = ["dependencies", "devDependencies", "optionalDependencies"]
        .iter()
        .any(|kind| package[*kind].as_object().is_some_and(|packages| !packages.is_empty()));
    if needs {
        let online = |stage: Stage| stage.because("It fetches the dependencies, so it has the network.").online();
        stages.push(match &manager {
            Some(Manager { install, lock_file: Some(lock_file), .. }) if !is_workspace(folder, &package) => {
                Stage::new("install", install).prepared(vec!["package.json", lock_file], &["node_modules"])
            }
            Some(manager) => online(Stage::new("install", manager.install)),
            None => online(Stage::new("install", &["npm", "install", "--no-audit", "--no-fund"])
                .because("Without a lock file a verification is not of the versions that will run. Commit one, and say `npm ci`.")),
        });
    }
    let starter = manager.map_or("npm", |manager| manager.name);
    stages.extend(compile(folder, &package, starter));
    stages.push(test(folder, &package, starter));
    stages.extend(start_up(folder, &package));
    let deciding = &["package.json", "package-lock.json", "pnpm-lock.yaml", "yarn.lock", ".npmrc", ".yarnrc*"];
    Some(Project { kind: "Node", stages, deciding })
}

fn script<'a>(package: &'a Value, name: &str) -> Option<&'a str> {
    package["scripts"][name].as_str().filter(|script| !script.contains("no test specified"))
}

fn uses(package: &Value, name: &str) -> bool {
    ["dependencies", "devDependencies"].iter().any(|kind| package[*kind].get(name).is_some())
}

fn compile(folder: &Path, package: &Value, starter: &'static str) -> Option<Stage> {
    let name = ["typecheck", "type-check", "build"].into_iter().find(|name| script(package, name).is_some());
    if let Some(name) = name {
        return Some(Stage::new("compile", &[starter, "run", name]));
    }
    if has(folder, "tsconfig.json") && uses(package, "typescript") {
        return Some(Stage::new("compile", &["node_modules/.bin/tsc", "--noEmit"]));
    }
    let main = package["main"].as_str().unwrap_or("index.js");
    has(folder, main).then(|| Stage::new("compile", &["node", "--check", main]))
}

fn test(folder: &Path, package: &Value, starter: &'static str) -> Stage {
    if let Some(script) = script(package, "test") {
        let stage = Stage::new("test", &[starter, "test"]);
        let runner = RUNNERS.iter().find(|(word, _)| script.contains(word));
        return runner.map_or_else(|| Stage::new("test", &[starter, "test"]), |(_, pattern)| stage.matching(pattern));
    }
    let stage = Stage::new("test", &["node", "--test"]).matching(NODE);
    let is_test = |name: &String| name == "test" || name.contains(".test.") || name.contains("-test.");
    if names(folder).iter().any(is_test) {
        stage
    } else {
        stage.because("package.json names no test script, and there are no tests that node finds by itself: say how it is tested.")
    }
}

fn start_up(folder: &Path, package: &Value) -> Option<Stage> {
    let program = match &package["bin"] {
        Value::String(program) => program.as_str(),
        Value::Object(programs) => programs.values().find_map(Value::as_str)?,
        _ => return None,
    };
    let program = program.strip_prefix("./").unwrap_or(program);
    let stage = Stage::new("start-up", &["node", program, "--help"]).within_seconds(60);
    Some(if has(folder, program) && PARSERS.iter().any(|name| uses(package, name)) {
        stage.because("That it starts at all.")
    } else {
        stage
            .because(
                "That it starts at all, if it knows --help: a program that ignores it would run until the time is up.",
            )
            .suggested()
    })
}
