//! The path to which a user returns: always one of this host, as a browser reads it.

use duo_mfa::http::ReturnPath;
use percent_encoding::percent_decode;
use url::Url;

pub(crate) fn target(bytes: &[u8]) {
    let path = ReturnPath::parse(bytes);
    let taken = path.as_str();
    assert!(taken == "/" || taken.as_bytes() == bytes);
    assert_eq!(ReturnPath::parse(taken.as_bytes()), path);
    assert_eq!(path.location().as_bytes(), taken.as_bytes());
    assert!(taken.starts_with(path.target()) && !path.target().contains('#'));

    // As it is, and decoded once and twice by software on the way.
    let mut seen = taken.as_bytes().to_vec();
    for _ in 0..3 {
        let base = Url::parse("https://app.example.com/somewhere/").unwrap();
        let url = base.join(&String::from_utf8_lossy(&seen)).unwrap();
        let place = (url.scheme(), url.host_str(), url.port(), url.username());
        assert_eq!(place, ("https", Some("app.example.com"), None, ""), "{taken}");
        seen = percent_decode(&seen).collect();
    }
}
