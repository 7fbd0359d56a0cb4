//! The port of leases: which of several processes acts.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::LedgerError;

/// What asking for a lease gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lease {
    /// The caller has it.
    Held {
        /// Until when, by the database's clock.
        until: DateTime<Utc>,
    },
    /// Another has it.
    Elsewhere {
        /// Who.
        holder: String,
        /// Until when, if it is not renewed.
        until: DateTime<Utc>,
    },
}

/// Leases, by the database's clock. A lease saves double work and is no lock: what must not happen twice is prevented by the
/// ledger, whoever believes to have a lease.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait Leases: Send + Sync {
    /// Takes a lease, or renews it, unless another holder has it. One round trip. May be repeated.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`], and then it is not known whether the caller has it; [`LedgerError::Refused`].
    async fn acquire(&self, name: &str, holder: &str, time: Duration) -> Result<Lease, LedgerError>;

    /// Gives a lease up, if the holder has it. May be repeated.
    ///
    /// # Errors
    /// As [`Leases::acquire`].
    async fn release(&self, name: &str, holder: &str) -> Result<(), LedgerError>;
}
