//! Cutting a redacted text to a size, without cutting into a marker.

use super::kind::marker_around;
use super::redact::redact;

/// How much of a text is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextCap {
    /// The most bytes that the text may have, the note about the cut included.
    pub max_bytes: usize,
    /// Which end is kept.
    pub keep: Keep,
}

/// Which end of a text is kept when it is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// The beginning; the note stands at the end.
    Head,
    /// The end, where build output says why it failed; the note stands at the beginning.
    Tail,
}

/// The longest note has 46 bytes. A cap smaller than this cuts without a note.
const NOTE: usize = 48;

impl TextCap {
    /// Keeps at most `max_bytes` from the beginning.
    #[must_use]
    pub const fn head(max_bytes: usize) -> Self {
        Self { max_bytes, keep: Keep::Head }
    }

    /// Keeps at most `max_bytes` from the end.
    #[must_use]
    pub const fn tail(max_bytes: usize) -> Self {
        Self { max_bytes, keep: Keep::Tail }
    }

    /// Cuts a text that [`redact`] has gone over. What is left is stable under redaction again: a cut can
    /// change what stands around a word, so the rest is looked at once more.
    pub(super) fn fit(self, redacted: String) -> String {
        if redacted.len() <= self.max_bytes {
            return redacted;
        }
        let noted = self.max_bytes >= NOTE;
        let room = if noted { self.max_bytes - NOTE } else { self.max_bytes };
        let kept = self.settle(&redacted, room);
        if !noted {
            return kept;
        }
        let note = format!("… {} bytes cut …\n", grouped(redacted.len().saturating_sub(kept.len())));
        match self.keep {
            Keep::Head if kept.is_empty() || kept.ends_with('\n') => kept + &note,
            Keep::Head => kept + "\n" + &note,
            Keep::Tail => note + &kept,
        }
    }

    /// Cuts until redaction finds nothing more in the rest; keeps nothing if that does not come to an end.
    fn settle(self, redacted: &str, room: usize) -> String {
        let mut kept = self.cut(redacted, room).to_owned();
        for _ in 0..4 {
            let again = redact(&kept).into_owned();
            if again == kept {
                return kept;
            }
            self.cut(&again, room).clone_into(&mut kept);
        }
        String::new()
    }

    /// The kept end, at most `room` bytes, between characters and not inside a marker.
    fn cut(self, text: &str, room: usize) -> &str {
        if text.len() <= room {
            return text;
        }
        match self.keep {
            Keep::Head => {
                let end = text.floor_char_boundary(room);
                &text[..marker_around(text, end).map_or(end, |marker| marker.start)]
            }
            Keep::Tail => {
                let start = text.ceil_char_boundary(text.len() - room);
                &text[marker_around(text, start).map_or(start, |marker| marker.end)..]
            }
        }
    }
}

/// A number with its thousands apart: `12,345`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
