//! What both databases' archives have in common. An auditor is told of every row, whatever was done to it, so nothing here is an
//! error: a value that is not there, or is of another type, is read as an empty one, which no event and no checkpoint has.

use selfext_domain::Position;
use selfext_domain::ports::StoredCheckpoint;

/// A position, from the numbers that a database holds.
pub(crate) fn position(transaction: i64, id: i64) -> Position {
    Position { transaction: unsigned(transaction), id: unsigned(id) }
}

/// A checkpoint, from the columns of its row.
pub(crate) fn checkpoint(size: i64, position: Position, frontier: String, note: String) -> StoredCheckpoint {
    StoredCheckpoint { size: unsigned(size), position, frontier, note }
}

/// What a database says of itself, from the column that holds it.
pub(crate) fn sentence(text: Option<String>) -> String {
    text.unwrap_or_else(|| "what is kept beside the ledger names no run where one belongs".to_owned())
}

fn unsigned(number: i64) -> u64 {
    number.try_into().unwrap_or(0)
}
