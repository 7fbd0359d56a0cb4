//! Projects with a `pyproject.toml`, a `setup.py` or a `requirements.txt`.

use std::path::Path;

use toml::{Table, Value};

use super::project::{Project, has, text};
use super::stage::Stage;

/// Lists of requirements, by the names that are common.
const LISTS: &[&str] = &[
    "requirements.txt",
    "requirements-dev.txt",
    "requirements-test.txt",
    "dev-requirements.txt",
    "test-requirements.txt",
];

const PYTEST: &str = r"[1-9][0-9]* passed";
const UNITTEST: &str = r"(?m)^Ran [1-9]";

pub fn find(folder: &Path) -> Option<Project> {
    let manifest = text(folder, "pyproject.toml");
    let lists: Vec<&'static str> = LISTS.iter().copied().filter(|list| has(folder, list)).collect();
    if manifest.is_none() && lists.is_empty() && !has(folder, "setup.py") {
        return None;
    }
    let manifest_table: Table = manifest.as_deref().unwrap_or_default().parse().unwrap_or_default();
    let mut stages = vec![Stage::new("compile", &["python3", "-m", "compileall", "-q", "."])];
    let pytest = uses_pytest(folder, manifest.as_deref(), &lists);
    let (install, python) = surroundings(folder, &manifest_table, &lists, pytest);
    stages.extend(install);
    let with = |words: &[&str]| {
        python.iter().cloned().chain(words.iter().map(|word| (*word).to_owned())).collect::<Vec<String>>()
    };
    stages.push(if pytest {
        Stage::new("test", &with(&["-m", "pytest"])).matching(PYTEST)
    } else {
        Stage::new("test", &with(&[&["-m", "unittest", "discover"], place(folder)].concat())).matching(UNITTEST)
    });
    if let Some(module) = module(&manifest_table) {
        let mut words = with(&["-c", &format!("import {module}")]);
        if python == ["python3"] && folder.join("src").is_dir() {
            words.splice(0..0, ["env".to_owned(), "PYTHONPATH=src".to_owned()]);
        }
        let stage = Stage::new("start-up", &words).within_seconds(60);
        stages.push(stage.because("That what its command starts can be imported at all."));
    }
    let deciding =
        &["pyproject.toml", "setup.py", "setup.cfg", "requirements*.txt", "**/conftest.py", "tox.ini", "*.lock"];
    Some(Project { kind: "Python", stages, deciding })
}

/// Where unittest looks for tests, if not at the top.
fn place(folder: &Path) -> &'static [&'static str] {
    match (folder.join("tests").is_dir(), has(folder, "tests/__init__.py")) {
        (true, true) => &["-s", "tests", "-t", "."],
        (true, false) => &["-s", "tests"],
        (false, _) => &[],
    }
}

fn uses_pytest(folder: &Path, manifest: Option<&str>, lists: &[&str]) -> bool {
    let named = |text: &str| text.contains("pytest");
    manifest.is_some_and(named)
        || lists.iter().filter_map(|list| text(folder, list)).any(|list| named(&list))
        || ["setup.cfg", "tox.ini"].iter().filter_map(|file| text(folder, file)).any(|file| named(&file))
        || ["pytest.ini", "conftest.py", "tests/conftest.py"].iter().any(|file| has(folder, file))
}

/// What installs the dependencies, if there are any, and the words that start Python with them.
fn surroundings(folder: &Path, manifest: &Table, lists: &[&'static str], pytest: bool) -> (Option<Stage>, Vec<String>) {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<String>>();
    let fetches = |stage: Stage| Some(stage.because("It fetches the dependencies, so it has the network.").online());
    if has(folder, "uv.lock") {
        return (
            fetches(Stage::new("install", &["uv", "sync", "--frozen"])),
            words(&["uv", "run", "--frozen", "python"]),
        );
    }
    if has(folder, "poetry.lock") {
        let install = Stage::new("install", &["poetry", "install", "--no-interaction"]);
        return (fetches(install), words(&["poetry", "run", "python"]));
    }
    let project = manifest.get("project");
    let extras = project.and_then(|project| project.get("optional-dependencies"));
    let needs = |key: &str| {
        project.and_then(|project| project.get(key)).and_then(Value::as_array).is_some_and(|list| !list.is_empty())
    };
    let extra =
        ["test", "tests", "dev"].into_iter().find(|name| extras.is_some_and(|extras| extras.get(name).is_some()));
    if lists.is_empty() && !needs("dependencies") && extra.is_none() && !pytest {
        return (None, words(&["python3"]));
    }
    let mut install = "python3 -m venv .venv && .venv/bin/pip install --quiet".to_owned();
    for list in lists {
        install.push_str(" -r ");
        install.push_str(list);
    }
    let install_project = needs("dependencies") || extra.is_some();
    if install_project {
        install.push_str(&extra.map_or_else(|| " -e .".to_owned(), |extra| format!(" -e '.[{extra}]'")));
    }
    let listed = lists.iter().filter_map(|list| text(folder, list)).any(|list| list.contains("pytest"));
    if pytest && !listed && extra.is_none() {
        install.push_str(" pytest");
    }
    let install = Stage::new("install", &["sh", "-c", &install]);
    // The project itself, installed on the base, would hide the candidate's.
    let of_lists_alone = !lists.is_empty() && !install_project && lists.iter().all(|list| is_plain(folder, list));
    let install = if of_lists_alone { Some(install.prepared(lists.to_vec(), &[".venv"])) } else { fetches(install) };
    (install, words(&[".venv/bin/python"]))
}

/// Whether a list names packages alone: no other list, which could change without it, and nothing of the repository.
fn is_plain(folder: &Path, list: &str) -> bool {
    let refers = |line: &str| {
        ["-e", "-r", "-c", "--e", "--r", "--c", ".", "/"].iter().any(|begin| line.starts_with(begin))
            || line.contains("file:")
    };
    text(folder, list).is_some_and(|text| !text.lines().map(str::trim).any(refers))
}

/// The module that the project's first command starts.
fn module(manifest: &Table) -> Option<String> {
    let scripts = manifest.get("project")?.get("scripts")?.as_table()?;
    let entry = scripts.values().find_map(Value::as_str)?;
    let module = entry.split(':').next()?.trim();
    let is_name = module.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.');
    (is_name && !module.is_empty()).then(|| module.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_no_module_start_nothing() {
        let module = |entry: &str| module(&format!("[project.scripts]\nx = \"{entry}\"").parse().unwrap());
        assert_eq!(module("pkg.cli:main").as_deref(), Some("pkg.cli"));
        assert_eq!(module("os; print(1)"), None);
    }
}
