//! Saying that a request is held back by GitHub's limits.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use selfext_domain::ports::{Forge, RestListener, Rests};
use tokio::time::{Instant, timeout_at};

use crate::OctocrabForge;
use crate::client::Client;

/// What is held back for less is not said.
const MOMENT: Duration = Duration::from_secs(1);

const WHAT: &str = "GitHub's rate limit";

impl Rests for OctocrabForge {
    fn heard_by(&self, listener: Arc<dyn RestListener>) -> Arc<dyn Forge> {
        let inner = Arc::clone(&self.client().inner);
        Arc::new(Self::new(Client { inner, listener: Some(listener) }))
    }
}

impl Client {
    /// Waits for what a request has to wait for in the limiter until this deadline, and says so where it takes long: until the end of
    /// GitHub's limit, or, where others come first, until the request is given up.
    pub(crate) async fn resting<T>(&self, deadline: Instant, waiting: impl Future<Output = T>) -> T {
        let Some(listener) = &self.listener else { return waiting.await };
        let mut waiting = pin!(waiting);
        let mut said = None;
        let mut until = Instant::now() + MOMENT;
        loop {
            if let Ok(had) = timeout_at(until, waiting.as_mut()).await {
                return had;
            }
            let now = Instant::now();
            // A moment for those who are due at the same time.
            let limit = self.inner.share.limiter.limited_for().map(|left| now + left + MOMENT);
            until = limit.filter(|limit| *limit < deadline).unwrap_or(deadline + MOMENT);
            // In this order, so that what goes on is not said to be over.
            let longer = Rest::begin(listener, until - now);
            drop(said.replace(longer));
        }
    }
}

/// A rest that was said to have begun, and is said to be over when this is dropped.
struct Rest<'a>(&'a dyn RestListener);

impl<'a> Rest<'a> {
    fn begin(listener: &'a Arc<dyn RestListener>, at_most: Duration) -> Self {
        listener.begin(WHAT, at_most);
        Self(&**listener)
    }
}

impl Drop for Rest<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}
