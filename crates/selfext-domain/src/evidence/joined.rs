//! The text with soft line wraps taken out, for secrets that a terminal or a mailer broke over lines.

use std::ops::Range;

use super::shapes::begins_secret;

/// A view of a text without the line breaks (and the indentation after them) that stand between two
/// characters of tokens, and the way back to the text it was made from.
pub(super) struct Joined {
    pub(super) text: String,
    seams: Vec<Seam>,
}

/// A place where a wrap was taken out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seam {
    /// Offset in the joined text.
    pub(super) at: usize,
    /// Offset in the source of the first character after the wrap.
    source: usize,
}

impl Joined {
    /// The joined view, or nothing when no line of the text can be joined to the next.
    pub(super) fn of(source: &str) -> Option<Self> {
        let mut text = String::new();
        let mut seams = Vec::new();
        let mut copied = 0;
        for (newline, _) in source.match_indices('\n') {
            let Some(wrap) = soft_wrap(source, newline, copied) else {
                continue;
            };
            text.push_str(&source[copied..wrap.start]);
            seams.push(Seam { at: text.len(), source: wrap.end });
            copied = wrap.end;
        }
        if seams.is_empty() {
            return None;
        }
        text.push_str(&source[copied..]);
        Some(Self { text, seams })
    }

    /// Whether a line of the source begins at an offset of the joined text.
    pub(super) fn starts_line(&self, at: usize) -> bool {
        self.seams.binary_search_by_key(&at, |seam| seam.at).is_ok()
    }

    /// The seams strictly inside a range of the joined text.
    pub(super) fn seams_within(&self, range: &Range<usize>) -> &[Seam] {
        let from = self.seams.partition_point(|seam| seam.at <= range.start);
        let to = self.seams.partition_point(|seam| seam.at < range.end);
        self.seams.get(from..to).unwrap_or_default()
    }

    /// The range of the source that a range of the joined text was made from.
    pub(super) fn source_range(&self, range: &Range<usize>) -> Range<usize> {
        let start = self.seams.partition_point(|seam| seam.at <= range.start);
        let end = self.seams.partition_point(|seam| seam.at < range.end);
        self.source_offset(start, range.start)..self.source_offset(end, range.end)
    }

    /// `passed` is the number of seams before the offset.
    fn source_offset(&self, passed: usize, at: usize) -> usize {
        match passed.checked_sub(1).and_then(|last| self.seams.get(last)) {
            Some(seam) => seam.source + (at - seam.at),
            None => at,
        }
    }
}

/// The range to drop when the line break at `newline` is a wrap inside a token. A shell's backslash
/// before the line break and empty lines after it belong to the wrap. A line that begins like a secret begins one: what ends
/// the line before is not part of it.
fn soft_wrap(source: &str, newline: usize, from: usize) -> Option<Range<usize>> {
    let before = source.get(from..newline)?;
    let before = before.strip_suffix('\\').unwrap_or(before);
    if !before.as_bytes().last().is_some_and(|byte| is_token_byte(*byte)) {
        return None;
    }
    let mut after = source[newline..].trim_start_matches([' ', '\t', '\n']);
    while let Some(wrapped_again) = after.strip_prefix("\\\n") {
        after = wrapped_again.trim_start_matches([' ', '\t', '\n']);
    }
    let joins = after.as_bytes().first().is_some_and(|byte| is_token_byte(*byte)) && !begins_secret(after);
    joins.then(|| from + before.len()..source.len() - after.len())
}

/// Whether a byte can stand inside a token.
pub(super) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.+/=~%".contains(&byte)
}
