//! What both databases' archives have in common.

use selfext_domain::Position;
use selfext_domain::ports::{LedgerError, StoredCheckpoint};

/// A position, from the numbers that a database holds.
pub(crate) fn position(transaction: i64, id: i64) -> Result<Position, LedgerError> {
    Ok(Position { transaction: unsigned("a transaction", transaction)?, id: unsigned("an id", id)? })
}

/// A checkpoint, from the columns of its row.
pub(crate) fn checkpoint(
    size: i64,
    position: Position,
    frontier: String,
    note: String,
) -> Result<StoredCheckpoint, LedgerError> {
    Ok(StoredCheckpoint { size: unsigned("the size of a checkpoint", size)?, position, frontier, note })
}

fn unsigned(what: &str, number: i64) -> Result<u64, LedgerError> {
    number.try_into().map_err(|_| LedgerError::Corrupt { detail: format!("{what} is the negative number {number}") })
}
