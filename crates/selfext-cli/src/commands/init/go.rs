//! Projects with a `go.mod`.

use std::path::Path;

use super::project::{Project, has, names, text};
use super::stage::Stage;

pub fn find(folder: &Path) -> Option<Project> {
    text(folder, "go.mod")?;
    let fetches = has(folder, "go.sum") && !folder.join("vendor").is_dir();
    let fetch = Stage::new("fetch", &["go", "mod", "download"]).prepared(vec!["go.mod", "go.sum"], &[]);
    let mut stages: Vec<Stage> = fetches.then_some(fetch).into_iter().collect();
    stages.extend([
        Stage::new("compile", &["go", "build", "./..."]),
        Stage::new("vet", &["go", "vet", "./..."]),
        // Not one that a cache answers for.
        Stage::new("test", &["go", "test", "-count=1", "./..."]).matching(r"(?m)^ok\s"),
    ]);
    let program = if has(folder, "main.go") {
        Some(".".to_owned())
    } else {
        names(&folder.join("cmd")).first().map(|name| format!("./cmd/{name}"))
    };
    stages.extend(program.map(|program| {
        Stage::new("start-up", &["go", "run", &program, "-h"])
            .within_seconds(300)
            .because("That it starts at all, if it knows -h: a program that ignores it would run until the time is up.")
            .suggested()
    }));
    Some(Project { kind: "Go", stages, deciding: &["go.mod", "go.sum"] })
}
