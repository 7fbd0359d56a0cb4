//! How long one request may take.

use std::time::Duration;

/// The limits of one request. Every one of them ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For finding the host, connecting and TLS; 10 s by default.
    pub connect: Duration,
    /// For the wait between two pieces of an answer's body; 20 s by default.
    pub read: Duration,
    /// For the wait until the connection takes more of the request; 20 s by default.
    pub write: Duration,
    /// For everything, from the first byte of the request to the last one of the answer; 60 s by default.
    pub request: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            read: Duration::from_secs(20),
            write: Duration::from_secs(20),
            request: Duration::from_mins(1),
        }
    }
}
