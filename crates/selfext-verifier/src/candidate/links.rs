//! Where the symbolic links of a base lead.

use selfext_domain::ports::VerifierError;
use selfext_domain::{BaseLinks, RepoPath};

use super::base_tree::BaseTree;
use crate::cache::Repository;
use crate::error::unavailable;

const WHAT: &str = "the symbolic links of the base cannot be read";

/// Reads the targets of all links, by one call of git where there are any.
pub(super) async fn links(repository: &Repository, tree: &BaseTree) -> Result<BaseLinks, VerifierError> {
    let (paths, objects): (Vec<&[u8]>, Vec<&str>) = tree.links().unzip();
    if paths.is_empty() {
        return Ok(BaseLinks::default());
    }
    let asked = objects.join("\n") + "\n";
    let told = repository.call(WHAT).args(["cat-file", "--batch"]).input(asked).output().await?;
    let targets = blobs(&told, objects.len()).ok_or_else(|| unavailable(WHAT))?;
    let read: Vec<(RepoPath, &str)> = paths
        .iter()
        .zip(targets)
        // A name that no change can have, and a target that is no text, are no other name of what a change can touch.
        .filter_map(|(path, target)| Some((RepoPath::parse(text(path)?).ok()?, text(target)?)))
        .collect();
    Ok(BaseLinks::new(read.iter().map(|(path, target)| (path, *target))))
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// Takes apart what `git cat-file --batch` writes of so many blobs.
fn blobs(mut told: &[u8], count: usize) -> Option<Vec<&[u8]>> {
    let mut blobs = Vec::with_capacity(count);
    for _ in 0..count {
        let end = told.iter().position(|byte| *byte == b'\n')?;
        let size: usize = text(&told[..end])?.rsplit_once(" blob ")?.1.parse().ok()?;
        let rest = &told[end + 1..];
        blobs.push(rest.get(..size)?);
        told = rest.get(size..)?.strip_prefix(b"\n")?;
    }
    Some(blobs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blobs_are_taken_apart_and_anything_else_is_nothing() {
        let told = b"aa blob 3\na\nb\nbb blob 0\n\n";
        assert_eq!(blobs(told, 2), Some(vec![&b"a\nb"[..], b""]));
        for broken in [&b"aa missing\n"[..], b"aa blob 9\na\n", b"aa blob 1\nab", b"", b"aa tree 1\na\n"] {
            assert_eq!(blobs(broken, 1), None);
        }
    }
}
