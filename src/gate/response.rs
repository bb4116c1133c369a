//! What is changed on the response of an admitted request, so that it carries the cookie.

use super::NewCookie;
use crate::http::cookie::OWN_PREFIX;
use crate::http::{Edit, HeaderMap, HeaderValue};

/// The edits that put the cookie on a response: the application's own cookies stay, save those
/// that bear a name of the filter's; and no cache may keep the answer for others.
#[must_use]
pub fn edits(cookie: &NewCookie, response: &HeaderMap<'_>) -> Vec<Edit> {
    let mut edits = Vec::new();
    match cookie {
        NewCookie::Approval(value) | NewCookie::UsedUp(value) => {
            edits.push(Edit::Set("cache-control", HeaderValue::from_static("no-store")));
            let targeted = response.iter().filter(|(name, _)| is_targeted(name));
            edits.extend(targeted.map(|(name, _)| Edit::Remove(name.to_vec())));
            set_cookie(response, value, &mut edits);
        }
        NewCookie::Renewal(value) => match reach(response) {
            Reach::Everybody => {}
            Reach::OneUser => set_cookie(response, value, &mut edits),
            Reach::Unsaid => {
                edits.push(Edit::Append("cache-control", HeaderValue::from_static("private")));
                set_cookie(response, value, &mut edits);
            }
        },
    }
    edits
}

/// Who may be given a stored copy of a response (RFC 9111, section 5.2.2).
enum Reach {
    Everybody,
    OneUser,
    Unsaid,
}

fn reach(response: &HeaderMap<'_>) -> Reach {
    if response.iter().any(|(name, _)| is_targeted(name)) {
        return Reach::Everybody;
    }
    let mut reach = Reach::Unsaid;
    let lines = response.iter().filter(|(name, _)| name.eq_ignore_ascii_case(b"cache-control"));
    for directive in lines.flat_map(|(_, line)| line.split(|byte| *byte == b',')) {
        let name = directive.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii();
        if name.eq_ignore_ascii_case(b"public") || name.eq_ignore_ascii_case(b"s-maxage") {
            return Reach::Everybody;
        }
        if name.eq_ignore_ascii_case(b"private") || name.eq_ignore_ascii_case(b"no-store") {
            reach = Reach::OneUser;
        }
    }
    reach
}

/// Whether a header is what some shared caches go by in place of `Cache-Control` (RFC 9213).
fn is_targeted(name: &[u8]) -> bool {
    let ends_with = |end: &[u8]| {
        let start = name.len().checked_sub(end.len());
        start.and_then(|at| name.get(at..)).is_some_and(|rest| rest.eq_ignore_ascii_case(end))
    };
    ends_with(b"cdn-cache-control") || ends_with(b"surrogate-control")
}

fn set_cookie(response: &HeaderMap<'_>, value: &HeaderValue, edits: &mut Vec<Edit>) {
    let name_of = |line: &[u8]| {
        let name = line.split(|byte| *byte == b'=').next().unwrap_or_default();
        name.trim_ascii().to_vec()
    };
    let ours = name_of(value.as_bytes());
    let is_own = |line: &[u8]| {
        let name = name_of(line);
        name.starts_with(OWN_PREFIX) || name == ours
    };
    let sent = || {
        let lines = response.iter().filter(|(name, _)| name.eq_ignore_ascii_case(b"set-cookie"));
        lines.map(|(_, line)| line)
    };
    if sent().any(is_own) {
        edits.push(Edit::Remove(b"set-cookie".to_vec()));
        let kept = sent().filter(|line| !is_own(line));
        edits.extend(kept.map(|line| Edit::Append("set-cookie", HeaderValue::lossy(line))));
    }
    edits.push(Edit::Append("set-cookie", value.clone()));
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "__Host-duo_mfa=v; Path=/; Secure; HttpOnly; SameSite=Lax";

    fn edited(cookie: fn(HeaderValue) -> NewCookie, headers: &[(&str, &str)]) -> Vec<Edit> {
        let pairs: Vec<(&[u8], &[u8])> =
            headers.iter().map(|(n, v)| (n.as_bytes(), v.as_bytes())).collect();
        let buffer = HeaderMap::serialize(&pairs);
        edits(&cookie(HeaderValue::from_static(LINE)), &HeaderMap::parse(&buffer).unwrap())
    }

    fn cookie(line: &'static str) -> Edit {
        Edit::Append("set-cookie", HeaderValue::from_static(line))
    }

    #[test]
    fn a_fresh_approval_is_stored_by_nobody() {
        let edits = edited(NewCookie::Approval, &[("cache-control", "public, max-age=60")]);
        let no_store = Edit::Set("cache-control", HeaderValue::from_static("no-store"));
        assert_eq!(edits, [no_store, cookie(LINE)]);
    }

    #[test]
    fn what_is_said_to_some_caches_alone_does_not_spread_a_cookie() {
        for targeted in ["CDN-Cache-Control", "Example-CDN-Cache-Control", "Surrogate-Control"] {
            let headers = [(targeted, "max-age=60"), ("cache-control", "private")];
            assert_eq!(edited(NewCookie::Renewal, &headers), [], "{targeted}");
            let edits = edited(NewCookie::Approval, &headers);
            let no_store = Edit::Set("cache-control", HeaderValue::from_static("no-store"));
            assert_eq!(edits, [no_store, Edit::Remove(targeted.into()), cookie(LINE)]);
        }
    }

    #[test]
    fn a_renewal_stays_off_answers_for_everybody() {
        for shared in ["public", "max-age=1, S-Maxage=60", "private, public"] {
            assert_eq!(edited(NewCookie::Renewal, &[("Cache-Control", shared)]), []);
        }
        for own in ["private", "max-age=5, no-store"] {
            assert_eq!(edited(NewCookie::Renewal, &[("cache-control", own)]), [cookie(LINE)]);
        }
        let private = Edit::Append("cache-control", HeaderValue::from_static("private"));
        assert_eq!(edited(NewCookie::Renewal, &[]), [private, cookie(LINE)]);
    }

    #[test]
    fn the_applications_cookies_stay_and_forged_ones_go() {
        let headers = [
            ("set-cookie", "a=1; Path=/"),
            ("set-cookie", "__Host-duo_mfa=forged; Path=/"),
            ("set-cookie", "b=2"),
            ("cache-control", "private"),
        ];
        let removed = Edit::Remove(b"set-cookie".to_vec());
        assert_eq!(
            edited(NewCookie::Renewal, &headers),
            [removed, cookie("a=1; Path=/"), cookie("b=2"), cookie(LINE)]
        );
        assert_eq!(
            edited(NewCookie::Renewal, &[headers[0], headers[3]]),
            [cookie(LINE)],
            "nothing is rewritten where nothing is forged"
        );
    }

    #[test]
    fn a_forged_cookie_of_the_configured_name_goes_too() {
        const NAMED: &str = "__Host-approval=v; Path=/; Secure; HttpOnly; SameSite=Lax";
        let headers: [(&[u8], &[u8]); 3] = [
            (b"set-cookie", b"__Host-approval =forged"),
            (b"set-cookie", b"__Host-approvals=1"),
            (b"cache-control", b"private"),
        ];
        let buffer = HeaderMap::serialize(&headers);
        let renewal = NewCookie::Renewal(HeaderValue::from_static(NAMED));
        assert_eq!(
            edits(&renewal, &HeaderMap::parse(&buffer).unwrap()),
            [Edit::Remove(b"set-cookie".to_vec()), cookie("__Host-approvals=1"), cookie(NAMED)]
        );
    }
}
