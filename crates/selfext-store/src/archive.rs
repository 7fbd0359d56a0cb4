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

/// Reads rows of the ledger: of each its position's two numbers first, then its fields in the order of `LedgerRow`. A macro,
/// because sqlx's rows have no type in common.
macro_rules! ledger_rows {
    ($rows:expr, $failed:expr) => {{
        let rows = $rows;
        let mut read = selfext_domain::ports::LedgerRows::with_capacity(rows.len());
        for row in &rows {
            read.push(&$crate::archive::ledger_rows!(@row row, $failed));
        }
        Ok(read)
    }};
    (@row $row:ident, $failed:expr) => {{
        let row = $row;
        let position = $crate::archive::position(row.try_get(0).map_err($failed)?, row.try_get(1).map_err($failed)?)?;
        $crate::archive::ledger_rows!(@fields row, $failed, position,
            2 sequence, 3 content, 4 content_hash, 5 prev_hash, 6 hash, 7 created_at, 8 written_by, 9 event_id, 10 run_id,
            11 correlation_id, 12 stage, 13 event_type, 14 actor_source, 15 tool_name, 16 tool_call_id, 17 goal_id,
            18 cycle_id, 19 sub_goal_id, 20 repository, 21 base, 22 fingerprint, 23 pull_request)
    }};
    (@fields $row:ident, $failed:expr, $position:ident, $($at:literal $field:ident),+) => {
        selfext_domain::ports::LedgerRow { position: $position, $($field: $row.try_get($at).map_err($failed)?),+ }
    };
}
pub(crate) use ledger_rows;
