//! The kind of client, and which page sent a request.

use super::parts::Lines;
use duo_mfa::http::{Client, HeaderMap, RequestHead, origin};

pub(crate) fn target(bytes: &[u8]) {
    let mut pairs = Lines::of(bytes).headers();
    pairs.retain(|(name, _)| !name.starts_with(b":"));
    let pseudo: [(&[u8], &[u8]); 3] =
        [(b":method", b"POST"), (b":path", b"/reports"), (b":authority", b"app.example.com")];
    pairs.extend(pseudo);
    let buffer = HeaderMap::serialize(&pairs);
    let head = RequestHead::read(&buffer).unwrap();
    let last = |name: &str| pairs.iter().rfind(|(n, _)| *n == name.as_bytes()).map(|(_, v)| *v);

    let is_held = Client::of(&head.hints()) == Client::Hold;
    // No page can make a browser send a request without these marks.
    let marks = ["origin", "referer", "dnt", "sec-fetch-site", "sec-fetch-dest", "sec-purpose"];
    assert!(!is_held || marks.iter().all(|mark| last(mark).is_none()));

    let is_own = origin::check(&head).is_ok();
    let own: [&[u8]; 2] = [b"same-origin", b"none"];
    match (last("sec-fetch-site"), last("origin")) {
        (Some(site), _) => assert_eq!(is_own, own.contains(&site)),
        (None, Some(sent)) => {
            let sent = sent.to_ascii_lowercase();
            assert!(!is_own || sent.ends_with(b"://app.example.com"));
        }
        (None, None) => {}
    }
    assert!(!(is_own && origin::is_foreign(&head)));
    assert!(!(is_own && origin::is_of_other_site(&head)));
    let _ = origin::is_plain_http(&head);
}
