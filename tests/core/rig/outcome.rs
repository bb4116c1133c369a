//! The outcome of a request, with accessors for tests.

use super::WRONGLY_ADMITTED;
use duo_mfa::gate::{Forward, ForwardedAs, Judgement, NewCookie, Outcome as Judged};
use duo_mfa::http::{Edit, Reply};
use serde_json::Value;
use std::sync::atomic::Ordering;

/// The outcome of a request.
#[derive(Debug)]
pub(crate) enum Outcome {
    Forwarded(Forward),
    Replied(Reply),
}

impl Outcome {
    /// Asserts that the request was forwarded.
    #[track_caller]
    pub(crate) fn admitted(self) -> Forward {
        match self {
            Self::Forwarded(forward) => forward,
            Self::Replied(reply) => {
                panic!("refused: {} {}", reply.status, String::from_utf8_lossy(&reply.body))
            }
        }
    }

    /// Asserts that the filter replied, without an approval.
    #[track_caller]
    pub(crate) fn answered(self) -> Response {
        let answer = self.refused();
        let cookies = answer.cookies();
        if cookies.iter().any(|line| line.starts_with("__Host-duo_mfa") && !is_deletion(line)) {
            WRONGLY_ADMITTED.fetch_add(1, Ordering::Relaxed);
            panic!("wrongly approved: {cookies:?}");
        }
        answer
    }

    /// Asserts that the filter refused the request.
    #[track_caller]
    pub(crate) fn refused(self) -> Response {
        match self {
            Self::Replied(reply) => Response(reply),
            Self::Forwarded(forward) => {
                WRONGLY_ADMITTED.fetch_add(1, Ordering::Relaxed);
                panic!("wrongly admitted: {forward:?}")
            }
        }
    }
}

/// Counts an admission, or an approval, without a reason, and fails the test.
pub(crate) fn wrongly_admitted(what: &str) -> ! {
    WRONGLY_ADMITTED.fetch_add(1, Ordering::Relaxed);
    panic!("wrongly admitted: {what}")
}

pub(crate) struct Response(pub(crate) Reply);

impl Response {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.0.body).unwrap()
    }

    pub(crate) fn code(&self) -> String {
        let code = self.json()["code"].as_str().unwrap().to_owned();
        assert_eq!(self.0.details, format!("duo_mfa_{code}"));
        code
    }

    /// The `Set-Cookie` lines.
    pub(crate) fn cookies(&self) -> Vec<String> {
        let lines = self.0.headers.iter().filter(|(name, _)| *name == "set-cookie");
        lines.map(|(_, line)| String::from_utf8(line.as_bytes().to_vec()).unwrap()).collect()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.body.clone()).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let found = self.0.headers.iter().find(|(n, _)| *n == name);
        found.map(|(_, value)| String::from_utf8(value.as_bytes().to_vec()).unwrap())
    }
}

/// Whether a `Set-Cookie` line deletes a cookie.
pub(crate) fn is_deletion(line: &str) -> bool {
    line.contains("Max-Age=0")
}

/// The value of one of the filter's headers in a forwarded request.
pub(crate) fn forwarded_header(forward: &Forward, name: &str) -> Option<String> {
    forward.request.iter().find_map(|edit| match edit {
        Edit::Set(n, value) | Edit::Append(n, value) if *n == name => {
            Some(String::from_utf8(value.as_bytes().to_vec()).unwrap())
        }
        Edit::AppendNamed(n, value) if **n == *name => {
            Some(String::from_utf8(value.as_bytes().to_vec()).unwrap())
        }
        Edit::Set(..) | Edit::Append(..) | Edit::AppendNamed(..) | Edit::Remove(_) => None,
    })
}

/// Asserts that a forwarded request has one `x-duo-mfa-result`, that it agrees with the judgement,
/// and that a client's own was removed before.
pub(super) fn assert_says_why(forward: &Forward, judgement: Option<Judgement>) {
    let words: Vec<_> = forward
        .request
        .iter()
        .filter_map(|edit| match edit {
            Edit::Set(name, value) | Edit::Append(name, value) if *name == RESULT => {
                Some(value.as_bytes())
            }
            Edit::Set(..) | Edit::Append(..) | Edit::AppendNamed(..) | Edit::Remove(_) => None,
        })
        .collect();
    let is_ours = |edit: &Edit| matches!(edit, Edit::Append(name, _) if *name == RESULT);
    let is_removal = |edit: &Edit| matches!(edit, Edit::Remove(_));
    let first = forward.request.iter().position(is_ours);
    assert!(forward.request.iter().rposition(is_removal) < first, "{forward:?}");
    let expected = match judgement.map(|judgement| judgement.outcome) {
        Some(Judged::Passed | Judged::PassedPerClient) => &[ForwardedAs::Passed][..],
        Some(Judged::Admitted) => &[ForwardedAs::Admitted],
        Some(Judged::Bypassed) => &[ForwardedAs::Bypassed],
        Some(Judged::WouldRefuse) => &[ForwardedAs::WouldRefuse],
        // `mode: off`, or a CONNECT under `report_only`.
        None => &[ForwardedAs::Off, ForwardedAs::WouldRefuse],
        Some(Judged::Prompted | Judged::Refused | Judged::Abandoned) => &[],
    };
    let agrees = |word: &[u8]| expected.iter().any(|it| it.name().as_bytes() == word);
    assert!(matches!(words[..], [word] if agrees(word)), "{forward:?} {judgement:?}");
    if forwarded_header(forward, "x-duo-mfa-user").is_some() {
        assert!(matches!(words[..], [b"passed" | b"admitted"]), "{forward:?}");
    }
}

const RESULT: &str = "x-duo-mfa-result";

/// The `Set-Cookie` line of an approval.
pub(crate) fn approval(forward: &Forward) -> String {
    match &forward.cookie {
        Some(NewCookie::Approval(line)) => String::from_utf8(line.as_bytes().to_vec()).unwrap(),
        other => panic!("no approval: {other:?}"),
    }
}

/// The pair of name and value that a client sends back.
pub(crate) fn pair(line: &str) -> &str {
    line.split(';').next().unwrap()
}
