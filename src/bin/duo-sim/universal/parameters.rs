//! Parameters of the query and the body together. Duo's clients put those of `token` into a form
//! body, a multipart body, or the query of a `POST` without a body.

use crate::params::{ContentType, Pairs, Params, content_type, pairs};
use crate::received::Received;

pub(super) fn read(received: &Received) -> Params {
    let mut all = pairs(received.query().as_bytes());
    let header = received.header("content-type");
    if let Some(boundary) = header.and_then(boundary) {
        all.extend(multipart(&received.body, &boundary));
    } else if let ContentType::Form | ContentType::Absent = content_type(header) {
        all.extend(pairs(&received.body));
    }
    Params::from_pairs(all)
}

/// The boundary of a multipart body, or `None` for other bodies.
fn boundary(header: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(header).ok()?;
    let mut parts = text.split(';').map(str::trim);
    if !parts.next()?.eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    parts
        .find_map(|part| part.strip_prefix("boundary="))
        .map(|value| value.trim_matches('"').into())
}

/// Names and values of a multipart body without files.
fn multipart(body: &[u8], boundary: &str) -> Pairs {
    let text = String::from_utf8_lossy(body);
    text.split(&format!("--{boundary}"))
        .filter_map(|part| {
            let (head, value) = part.strip_prefix("\r\n")?.split_once("\r\n\r\n")?;
            let (_, name) = head.split_once("name=\"")?;
            let (name, _) = name.split_once('"')?;
            let value = value.strip_suffix("\r\n").unwrap_or(value);
            Some((name.as_bytes().to_vec(), value.as_bytes().to_vec()))
        })
        .collect()
}
