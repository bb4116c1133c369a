use super::super::cookie::Sent;
use super::*;

fn map(pairs: &[(&str, &[u8])]) -> Vec<u8> {
    let pairs: Vec<(&[u8], &[u8])> = pairs.iter().map(|(n, v)| (n.as_bytes(), *v)).collect();
    HeaderMap::serialize(&pairs)
}

const GET: [(&str, &[u8]); 3] = [(":method", b"GET"), (":path", b"/"), (":authority", b"app")];

#[test]
fn a_serialized_map_reads_back_pair_by_pair() {
    let buffer = map(&[("a", b"1"), ("a", b""), ("b\u{e9}", b"\xff\x00\xfe")]);
    let read: Vec<_> = HeaderMap::parse(&buffer).unwrap().iter().collect();
    let expected: [(&[u8], &[u8]); 3] =
        [(b"a", b"1"), (b"a", b""), ("b\u{e9}".as_bytes(), b"\xff\x00\xfe")];
    assert_eq!(read, expected);
}

#[test]
fn an_empty_buffer_is_no_map() {
    assert_eq!(HeaderMap::parse(&[]).unwrap_err(), MalformedMap);
    assert_eq!(HeaderMap::parse(&[0, 0, 0, 0]).unwrap().iter().count(), 0);
}

#[test]
fn every_cut_of_a_map_is_refused() {
    let buffer = map(&[("name", b"value"), ("other", b"more")]);
    for end in 1..buffer.len() {
        assert!(HeaderMap::parse(&buffer[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn lengths_beyond_the_buffer_are_refused() {
    for lengths in [[u32::MAX, 0], [0, u32::MAX], [u32::MAX, u32::MAX]] {
        let mut buffer = 1u32.to_le_bytes().to_vec();
        buffer.extend(lengths.iter().flat_map(|n| n.to_le_bytes()));
        buffer.extend(b"a\0b\0");
        assert_eq!(HeaderMap::parse(&buffer).unwrap_err(), MalformedMap);
    }
    assert!(HeaderMap::parse(&u32::MAX.to_le_bytes()).is_err());
}

#[test]
fn a_second_spelling_of_a_name_is_a_second_value() {
    let mut pairs = GET.to_vec();
    pairs.extend([("x-basic-user", b"alice".as_slice()), ("x_basic_user", b"admin")]);
    let buffer = map(&pairs);
    let head = RequestHead::read(&buffer).unwrap();
    let values: Vec<_> = head.values("x-basic-user").collect();
    assert_eq!(values, [b"alice".as_slice(), b"admin"]);
    assert_eq!(head.value("x-basic-user"), None);
}

#[test]
fn only_cookie_headers_have_cookies() {
    for (name, is_cookie) in
        [("cookie", true), ("cookie2", false), ("cookies", false), ("content-type", false)]
    {
        let pairs = [(":method", b"GET".as_slice()), (":path", b"/"), (name, b"name=v")];
        let bytes = map(&pairs);
        let found = RequestHead::read(&bytes).unwrap().cookies.find("name");
        assert_eq!(found == Sent::Once(b"v"), is_cookie, "{name}");
    }
}

#[test]
fn reserved_names_are_found_in_every_spelling() {
    let names = ["x-duo-mfa-user", "x_duo_mfa_user", "X-Duo_mfa-Time", "x-duo-mfa-"];
    let others = ["x-duo-mfauser", "x-duo-mf", "duo-mfa-user", "xx-duo-mfa-user"];
    let mut pairs = GET.to_vec();
    pairs.extend(names.iter().chain(&others).map(|name| (*name, b"1".as_slice())));
    let buffer = map(&pairs);
    let head = RequestHead::read(&buffer).unwrap();
    assert_eq!(head.reserved, names.map(str::as_bytes));
}

#[test]
fn a_request_without_method_or_path_is_a_fault() {
    let fault = |pairs: &[(&str, &[u8])]| RequestHead::read(&map(pairs)).unwrap_err();
    assert_eq!(fault(&[(":path", b"/")]), HeadFault::NoMethod);
    assert_eq!(fault(&[(":method", b"CONNECT"), (":authority", b"a:1")]), HeadFault::NoPath);
    assert_eq!(fault(&[(":method", b"GET"), (":path", b"")]), HeadFault::NoPath);
    let twice = [(":method", b"GET".as_slice()), (":path", b"/"), (":path", b"/admin")];
    assert_eq!(fault(&twice), HeadFault::DuplicatePseudoHeader);
}

#[test]
fn the_path_ends_at_the_query() {
    for (target, path) in [("/a?b=/c?d", "/a"), ("/a", "/a"), ("?x", ""), ("*", "*")] {
        let buffer = map(&[(":method", b"GET"), (":path", target.as_bytes())]);
        assert_eq!(RequestHead::read(&buffer).unwrap().path(), path.as_bytes());
    }
}

#[test]
fn a_head_is_not_read_from_a_map_that_was_cut() {
    let buffer = map(&[(":method", b"GET"), (":path", b"/"), ("cookie", b"a=1")]);
    for end in 0..buffer.len() {
        assert!(RequestHead::read(&buffer[..end]).is_err(), "cut at {end}");
    }
}
