//! Forms whose fields can be read.

use crate::http::RequestHead;

/// The limit for the body of a request with its own approval, and of another site's form, in bytes.
pub(super) const MAX_REQUEST: usize = 64 * 1024;

/// Whether a form's fields can be read and sent again. Browsers always send a form's length.
pub(super) fn is_resendable(head: &RequestHead<'_>) -> bool {
    let length = head.value("content-length").and_then(|it| str::from_utf8(it).ok()?.parse().ok());
    is_urlencoded(head) && length.is_some_and(|length| (1..=MAX_REQUEST).contains(&length))
}

/// Whether the `Content-Type` is urlencoded text.
pub(super) fn is_urlencoded(head: &RequestHead<'_>) -> bool {
    head.value("content-type").is_some_and(|sent| {
        let essence = sent.split(|byte| *byte == b';').next().unwrap_or_default();
        essence.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
    })
}
