//! `Cookie` lines: the filter's cookies are found and taken out, the application's stay.

use super::parts::Lines;
use duo_mfa::http::Edit;
use duo_mfa::http::cookie::{CookieLines, Sent};

const NAME: &str = "__Host-duo_mfa";
const ODD: &str = "duo_odd";

pub(crate) fn target(bytes: &[u8]) {
    let odd = [ODD.to_owned()];
    let lines: Vec<&[u8]> = Lines::of(bytes).iter().collect();
    let read = cookies(&lines);
    let split = read.split(NAME, &odd);

    let pairs = pairs(&lines);
    let values: Vec<_> = pairs.iter().filter_map(|pair| value(pair, NAME)).collect();
    let expected = match values[..] {
        [] => Sent::Never,
        [value] => Sent::Once(value),
        _ => Sent::Repeatedly,
    };
    assert_eq!(split.found, expected);
    assert_eq!(read.find(NAME), expected);
    assert_eq!(read.has_own(NAME, &odd), pairs.iter().any(|pair| is_own(pair)));
    assert_eq!(split.edits.is_empty(), !read.has_own(NAME, &odd));

    // A value that is written has no control bytes, so only others can be compared.
    if bytes.iter().any(|byte| byte.is_ascii_control() && *byte != b'\n') {
        return;
    }
    let left = left(&lines, &split.edits);
    let left: Vec<&[u8]> = left.iter().map(Vec::as_slice).collect();
    let theirs = |lines: &[&[u8]]| -> Vec<Vec<u8>> {
        let pairs = self::pairs(lines).into_iter().filter(|pair| !is_own(pair));
        pairs.filter(|pair| !pair.is_empty()).map(<[u8]>::to_vec).collect()
    };
    assert_eq!(theirs(&left), theirs(&lines));
    let forwarded = cookies(&left);
    assert!(!forwarded.has_own(NAME, &odd) && forwarded.split(NAME, &odd).edits.is_empty());
}

fn cookies<'a>(lines: &[&'a [u8]]) -> CookieLines<'a> {
    let mut cookies = CookieLines::default();
    lines.iter().for_each(|line| cookies.push(line));
    cookies
}

/// All pairs, without white space before them.
fn pairs<'a>(lines: &[&'a [u8]]) -> Vec<&'a [u8]> {
    let pairs = lines.iter().flat_map(|line| line.split(|byte| *byte == b';'));
    pairs.map(<[u8]>::trim_ascii_start).collect()
}

fn value<'a>(pair: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let rest = pair.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
    Some(rest.trim_ascii_end())
}

fn is_own(pair: &[u8]) -> bool {
    pair.starts_with(b"__Host-duo_") || value(pair, NAME).or_else(|| value(pair, ODD)).is_some()
}

/// The `Cookie` lines after the edits.
fn left(lines: &[&[u8]], edits: &[Edit]) -> Vec<Vec<u8>> {
    let mut left: Vec<Vec<u8>> = lines.iter().map(|line| line.to_vec()).collect();
    for edit in edits {
        match edit {
            Edit::Remove(name) => {
                assert_eq!(name, b"cookie");
                left.clear();
            }
            Edit::Set(name, value) => {
                assert_eq!(*name, "cookie");
                left = vec![value.as_bytes().to_vec()];
            }
            Edit::Append(name, value) => {
                assert_eq!(*name, "cookie");
                left.push(value.as_bytes().to_vec());
            }
            Edit::AppendNamed(name, _) => panic!("a cookie's edit names {name}"),
        }
    }
    left
}
