//! What the files at the top of a repository tell of it.

use std::path::Path;

use super::stage::Stage;
use super::{go, node, python, rust};

/// A project of one language.
pub struct Project {
    /// What it is called in the answer.
    pub kind: &'static str,
    /// How a change of it is tried, in order. Names are unique in a project.
    pub stages: Vec<Stage>,
    /// Files that decide what the stages run. They are suggested for protection, as a comment.
    pub deciding: &'static [&'static str],
}

/// What the folder holds, one project a language; none if nothing tells.
pub fn find(folder: &Path) -> Vec<Project> {
    let found: Vec<Project> =
        [rust::find, node::find, python::find, go::find].iter().filter_map(|find| find(folder)).collect();
    if found.is_empty() { make(folder).into_iter().collect() } else { found }
}

fn make(folder: &Path) -> Option<Project> {
    text(folder, "Makefile")?;
    let test = Stage::new("test", &["make", "test"]);
    Some(Project { kind: "make", stages: vec![test], deciding: &["Makefile"] })
}

/// What is written where nothing tells: it fails, with words that say why, until somebody fills it in.
pub fn unknown() -> Project {
    let words = "echo 'selfext.toml does not say yet how a change of this repository is tested'; exit 1";
    let test = Stage::new("test", &["sh", "-c", words])
        .because("Nothing here tells how a change is tested. This stage fails until you say it.");
    Project { kind: "unknown", stages: vec![test], deciding: &[] }
}

/// A file's text, if there is one that can be read.
pub fn text(folder: &Path, name: &str) -> Option<String> {
    std::fs::read_to_string(folder.join(name)).ok()
}

/// Whether there is such a file.
pub fn has(folder: &Path, name: &str) -> bool {
    folder.join(name).is_file()
}

/// The names in a folder, in order; none if there is no such folder.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    names
}
