//! The port of rests: requests to the forge that are held back, because it limits how much it is asked.

use std::sync::Arc;
use std::time::Duration;

use super::Forge;

/// A forge whose requests are held back for a time where the service limits how much it is asked.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait Rests: Send + Sync {
    /// The same forge, whose requests tell a listener when they are held back for longer than a moment. Nothing else changes: the
    /// listener never holds up a request, and no other user of the forge's limits hears of it.
    fn heard_by(&self, listener: Arc<dyn RestListener>) -> Arc<dyn Forge>;
}

/// Who is told that requests rest. Several may at the same time: each rest that begins comes to its end, also where its request is
/// given up.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait RestListener: Send + Sync {
    /// A request is held back from now on, for this time at most. `what` it waits for ends a sentence that begins with "waits for".
    fn begin(&self, what: &str, at_most: Duration);

    /// A request that was held back is not any more.
    fn end(&self);
}
