//! How much room a tree takes, known before it is checked out.

use std::io::{Error, ErrorKind};

use selfext_domain::TreeSha;
use selfext_domain::ports::VerifierError;

use crate::cache::Repository;
use crate::error::{blocking, unavailable};

const WHAT: &str = "the candidate cannot be read";
/// What file systems give a file or a folder at least.
const BLOCK: u64 = 4_096;

/// What a tree holds. One object may stand in it any number of times, so that a small repository may hold a tree of any size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Extent {
    /// Bytes on a disk, in whole blocks, of files and folders. Attributes may make files larger.
    bytes: u64,
    /// Bytes of the longest path.
    longest: usize,
}

impl Extent {
    /// Looks at a tree's names and sizes; at no file.
    pub(super) async fn of(repository: &Repository, tree: &TreeSha) -> Result<Self, VerifierError> {
        let call = repository.call(WHAT).args(["ls-tree", "-r", "-z", "--full-tree"]);
        let listing = call.args(["--format=%(objectsize) %(path)", tree.as_str()]).output().await?;
        blocking(WHAT, move || Self::parse(&listing).ok_or_else(|| Error::from(ErrorKind::InvalidData))).await
    }

    /// Reads sizes and paths in the order of a tree; `None` if it is something else.
    fn parse(listing: &[u8]) -> Option<Self> {
        let mut extent = Self::default();
        let mut before: &[u8] = b"";
        for line in listing.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
            let space = line.iter().position(|byte| *byte == b' ')?;
            // A submodule has no size. It becomes an empty folder.
            let size: u64 = match line[..space].trim_ascii() {
                b"-" => 0,
                size => std::str::from_utf8(size).ok()?.parse().ok()?,
            };
            let path = &line[space + 1..];
            let same = before.iter().zip(path).take_while(|(one, other)| one == other).count();
            let folders = path[same..].split(|byte| *byte == b'/').count() as u64 - 1;
            let blocks = size.div_ceil(BLOCK).max(1).saturating_add(folders);
            extent.bytes = extent.bytes.saturating_add(blocks.saturating_mul(BLOCK));
            extent.longest = extent.longest.max(path.len());
            before = path;
        }
        Some(extent)
    }

    /// Refuses a tree that takes more bytes than there may be, or whose longest path is longer than there is room for.
    pub(super) fn demand(self, most: u64, room: usize) -> Result<(), VerifierError> {
        let Self { bytes, longest } = self;
        if longest > room {
            let detail =
                format!("the candidate holds a path of {longest} bytes; at most {room} can be looked after here");
            return Err(unavailable(&detail));
        }
        if bytes > most { Err(too_large(most, &format!("take {bytes} bytes of disk space"))) } else { Ok(()) }
    }
}

/// The error for a tree that has no room.
pub(super) fn too_large(most: u64, what: &str) -> VerifierError {
    unavailable(&format!(
        "the candidate's files {what}, and no stage may use more than {most}: limits.disk_bytes in the rules"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_blocks_of_files_and_of_each_folder_once_are_counted() {
        let told = |listing: &[u8]| Extent::parse(listing).map(|extent| (extent.bytes / BLOCK, extent.longest));
        assert_eq!(told(b""), Some((0, 0)));
        assert_eq!(told(b"0 a\x005000 b\0"), Some((3, 1)));
        assert_eq!(told(b"1 a/b/c\x001 a/b/d\x001 a/bc/d\x001 ab/d\0"), Some((8, 6)));
        assert_eq!(told(b"- sub\x007 odd name\n\0"), Some((2, 9)));
        assert_eq!(told(b"18446744073709551615 a\x001 b\0").map(|told| told.1), Some(1));
        for broken in [&b"x a\0"[..], b"1\0", b"-1 a\0"] {
            assert_eq!(told(broken), None);
        }
    }

    #[test]
    fn too_much_and_too_long_are_refused_and_exactly_enough_is_not() {
        let extent = Extent { bytes: 8_192, longest: 10 };
        assert!(extent.demand(8_192, 10).is_ok());
        assert!(extent.demand(8_191, 10).is_err() && extent.demand(8_192, 9).is_err());
    }
}
