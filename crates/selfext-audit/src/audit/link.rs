//! The hashes of one row: whether they fit, and if not, what was edited.

use selfext_domain::{Digest32, Link};

use super::streams::Tail;
use super::{About, StoredRow};

/// What became of a row's hashes.
pub(super) struct Judged {
    /// The hash to go on with: what the next event and the seals were written behind, as far as the data tells.
    pub hash: Digest32,
    /// The stored hash of the event before it, if it is one.
    pub prev: Option<Digest32>,
    /// Whether it stands behind the last event that is known of its stream.
    pub follows: bool,
    /// What was edited.
    pub edited: Option<Edit>,
}

/// An edited part of a row.
pub(super) struct Edit {
    pub about: About,
    pub expected: String,
    pub found: String,
}

impl Judged {
    /// Whether the text is the one that was written, as far as the row's own hashes tell.
    pub fn content_holds(&self) -> bool {
        !matches!(&self.edited, Some(edit) if matches!(edit.about, About::Content | About::Hash))
    }
}

fn digest(bytes: &[u8]) -> Option<Digest32> {
    bytes.try_into().ok().map(Digest32::from_bytes)
}

/// Judges the hashes of a row against its own bytes, behind what is known of its stream.
pub(super) fn judge(row: &StoredRow<'_>, computed: Digest32, tail: &Tail) -> Judged {
    let (prev, hash) = (digest(row.prev_hash), digest(row.hash));
    let follows = prev.is_some_and(|prev| tail.hash.is(prev));
    let own = prev.map(|prev| Link::of_digests(prev, computed).hash);
    match (own, hash) {
        (Some(own), Some(hash)) if own == hash => {
            let holds = row.content_hash.is_none_or(|stored| stored == computed.as_bytes());
            let edited = (!holds).then(|| edit(About::ContentHash, &computed, row.content_hash.unwrap_or_default()));
            Judged { hash, prev, follows, edited }
        }
        _ => guess(row, computed, tail, prev, follows),
    }
}

/// Something of the row was edited. Each guess is one part that, set right, makes the rest fit.
fn guess(row: &StoredRow<'_>, computed: Digest32, tail: &Tail, prev: Option<Digest32>, follows: bool) -> Judged {
    let stored_content = row.content_hash.and_then(digest);
    let content_was_hashed = row.content_hash.is_none() || stored_content == Some(computed);
    let behind_tail = tail.hash.full().map(|prev| Link::of_digests(prev, computed).hash);
    if let Some(hash) = digest(row.hash) {
        // Of some tails half is known, which is enough to see that this is not it, but not to compute what it would give.
        let unlike_tail =
            behind_tail.is_none() && !follows && tail.sequence.checked_add(1) == row.sequence.try_into().ok();
        if behind_tail == Some(hash) || (unlike_tail && content_was_hashed) {
            let edited = Some(edit(About::PrevHash, &tail.hash.shown(), row.prev_hash));
            return Judged { hash, prev: tail.hash.full(), follows: true, edited };
        }
        if let (Some(before), Some(stored)) = (prev, stored_content)
            && Link::of_digests(before, stored).hash == hash
        {
            let expected = format!("bytes of the SHA-256 {stored}");
            return Judged { hash, edited: Some(edit(About::Content, &expected, computed.as_bytes())), prev, follows };
        }
    }
    // What is left: the hash itself, or, where the content's hash is not stored, the content.
    let own = prev.map(|prev| Link::of_digests(prev, computed).hash);
    let right = own.or(behind_tail).unwrap_or(computed);
    let stored = if stored_content == Some(computed) { None } else { digest(row.hash) };
    Judged { hash: stored.unwrap_or(right), edited: Some(edit(About::Hash, &right, row.hash)), prev, follows }
}

fn edit(about: About, expected: &impl std::fmt::Display, found: &[u8]) -> Edit {
    Edit { about, expected: expected.to_string(), found: hex::encode(found) }
}
