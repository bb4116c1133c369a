//! Paths: the canonical form, and what they may be taken for.

use duo_mfa::http::likeness::Likeness;
use duo_mfa::http::path::{CanonicalPath, canonical};
use percent_encoding::percent_decode;
use url::Url;

pub(crate) fn target(bytes: &[u8]) {
    let path = bytes.split(|byte| *byte == b'?').next().unwrap();
    let Ok(read) = CanonicalPath::of(path) else {
        return assert!(canonical(path).is_err());
    };
    let written = canonical(path).unwrap();
    assert_eq!(canonical(&written).as_ref(), Ok(&written));
    assert_eq!(CanonicalPath::of(&written).unwrap().decoded(), read.decoded());

    let decoded: Vec<u8> = percent_decode(path).collect();
    assert_eq!(read.decoded(), decoded);
    let mut segments = decoded.split(|byte| *byte == b'/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        assert!(!segment.is_empty() || segments.peek().is_none());
        assert!(segment != b"." && segment != b"..");
    }
    // A browser requests the same path.
    let url = format!("https://app.example.com{}", str::from_utf8(path).unwrap());
    let url = Url::parse(&url).unwrap();
    assert!(percent_decode(url.path().as_bytes()).eq(decoded.iter().copied()));
    assert_eq!(url.host_str(), Some("app.example.com"));

    let Ok(likeness) = Likeness::of(&decoded) else { return };
    assert!(likeness.may_be(&likeness, false) && likeness.may_be(&likeness, true));
    let below = [decoded.trim_ascii_end(), b"/below"].concat();
    if let Ok(below) = Likeness::of(&below) {
        assert!(below.may_be(&likeness, true));
    }
}
