//! Times as operators write them: `10s`, `5m`, `8h`.

use super::error::{Code, Fault, echo};
use super::reader::Entry;
use std::ops::RangeInclusive;
use std::time::Duration;

/// The bounds of one key, in seconds.
#[derive(Clone, Debug)]
pub(super) struct Bounds(RangeInclusive<u64>);

impl Bounds {
    pub(super) const fn between(least: u64, most: u64) -> Self {
        Self(least..=most)
    }

    /// From one second to `seconds`.
    pub(super) const fn up_to(seconds: u64) -> Self {
        Self(1..=seconds)
    }
}

impl Entry<'_> {
    /// A duration within bounds.
    pub(super) fn duration(&self, bounds: &Bounds) -> Result<Duration, Fault> {
        let text = self.text().map_err(|fault| Fault {
            fix: "write it with a unit, as in \"10s\", \"5m\" or \"8h\"".into(),
            ..fault
        })?;
        let Some(seconds) = seconds(text) else {
            return Err(self.fault(
                Code::InvalidDuration,
                format!("{} is not a whole number with a unit", echo(text)),
                "write it as in \"10s\", \"5m\" or \"8h\"",
            ));
        };
        if bounds.0.contains(&seconds) {
            return Ok(Duration::from_secs(seconds));
        }
        Err(self.fault(
            Code::InvalidDuration,
            format!("{} is out of bounds", echo(text)),
            format!("write {} to {}", spelled(*bounds.0.start()), spelled(*bounds.0.end())),
        ))
    }

    /// A number of milliseconds within bounds, such as `250ms`.
    pub(super) fn milliseconds(&self, bounds: &RangeInclusive<u64>) -> Result<Duration, Fault> {
        let fix = || format!("write {}ms to {}ms", bounds.start(), bounds.end());
        let text = self.text().map_err(|fault| Fault { fix: fix().into(), ..fault })?;
        let digits = text.strip_suffix("ms").filter(|it| it.bytes().all(|it| it.is_ascii_digit()));
        match digits.and_then(|digits| digits.parse().ok()) {
            Some(number) if bounds.contains(&number) => Ok(Duration::from_millis(number)),
            Some(_) | None => {
                let problem = format!("{} is not a time within bounds", echo(text));
                Err(self.fault(Code::InvalidDuration, problem, fix()))
            }
        }
    }
}

/// The seconds of a text such as `5m`; `None` if the text is not a duration, or too long for a
/// `u64`.
fn seconds(text: &str) -> Option<u64> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => return None,
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

/// Seconds in the largest unit that divides them.
pub(super) fn spelled(seconds: u64) -> String {
    for (unit, length) in [("h", 3_600), ("m", 60)] {
        if let Some(count @ 1..) = seconds.checked_div(length)
            && seconds.is_multiple_of(length)
        {
            return format!("{count}{unit}");
        }
    }
    format!("{seconds}s")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_whole_numbers_with_a_unit() {
        for (text, expected) in [
            ("10s", Some(10)),
            ("5m", Some(300)),
            ("8h", Some(28_800)),
            ("0s", Some(0)),
            ("007s", Some(7)),
            ("", None),
            ("s", None),
            ("10", None),
            ("10 s", None),
            (" 10s", None),
            ("10S", None),
            ("10ms", None),
            ("1d", None),
            ("1.5h", None),
            ("-1s", None),
            ("+1s", None),
            ("1h30m", None),
            ("10é", None),
            ("18446744073709551615s", Some(u64::MAX)),
            ("18446744073709551615m", None),
            ("18446744073709551616s", None),
        ] {
            assert_eq!(seconds(text), expected, "{text:?}");
        }
    }

    #[test]
    fn bounds_are_spelled_in_their_largest_unit() {
        assert_eq!([1, 60, 90, 86_400].map(spelled), ["1s", "1m", "90s", "24h"]);
    }
}
