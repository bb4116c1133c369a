//! Regular expressions of times within bounds.

use std::collections::BTreeSet;

/// The pattern of times, such as `10s` and `5m`, between two numbers of seconds.
pub(super) fn times(least: u64, most: u64) -> String {
    let mut units = Vec::new();
    for (unit, seconds) in [("s", 1), ("m", 60), ("h", 3_600)] {
        let (low, high) = (least.div_ceil(seconds), most.checked_div(seconds).unwrap_or(0));
        if low <= high {
            units.push(format!("({}){unit}", numbers(low, high).join("|")));
        }
    }
    format!("^0*({})$", units.join("|"))
}

/// The pattern of times, such as `250ms`, between two numbers of milliseconds.
pub(super) fn milliseconds(least: u64, most: u64) -> String {
    format!("^0*({})ms$", numbers(least, most).join("|"))
}

/// Patterns that together match the numbers from `low` to `high`, without leading zeros.
fn numbers(low: u64, high: u64) -> Vec<String> {
    // The ends of runs in which the last digits go from 0 to 9.
    let mut ends = BTreeSet::from([high]);
    for power in (1..=19).filter_map(|digits| 10_u64.checked_pow(digits)) {
        let nines = low.saturating_sub(low.checked_rem(power).unwrap_or(0));
        let nines = nines.saturating_add(power).saturating_sub(1);
        let after = high.saturating_add(1);
        let zeros = after.saturating_sub(after.checked_rem(power).unwrap_or(0));
        ends.extend([nines].into_iter().filter(|end| *end < high));
        ends.extend(zeros.checked_sub(1).filter(|end| *end > low && *end < high));
    }
    let mut start = low;
    let mut patterns = Vec::new();
    for end in ends {
        patterns.push(run(start, end));
        start = end.saturating_add(1);
    }
    patterns
}

/// A run of numbers of one length, each digit between those of both ends.
fn run(start: u64, end: u64) -> String {
    let (start, end) = (start.to_string(), end.to_string());
    let digits = start.chars().zip(end.chars());
    digits
        .map(|(from, to)| if from == to { from.to_string() } else { format!("[{from}-{to}]") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_split_into_runs_of_digits() {
        assert_eq!(numbers(1, 60), ["[1-9]", "[1-5][0-9]", "60"]);
        assert_eq!(numbers(10, 24), ["1[0-9]", "2[0-4]"]);
        assert_eq!(numbers(1, 1), ["1"]);
        assert_eq!(
            numbers(1, 480),
            ["[1-9]", "[1-9][0-9]", "[1-3][0-9][0-9]", "4[0-7][0-9]", "480"]
        );
    }

    #[test]
    fn units_without_a_number_are_left_out() {
        assert_eq!(times(1, 60), "^0*(([1-9]|[1-5][0-9]|60)s|(1)m)$");
    }
}
