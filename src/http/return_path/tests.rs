use super::*;
use proptest::prelude::*;
use url::Url;

/// The text before the host in paths that try to leave this host.
const PREFIXES: [&str; 40] = [
    "",
    "//",
    "///",
    "////",
    "/\\",
    "\\/",
    "\\\\",
    "\\",
    "/\t/",
    "/\n/",
    "/\r/",
    "/\r\n/",
    "\t//",
    " //",
    "/ /",
    "/\0/",
    "/\u{b}/",
    "/\u{c}/",
    "/%09/",
    "/%0a/",
    "/%0D%0A/",
    "/%20/",
    "/%00/",
    "/%5c",
    "/%5C%5C",
    "/%2f",
    "/%2F%2f",
    "/%252f",
    "/%255c",
    "/.//",
    "/..//",
    "/./\\",
    "/a/..//",
    "/%2e//",
    "/%2E%2e//",
    "/.%2f/",
    "/a/..%2f/",
    "http:",
    "javascript:",
    "/\u{2f}\u{2f}",
];

/// Hosts, and texts that some parser takes for a host.
const HOSTS: [&str; 12] = [
    "evil.example",
    "evil.example/",
    "evil.example:443/app",
    "evil.example%00.app.example.com",
    "app.example.com@evil.example",
    "app.example.com.evil.example",
    "evil.example#app.example.com",
    "evil.example?app.example.com",
    "[::1]/",
    "0x7f000001",
    "evil%E3%80%82example",
    "\u{ff45}vil.example",
];

const BENIGN: [&str; 26] = [
    "/",
    "/app",
    "/app/",
    "/app?x=1",
    "/app?x=1&y=%2F%2Fz",
    "/app?next=https://other.example/a//b/../c",
    "/?q",
    "/?//",
    "/#top",
    "/app#a/../b",
    "/app?x=1#frag",
    "/a/b/c.html;v=1",
    "/a//b",
    "/a%2fb",
    "/a/b%2f%2fc",
    "/a%5cb",
    "/a%20b/c%20d",
    "/100%25/of/it",
    "/caf%C3%A9",
    "/.well-known/x",
    "/..a/b",
    "/a/...",
    "/@user:name",
    "/:80",
    "/~u/!$&'()*+,;=",
    "/a|b\"c<d>`{e}^",
];

fn base() -> Url {
    Url::parse("https://app.example.com").unwrap()
}

/// Whether a browser that is sent to `path` stays on this host, and whether the target that it then
/// requests still names no other host if it is resolved again.
fn stays(path: &str) -> bool {
    let is_home = |url: &Url| url.origin() == base().origin();
    let first = base().join(path).unwrap();
    let again = base().join(&first[url::Position::BeforePath..]);
    is_home(&first) && again.is_ok_and(|second| is_home(&second))
}

#[test]
fn paths_to_another_host_become_the_root() {
    let hostile = PREFIXES.iter().flat_map(|prefix| HOSTS.map(|host| format!("{prefix}{host}")));
    let mut count = 0;
    for path in hostile {
        assert_eq!(ReturnPath::parse(path.as_bytes()).as_str(), "/", "{path:?}");
        count += 1;
    }
    assert_eq!(count, 480);
}

#[test]
fn most_of_those_paths_would_have_left() {
    let leaves = |path: &String| base().join(path).is_err() || !stays(path);
    let paths = PREFIXES.iter().flat_map(|prefix| HOSTS.map(|host| format!("{prefix}{host}")));
    let count = paths.filter(leaves).count();
    assert!(count >= 200, "{count}");
}

#[test]
fn a_path_with_a_forbidden_byte_becomes_the_root() {
    for byte in (0..=0x20).chain([b'\\']).chain(0x7f..=u8::MAX) {
        for path in [[b'/', byte, b'/', b'x'], [b'/', b'a', b'?', byte], [b'/', b'a', byte, b'#']] {
            assert_eq!(ReturnPath::parse(&path), ReturnPath::default(), "{byte:#04x}");
        }
    }
}

#[test]
fn benign_paths_come_back_unchanged() {
    for path in BENIGN {
        let parsed = ReturnPath::parse(path.as_bytes());
        assert_eq!(parsed.as_str(), path);
        assert_eq!(parsed.location().as_bytes(), path.as_bytes());
        assert!(stays(path), "{path}");
    }
}

#[test]
fn a_text_that_is_not_a_path_becomes_the_root() {
    for text in ["", "app", "?x", "#x", "*", ".", "..", "./a", "https://app.example.com/", "%2f"] {
        assert_eq!(ReturnPath::parse(text.as_bytes()).as_str(), "/", "{text}");
    }
    assert_eq!(ReturnPath::default().as_str(), "/");
}

#[test]
fn a_path_has_at_most_2048_bytes() {
    let longest = format!("/{}", "a".repeat(MAX_BYTES - 1));
    assert_eq!(ReturnPath::parse(longest.as_bytes()).as_str(), longest);
    assert_eq!(ReturnPath::parse(format!("{longest}a").as_bytes()).as_str(), "/");
    let query = format!("?{}", "q".repeat(MAX_BYTES));
    for (path, expected) in
        [(&*longest, &*longest), ("/a", "/a"), ("//a", "/"), ("/../a", "/"), ("", "/")]
    {
        for end in [&*query, &query.replace('?', "#"), &format!("#x{query}")] {
            assert_eq!(ReturnPath::parse(format!("{path}{end}").as_bytes()).as_str(), expected);
        }
    }
    assert_eq!(ReturnPath::parse(format!("{longest}?q").as_bytes()).as_str(), longest);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn a_browser_never_leaves_this_host(
        path in "/?(/|\\\\|\t|\n| |\\.|\\.\\.|%09|%2[fF]|%5[cC]|%2e|%25|@|:|\\?|#|[a-z]|\u{3002}){0,8}",
    ) {
        let parsed = ReturnPath::parse(path.as_bytes());
        prop_assert!(stays(parsed.as_str()), "{}", parsed.as_str());
        prop_assert!(parsed.as_str() == "/" || parsed.as_str() == path);
        prop_assert_eq!(ReturnPath::parse(parsed.as_str().as_bytes()), parsed);
    }

    #[test]
    fn any_bytes_make_a_path(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let parsed = ReturnPath::parse(&bytes);
        prop_assert!(parsed.as_str().starts_with('/'));
        prop_assert!(stays(parsed.as_str()));
    }

    #[test]
    fn ordinary_paths_come_back_unchanged(
        path in "(/[a-z][a-z0-9._~-]{0,8}){1,4}/?(\\?[a-z]=[a-z0-9%/&=+:.]{0,12})?(#[a-z]{0,5})?",
    ) {
        let parsed = ReturnPath::parse(path.as_bytes());
        prop_assert_eq!(parsed.as_str(), path);
    }
}

#[test]
fn a_path_keeps_its_method_in_a_token() {
    let path = || ReturnPath::parse(b"/pay?to=7#end");
    for (method, kept, text) in [
        ("GET", "GET", "/pay?to=7#end"),
        ("POST", "POST", "POST /pay?to=7#end"),
        ("M-SEARCH", "M-SEARCH", "M-SEARCH /pay?to=7#end"),
        ("XXXXXXXXXXXXXXXXXXXX", "XXXXXXXXXXXXXXXXXXXX", "XXXXXXXXXXXXXXXXXXXX /pay?to=7#end"),
        ("XXXXXXXXXXXXXXXXXXXXX", "GET", "/pay?to=7#end"),
        ("", "GET", "/pay?to=7#end"),
        ("PO ST", "GET", "/pay?to=7#end"),
        ("/x", "GET", "/pay?to=7#end"),
    ] {
        let to = path().for_method(method.as_bytes());
        assert_eq!((to.method(), &*to.in_token()), (kept, text), "{method}");
        assert_eq!(ReturnPath::from_token(text.as_bytes()), to);
        assert!(text.len() <= MAX_BYTES_IN_TOKEN);
    }
    assert_eq!(path().for_method(b"POST").for_method(b"GET"), path());
    assert_eq!(
        ReturnPath::from_token(b"POST //other.example"),
        ReturnPath::default().for_method(b"POST")
    );
}
