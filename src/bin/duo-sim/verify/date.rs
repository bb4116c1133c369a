//! RFC 2822 dates (section 3.3) as clients write them: with or without the weekday, the seconds,
//! and with a numeric zone, `GMT`, `UT`, `UTC` or `Z`.

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The Unix seconds of an RFC 2822 date; `None` if the text is not one.
pub(super) fn seconds(text: &str) -> Option<i64> {
    let text = match text.split_once(',') {
        Some((weekday, rest)) if weekday.len() == 3 => rest,
        Some(_) => return None,
        None => text,
    };
    let mut words = text.split_ascii_whitespace();
    let day = number(words.next()?, 1..=31)?;
    let month = words.next()?;
    let month = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month))?;
    let year = number(words.next()?, 1900..=9999)?;
    let time = words.next()?;
    let zone = words.next()?;
    if words.next().is_some() {
        return None;
    }
    let local = days(year, i64::try_from(month).ok()? + 1, day) * 86_400 + time_of_day(time)?;
    Some(local - offset(zone)?)
}

fn time_of_day(text: &str) -> Option<i64> {
    let mut parts = text.split(':');
    let hours = number(parts.next()?, 0..=23)?;
    let minutes = number(parts.next()?, 0..=59)?;
    let seconds = parts.next().map_or(Some(0), |text| number(text, 0..=60))?;
    parts.next().is_none().then_some(hours * 3600 + minutes * 60 + seconds)
}

/// Seconds east of UTC.
fn offset(zone: &str) -> Option<i64> {
    let (sign, digits) = match zone {
        "GMT" | "UTC" | "UT" | "Z" => return Some(0),
        _ => match zone.split_at_checked(1)? {
            ("+", digits) => (1, digits),
            ("-", digits) => (-1, digits),
            _ => return None,
        },
    };
    let (hours, minutes) = digits.split_at_checked(2).filter(|_| digits.len() == 4)?;
    Some(sign * (number(hours, 0..=23)? * 3600 + number(minutes, 0..=59)? * 60))
}

fn number(text: &str, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
    let all_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let value = all_digits.then(|| text.parse().ok()).flatten()?;
    range.contains(&value).then_some(value)
}

/// Days since 1970-01-01, in the civil calendar. Years begin in March, so that leap days come last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}
