//! What a database says of a lease.

use chrono::{DateTime, Utc};
use selfext_domain::ports::{Lease, LedgerError};

use crate::standing::read;

/// What asking for a lease gave, by who has it now.
pub(crate) fn lease(column: &str, until: DateTime<Utc>, asked: &str) -> Result<Lease, LedgerError> {
    let holder: String = read("holder of a lease", column)?;
    Ok(if holder == asked { Lease::Held { until } } else { Lease::Elsewhere { holder, until } })
}
