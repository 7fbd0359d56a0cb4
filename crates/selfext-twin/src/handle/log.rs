//! What was asked of the twin.

use super::TwinHandle;
use crate::record::Exchange;

impl TwinHandle {
    /// All exchanges that are kept, in the order of their arrival: the last 10,000, or fewer if their bodies come to
    /// more than 64 MiB.
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.world.recorder.exchanges()
    }

    /// Forgets all exchanges and unknown routes. Sequence numbers go on.
    pub fn clear_exchanges(&self) {
        self.world.recorder.clear();
    }

    /// The greatest number of exchanges of which each began after the one before it had ended: how many round trips
    /// a client waited for, one after another.
    ///
    /// Requests that are sent at the same time may still be answered one after another when they take no time. Set
    /// a [latency](Self::set_latency) that is long beside the machine's hiccups before counting.
    #[must_use]
    pub fn longest_chain(&self) -> usize {
        self.world.recorder.longest_chain()
    }

    /// Requests for routes that the twin does not have, as `METHOD path?query`: the last 1,000.
    #[must_use]
    pub fn unknown_routes(&self) -> Vec<String> {
        self.world.recorder.unknown_routes()
    }

    /// Waits for an exchange, already recorded or still to come, that is as wanted, and gives it as it then is.
    pub async fn wait_for(&self, wanted: impl FnMut(&Exchange) -> bool) -> Exchange {
        self.world.recorder.until(wanted).await
    }
}
