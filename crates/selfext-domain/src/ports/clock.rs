//! Time and ids, passed in.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{EventId, RunId};

/// The time of this process. What is written to the ledger carries the database's time instead.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> DateTime<Utc>;

    /// Waits. Cancelling the future ends the wait.
    async fn sleep(&self, duration: Duration);
}

/// New ids.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait IdSource: Send + Sync {
    /// An event id that was never given before; UUID v7 by convention.
    fn event_id(&self) -> EventId;

    /// A run id that was never given before.
    fn run_id(&self) -> RunId;
}
