//! Time as a value: milliseconds since 1970 in UTC, and the offset of Duo's clock.

use std::time::Duration;

const MILLIS_PER_SECOND: u64 = 1_000;
const SECONDS_PER_DAY: u64 = 86_400;
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A moment in Unix time, to the millisecond. Arithmetic saturates at both ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime {
    millis: u64,
}

impl UnixTime {
    /// The moment `seconds` after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_seconds(seconds: u64) -> Self {
        Self { millis: seconds.saturating_mul(MILLIS_PER_SECOND) }
    }

    /// The moment `millis` milliseconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self { millis }
    }

    /// Whole seconds since 1970, rounded down.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.millis.wrapping_div(MILLIS_PER_SECOND)
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.millis
    }

    /// This moment plus `span`.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self { millis: self.millis.saturating_add(millis(span)) }
    }

    /// This moment minus `span`.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self { millis: self.millis.saturating_sub(millis(span)) }
    }

    /// The time since `earlier`; zero if that is in the future.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.millis.saturating_sub(earlier.millis))
    }

    /// Whether it is `now`, or past, for a moment that was at most `longest` ahead when it was chosen.
    /// One further ahead has come too, since the host's clock must have been set back.
    #[must_use]
    pub fn has_come(self, now: Self, longest: Duration) -> bool {
        self <= now || self.since(now) > longest
    }

    /// The time between two moments, in either order: a host's clock may be set back.
    #[must_use]
    pub const fn apart(self, other: Self) -> Duration {
        Duration::from_millis(self.millis.abs_diff(other.millis))
    }

    /// This moment as shown by a clock that is `offset` ahead of this host's.
    #[must_use]
    pub fn shifted(self, offset: ClockOffset) -> Self {
        let span = Duration::from_secs(offset.seconds.unsigned_abs());
        if offset.seconds < 0 { self.minus(span) } else { self.plus(span) }
    }

    /// The date in the form of RFC 2822 (section 3.3): `Tue, 21 Aug 2012 17:29:18 -0000`.
    #[must_use]
    pub fn rfc2822(self) -> String {
        let date = self.date();
        format!(
            "{}, {:02} {} {:04} {} -0000",
            pick(&WEEKDAYS, self.days().wrapping_rem(7)),
            date.day,
            pick(&MONTHS, date.month0),
            date.year,
            self.time_of_day(),
        )
    }

    /// The date in the form of RFC 3339, in UTC: `2012-08-21T17:29:18.250Z`.
    #[must_use]
    pub fn rfc3339(self) -> String {
        let date = self.date();
        format!(
            "{:04}-{:02}-{:02}T{}.{:03}Z",
            date.year,
            date.month0.saturating_add(1),
            date.day,
            self.time_of_day(),
            self.millis.wrapping_rem(MILLIS_PER_SECOND),
        )
    }

    const fn days(self) -> u64 {
        self.seconds().wrapping_div(SECONDS_PER_DAY)
    }

    fn date(self) -> CivilDate {
        CivilDate::from_days(self.days())
    }

    /// The time in UTC, as `17:29:18`.
    fn time_of_day(self) -> String {
        let seconds = self.seconds().wrapping_rem(SECONDS_PER_DAY);
        let (hours, minutes) = (seconds.wrapping_div(3_600), seconds.wrapping_div(60));
        format!("{hours:02}:{:02}:{:02}", minutes.wrapping_rem(60), seconds.wrapping_rem(60))
    }
}

/// How many seconds another clock is ahead of this host's (negative: behind).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClockOffset {
    seconds: i64,
}

impl ClockOffset {
    /// The offset of a clock that showed `remote` when this host's showed `local`.
    #[must_use]
    pub fn between(local: UnixTime, remote: UnixTime) -> Self {
        let ahead = i64::try_from(remote.seconds()).unwrap_or(i64::MAX);
        let ours = i64::try_from(local.seconds()).unwrap_or(i64::MAX);
        Self { seconds: ahead.saturating_sub(ours) }
    }

    /// An offset of this many seconds.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self { seconds }
    }

    /// The seconds that the other clock is ahead.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.seconds
    }

    /// The seconds that the other clock is ahead, and those that it is behind. One of them is 0.
    #[must_use]
    pub const fn ahead_and_behind(self) -> [u64; 2] {
        let seconds = self.seconds.unsigned_abs();
        if self.seconds > 0 { [seconds, 0] } else { [0, seconds] }
    }
}

/// A day of the proleptic Gregorian calendar; `month0` counts from 0.
struct CivilDate {
    year: u64,
    month0: u64,
    day: u64,
}

impl CivilDate {
    /// The date `days` after 1970-01-01, counted by whole years and months. That takes at most a
    /// few hundred steps for any date in use, and never runs for a request that passes by its
    /// cookie.
    fn from_days(days: u64) -> Self {
        // 400 Gregorian years have 146,097 days.
        let mut year = days.wrapping_div(146_097).saturating_mul(400).saturating_add(1970);
        let mut left = days.wrapping_rem(146_097);
        while left >= days_in_year(year) {
            left = left.saturating_sub(days_in_year(year));
            year = year.saturating_add(1);
        }
        let mut month0 = 0;
        while left >= days_in_month(year, month0) {
            left = left.saturating_sub(days_in_month(year, month0));
            month0 = month0.saturating_add(1);
        }
        Self { year, month0, day: left.saturating_add(1) }
    }
}

const fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const fn days_in_year(year: u64) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

const fn days_in_month(year: u64, month0: u64) -> u64 {
    match month0 {
        1 if is_leap(year) => 29,
        1 => 28,
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    }
}

fn pick(names: &[&'static str], index: u64) -> &'static str {
    usize::try_from(index).ok().and_then(|i| names.get(i)).copied().unwrap_or("")
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moment_has_come_when_it_is_past_or_further_ahead_than_any() {
        let now = UnixTime::from_seconds(1_000);
        for (moment, has_come) in
            [(0, true), (1_000, true), (1_001, false), (1_010, false), (1_011, true)]
        {
            let longest = Duration::from_secs(10);
            assert_eq!(UnixTime::from_seconds(moment).has_come(now, longest), has_come, "{moment}");
        }
    }

    #[test]
    fn dates_are_written_as_rfc_2822_has_them() {
        for (seconds, text) in [
            (0, "Thu, 01 Jan 1970 00:00:00 -0000"),
            (951_782_399, "Mon, 28 Feb 2000 23:59:59 -0000"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 -0000"),
            (1_345_570_158, "Tue, 21 Aug 2012 17:29:18 -0000"),
            (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 -0000"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 -0000"),
        ] {
            assert_eq!(UnixTime::from_seconds(seconds).rfc2822(), text);
        }
    }

    #[test]
    fn dates_are_written_as_rfc_3339_has_them() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_345_570_158_250, "2012-08-21T17:29:18.250Z"),
            (4_107_542_399_009, "2100-02-28T23:59:59.009Z"),
        ] {
            assert_eq!(UnixTime::from_millis(millis).rfc3339(), text);
        }
    }

    #[test]
    fn an_offset_is_ahead_or_behind() {
        for (seconds, shown) in [(-3, [0, 3]), (0, [0, 0]), (5, [5, 0])] {
            assert_eq!(ClockOffset::from_seconds(seconds).ahead_and_behind(), shown);
        }
    }

    #[test]
    fn an_offset_moves_a_moment_both_ways() {
        let noon = UnixTime::from_seconds(43_200);
        let ahead = ClockOffset::between(noon, UnixTime::from_seconds(43_800));
        assert_eq!(ahead.seconds(), 600);
        assert_eq!(noon.shifted(ahead).seconds(), 43_800);
        let behind = ClockOffset::from_seconds(-600);
        assert_eq!(noon.shifted(behind).seconds(), 42_600);
        assert_eq!(UnixTime::from_seconds(1).shifted(behind).seconds(), 0);
    }

    #[test]
    fn the_time_since_a_later_moment_is_zero() {
        let (early, late) = (UnixTime::from_millis(1_500), UnixTime::from_seconds(2));
        assert_eq!(late.since(early), Duration::from_millis(500));
        assert_eq!(early.since(late), Duration::ZERO);
    }

    #[test]
    fn the_ends_of_time_saturate() {
        let end = UnixTime::from_millis(u64::MAX);
        assert_eq!(end.plus(Duration::MAX), end);
        assert_eq!(UnixTime::default().minus(Duration::MAX), UnixTime::default());
        assert!(end.rfc2822().ends_with(" -0000"));
    }
}
