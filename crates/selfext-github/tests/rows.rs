//! `docs/github.md` lists how GitHub behaves, row by row, with the tests that play it.
#![expect(clippy::unwrap_used, reason = "what the tests stand on ends them where it fails")]

use std::fs;
use std::path::Path;

/// The text of every Rust file below a folder.
fn sources(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() && path.file_name().unwrap() != "target" {
            sources(&path, text);
        } else if path.extension().is_some_and(|end| end == "rs") {
            text.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_row_is_played_by_tests_that_exist_or_says_that_it_is_not_used() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let docs = fs::read_to_string(root.join("docs/github.md")).unwrap();
    let mut code = String::new();
    sources(&root.join("crates"), &mut code);
    sources(&root.join("tests"), &mut code);
    let rows: Vec<Vec<&str>> = docs
        .lines()
        .filter(|line| {
            line.strip_prefix("| ").is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
        })
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let numbers: Vec<String> = rows.iter().map(|row| row[0].to_owned()).collect();
    assert_eq!(numbers, (1..=25).map(|number: u32| number.to_string()).collect::<Vec<_>>());
    for row in rows {
        let tests: Vec<&str> =
            row[3].split(", ").map(|name| name.trim_matches('`')).filter(|name| !name.is_empty()).collect();
        assert!(!tests.is_empty() || row[2].contains("not used"), "row {} names no test", row[0]);
        for test in tests {
            let declared = [format!("fn {test}("), format!("fn {test}<")];
            assert!(declared.iter().any(|form| code.contains(form)), "row {}: there is no test {test}", row[0]);
        }
    }
}
