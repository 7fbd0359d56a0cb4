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
    /// For everything, from the first byte of the request to the last one of the answer; 60 s by default. A large request has a
    /// second more for every 128 KiB of its body.
    pub request: Duration,
}

/// The slowest line that a large file may be sent over, in bytes a second.
const SLOWEST: usize = 128 * 1024;

impl Timeouts {
    /// The limit of everything, for a request with a body of this many bytes.
    pub(crate) fn whole(&self, body: usize) -> Duration {
        self.request + Duration::from_secs((body / SLOWEST) as u64)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_large_request_has_more_time() {
        let timeouts = Timeouts::default();
        assert_eq!(timeouts.whole(100_000), timeouts.request);
        assert_eq!(timeouts.whole(40 << 20), timeouts.request + Duration::from_secs(320));
    }
}
