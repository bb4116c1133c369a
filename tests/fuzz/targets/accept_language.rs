//! `Accept-Language`.

use duo_mfa::page::Language;

pub(crate) fn target(bytes: &[u8]) {
    let mut best = (0.0, Language::En);
    for range in bytes.split(|byte| *byte == b',').take(32) {
        let range = String::from_utf8_lossy(range);
        let (tag, rest) =
            range.split_once(';').map_or((&*range, None), |(tag, it)| (tag, Some(it)));
        let primary = trim(tag).split('-').next().unwrap();
        let is_meant = |it: &&Language| it.tag().eq_ignore_ascii_case(primary);
        let Some(language) = Language::ALL.iter().find(is_meant) else { continue };
        let weight = rest.map_or(Some(1.0), |rest| weight(trim(rest.split(';').next().unwrap())));
        if let Some(weight) = weight.filter(|weight| *weight > best.0) {
            best = (weight, *language);
        }
    }
    assert_eq!(Language::accepted(Some(bytes)), best.1);
}

fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_ascii_whitespace())
}

/// A weight of at most three digits after the point; `.5` means 0.5.
fn weight(parameter: &str) -> Option<f64> {
    let value = parameter.strip_prefix(['q', 'Q'])?.strip_prefix('=')?;
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let is_short = whole.len() < 2 && fraction.len() < 4;
    let is_digits = value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let weight: f64 = format!("0{whole}.{fraction}0").parse().ok()?;
    (is_short && is_digits && weight <= 1.0).then_some(weight)
}
