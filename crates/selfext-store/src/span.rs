//! The part of the ledger's time that a page is taken from.

use chrono::{DateTime, NaiveDate, NaiveTime, SubsecRound as _, TimeDelta, Utc};
use selfext_domain::ports::{Cursor, EventQuery, RunQuery, TimeRange};

/// What lies between two cursors, without them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub after: Option<Cursor>,
    pub before: Option<Cursor>,
}

impl Span {
    pub fn of_events(query: &EventQuery) -> Self {
        let range = Self::of(query.recorded);
        Self { after: range.after.max(query.after), ..range }
    }

    pub fn of_runs(query: &RunQuery) -> Self {
        let range = Self::of(query.proposed);
        Self { before: [range.before, query.before].into_iter().flatten().min(), ..range }
    }

    /// An event's number is 1 at least, so nothing is left out at the beginning, and nothing is taken in at the end.
    fn of(range: TimeRange) -> Self {
        Self { after: range.since.map(Cursor::before), before: range.until.map(Cursor::before) }
    }
}

/// The first time at or after `at` that a database can store which keeps so many digits of a second, and that it can compare:
/// one of a year from 1 to 9999.
pub(crate) fn storable(at: DateTime<Utc>, digits: u16) -> DateTime<Utc> {
    let year = |year, month, day, time: NaiveTime| {
        NaiveDate::from_ymd_opt(year, month, day).map(|date| date.and_time(time).and_utc())
    };
    let first = year(1, 1, 1, NaiveTime::MIN).unwrap_or_default();
    let last = year(10_000, 1, 1, NaiveTime::MIN).unwrap_or(at) - TimeDelta::microseconds(1);
    let at = at.clamp(first, last);
    let down = at.trunc_subsecs(digits);
    let step = TimeDelta::nanoseconds(10_i64.pow(9 - u32::from(digits.min(9))));
    if down < at { (down + step).min(last.trunc_subsecs(digits)) } else { down }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_time_between_two_that_can_be_stored_is_the_later_one() {
        let cases = [
            ("2026-11-27T15:08:36.123456789Z", 3, "2026-11-27T15:08:36.124Z"),
            ("2026-11-27T15:08:36.123456789Z", 6, "2026-11-27T15:08:36.123457Z"),
            ("2026-11-27T15:08:36.123Z", 3, "2026-11-27T15:08:36.123Z"),
            ("2026-12-31T23:59:59.9999Z", 3, "2027-01-01T00:00:00Z"),
            ("9999-12-31T23:59:59.9999Z", 3, "9999-12-31T23:59:59.999Z"),
        ];
        for (time, digits, expected) in cases {
            assert_eq!(storable(at(time), digits), at(expected), "{time}");
        }
        assert_eq!(storable(DateTime::<Utc>::MAX_UTC, 3), at("9999-12-31T23:59:59.999Z"));
        assert_eq!(storable(DateTime::<Utc>::MIN_UTC, 6), at("0001-01-01T00:00:00Z"));
    }

    #[test]
    fn a_page_begins_at_the_nearer_end() {
        let (early, late) = (at("2026-01-01T00:00:00Z"), at("2026-02-01T00:00:00Z"));
        let range = TimeRange { since: Some(early), until: Some(late) };
        let middle = Cursor { at: at("2026-01-15T00:00:00Z"), id: 7 };
        let events = |after| Span::of_events(&EventQuery { recorded: range, after, ..EventQuery::default() });
        let runs = |before| Span::of_runs(&RunQuery { proposed: range, before, ..RunQuery::default() });
        let whole = Span { after: Some(Cursor::before(early)), before: Some(Cursor::before(late)) };
        assert_eq!(events(None), whole);
        assert_eq!(runs(None), whole);
        assert_eq!(events(Some(middle)), Span { after: Some(middle), ..whole });
        assert_eq!(runs(Some(middle)), Span { before: Some(middle), ..whole });
        assert_eq!(events(Some(Cursor { at: DateTime::UNIX_EPOCH, id: 1 })), whole);
        assert_eq!(runs(Some(Cursor { at: DateTime::<Utc>::MAX_UTC, id: 1 })), whole);
        assert_eq!(Span::of_runs(&RunQuery::default()), Span::default());
    }
}
