//! The part of a change that applies to a base.

use super::base_tree::BaseTree;
use super::obstacle::Obstacle;
use super::plan::{Files, plan};

/// Takes out of `files` what cannot be done to a base, until what is left can; answers what was in the way of the rest.
///
/// A write may need a delete that cannot be done, and nothing needs a write, so that this ends after the third round.
pub(crate) fn keep_applicable(base: &BaseTree, files: &mut Files) -> Vec<Obstacle> {
    let mut found = Vec::new();
    while let Err(obstacles) = plan(base, files) {
        // One path may have two things in its way.
        found.extend(obstacles.into_iter().filter(|obstacle| files.remove(&obstacle.path).is_some()));
    }
    found
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use selfext_domain::{FileChange, RepoPath};

    use super::*;

    #[test]
    fn what_needs_something_that_cannot_be_done_is_not_done_either() {
        let lines = ["160000 commit aa\tsub", "100644 blob bb\tREADME", "100644 blob cc\tfile"];
        let base = BaseTree::parse(lines.join("\0").as_bytes()).unwrap();
        let write = || FileChange::Write { content: Arc::from([]), executable: None };
        let named = |name: &str, change| (RepoPath::parse(name).unwrap(), change);
        let mut files = Files::from([
            named("sub", FileChange::Delete),
            named("sub/inside", write()),
            named("readme", write()),
            named("file", write()),
            named("README/below", write()),
        ]);
        let found = keep_applicable(&base, &mut files);
        let paths: Vec<&str> = found.iter().map(|obstacle| obstacle.path.as_str()).collect();
        assert_eq!(paths, ["README/below", "sub", "readme", "sub/inside"]);
        assert!(files.keys().map(RepoPath::as_str).eq(["file"]));
    }
}
