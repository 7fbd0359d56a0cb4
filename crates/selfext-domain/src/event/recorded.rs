//! Events as the ledger holds them.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Event, EventError};
use crate::{Digest32, InvalidValue, Link};

/// Where an event stands in the order in which followers see the ledger. Positions grow; they have gaps; they are
/// meaningful for one ledger only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// The database's number of the transaction that wrote it.
    pub transaction: u64,
    /// The row's own number.
    pub id: u64,
}

impl Position {
    /// Before the first event.
    pub const START: Self = Self { transaction: 0, id: 0 };

    /// Reads what a position is displayed as.
    ///
    /// # Errors
    /// [`InvalidValue`] if it is not two numbers with a dot between them.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        let number = |text: &str| text.parse().ok().filter(|_| !text.starts_with('+'));
        let numbers = text.split_once('.').and_then(|(transaction, id)| Some((number(transaction)?, number(id)?)));
        let (transaction, id) =
            numbers.ok_or_else(|| InvalidValue::new("position", text, "is not two numbers with a dot between them"))?;
        Ok(Self { transaction, id })
    }
}

impl FromStr for Position {
    type Err = InvalidValue;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.transaction, self.id)
    }
}

/// One event with what the database added when it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedEvent {
    /// What its writer set.
    pub event: Event,
    /// Where it stands in its stream, from 1, without gaps.
    pub sequence: u64,
    /// Where it stands in the order that followers see.
    pub position: Position,
    /// When the database took it, by the database's clock.
    pub recorded_at: DateTime<Utc>,
    /// Who wrote it, as the database knows it.
    pub written_by: String,
    /// The exact bytes that are stored and hashed.
    pub content: String,
    /// How it is chained to the event before it.
    pub link: Link,
}

impl RecordedEvent {
    /// The record of an event behind an event with the hash `prev_hash`, for ledgers that compute it themselves.
    ///
    /// # Errors
    /// [`EventError`] if the event has no stored form.
    pub fn new(
        event: Event,
        sequence: u64,
        prev_hash: Digest32,
        position: Position,
        recorded_at: DateTime<Utc>,
        written_by: String,
    ) -> Result<Self, EventError> {
        let content = event.to_content()?;
        let link = Link::new(prev_hash, content.as_bytes());
        Ok(Self { event, sequence, position, recorded_at, written_by, content, link })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_reads_back_as_it_is_displayed() {
        for position in
            [Position::START, Position { transaction: 7, id: 12 }, Position { transaction: 0, id: u64::MAX }]
        {
            assert_eq!(Position::parse(&position.to_string()), Ok(position));
        }
        for odd in ["", ".", "7", "1.2.3", "x.1", "1.", ".1", "+1.2", "1.+2", "-1.2", "1 .2", "18446744073709551616.1"]
        {
            assert!(Position::parse(odd).is_err(), "{odd}");
        }
    }
}
