//! The port of those who read the ledger in its order, as it grows.

use async_trait::async_trait;

use super::LedgerError;
use crate::RecordedEvent;

/// One reader of the ledger that goes on as it grows, as [`Ledger::follow`](super::Ledger::follow) begins it.
///
/// It gives every event behind its position exactly once, in the order of positions, whoever wrote it and in whatever order
/// the writers committed: an event is given only when none before it can appear any more. It never slows a writer down.
///
/// It ends nowhere. To go on in another process, follow again from the position of the last event that was dealt with.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait Follower: Send {
    /// The next events, at most a few hundred; waits until there are some. After an error it answers as soon as the ledger
    /// can be read again, with no events if there are none.
    ///
    /// May be dropped at any moment: what it did not give, the next call gives.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`] if the database does not answer. Nothing is lost: call it again, and it tries again after
    /// a pause, which grows with each try.
    ///
    /// [`LedgerError::OtherHistory`] if the database is not the one any more that was followed: a standby took its place, or
    /// an earlier copy was put there. What was given may not be in it. Each later call gives this error again.
    ///
    /// [`LedgerError::Corrupt`] if an event cannot be read, and [`LedgerError::Refused`]; those behind it are not given.
    async fn next(&mut self) -> Result<Vec<RecordedEvent>, LedgerError>;
}
