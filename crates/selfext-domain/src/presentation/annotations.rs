//! What stages that failed say of single lines.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use crate::evidence::constant;
use crate::ports::Annotation;
use crate::{ChangeSet, RepoPath, StageReport, plain};

/// GitHub takes no more in one request.
const MOST: usize = 50;

/// The longest message, in characters.
const MESSAGE: usize = 500;

/// A file and a line, as compilers and test runners write them: `src/lib.rs:7:5`, `File "a.py", line 7`.
static PLACE: LazyLock<Regex> =
    LazyLock::new(|| constant(r#"([^\s:"'`()\[\]<>,;]+)(?::|", line )([1-9][0-9]{0,6})\b"#));

/// The places in files of the change that failed stages name, each once, in the order in which they are named. Other files are
/// left out: what is said of them may be as old as they are.
pub(super) fn annotations(stages: &[StageReport], change: &ChangeSet) -> Vec<Annotation> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for stage in stages.iter().filter(|stage| !stage.result.passed()) {
        let mut before = "";
        for line in stage.output.as_str().lines().map(str::trim).filter(|line| !line.is_empty()) {
            for place in PLACE.captures_iter(line) {
                let Some((path, number)) = place_in(change, &place[1], &place[2]) else { continue };
                if found.len() < MOST && seen.insert((path.clone(), number)) {
                    // Rust's compiler says what is wrong in the line before the place.
                    let said = if line.starts_with("-->") && !before.is_empty() { before } else { line };
                    let message = plain(said).chars().take(MESSAGE).collect();
                    found.push(Annotation { path, line: number, message });
                }
            }
            before = line;
        }
    }
    found
}

fn place_in(change: &ChangeSet, path: &str, line: &str) -> Option<(RepoPath, u32)> {
    let path = RepoPath::parse(path.strip_prefix("./").unwrap_or(path)).ok()?;
    change.files().contains_key(&path).then_some(())?;
    Some((path, line.parse().ok()?))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{ExecutionContext, Keep, RedactedText, TextCap, ToolName};

    pub(in crate::presentation) fn change(paths: &[&str]) -> ChangeSet {
        let context = ExecutionContext::new(ToolName::parse("write").unwrap());
        let files = paths.iter().map(|path| RepoPath::parse(*path).unwrap());
        files.fold(ChangeSet::builder("m", context), |change, path| change.write(path, "x")).build().unwrap()
    }

    fn said(result: &str, output: &str) -> Vec<(String, u32, String)> {
        let report =
            serde_json::json!({"name": "t", "result": result, "duration_ms": 1, "output_bytes": 1, "output": ""});
        let mut stage: StageReport = serde_json::from_value(report).unwrap();
        stage.output = RedactedText::from_text(output, TextCap { max_bytes: 100_000, keep: Keep::Tail });
        let found = annotations(&[stage], &change(&["src/lib.rs", "a.py", "x-1.js"]));
        found.into_iter().map(|found| (found.path.to_string(), found.line, found.message)).collect()
    }

    #[test]
    fn the_places_that_tools_name_in_files_of_the_change_are_found_once() {
        let table = [
            (
                "error[E0308]: mismatched types\n   --> src/lib.rs:7:5\n",
                "src/lib.rs",
                7,
                "error[E0308]: mismatched types",
            ),
            ("src/lib.rs:12:1: error: x\nsrc/lib.rs:12:9: error: y", "src/lib.rs", 12, "src/lib.rs:12:1: error: x"),
            ("  File \"a.py\", line 3, in f\n", "a.py", 3, "File \"a.py\", line 3, in f"),
            ("./a.py:40: AssertionError", "a.py", 40, "./a.py:40: AssertionError"),
            ("at f (x-1.js:2:3)", "x-1.js", 2, "at f (x-1.js:2:3)"),
            ("thread 'main' panicked at src/lib.rs:9:5:", "src/lib.rs", 9, "thread 'main' panicked at src/lib.rs:9:5:"),
        ];
        for (output, path, line, message) in table {
            assert_eq!(said("failed", output), [(path.to_owned(), line, message.to_owned())], "{output}");
        }
    }

    #[test]
    fn other_files_and_what_is_no_place_are_left_alone() {
        for output in [
            "src/main.rs:7:5: error",
            "/usr/src/lib.rs:7: error",
            "../src/lib.rs:7: error",
            "src/lib.rs: no line",
            "src/lib.rs:0:1",
            "src/lib.rs:99999999999999999999",
            "http://a.py:80/",
            "12:30:15 it began",
            "",
        ] {
            assert_eq!(said("failed", output), [], "{output}");
        }
        assert_eq!(said("passed", "src/lib.rs:7:5: a warning"), []);
        let many: Vec<_> = (1..500).map(|line| format!("a.py:{line}: {}", "@somebody ".repeat(100))).collect();
        let many = said("failed", &many.join("\n"));
        assert_eq!(many.len(), MOST);
        assert!(
            many.iter().all(|(_, _, message)| message.chars().count() <= MESSAGE && !message.contains("@somebody"))
        );
    }
}
