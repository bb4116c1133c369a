//! The place to which a user is sent after the second factor, for any `return_to` in the address of the
//! prompt. Responses are read as bytes, without an HTTP parser.

mod values;

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;

use percent_encoding::percent_decode_str;
use serde_json::json;
use url::Url;

use crate::browser::Browser;
use crate::http1::{PATIENCE, encode};
use crate::message::Request;
use crate::setup::Setup;
use crate::stack::Stack;
use crate::tally::{self, Verdict};
use values::{BEFORE, HOSTS, INJECTIONS, OTHERS};

/// The path to which the sign-in of these tests leads without a `return_to`.
const FIRST: &str = "/reports?year=2026";

/// Values that must lead to the root, each once.
fn hostile() -> BTreeSet<Vec<u8>> {
    let away = BEFORE.iter().flat_map(|before| HOSTS.map(|host| format!("{before}{host}")));
    let mut values: BTreeSet<Vec<u8>> = away.map(String::into_bytes).collect();
    values.extend(OTHERS.map(|other| other.as_bytes().to_vec()));
    values.extend([b"/\xff\xfe".to_vec(), b"/\xc0\xaf/evil.example".to_vec()]);
    values.extend([2_048, 4_000].map(|length| [b"/", vec![b'a'; length].as_slice()].concat()));
    values
}

fn injections() -> impl Iterator<Item = Vec<u8>> {
    INJECTIONS.iter().map(|value| value.as_bytes().to_vec())
}

fn escaped(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("%{byte:02X}")).collect()
}

/// The longest query that the filter reads, in bytes.
const LONGEST_QUERY: usize = 8 * 1024;

/// The ways to write a value into a query: unescaped, if it can be sent so, and escaped once and twice.
fn spellings(value: &[u8]) -> Vec<String> {
    let once = escaped(value);
    let mut spellings = vec![escaped(once.as_bytes()), once];
    let is_bare = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'&' | b'#' | b'+');
    if value.iter().all(is_bare) {
        spellings.push(String::from_utf8(value.to_vec()).unwrap());
    }
    spellings
}

/// The bytes of a response.
struct Raw(Vec<u8>);

impl Raw {
    /// Sends a request on a new connection and reads all bytes of the response.
    fn of(stack: &Stack, request: Request) -> Self {
        let mut socket = TcpStream::connect(stack.envoy.listener).expect("Envoy listens");
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        tally::sent();
        socket.write_all(&encode(&request)).expect("Envoy takes the bytes");
        let mut answer = Self(Vec::new());
        let mut piece = [0; 16_384];
        while !answer.is_whole() {
            let read = socket.read(&mut piece).expect("an answer");
            assert_ne!(read, 0, "the answer broke off");
            answer.0.extend_from_slice(&piece[..read]);
        }
        tally::answered();
        answer
    }

    fn is_whole(&self) -> bool {
        if !self.0.windows(4).any(|four| four == b"\r\n\r\n") {
            return false;
        }
        let length = self.value("content-length").expect("a length").parse().unwrap();
        self.body().len() >= length
    }

    /// The lines of the head. Asserts that each has only printable ASCII characters.
    fn lines(&self) -> Vec<String> {
        let end = self.0.windows(4).position(|four| four == b"\r\n\r\n").expect("a whole head");
        let head = String::from_utf8(self.0[..end].to_vec()).expect("a head of ASCII");
        let lines: Vec<String> = head.split("\r\n").map(ToOwned::to_owned).collect();
        for line in &lines {
            assert!(line.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{line:?}");
        }
        lines
    }

    fn status(&self) -> u16 {
        self.lines()[0].split(' ').nth(1).unwrap().parse().unwrap()
    }

    fn names(&self) -> BTreeSet<String> {
        let lines = self.lines();
        let fields = lines.iter().skip(1);
        fields.map(|line| line.split_once(':').expect("a field").0.to_ascii_lowercase()).collect()
    }

    /// The only value of a header.
    fn value(&self, name: &str) -> Option<String> {
        let lines = self.lines();
        let fields = lines.iter().filter_map(|line| line.split_once(": "));
        let mut values = fields.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let value = values.next().map(|(_, value)| value.to_owned());
        assert_eq!(values.next(), None);
        value
    }

    fn location(&self) -> Option<String> {
        self.value("location")
    }

    fn body(&self) -> String {
        let at = self.0.windows(4).position(|four| four == b"\r\n\r\n").expect("a whole head");
        String::from_utf8(self.0[at + 4..].to_vec()).expect("text")
    }
}

/// The start of a spelling, for a failed test.
fn shown(spelling: &str) -> &str {
    spelling.get(..120).unwrap_or(spelling)
}

/// The URL to which a browser follows a `Location` from this origin.
fn destination(location: &str) -> Url {
    Url::parse("http://app.example.com/.duo-mfa/status").unwrap().join(location).unwrap()
}

/// The response to the page's poll of a sign-in, with `value` as its `return_to`.
fn led(stack: &Stack, browser: &Browser, value: &str) -> Raw {
    let request = Request::get(format!("/.duo-mfa/status?return_to={value}")).navigation();
    let request = browser.with_cookies(request);
    stack.judged(Verdict::Denied, value, || Raw::of(stack, request))
}

/// A browser whose push was approved, and that has not polled since.
fn approved(stack: &Stack) -> Browser {
    let mut browser = Browser::of("alice");
    browser.push(stack);
    stack.sim.answer("alice", "approve");
    browser
}

/// A stack whose rate limits allow one user as many requests as there are paths to try.
fn unhurried() -> Stack {
    Stack::start(Setup::default().plugin(json!({"limits": {"user_rate": 6_000}})))
}

#[test]
fn no_return_path_leads_elsewhere() {
    let stack = unhurried();
    let browser = approved(&stack);
    let names = led(&stack, &browser, "%2Freports").names();
    assert!(names.contains("location") && names.contains("set-cookie"), "{names:?}");
    let hostile = hostile();
    assert!(hostile.len() >= 200, "{}", hostile.len());
    for value in &hostile {
        for spelling in spellings(value) {
            let answer = led(&stack, &browser, &spelling);
            // Envoy itself refuses some targets.
            if answer.status() == 400 && answer.location().is_none() {
                assert!(!answer.body().contains("evil.example"), "{}", shown(&spelling));
                continue;
            }
            let end = if spelling.len() < LONGEST_QUERY { "/" } else { FIRST };
            assert_eq!(answer.status(), 303, "{}", shown(&spelling));
            assert_eq!(answer.location().as_deref(), Some(end), "{}", shown(&spelling));
            assert_eq!(answer.names(), names, "{}", shown(&spelling));
        }
    }
    assert_eq!(stack.sim.pushes(), 1);
}

#[test]
fn no_return_path_becomes_a_header_or_a_body() {
    let stack = unhurried();
    let browser = approved(&stack);
    let names = led(&stack, &browser, "%2Freports").names();
    for value in injections() {
        for spelling in spellings(&value) {
            let answer = led(&stack, &browser, &spelling);
            let location = answer.location().expect("a way on");
            assert_eq!(
                destination(&location).host_str(),
                Some("app.example.com"),
                "{}",
                shown(&spelling)
            );
            let meant: Vec<u8> = percent_decode_str(&spelling).collect();
            let is_own = location.as_bytes() == meant || location == "/";
            assert!(is_own, "{}: {location}", shown(&spelling));
            assert_eq!(answer.names(), names, "{}", shown(&spelling));
        }
    }
    assert_eq!(stack.sim.pushes(), 1);
}

/// The values of `return_to` in the links and forms of a page.
fn kept(page: &str) -> BTreeSet<String> {
    let parts = page.split("return_to=").skip(1);
    parts.map(|part| part.split(['"', '&', '\'']).next().unwrap().to_owned()).collect()
}

#[test]
fn no_page_keeps_a_return_path_that_leads_elsewhere() {
    let stack = unhurried();
    let root = BTreeSet::from(["%2F".to_owned()]);
    let browser = Browser::of("alice");
    for value in hostile() {
        for spelling in spellings(&value) {
            let request = Request::get(format!("/.duo-mfa/?return_to={spelling}")).navigation();
            let request = browser.with_cookies(request);
            let page = stack.judged(Verdict::Denied, &spelling, || Raw::of(&stack, request));
            let body = page.body();
            assert!(!body.contains("evil"), "{}: {body}", shown(&spelling));
            assert!(matches!(page.status(), 200 | 400), "{}", shown(&spelling));
            if page.status() == 200 {
                assert_eq!(kept(&body), root, "{}", shown(&spelling));
            }
        }
    }
    for value in injections() {
        for spelling in spellings(&value) {
            let request = Request::get(format!("/.duo-mfa/?return_to={spelling}")).navigation();
            let request = browser.with_cookies(request);
            let page = stack.judged(Verdict::Denied, &spelling, || Raw::of(&stack, request));
            assert_eq!(page.status(), 200, "{}", shown(&spelling));
            assert!(
                !page.body().contains("<script>alert"),
                "{}: {}",
                shown(&spelling),
                page.body()
            );
            assert!(!page.names().contains("x-injected"));
        }
    }
    assert_eq!(stack.sim.user_calls(), 0);
}

#[test]
fn page_at_a_hostile_address_leads_to_the_root() {
    let stack = unhurried();
    for target in [
        "//evil.example/",
        "///evil.example/",
        "/\\evil.example/",
        "/%2fevil.example/",
        "/%5cevil.example/",
        "/.//evil.example/",
        "/x/..//evil.example/",
        "/%2e%2e//evil.example/",
        "/%09/evil.example/",
        "/%0d%0a/evil.example/",
        "/%252fevil.example",
    ] {
        let request = Request::get(target).user("alice").navigation();
        let page = stack.judged(Verdict::Denied, target, || Raw::of(&stack, request));
        assert!(matches!(page.status(), 403 | 400), "{target}");
        assert_eq!(page.location(), None, "{target}");
        let kept = kept(&page.body());
        assert!(kept.iter().all(|value| value == "%2F"), "{target}: {kept:?}");
    }
}

#[test]
fn safe_return_paths_come_back_unchanged() {
    let stack = unhurried();
    let browser = approved(&stack);
    for path in [
        "/",
        "/app/a//b?x=1&y=%2F%2Fz#top",
        "/app?next=https://other.example/",
        "/caf%C3%A9/100%25",
        "/@user:name",
        "/a|b\"c<d>`{e}^",
    ] {
        let answer = led(&stack, &browser, &escaped(path.as_bytes()));
        assert_eq!((answer.status(), answer.location().as_deref()), (303, Some(path)));
    }
    let longest = format!("/{}", "a".repeat(2_047));
    assert_eq!(led(&stack, &browser, &longest).location(), Some(longest));
}

#[test]
fn return_path_named_twice_is_the_first_asked_for() {
    let stack = unhurried();
    let mut browser = approved(&stack);
    for value in ["%2Fa&return_to=//evil.example", "//evil.example&return_to=%2Fa", "&return_to="] {
        let answer = led(&stack, &browser, value);
        assert_eq!(answer.location().as_deref(), Some(FIRST), "{value}");
    }
    let told = browser.fetch(&stack, "GET", "status?return_to=%2F%2Fevil.example").json();
    assert_eq!([&told["state"], &told["return_to"]], ["approved", "/"]);
}
