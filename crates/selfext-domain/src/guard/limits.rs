//! The guard over the size of a change.

use crate::{ChangeLimits, ChangeSet, FileChange, Reason, Refusal, Stage};

/// Judges the size of a change set.
///
/// # Errors
/// A [`Refusal`] with the reason `limit-exceeded` that names the limit.
pub fn check_limits(change: &ChangeSet, limits: &ChangeLimits) -> Result<(), Refusal> {
    let refuse = |detail: String| Err(Refusal::new(Stage::Staging, Reason::LimitExceeded, detail));
    let files = change.files().len();
    if files > limits.max_files {
        return refuse(format!("the change has {files} files; limits.max_files allows {}.", limits.max_files));
    }
    for (path, file) in change.files() {
        if let FileChange::Write { content, .. } = file
            && content.len() as u64 > limits.max_file_bytes
        {
            let bytes = content.len();
            return refuse(format!(
                "{path} has {bytes} bytes; limits.max_file_bytes allows {}.",
                limits.max_file_bytes
            ));
        }
    }
    let bytes = change.bytes();
    if bytes > limits.max_total_bytes {
        return refuse(format!(
            "the change writes {bytes} bytes; limits.max_total_bytes allows {}.",
            limits.max_total_bytes
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ExecutionContext, RepoPath, ToolName};

    #[test]
    fn each_limit_is_inclusive_and_named() {
        let context = ExecutionContext::new(ToolName::parse("t").unwrap());
        let path = |name| RepoPath::parse(name).unwrap();
        let change = ChangeSet::builder("m", context).write(path("a"), "1234").write(path("b"), "12").build().unwrap();
        let limits = ChangeLimits { max_files: 2, max_file_bytes: 4, max_total_bytes: 6 };
        assert!(check_limits(&change, &limits).is_ok());
        for (limits, name) in [
            (ChangeLimits { max_files: 1, ..limits }, "max_files"),
            (ChangeLimits { max_file_bytes: 3, ..limits }, "max_file_bytes"),
            (ChangeLimits { max_total_bytes: 5, ..limits }, "max_total_bytes"),
        ] {
            let refusal = check_limits(&change, &limits).unwrap_err();
            assert!(refusal.reason == Reason::LimitExceeded && refusal.detail.contains(name));
        }
    }
}
