//! Change sets in JSON, as an agent writes them.

use selfext_domain::{ChangeSet, FileChange};

/// A change set that is taken has files that fit together, and the same fingerprint whenever it is read.
pub fn change_set(data: &[u8]) {
    let Ok(change) = ChangeSet::from_json(data) else { return };
    assert!(!change.files().is_empty() && !change.message().trim().is_empty());
    let again = ChangeSet::from_json(data).expect("what was read once is read again");
    assert_eq!(again.fingerprint(), change.fingerprint());
    let written = |path: &str| {
        change.files().iter().any(|(other, file)| other.as_str() == path && matches!(file, FileChange::Write { .. }))
    };
    for (path, file) in change.files() {
        if matches!(file, FileChange::Write { .. }) {
            assert!(!path.ancestors().any(written), "{path} needs a file to be a folder");
        }
    }
}
