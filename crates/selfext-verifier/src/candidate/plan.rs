//! What a change set does to a base tree, or why it cannot.

use std::collections::BTreeMap;
use std::sync::Arc;

use selfext_domain::{FileChange, RepoPath};

use super::base_tree::{BaseTree, Kind};
use super::clash::find_clashes;
use super::obstacle::Obstacle;

/// How many folders a file may be written below. Each is an object of its own in the cache and on the forge, so that a thousand
/// paths of the greatest length would be millions.
const DEEPEST: usize = 128;

/// A file to write, with everything that the base decides filled in.
#[derive(Debug)]
pub(super) struct Write {
    pub(super) path: RepoPath,
    pub(super) content: Arc<[u8]>,
    pub(super) executable: bool,
}

/// The files of a change set.
pub(crate) type Files = BTreeMap<RepoPath, FileChange>;

/// What a change set does to a base tree, in the order of the paths.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) writes: Vec<Write>,
    pub(super) deletes: Vec<RepoPath>,
}

pub(super) fn plan(base: &BaseTree, files: &Files) -> Result<Plan, Vec<Obstacle>> {
    let mut plan = Plan::default();
    let mut obstacles = Vec::new();
    for (path, file) in files {
        let obstacle = match file {
            FileChange::Delete => deletes(base, path),
            FileChange::Write { .. } => writes(base, files, path),
        };
        if let Some(clause) = obstacle {
            obstacles.push(Obstacle { path: path.clone(), clause });
            continue;
        }
        match file {
            FileChange::Delete => plan.deletes.push(path.clone()),
            FileChange::Write { content, executable } => {
                let as_on_base = || base.get(path.as_str()).is_some_and(|entry| entry.kind == Kind::Executable);
                let executable = executable.unwrap_or_else(as_on_base);
                plan.writes.push(Write { path: path.clone(), content: Arc::clone(content), executable });
            }
        }
    }
    obstacles.extend(find_clashes(base, files));
    if obstacles.is_empty() { Ok(plan) } else { Err(obstacles) }
}

fn deletes(base: &BaseTree, path: &RepoPath) -> Option<String> {
    match base.get(path.as_str()) {
        Some(entry) if entry.kind == Kind::Submodule => Some(format!("deletes {path}, which is a submodule")),
        Some(_) => None,
        None if base.below(path.as_str()).next().is_some() => {
            Some(format!("deletes {path}, which is a folder; name its files"))
        }
        None => Some(format!("deletes {path}, which is not there")),
    }
}

fn writes(base: &BaseTree, files: &Files, path: &RepoPath) -> Option<String> {
    let depth = path.ancestors().count();
    if depth > DEEPEST {
        let top = path.ancestors().next().unwrap_or_default();
        return Some(format!("writes a file {depth} folders deep in {top}; at most {DEEPEST} are taken"));
    }
    let above = path.ancestors().find_map(|above| {
        let entry = base.get(above).filter(|_| !is_deleted(files, above.as_bytes()))?;
        Some(format!("needs {above} to be a folder for {path}, but it is {}", entry.kind.words()))
    });
    above.or_else(|| {
        let stays = base.below(path.as_str()).find(|below| !is_deleted(files, below))?;
        Some(format!("writes {path}, which is a folder that holds {}", String::from_utf8_lossy(stays)))
    })
}

/// Whether a change set deletes a path of the base.
pub(super) fn is_deleted(files: &Files, path: &[u8]) -> bool {
    let path = std::str::from_utf8(path).ok().and_then(|path| RepoPath::parse(path).ok());
    path.is_some_and(|path| files.get(&path) == Some(&FileChange::Delete))
}

#[cfg(test)]
mod tests {
    use selfext_domain::{ChangeSet, ExecutionContext, ToolName};

    use super::*;

    const BASE: [&str; 5] = [
        "100644 blob aa\tdir/file",
        "100755 blob bb\trun",
        "120000 blob cc\tlink",
        "160000 commit dd\tsub",
        "100644 blob ee\tREADME",
    ];

    fn path(text: &str) -> RepoPath {
        RepoPath::parse(text).unwrap()
    }

    fn tried(writes: &[&str], deletes: &[&str]) -> Result<Plan, Vec<(String, String)>> {
        let mut builder = ChangeSet::builder("why", ExecutionContext::new(ToolName::parse("t").unwrap()));
        builder = writes.iter().fold(builder, |builder, name| builder.write(path(name), "x"));
        builder = deletes.iter().fold(builder, |builder, name| builder.delete(path(name)));
        let base = BaseTree::parse(BASE.join("\0").as_bytes()).unwrap();
        plan(&base, builder.build().unwrap().files())
            .map_err(|found| found.into_iter().map(|obstacle| (obstacle.path.to_string(), obstacle.clause)).collect())
    }

    #[test]
    fn modes_come_from_the_base_and_links_become_files() {
        let plan = tried(&["run", "link", "sub", "new/file", "README"], &["dir/file"]).unwrap();
        let modes: Vec<_> = plan.writes.iter().map(|write| (write.path.as_str(), write.executable)).collect();
        assert_eq!(modes, [("README", false), ("link", false), ("new/file", false), ("run", true), ("sub", false)]);
        assert_eq!(plan.deletes, [path("dir/file")]);
    }

    #[test]
    fn a_file_becomes_a_folder_or_a_folder_a_file_only_if_what_was_there_goes() {
        assert!(tried(&["run/x"], &["run"]).is_ok());
        assert!(tried(&["link/x"], &["link"]).is_ok());
        assert!(tried(&["dir"], &["dir/file"]).is_ok());
        for (write, word) in
            [("run/x", "a file"), ("link/x", "symbolic link"), ("sub/x", "submodule"), ("dir", "dir/file")]
        {
            let found = tried(&[write], &[]).unwrap_err();
            assert!(found.len() == 1 && found[0].0 == write && found[0].1.contains(word), "{found:?}");
        }
    }

    #[test]
    fn only_what_is_there_and_is_a_file_or_link_is_deleted() {
        assert!(tried(&[], &["link", "run", "dir/file"]).is_ok());
        for (delete, word) in [("none", "not there"), ("dir", "folder"), ("sub", "submodule"), ("run/x", "not there")] {
            let found = tried(&[], &[delete]).unwrap_err();
            assert!(found.len() == 1 && found[0].0 == delete && found[0].1.contains(word), "{found:?}");
        }
        assert_eq!(tried(&[], &["none", "sub"]).unwrap_err().len(), 2);
    }

    #[test]
    fn names_that_differ_only_in_case_clash() {
        for writes in [
            &["readme"][..],
            &["DIR/other"],
            &["Dir"],
            &["Ä/a", "ä/b"],
            &["new", "NEW"],
            &["\u{e4}", "a\u{308}"],
            &["\u{e4}/x", "A\u{308}/y"],
            &["stra\u{df}e", "STRASSE"],
            &["DIR\u{ff0f}FILE"],
            &["x\u{ff0f}y", "X/Y"],
        ] {
            assert!(tried(writes, &[]).is_err(), "{writes:?}");
        }
        assert!(tried(&["readme"], &["README"]).is_ok());
        assert!(tried(&["DIR/other"], &["dir/file"]).is_ok());
        assert!(tried(&["dir/other", "README"], &[]).is_ok());
    }

    #[test]
    fn the_shortest_name_that_clashes_is_told_with_the_other() {
        for (writes, words) in [
            (&["DIR/FILE"][..], "take DIR for dir"),
            (&["dir/FILE"], "take dir/FILE for dir/file"),
            (&["README", "readme"], "take readme for README"),
            (&["new/a/x", "new/A/y"], "take new/A for new/a"),
            (&["new/x", "new/X"], "take new/X for new/x"),
        ] {
            let found = tried(writes, &[]).unwrap_err();
            assert!(found[0].1.contains(words), "{found:?}");
        }
    }

    #[test]
    fn a_file_is_written_at_a_depth_that_is_taken() {
        let deep = |folders: usize| format!("{}f", "d/".repeat(folders));
        assert!(tried(&[&deep(DEEPEST)], &[]).is_ok());
        let found = tried(&[&deep(DEEPEST + 1)], &[]).unwrap_err();
        assert!(found.len() == 1 && found[0].1.contains("129 folders deep in d;"), "{found:?}");
    }

    /// As long as they are together: neither as long as the square of their depth, nor of their number.
    #[test]
    fn the_longest_paths_and_names_are_planned_in_a_moment() {
        let begun = std::time::Instant::now();
        let deep = |number: usize| format!("{number:06}/{}f", "D/".repeat(1_010));
        let lines: Vec<String> = (0..500).map(|number| format!("100644 blob aa\t{}", deep(number))).collect();
        let base = BaseTree::parse(lines.join("\0").as_bytes()).unwrap();
        let context = ExecutionContext::new(ToolName::parse("t").unwrap());
        let change = (0..200).fold(ChangeSet::builder("why", context), |builder, number| {
            builder.write(path(&deep(number).to_lowercase()), "x")
        });
        assert_eq!(plan(&base, change.build().unwrap().files()).unwrap_err().len(), 400);
        assert!(begun.elapsed() < std::time::Duration::from_mins(1), "{:?}", begun.elapsed());
    }
}
