//! How many exchanges waited for one another.

use std::time::Duration;

/// The size of the longest chain of intervals of which each begins after the one before it has ended.
///
/// Taking, again and again, the interval that ends first among those that begin late enough is optimal; an interval
/// without an end can only stand last.
pub(super) fn longest(intervals: impl IntoIterator<Item = (Duration, Option<Duration>)>) -> usize {
    let mut intervals: Vec<(Duration, Duration)> =
        intervals.into_iter().map(|(start, end)| (start, end.unwrap_or(Duration::MAX))).collect();
    intervals.sort_by_key(|(_, end)| *end);
    let mut free_from = Duration::ZERO;
    let mut length = 0;
    for (start, end) in intervals {
        if start >= free_from {
            free_from = end;
            length += 1;
        }
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(intervals: &[(u64, Option<u64>)]) -> usize {
        let ms = Duration::from_millis;
        longest(intervals.iter().map(|(start, end)| (ms(*start), end.map(ms))))
    }

    #[test]
    fn parallel_requests_count_once_and_serial_ones_each() {
        assert_eq!(chain(&[]), 0);
        assert_eq!(chain(&[(0, Some(5)), (5, Some(6)), (7, Some(9))]), 3);
        assert_eq!(chain(&[(0, Some(5)), (1, Some(6)), (2, Some(4))]), 1);
        assert_eq!(chain(&[(0, Some(9)), (1, Some(2)), (3, Some(4)), (5, Some(6))]), 3);
        assert_eq!(chain(&[(0, Some(2)), (3, None), (4, None)]), 2);
    }
}
