//! Paths that an agent names.

use std::sync::LazyLock;

use selfext_domain::{ProtectedPaths, RepoPath, folded};

static PROTECTED: LazyLock<ProtectedPaths> =
    LazyLock::new(|| ProtectedPaths::new(vec!["infra/**".to_owned()]).expect("a legal pattern"));

/// A path that is taken stays inside the repository, however it is decoded, and reads back as itself. What is protected is so
/// in either case and in its folded form.
pub fn path(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(path) = RepoPath::parse(text) else { return };
    assert_eq!(RepoPath::parse(path.as_str()).as_ref(), Ok(&path));
    assert_eq!(path.as_str(), text);
    assert!(!text.starts_with('/') && !text.contains(['\\', '\0', '\n']));
    for part in text.split('/') {
        assert!(!part.is_empty() && part != "." && part != "..", "{text:?}");
        assert!(!part.eq_ignore_ascii_case(".git") && !part.ends_with(['.', ' ']), "{text:?}");
    }
    assert!(path.ancestors().all(|above| text.starts_with(above) && RepoPath::parse(above).is_ok()));
    let once = folded(text);
    assert_eq!(folded(&once), once);
    for other in [text.to_ascii_uppercase(), text.to_ascii_lowercase(), once] {
        if let Ok(other) = RepoPath::parse(&*other) {
            assert_eq!(PROTECTED.contains(&other), PROTECTED.contains(&path), "{other} and {path}");
        }
    }
}
