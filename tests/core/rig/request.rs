//! A request of a client, as it arrives through Envoy.

use duo_mfa::gate::Body;
use duo_mfa::http::HeaderMap;

/// A request as Envoy passes it to the filter.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    headers: Vec<(String, Vec<u8>)>,
    rest: Option<Sent>,
}

/// The body of a request.
#[derive(Clone, Debug)]
enum Sent {
    Whole(Vec<u8>),
    /// Its end never comes.
    Late,
}

/// A GET of Alice from a program, without any mark of a browser.
pub(crate) fn get(path: &str) -> Request {
    Request { headers: Vec::new(), rest: None }
        .with(":method", "GET")
        .with(":path", path)
        .with(":authority", "app.example.com")
        .with("x-request-id", "7f3a19c2-1111-4222-8333-444444444444")
        .with("x-basic-user", "alice")
}

impl Request {
    pub(crate) fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(n, _)| n != name);
        self
    }

    pub(crate) fn of(self, user: &str) -> Self {
        self.without("x-basic-user").with("x-basic-user", user)
    }

    /// Adds a body.
    pub(crate) fn followed_by(self, body: impl AsRef<[u8]>) -> Self {
        Self { rest: Some(Sent::Whole(body.as_ref().to_vec())), ..self }
    }

    /// Adds a body whose end never arrives.
    pub(crate) fn followed_by_half(self) -> Self {
        Self { rest: Some(Sent::Late), ..self }
    }

    pub(super) fn serialized(&self) -> Vec<u8> {
        let pairs: Vec<(&[u8], &[u8])> =
            self.headers.iter().map(|(n, v)| (n.as_bytes(), v.as_slice())).collect();
        HeaderMap::serialize(&pairs)
    }

    pub(super) const fn has_body(&self) -> bool {
        self.rest.is_some()
    }

    /// The body, for a reader that takes at most `max` bytes.
    pub(super) fn body(&self, max: usize) -> Body<'_> {
        match self.rest.as_ref().expect("a body is read that was not sent") {
            Sent::Whole(bytes) if bytes.len() > max => Body::TooLong,
            Sent::Whole(bytes) => Body::Whole(bytes),
            Sent::Late => Body::Late,
        }
    }
}
