//! git's raw form of a difference.

use anyhow::{Context as _, Result};

/// One file that differs. A mode of zeros says that the file is not on that side.
pub struct RawEntry {
    pub old_mode: String,
    pub new_mode: String,
    pub old_object: String,
    pub new_object: String,
    pub path: Vec<u8>,
}

impl RawEntry {
    const ABSENT: &str = "000000";

    pub fn is_deleted(&self) -> bool {
        self.new_mode == Self::ABSENT
    }

    pub fn is_added(&self) -> bool {
        self.old_mode == Self::ABSENT
    }
}

/// Reads what git prints for `--raw -z --no-renames --no-abbrev`.
pub fn parse(raw: &[u8]) -> Result<Vec<RawEntry>> {
    let mut fields = raw.split(|byte| *byte == 0).filter(|field| !field.is_empty());
    let mut entries = Vec::new();
    while let Some(about) = fields.next() {
        let about = String::from_utf8_lossy(about);
        let words: Vec<&str> = about.trim_start_matches(':').split(' ').collect();
        let ([old_mode, new_mode, old_object, new_object, _], Some(path)) = (&words[..], fields.next()) else {
            anyhow::bail!("git tells a difference in an unknown form: {about}");
        };
        entries.push(RawEntry {
            old_mode: (*old_mode).to_owned(),
            new_mode: (*new_mode).to_owned(),
            old_object: (*old_object).to_owned(),
            new_object: (*new_object).to_owned(),
            path: path.to_owned(),
        });
    }
    Ok(entries)
}

/// Reads what git prints for `cat-file --batch`: the content of each blob that was asked for, in that order.
pub fn parse_blobs(mut batch: &[u8]) -> Result<Vec<Vec<u8>>> {
    let mut blobs = Vec::new();
    while !batch.is_empty() {
        let end = batch.iter().position(|byte| *byte == b'\n').context("git ended in the middle of an answer")?;
        let head = String::from_utf8_lossy(&batch[..end]);
        let size = head.rsplit_once(" blob ").and_then(|(_, size)| size.parse::<usize>().ok());
        let size = size.with_context(|| format!("git cannot read a file that it just told of: {head}"))?;
        let (content, rest) = batch[end + 1..].split_at_checked(size).context("git ended in the middle of a file")?;
        blobs.push(content.to_owned());
        batch = rest.get(1..).context("git ended in the middle of an answer")?;
    }
    Ok(blobs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raw_difference_is_read_field_by_field() {
        let raw = b":100644 100755 aa bb M\0a b\0:000000 100644 00 cc A\0new\0:100644 000000 dd 00 D\0old\0";
        let entries = parse(raw).unwrap();
        let told: Vec<_> =
            entries.iter().map(|entry| (&entry.path[..], entry.is_added(), entry.is_deleted())).collect();
        assert_eq!(told, [(&b"a b"[..], false, false), (b"new", true, false), (b"old", false, true)]);
        assert_eq!((entries[0].new_mode.as_str(), entries[0].new_object.as_str()), ("100755", "bb"));
        assert!(parse(b"nonsense\0x\0").is_err() && parse(b":1 2 3 4 M\0").is_err());
    }

    #[test]
    fn blobs_may_hold_anything() {
        let blobs = parse_blobs(b"aa blob 3\n\n\0x\nbb blob 0\n\n").unwrap();
        assert_eq!(blobs, [b"\n\0x".to_vec(), Vec::new()]);
        assert!(parse_blobs(b"aa missing\n").is_err() && parse_blobs(b"aa blob 9\nx\n").is_err());
        assert!(parse_blobs(b"aa blob 18446744073709551615\nx\n").is_err());
    }
}
