//! What changed between two commits or trees.

use std::sync::Arc;

use super::{Git, GitError, Oid};

/// One changed file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileChange {
    /// The path after the change.
    pub(crate) path: String,
    /// The path before a rename or a copy.
    pub(crate) previous: Option<String>,
    /// GitHub's word for the change.
    pub(crate) status: &'static str,
    /// The blob after the change, or before it if the file was removed.
    pub(crate) oid: Oid,
    /// Added lines; 0 for binary files.
    pub(crate) additions: u64,
    /// Removed lines; 0 for binary files.
    pub(crate) deletions: u64,
}

impl Git {
    /// The files that differ between two commits or trees. Remembered.
    pub(crate) async fn changes(&self, from: Oid, to: Oid) -> Result<Arc<Vec<FileChange>>, GitError> {
        if let Some(known) = self.memo.changes(from, to) {
            return Ok(known);
        }
        let (from_text, to_text) = (from.to_string(), to.to_string());
        let mut arguments = vec!["diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--numstat", "-M"];
        arguments.extend(["--no-ext-diff", "--no-textconv", &from_text, &to_text]);
        let output = self.launcher.run(&arguments).await?;
        let changes = parse(&output).ok_or_else(|| GitError::unexpected("diff-tree", &output))?;
        let changes = Arc::new(changes);
        self.memo.keep_changes(from, to, Arc::clone(&changes));
        Ok(changes)
    }
}

/// Reads all raw records, then the line counts, which follow in the same order.
fn parse(output: &[u8]) -> Option<Vec<FileChange>> {
    let mut fields = output.split(|byte| *byte == 0).peekable();
    let text = |field: &[u8]| String::from_utf8_lossy(field).into_owned();
    let mut changes = Vec::new();
    while let Some(raw) = fields.next_if(|field| field.starts_with(b":")) {
        let raw = text(raw);
        let words: Vec<&str> = raw.split(' ').collect();
        let (old, new) = (Oid::parse(words.get(2)?)?, Oid::parse(words.get(3)?)?);
        let letter = words.get(4)?.chars().next()?;
        let first = text(fields.next()?);
        let (path, previous) = match letter {
            'R' | 'C' => (text(fields.next()?), Some(first)),
            _ => (first, None),
        };
        changes.push(FileChange {
            path,
            previous,
            status: match letter {
                'A' => "added",
                'D' => "removed",
                'R' => "renamed",
                'C' => "copied",
                'T' => "changed",
                _ => "modified",
            },
            oid: if letter == 'D' { old } else { new },
            additions: 0,
            deletions: 0,
        });
    }
    for change in &mut changes {
        let counts = text(fields.next()?);
        let mut words = counts.splitn(3, '\t');
        change.additions = words.next()?.parse().unwrap_or_default();
        change.deletions = words.next()?.parse().unwrap_or_default();
        if words.next()?.is_empty() {
            fields.next()?;
            fields.next()?;
        }
    }
    Some(changes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renames_binaries_and_removals_are_read_from_gits_output() {
        let (a, b) = ("1".repeat(40), "2".repeat(40));
        let zero = "0".repeat(40);
        let output = format!(
            ":100644 100644 {a} {b} R090\0old name\0new\0:100644 000000 {a} {zero} D\0gone\0:000000 100644 {zero} {b} A\0bin\0\
             3\t1\t\0old name\0new\0\
             0\t7\tgone\0-\t-\tbin\0"
        );
        let changes = parse(output.as_bytes()).expect("readable");
        let seen: Vec<_> = changes
            .iter()
            .map(|c| (c.status, c.path.as_str(), c.previous.as_deref(), c.additions, c.deletions))
            .collect();
        assert_eq!(
            seen,
            [("renamed", "new", Some("old name"), 3, 1), ("removed", "gone", None, 0, 7), ("added", "bin", None, 0, 0),]
        );
        assert_eq!(changes[1].oid, Oid::parse(&a).expect("an id"));
    }
}
