//! What a commit changed.

use selfext_domain::ports::VerifierError;
use selfext_domain::{CommitSha, RepoPath};

use crate::cache::Repository;
use crate::candidate::{Entry, Kind};
use crate::error::{unavailable, words};

/// A path that a commit changed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Changed {
    pub(super) path: RepoPath,
    /// What the commit's first parent has there.
    pub(super) before: Option<Entry>,
    /// What the commit has there.
    pub(super) landed: Option<Entry>,
}

/// The differences between a commit and its first parent, in no order. Two calls of git.
pub(super) async fn difference(repository: &Repository, landed: &CommitSha) -> Result<Vec<Changed>, VerifierError> {
    let parent = first_parent(repository, landed).await?;
    let call = repository.call("what the commit changed cannot be listed");
    let options = ["diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", "--ignore-submodules=none"];
    let listing = call.args(options).args([&parent, landed.as_str()]).output().await?;
    parse(&listing, landed)
}

async fn first_parent(repository: &Repository, commit: &CommitSha) -> Result<String, VerifierError> {
    let call = repository.call("the commit's parent cannot be looked up");
    let call = call.args(["cat-file", "--batch-check=%(objectname) %(objecttype)"]);
    let told = call.input(format!("{commit}^1\n")).output().await?;
    let parent = String::from_utf8_lossy(&told).trim_end().strip_suffix(" commit").map(str::to_owned);
    parent.ok_or_else(|| {
        unavailable(&format!("the commit {commit} has no parent here, so that there is nothing to go back to"))
    })
}

/// Reads what `git diff-tree --raw -z` writes.
fn parse(listing: &[u8], landed: &CommitSha) -> Result<Vec<Changed>, VerifierError> {
    let unknown = || unavailable("git listed what the commit changed in an unknown form");
    let mut fields = listing.split(|byte| *byte == 0).filter(|field| !field.is_empty());
    let mut changes = Vec::new();
    while let Some(about) = fields.next() {
        let about = std::str::from_utf8(about).ok().and_then(|about| about.strip_prefix(':')).ok_or_else(unknown)?;
        let facts: Vec<&str> = about.split(' ').collect();
        let [mode_before, mode_landed, before, after, _] = facts[..] else { return Err(unknown()) };
        let name = fields.next().ok_or_else(unknown)?;
        let path = std::str::from_utf8(name).ok().and_then(|name| RepoPath::parse(name).ok());
        let path = path.ok_or_else(|| unnameable(landed, name))?;
        let entry = |mode, object| entry(mode, object).map_err(|()| unknown());
        changes.push(Changed { path, before: entry(mode_before, before)?, landed: entry(mode_landed, after)? });
    }
    Ok(changes)
}

/// `None` for an entry that is not there, an error for one that git does not know.
fn entry(mode: &str, object: &str) -> Result<Option<Entry>, ()> {
    if mode == "000000" {
        return Ok(None);
    }
    let kind = Kind::of(mode).ok_or(())?;
    Ok(Some(Entry { kind, object: object.to_owned() }))
}

fn unnameable(landed: &CommitSha, name: &[u8]) -> VerifierError {
    let name = String::from_utf8_lossy(name);
    let detail = words(&format!("the commit {landed} changed {name:?}, a path that no change set can name"));
    VerifierError::DoesNotApply { detail, paths: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(lines: &[&str]) -> Result<Vec<Changed>, VerifierError> {
        parse(lines.join("\0").as_bytes(), &CommitSha::parse("1".repeat(40)).unwrap())
    }

    #[test]
    fn a_difference_is_read_with_odd_names_and_kinds() {
        let entry = |kind, object: &str| Some(Entry { kind, object: object.to_owned() });
        let changes = parsed(&[
            ":100644 000000 aa 00 D",
            "a b#%",
            ":000000 100755 00 bb A",
            ":odd",
            ":120000 160000 cc dd T",
            "ä",
            "",
        ]);
        let changes: Vec<_> =
            changes.unwrap().into_iter().map(|it| (it.path.to_string(), it.before, it.landed)).collect();
        let expected = [
            ("a b#%".to_owned(), entry(Kind::File, "aa"), None),
            (":odd".to_owned(), None, entry(Kind::Executable, "bb")),
            ("ä".to_owned(), entry(Kind::Symlink, "cc"), entry(Kind::Submodule, "dd")),
        ];
        assert_eq!(changes, expected);
        assert!(parsed(&[""]).unwrap().is_empty());
    }

    #[test]
    fn what_cannot_be_named_or_understood_is_refused() {
        let named = parsed(&[":100644 000000 aa 00 D", "a/../b"]);
        assert!(matches!(named, Err(VerifierError::DoesNotApply { detail, .. }) if detail.contains("a/../b")));
        for lines in [&[":100644 000000 aa 00 D"][..], &["x", "y"], &[":100644 000000 aa", "y"], &[":1 2 3 4 D", "y"]] {
            assert!(matches!(parsed(lines), Err(VerifierError::Unavailable { .. })), "{lines:?}");
        }
    }
}
