//! The filter's own replies, with the headers that every reply has.

use super::HeaderValue;
use std::time::Duration;

/// The policy of every reply: no script, style or frame but the filter's own.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; \
    style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; \
    frame-ancestors 'none'; base-uri 'none'";

const FIXED: [(&str, &str); 8] = [
    ("cache-control", "no-store"),
    ("vary", "Accept, Accept-Language, Cookie, Sec-Fetch-Mode, Sec-Fetch-Dest"),
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("x-frame-options", "DENY"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// The gRPC statuses that the filter sends (gRPC's table of status codes).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrpcStatus {
    /// 3: the call is malformed.
    InvalidArgument,
    /// 8: a limit is reached.
    ResourceExhausted,
    /// 14: a later try may succeed.
    Unavailable,
    /// 16: the caller is not authenticated.
    Unauthenticated,
}

impl GrpcStatus {
    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> i32 {
        match self {
            Self::InvalidArgument => 3,
            Self::ResourceExhausted => 8,
            Self::Unavailable => 14,
            Self::Unauthenticated => 16,
        }
    }
}

/// A local reply. It always has headers against caching, framing and sniffing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The reason as one word, which Envoy shows as response code details.
    pub details: String,
    /// Every header except the status and the length.
    pub headers: Vec<(&'static str, HeaderValue)>,
    /// The body.
    pub body: Vec<u8>,
    /// Status and message of a gRPC reply, which has trailers instead of a body.
    pub grpc: Option<(GrpcStatus, String)>,
}

impl Reply {
    /// A reply of this media type.
    #[must_use]
    pub fn new(status: u16, details: String, media_type: &'static str, body: Vec<u8>) -> Self {
        let fixed = FIXED.map(|(name, value)| (name, HeaderValue::from_static(value)));
        let mut headers = vec![("content-type", HeaderValue::from_static(media_type))];
        headers.extend(fixed);
        Self { status, details, headers, body, grpc: None }
    }

    /// Adds a header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Allows the page's form to go to the application. The application may redirect to another
    /// site, which browsers count as the form's target, and may report to the window that opened
    /// this one.
    #[must_use]
    pub fn on_its_way(mut self) -> Self {
        self.headers.retain(|(name, _)| {
            !matches!(*name, "content-security-policy" | "cross-origin-opener-policy")
        });
        let policy =
            CONTENT_SECURITY_POLICY.replace("form-action 'self'", "form-action 'self' https:");
        self.with("content-security-policy", HeaderValue::lossy(policy))
    }

    /// Lets forms of the page lead to a page of this origin too. Browsers other than Firefox apply
    /// `form-action` to the redirect after a form
    /// (<https://github.com/w3c/webappsec-csp/issues/8>).
    #[must_use]
    pub fn with_forms_to(mut self, origin: &str) -> Self {
        self.headers.retain(|(name, _)| *name != "content-security-policy");
        let actions = format!("form-action 'self' {origin}");
        let policy = CONTENT_SECURITY_POLICY.replace("form-action 'self'", &actions);
        self.with("content-security-policy", HeaderValue::lossy(policy))
    }

    /// Hides the address of the reply from all other pages, since it has single-use values.
    #[must_use]
    pub fn without_referrer(mut self) -> Self {
        self.headers.retain(|(name, _)| *name != "referrer-policy");
        self.with("referrer-policy", HeaderValue::from_static("no-referrer"))
    }

    /// Lets every client cache the reply forever, since the content of its address never changes.
    #[must_use]
    pub fn immutable(mut self) -> Self {
        self.headers.retain(|(name, _)| !matches!(*name, "cache-control" | "vary"));
        self.with("cache-control", HeaderValue::from_static("public, max-age=31536000, immutable"))
    }

    /// Lets browsers show the reply again for this long without asking.
    #[must_use]
    pub fn kept_by_browsers(mut self, span: Duration) -> Self {
        self.headers.retain(|(name, _)| !matches!(*name, "cache-control" | "vary"));
        let directives = format!("private, max-age={}", span.as_secs());
        self.with("cache-control", HeaderValue::lossy(directives))
    }

    /// Lets every cache keep the reply for this long.
    #[must_use]
    pub fn kept_by_all(mut self, span: Duration) -> Self {
        self.headers.retain(|(name, _)| !matches!(*name, "cache-control" | "vary"));
        let directives = format!("public, max-age={}", span.as_secs());
        self.with("cache-control", HeaderValue::lossy(directives))
    }

    /// Turns it into a reply for a gRPC client.
    #[must_use]
    pub fn for_grpc(mut self, status: GrpcStatus, message: String) -> Self {
        self.grpc = Some((status, message));
        self
    }
}
