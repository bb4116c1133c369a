//! Problem documents (RFC 9457).

use super::json;
use super::text::{Language, whole_seconds};
use crate::http::reply::GrpcStatus;
use crate::http::{Client, HeaderValue, Reply};
use crate::json::ObjectText;
use crate::reference::Reference;
use crate::signal::Code;
use std::time::Duration;

/// The trailing metadata in which a gRPC client finds the `start_url`.
const START_URL_HEADER: &str = "x-duo-mfa-start-url";

/// A refusal in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The kind of refusal.
    pub code: Code,
    /// The event and the remedy, in words.
    pub detail: String,
    /// The reference by which it is found in the log; `None` if the log does not have it.
    pub reference: Option<Reference>,
    /// The wait after which another try may succeed.
    pub retry_after: Option<Duration>,
    /// Whether a passcode is accepted without that wait.
    pub accepts_passcode: bool,
    /// The people who may approve the request; empty if the user may.
    pub approvers: Vec<String>,
}

/// The addresses in a problem document by which a refused client can continue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Onward<'a> {
    /// The page to open in a browser.
    pub start_url: Option<&'a str>,
    /// The address to poll for the pending sign-in.
    pub status_url: Option<&'a str>,
    /// The pending sign-in, for clients without cookies.
    pub transaction: Option<&'a str>,
    /// The language of a heading that the script shows; `None` for programs.
    pub language: Option<Language>,
}

impl Problem {
    /// A refusal that no wait changes.
    #[must_use]
    pub const fn new(code: Code, detail: String, reference: Option<Reference>) -> Self {
        Self {
            code,
            detail,
            reference,
            retry_after: None,
            accepts_passcode: false,
            approvers: Vec::new(),
        }
    }

    /// The reply for this kind of client.
    #[must_use]
    pub fn reply(&self, client: Client) -> Reply {
        self.reply_onward(client, &Onward::default())
    }

    /// The reply for this kind of client, with addresses to continue.
    #[must_use]
    pub fn reply_onward(&self, client: Client, onward: &Onward<'_>) -> Reply {
        let document = ObjectText::new()
            .text("type", &format!("urn:duo-mfa:problem:{}", self.code.name()))
            .text("title", self.code.title())
            .number("status", self.code.status().into())
            .text("code", self.code.name())
            .text("detail", &self.detail)
            .text("reference", &self.reference.map(|it| it.to_string()).unwrap_or_default())
            .some_text("heading", onward.language.map(|language| language.heading(self.code)))
            .some_flag("passcode_accepted", self.accepts_passcode.then_some(true))
            .some_text("start_url", onward.start_url)
            .some_text("status_url", onward.status_url)
            .some_text("transaction", onward.transaction);
        let document = if self.approvers.is_empty() {
            document
        } else {
            document.texts("approvers", self.approvers.iter().map(String::as_str))
        };
        let body = json::body(document);
        let details = self.code.details();
        let reply = Reply::new(self.code.status(), details, "application/problem+json", body);
        let reply = match self.retry_after {
            Some(wait) => reply.with("retry-after", HeaderValue::number(whole_seconds(wait))),
            None => reply,
        };
        let reply = match onward.language {
            Some(language) => {
                reply.with("content-language", HeaderValue::from_static(language.tag()))
            }
            None => reply,
        };
        match client {
            // The body of a gRPC reply is not sent.
            Client::RefuseGrpc => match onward.start_url {
                Some(url) => reply.with(START_URL_HEADER, HeaderValue::lossy(url.to_owned())),
                None => reply,
            }
            .for_grpc(grpc_status(self.code), self.detail.clone()),
            Client::Page | Client::Hold | Client::Refuse => reply,
        }
    }
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
    use crate::clock::UnixTime;

    fn problem(detail: &str) -> Problem {
        let reference = Reference::new([0, 0x44, 0x32, 0x14, 0xc7], UnixTime::default());
        Problem::new(Code::MfaDenied, detail.to_owned(), Some(reference))
    }

    #[test]
    fn a_problem_has_a_detail_and_a_stable_code() {
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
            "reference": "01234567",
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn a_problem_has_addresses_to_continue() {
        let onward = Onward {
            start_url: Some("/.duo-mfa/?return_to=%2F"),
            status_url: Some("/.duo-mfa/status"),
            transaction: Some("t"),
            language: Some(Language::Fr),
        };
        let reply = problem("a<b").reply_onward(Client::Refuse, &onward);
        assert!(reply.body.windows(8).any(|w| w == br"a\u003cb"), "{:?}", reply.body);
        let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(body["start_url"], "/.duo-mfa/?return_to=%2F");
        assert_eq!(body["status_url"], "/.duo-mfa/status");
        assert_eq!(body["transaction"], "t");
        assert_eq!(body["heading"], "Demande refusée");
        assert_eq!(body["title"], "The request was denied on the device");
        let language = reply.headers.iter().find(|(name, _)| *name == "content-language").unwrap();
        assert_eq!(language.1.as_bytes(), b"fr");
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
        let url = |reply: &Reply| {
            let found = reply.headers.iter().find(|(name, _)| *name == START_URL_HEADER);
            found.map(|(_, value)| value.as_bytes().to_vec())
        };
        assert_eq!(url(&reply), None);
        let onward = Onward { start_url: Some("/.duo-mfa/"), ..Onward::default() };
        let with_url = problem("Denied.").reply_onward(Client::RefuseGrpc, &onward);
        assert_eq!(url(&with_url).as_deref(), Some(&b"/.duo-mfa/"[..]));
        assert_eq!(url(&problem("").reply_onward(Client::Refuse, &onward)), None);
    }
}
