//! Where a follower stands, and whether it still stands there.

use selfext_domain::ports::LedgerError;
use selfext_domain::{Digest32, Position, RecordedEvent};

/// How many events a follower gives at a time, at most.
pub(crate) const BATCH: u32 = 500;

/// The last event that a follower gave.
#[derive(Debug)]
pub(crate) struct Place {
    /// Its position.
    pub position: Position,
    /// Its hash; `None` as long as nothing but its position is known.
    hash: Option<Digest32>,
}

impl Place {
    pub const fn new(position: Position) -> Self {
        Self { position, hash: None }
    }

    /// Compares the last event with the one that the database has at its position: what followed another is not what follows
    /// this one.
    pub fn is_still(&mut self, found: Option<&[u8]>) -> Result<(), LedgerError> {
        let Self { position, hash } = *self;
        if position == Position::START {
            return Ok(());
        }
        let found = found.and_then(|found| <[u8; 32]>::try_from(found).ok()).map(Digest32::from_bytes);
        let found = found.ok_or_else(|| other_history(format!("it has no event at the position {position}")))?;
        if hash.is_some_and(|hash| hash != found) {
            return Err(other_history(format!("its event at the position {position} is another one")));
        }
        self.hash = Some(found);
        Ok(())
    }

    /// Goes on behind the last of these events.
    pub fn go_behind(&mut self, events: &[RecordedEvent]) {
        if let Some(last) = events.last() {
            *self = Self { position: last.position, hash: Some(last.link.hash) };
        }
    }
}

/// The error of a database that is not the one that was followed.
pub(crate) fn other_history(detail: String) -> LedgerError {
    LedgerError::OtherHistory { detail }
}
