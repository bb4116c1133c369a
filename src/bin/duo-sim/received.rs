//! A complete request with its body.

use std::collections::BTreeMap;
use std::io;

use axum::body::{Body, Bytes};
use axum::http::request;

use crate::verify::Presented;

/// Largest request body that is read.
const MAX_BODY: usize = 1024 * 1024;

/// A request whose body was read.
pub(crate) struct Received {
    pub(crate) method: String,
    /// The `Host` header, or the authority of an HTTP/2 request.
    pub(crate) host: String,
    /// The path with its query.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Bytes,
    pub(crate) tls: bool,
}

impl Received {
    /// Reads a request to the end of its body.
    ///
    /// # Errors
    ///
    /// The client's body breaks off or is too large.
    pub(crate) async fn read(head: request::Parts, body: Body, tls: bool) -> io::Result<Self> {
        let headers: Vec<(String, Vec<u8>)> = head
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
            .collect();
        let host = head
            .uri
            .authority()
            .map(|authority| authority.as_str().to_owned())
            .or_else(|| {
                let host = head.headers.get("host")?;
                Some(String::from_utf8_lossy(host.as_bytes()).into_owned())
            })
            .unwrap_or_default();
        let target = head.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
        let body = axum::body::to_bytes(body, MAX_BODY).await.map_err(io::Error::other)?;
        Ok(Self { method: head.method.as_str().to_owned(), host, target, headers, body, tls })
    }

    pub(crate) fn presented(&self) -> Presented<'_> {
        Presented {
            method: &self.method,
            host: &self.host,
            target: &self.target,
            headers: &self.headers,
            body: &self.body,
        }
    }

    pub(crate) fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
    }

    pub(crate) fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// The first header of that name, which is in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_slice())
    }

    /// All headers except `authorization`, for the journal.
    pub(crate) fn journal_headers(&self) -> BTreeMap<String, String> {
        self.headers
            .iter()
            .filter(|(name, _)| name != "authorization")
            .map(|(name, value)| (name.clone(), String::from_utf8_lossy(value).into_owned()))
            .collect()
    }
}
