//! How the landed changes of a base branch stand, as a database tells it.

use std::str::FromStr;
use std::time::Duration;

use selfext_domain::CommitSha;
use selfext_domain::ports::{Baseline, LedgerError};

use crate::stored_text::unstored;

/// No time that is asked about is longer: a hundred years, which every database can take from now.
const LONGEST: Duration = Duration::from_hours(100 * 365 * 24);

/// A duration in seconds, as it is handed to a database.
pub(crate) fn seconds(time: Duration) -> f64 {
    time.min(LONGEST).as_secs_f64()
}

/// A text as a column has it, read back as what it is.
pub(crate) fn read<T: FromStr>(what: &str, column: &str) -> Result<T, LedgerError> {
    let corrupt = || LedgerError::Corrupt { detail: format!("{column:?} is no {what}") };
    unstored(column).and_then(|text| text.parse().ok()).ok_or_else(corrupt)
}

/// The commit of a baseline.
pub(crate) fn baseline_commit(column: &str) -> Result<CommitSha, LedgerError> {
    read("commit of a baseline", column)
}

/// A baseline of its row.
pub(crate) fn baseline(repository: &str, base: &str, commit: &str) -> Result<Baseline, LedgerError> {
    Ok(Baseline {
        repository: read("repository of a baseline", repository)?,
        base: read("branch of a baseline", base)?,
        commit: baseline_commit(commit)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_baseline_is_corrupt() {
        let sha = "a".repeat(40);
        assert!(baseline("acme/agent", "main", &sha).is_ok());
        for (repository, base, commit) in
            [("acme", "main", &*sha), ("acme/agent", "a..b", &sha), ("acme/agent", "main", "x")]
        {
            let error = baseline(repository, base, commit).unwrap_err();
            assert!(matches!(error, LedgerError::Corrupt { .. }), "{error}");
        }
    }
}
