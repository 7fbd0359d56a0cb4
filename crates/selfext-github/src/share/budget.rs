//! How much of a token's limits may be used here.

use std::time::Duration;

/// How fast one process may ask GitHub with one token, and how long it waits where GitHub says that it asked too much.
///
/// GitHub counts by token, and every process that uses the token counts: give an agent less, and something is left to an
/// operator who uses the same one. The defaults stay below what GitHub's documentation names: 80 requests a minute that
/// make something, and 900 points a minute, of which a write costs 5 and a read 1, also in the first minute after a rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Requests a minute that change something, sent one after another; 60 by default. The first ones are not spaced:
    /// see `write_burst`. With the greatest number there is no pace, and they are sent at the same time, too.
    pub writes_per_minute: u32,
    /// How many of them may follow each other without a pause after a rest; 10 by default.
    pub write_burst: u32,
    /// Requests a minute that only read; 400 by default.
    pub reads_per_minute: u32,
    /// How many of them may follow each other without a pause after a rest; 100 by default.
    pub read_burst: u32,
    /// How many requests of GitHub's hour are left to others: where fewer remain, nothing is sent until the hour is over.
    /// 0 by default.
    pub reserve: u64,
    /// How long one request may wait for its turn or for the end of a limit; 2 minutes by default. What would take longer
    /// fails at once with [`ForgeError::RateLimited`](selfext_domain::ports::ForgeError::RateLimited), and is not sent.
    pub max_wait: Duration,
}

impl Budget {
    /// As fast as the server answers; only what it asks for itself is waited for. The default for a server on this machine.
    pub const UNPACED: Self = Self {
        writes_per_minute: u32::MAX,
        write_burst: u32::MAX,
        reads_per_minute: u32::MAX,
        read_burst: u32::MAX,
        reserve: 0,
        max_wait: Duration::from_mins(2),
    };

    /// Whether writes come one after another at a pace.
    pub(crate) const fn spaces_writes(&self) -> bool {
        self.writes_per_minute < u32::MAX
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            writes_per_minute: 60,
            write_burst: 10,
            reads_per_minute: 400,
            read_burst: 100,
            reserve: 0,
            max_wait: Duration::from_mins(2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_budget_stays_below_what_github_names() {
        let Budget { writes_per_minute, write_burst, reads_per_minute, read_burst, .. } = Budget::default();
        let (writes, reads) = (writes_per_minute + write_burst, reads_per_minute + read_burst);
        assert!(writes < 80 && 5 * writes + reads < 900, "{writes} writes and {reads} reads");
    }
}
