//! How long to wait between two looks.

use std::time::Duration;

/// The longest pause after failures, unless the usual one is longer.
const LONGEST: Duration = Duration::from_mins(1);

/// Usual pauses, and growing ones while looks fail.
pub struct Pauses {
    usual: Duration,
    next: Duration,
}

impl Pauses {
    pub const fn new(usual: Duration) -> Self {
        Self { usual, next: usual }
    }

    pub const fn worked(&mut self) {
        self.next = self.usual;
    }

    pub fn failed(&mut self) {
        self.next = (self.next * 2).min(LONGEST.max(self.usual));
    }

    pub const fn next(&self) -> Duration {
        self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_while_looks_fail_and_are_usual_again_once_one_works() {
        let mut pauses = Pauses::new(Duration::from_secs(5));
        let mut grown = Vec::new();
        for _ in 0..6 {
            pauses.failed();
            grown.push(pauses.next().as_secs());
        }
        assert_eq!(grown, [10, 20, 40, 60, 60, 60]);
        pauses.worked();
        assert_eq!(pauses.next().as_secs(), 5);
        let mut rare = Pauses::new(Duration::from_mins(10));
        rare.failed();
        assert_eq!(rare.next(), Duration::from_mins(10));
    }
}
