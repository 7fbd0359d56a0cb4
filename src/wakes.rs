//! Waking promotions that wait for checks.

use async_trait::async_trait;
use selfext_domain::ports::Wakes;
use selfext_store::Bell;
use tokio::sync::watch;

/// The wake-ups of one repository: from this process, and from others on the same ledger.
#[derive(Debug)]
pub(crate) struct ForgeWakes {
    count: watch::Sender<u64>,
    bell: Bell,
}

impl ForgeWakes {
    pub(crate) fn new(bell: Bell) -> Self {
        Self { count: watch::Sender::new(0), bell }
    }

    /// Wakes all who wait in this process.
    pub(crate) fn wake(&self) {
        self.count.send_modify(|count| *count += 1);
    }
}

#[async_trait]
impl Wakes for ForgeWakes {
    fn count(&self) -> u64 {
        *self.count.borrow()
    }

    async fn beyond(&self, seen: u64) {
        let mut count = self.count.subscribe();
        // One of those who wait in this process hears the bell, and wakes the others.
        tokio::select! {
            // The sender lives in `self`, so this cannot fail.
            _ = count.wait_for(|count| *count > seen) => {}
            () = self.bell.heard() => self.wake(),
        }
    }
}
