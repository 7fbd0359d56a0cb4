//! A wait between the domain and its row.

use chrono::{DateTime, Utc};
use selfext_domain::ports::{LedgerError, Wait};

use crate::standing::read;

/// A wait, read back.
pub(crate) fn wait(
    run: &str,
    holder: &str,
    what: &str,
    since: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Wait, LedgerError> {
    Ok(Wait {
        run: read("run of a wait", run)?,
        holder: read("holder of a wait", holder)?,
        what: read("text of a wait", what)?,
        since,
        until,
    })
}
