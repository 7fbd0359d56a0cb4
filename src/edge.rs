//! The edge: where time and ids come from.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use selfext_domain::ports::{Clock, IdSource};
use selfext_domain::{EventId, RunId};
use uuid::Uuid;

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the edge that the rule points to")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// Ids in the order of time.
#[derive(Clone, Copy, Debug, Default)]
pub struct UuidSource;

impl UuidSource {
    #[expect(clippy::disallowed_methods, reason = "this is the edge that the rule points to")]
    fn next() -> Uuid {
        Uuid::now_v7()
    }
}

impl IdSource for UuidSource {
    fn event_id(&self) -> EventId {
        EventId::from_uuid(Self::next())
    }

    fn run_id(&self) -> RunId {
        RunId::from_uuid(Self::next())
    }
}
