//! Reading many objects by one call of git.

use std::sync::Arc;

use selfext_domain::ports::VerifierError;

use super::Repository;
use crate::error::unavailable;

impl Repository {
    /// What blobs hold, exactly as they are, in the order in which they are asked for.
    pub(crate) async fn blobs(&self, what: &'static str, objects: &[&str]) -> Result<Vec<Arc<[u8]>>, VerifierError> {
        if objects.is_empty() {
            return Ok(Vec::new());
        }
        let told = self.call(what).args(["cat-file", "--batch"]).input(asked(objects)).output().await?;
        let blobs = taken_apart(&told, objects.len()).ok_or_else(|| unavailable(what))?;
        Ok(blobs.into_iter().map(Arc::from).collect())
    }

    /// How many bytes blobs hold, in the order in which they are asked for.
    pub(crate) async fn sizes(&self, what: &'static str, objects: &[&str]) -> Result<Vec<u64>, VerifierError> {
        if objects.is_empty() {
            return Ok(Vec::new());
        }
        let call = self.call(what).args(["cat-file", "--batch-check=%(objecttype) %(objectsize)"]);
        let told = call.input(asked(objects)).output().await?;
        let told = String::from_utf8_lossy(&told);
        let sizes: Option<Vec<u64>> = told.lines().map(|line| line.strip_prefix("blob ")?.parse().ok()).collect();
        sizes.filter(|sizes| sizes.len() == objects.len()).ok_or_else(|| unavailable(what))
    }
}

fn asked(objects: &[&str]) -> String {
    objects.join("\n") + "\n"
}

/// Takes apart what `git cat-file --batch` writes of so many blobs.
fn taken_apart(mut told: &[u8], count: usize) -> Option<Vec<&[u8]>> {
    let mut blobs = Vec::with_capacity(count);
    for _ in 0..count {
        let end = told.iter().position(|byte| *byte == b'\n')?;
        let about = std::str::from_utf8(&told[..end]).ok()?;
        let size: usize = about.rsplit_once(" blob ")?.1.parse().ok()?;
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
        assert_eq!(taken_apart(told, 2), Some(vec![&b"a\nb"[..], b""]));
        for broken in [&b"aa missing\n"[..], b"aa blob 9\na\n", b"aa blob 1\nab", b"", b"aa tree 1\na\n"] {
            assert_eq!(taken_apart(broken, 1), None);
        }
    }
}
