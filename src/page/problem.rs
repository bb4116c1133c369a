//! Problem documents (RFC 9457).

use crate::http::reply::GrpcStatus;
use crate::http::{Client, HeaderValue, Reply};
use crate::json::ObjectText;
use crate::signal::Code;
use std::fmt;
use std::time::Duration;

/// The start of the request id: short enough to read out, long enough to find the log line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference(String);

impl Reference {
    /// How many characters of a request id are kept.
    pub const LENGTH: usize = 13;

    /// Takes it from `x-request-id`; letters, digits and dashes only.
    #[must_use]
    pub fn of_request_id(id: Option<&[u8]>) -> Self {
        let readable = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
        let kept = id.unwrap_or_default().iter().copied().filter(readable).take(Self::LENGTH);
        Self(kept.map(char::from).collect())
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A refusal in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which kind of refusal.
    pub code: Code,
    /// What happened and what to do.
    pub detail: String,
    /// Where to look it up.
    pub reference: Reference,
    /// When another try may succeed.
    pub retry_after: Option<Duration>,
}

impl Problem {
    /// The answer for this kind of client.
    #[must_use]
    pub fn reply(&self, client: Client) -> Reply {
        let body = ObjectText::new()
            .text("type", &format!("urn:duo-mfa:problem:{}", self.code.name()))
            .text("title", self.code.title())
            .number("status", self.code.status().into())
            .text("code", self.code.name())
            .text("detail", &self.detail)
            .text("reference", &self.reference.0)
            .finish()
            .into_bytes();
        let details = self.code.details();
        let reply = Reply::new(self.code.status(), details, "application/problem+json", body);
        let reply = match self.retry_after {
            Some(wait) => reply.with("retry-after", HeaderValue::number(whole_seconds(wait))),
            None => reply,
        };
        match client {
            Client::RefuseGrpc => reply.for_grpc(grpc_status(self.code), self.detail.clone()),
            Client::Page | Client::Hold | Client::Refuse => reply,
        }
    }
}

/// Seconds, rounded up: a client that waits so long is not early.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0))
}

const fn grpc_status(code: Code) -> GrpcStatus {
    match code.status() {
        400 | 404 | 405 | 422 => GrpcStatus::InvalidArgument,
        429 => GrpcStatus::ResourceExhausted,
        503 => GrpcStatus::Unavailable,
        _ => GrpcStatus::Unauthenticated,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(detail: &str) -> Problem {
        Problem {
            code: Code::MfaDenied,
            detail: detail.to_owned(),
            reference: Reference::of_request_id(Some(b"7f3a19c2-aaaa-4bbb-8ccc-000000000000")),
            retry_after: None,
        }
    }

    #[test]
    fn a_problem_says_what_happened_under_a_stable_code() {
        let reply = problem("Denied.").reply(Client::Hold);
        assert_eq!(reply.status, 403);
        assert_eq!(reply.details, "duo_mfa_mfa_denied");
        let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
        let expected = serde_json::json!({
            "type": "urn:duo-mfa:problem:mfa_denied",
            "title": "The request was denied on the device",
            "status": 403,
            "code": "mfa_denied",
            "detail": "Denied.",
            "reference": "7f3a19c2-aaaa",
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn every_problem_is_neither_cached_nor_framed_nor_sniffed() {
        let reply = problem("").reply(Client::Page);
        let header = |name: &str| {
            let found = reply.headers.iter().find(|(n, _)| *n == name);
            String::from_utf8(found.unwrap().1.as_bytes().to_vec()).unwrap()
        };
        assert_eq!(header("content-type"), "application/problem+json");
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("x-frame-options"), "DENY");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert!(header("content-security-policy").contains("frame-ancestors 'none'"));
    }

    #[test]
    fn a_wait_is_rounded_up_to_seconds() {
        let waiting = Problem { retry_after: Some(Duration::from_millis(4_001)), ..problem("") };
        let reply = waiting.reply(Client::Hold);
        let wait = reply.headers.iter().find(|(name, _)| *name == "retry-after").unwrap();
        assert_eq!(wait.1.as_bytes(), b"5");
    }

    #[test]
    fn grpc_clients_get_a_grpc_status() {
        let reply = problem("Denied.").reply(Client::RefuseGrpc);
        assert_eq!(reply.grpc, Some((GrpcStatus::Unauthenticated, "Denied.".to_owned())));
    }

    #[test]
    fn a_reference_holds_only_what_can_be_read_out() {
        let odd = Reference::of_request_id(Some(b"<b>\r\n\xff'12-a"));
        assert_eq!(odd.to_string(), "b12-a");
        assert_eq!(Reference::of_request_id(None).to_string(), "");
    }
}
