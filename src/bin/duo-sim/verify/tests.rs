//! Tests of the verifier with requests that Duo's own Python client made.

use serde::Deserialize;
use std::collections::BTreeMap;

use super::{Form, Keys, Presented, date, verify};
use crate::fail::Fail;

const VECTORS: &str = include_str!("../../../../tests/data/duo-signature-vectors.json");

#[derive(Deserialize)]
struct File {
    count: usize,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    sig_version: u8,
    digest: String,
    ikey: String,
    skey: String,
    host: String,
    method: String,
    x_duo_headers: BTreeMap<String, String>,
    authorization: String,
    wire: Wire,
}

#[derive(Deserialize)]
struct Wire {
    uri: String,
    body: Option<String>,
    content_type: Option<String>,
    date_header: String,
}

/// A request that owns its values, so that a test may change them.
#[derive(Clone)]
struct Request {
    method: String,
    host: String,
    target: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    now: i64,
}

impl Request {
    fn header_mut(&mut self, name: &str) -> &mut Vec<u8> {
        let found = self.headers.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name));
        &mut found.unwrap().1
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self
    }

    fn date(&self) -> &str {
        let find =
            |name: &str| self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        std::str::from_utf8(&find("x-duo-date").or_else(|| find("date")).unwrap().1).unwrap()
    }

    fn verified(&self, keys: &Keys, accepted: Option<Form>) -> Result<Form, Fail> {
        let presented = Presented {
            method: &self.method,
            host: &self.host,
            target: &self.target,
            headers: &self.headers,
            body: &self.body,
        };
        verify(&presented, keys, accepted, self.now)
    }
}

impl Vector {
    fn form(&self) -> Form {
        match (self.sig_version, self.digest.as_str()) {
            (5, "sha512") => Form::V5,
            (2, "sha512") => Form::V2Sha512,
            (2, "sha1") => Form::V2Sha1,
            other => panic!("{}: unknown form {other:?}", self.name),
        }
    }

    fn keys(&self) -> Keys {
        Keys { integration_key: self.ikey.clone(), secret_key: self.skey.clone() }
    }

    fn request(&self) -> Request {
        let bytes = |text: &str| text.as_bytes().to_vec();
        let mut headers = vec![
            ("Date".to_owned(), bytes(&self.wire.date_header)),
            ("Authorization".to_owned(), bytes(&self.authorization)),
        ];
        headers.extend(
            self.wire.content_type.iter().map(|text| ("Content-Type".to_owned(), bytes(text))),
        );
        headers.extend(self.x_duo_headers.iter().map(|(name, value)| (name.clone(), bytes(value))));
        Request {
            method: self.method.clone(),
            host: self.host.clone(),
            target: self.wire.uri.clone(),
            headers,
            body: self.wire.body.clone().unwrap_or_default().into_bytes(),
            now: date::seconds(&self.wire.date_header).unwrap(),
        }
    }

    fn refused(&self, request: &Request) -> Fail {
        match request.verified(&self.keys(), None) {
            Ok(form) => panic!("{} was accepted as {form:?}: {}", self.name, request.target),
            Err(fail) => fail,
        }
    }
}

fn vectors() -> Vec<Vector> {
    let file: File = serde_json::from_str(VECTORS).unwrap();
    assert_eq!(file.vectors.len(), file.count);
    assert_eq!(file.count, 121);
    file.vectors
}

/// Another letter or digit that is not a hexadecimal digit, so that no escape remains one.
fn other(byte: u8) -> u8 {
    if byte == b'Q' { b'Z' } else { b'Q' }
}

#[test]
fn every_request_of_the_official_client_is_accepted_in_its_form() {
    for vector in vectors() {
        let request = vector.request();
        assert_eq!(request.verified(&vector.keys(), None), Ok(vector.form()), "{}", vector.name);
        for only in Form::ALL {
            let expected =
                if only == vector.form() { Ok(only) } else { Err(Fail::InvalidSignature) };
            let answer = request.verified(&vector.keys(), Some(only));
            assert_eq!(answer, expected, "{} as {only:?}", vector.name);
        }
    }
}

#[test]
fn a_host_header_with_a_port_is_accepted_for_a_signed_bare_host() {
    for vector in vectors() {
        let mut request = vector.request();
        request.host.push_str(":8443");
        assert_eq!(request.verified(&vector.keys(), None), Ok(vector.form()), "{}", vector.name);
    }
}

#[test]
fn a_changed_character_of_the_signature_is_refused() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    for vector in vectors() {
        let encoded = vector.authorization.strip_prefix("Basic ").unwrap();
        let decoded = STANDARD.decode(encoded).unwrap();
        let colon = decoded.iter().position(|byte| *byte == b':').unwrap();
        for position in colon + 1..decoded.len() {
            let mut changed = decoded.clone();
            changed[position] = if changed[position] == b'0' { b'1' } else { b'0' };
            let mut request = vector.request();
            *request.header_mut("authorization") =
                format!("Basic {}", STANDARD.encode(&changed)).into_bytes();
            assert_eq!(vector.refused(&request), Fail::InvalidSignature, "{}", vector.name);
        }
        let mut request = vector.request();
        let upper = String::from_utf8(decoded).unwrap().to_ascii_uppercase();
        *request.header_mut("authorization") =
            format!("Basic {}", STANDARD.encode(upper)).into_bytes();
        assert_eq!(vector.refused(&request), Fail::InvalidSignature, "{}", vector.name);
    }
}

#[test]
fn a_changed_letter_of_path_query_or_body_is_refused() {
    for vector in vectors() {
        let request = vector.request();
        let letters = |text: &[u8]| -> Vec<usize> {
            (0..text.len()).filter(|at| text[*at].is_ascii_alphanumeric()).collect()
        };
        for position in letters(request.target.as_bytes()) {
            let mut target = request.target.clone().into_bytes();
            target[position] = other(target[position]);
            let target = String::from_utf8(target).unwrap();
            let changed = Request { target, ..request.clone() };
            assert_eq!(vector.refused(&changed), Fail::InvalidSignature, "{}", vector.name);
        }
        for position in letters(&request.body) {
            let mut changed = request.clone();
            changed.body[position] = other(changed.body[position]);
            assert_eq!(vector.refused(&changed), Fail::InvalidSignature, "{}", vector.name);
        }
    }
}

#[test]
fn another_method_host_parameter_or_duo_header_is_refused() {
    for vector in vectors() {
        let request = vector.request();
        let mut changed = request.clone();
        changed.host = "api-yyyyyyyy.duosecurity.com".to_owned();
        assert_eq!(vector.refused(&changed), Fail::InvalidSignature, "{}", vector.name);
        if request.method.eq_ignore_ascii_case("get") {
            let mut changed = request.clone();
            changed.method = "DELETE".to_owned();
            assert_eq!(vector.refused(&changed), Fail::InvalidSignature, "{}", vector.name);
            let mut changed = request.clone();
            changed.target.push_str(if request.target.contains('?') { "&a=b" } else { "?a=b" });
            assert_eq!(vector.refused(&changed), Fail::InvalidSignature, "{}", vector.name);
        } else {
            let mut changed = request.clone();
            changed.body.extend_from_slice(b"&a=b");
            assert_eq!(vector.refused(&changed), Fail::InvalidSignature, "{}", vector.name);
        }
        if vector.form() == Form::V5 {
            let mut changed = request.clone();
            changed.headers.push(("x-duo-more".to_owned(), b"1".to_vec()));
            assert_eq!(vector.refused(&changed), Fail::InvalidSignature, "{}", vector.name);
        }
    }
}

#[test]
fn a_date_that_was_not_signed_is_refused() {
    for vector in vectors() {
        let request = vector.request();
        let mut changed = request.clone();
        let date = request.date().to_owned();
        let seconds = date.rfind(':').unwrap() + 1;
        let mut bytes = date.clone().into_bytes();
        bytes[seconds] = if bytes[seconds] == b'0' { b'1' } else { b'0' };
        let has_own = vector.x_duo_headers.keys().any(|key| key.eq_ignore_ascii_case("x-duo-date"));
        *changed.header_mut(if has_own { "x-duo-date" } else { "date" }) = bytes;
        assert_eq!(vector.refused(&changed), Fail::InvalidSignature, "{}", vector.name);
    }
}

#[test]
fn dates_within_five_minutes_of_the_servers_clock_are_accepted() {
    for vector in vectors() {
        for (skew, expected) in [
            (300, Ok(vector.form())),
            (-300, Ok(vector.form())),
            (301, Err(Fail::BadTimestamp)),
            (-301, Err(Fail::BadTimestamp)),
        ] {
            let mut request = vector.request();
            request.now += skew;
            let answer = request.verified(&vector.keys(), None);
            assert_eq!(answer, expected, "{} {skew}", vector.name);
        }
    }
}

#[test]
fn missing_and_foreign_credentials_have_their_own_codes() {
    let vectors = vectors();
    let vector = &vectors[0];
    let request = vector.request();
    let code = |request: &Request| vector.refused(request).code();
    assert_eq!(code(&request.clone().without("authorization")), 40101);
    assert_eq!(code(&request.clone().without("date")), 40104);
    assert_eq!(code(&request.clone().without("content-type")), 40106);
    for (authorization, expected) in [
        ("Bearer abc", 40101),
        ("Basic ~~~", 40101),
        ("Basic bm9jb2xvbg==", 40101),
        ("Basic RElYOjAw", 40102),
    ] {
        let mut changed = request.clone();
        *changed.header_mut("authorization") = authorization.as_bytes().to_vec();
        assert_eq!(code(&changed), expected, "{authorization}");
    }
    let mut changed = request.clone();
    *changed.header_mut("date") = b"yesterday".to_vec();
    assert_eq!(code(&changed), 40105);
    let keys = Keys { integration_key: vector.ikey.clone(), secret_key: "other".to_owned() };
    assert_eq!(request.verified(&keys, None), Err(Fail::InvalidSignature));
}

#[test]
fn x_duo_date_wins_over_date() {
    let vectors = vectors();
    let vector = vectors.iter().find(|vector| vector.name == "x_duo_headers_1").unwrap();
    let mut request = vector.request();
    *request.header_mut("date") = b"Sat, 21 Nov 2026 20:37:55 GMT".to_vec();
    assert_eq!(request.verified(&vector.keys(), None), Ok(Form::V5));
    assert_eq!(vector.refused(&request.without("x-duo-date")), Fail::BadTimestamp);
}

#[test]
fn a_trailing_question_mark_does_not_belong_to_the_path() {
    let vectors = vectors();
    let bare = vectors.iter().filter(|vector| vector.wire.uri.ends_with('?'));
    for vector in bare {
        let mut request = vector.request();
        request.target.pop();
        assert_eq!(request.verified(&vector.keys(), None), Ok(vector.form()), "{}", vector.name);
    }
}

#[test]
fn dates_are_read_in_every_form_that_clients_write() {
    for (text, expected) in [
        ("Tue, 21 Aug 2012 17:29:18 -0000", Some(1_345_570_158)),
        ("Tue, 21 Aug 2012 17:29:18 +0000", Some(1_345_570_158)),
        ("Tue, 21 Aug 2012 17:29:18 GMT", Some(1_345_570_158)),
        ("21 Aug 2012 17:29:18 UTC", Some(1_345_570_158)),
        ("Tue, 21 Aug 2012 19:29:18 +0200", Some(1_345_570_158)),
        ("Tue, 21 Aug 2012 12:59:18 -0430", Some(1_345_570_158)),
        ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
        ("Tue, 29 Feb 2000 12:00 GMT", Some(951_825_600)),
        ("Wed, 31 Dec 1969 23:59:59 GMT", Some(-1)),
        ("Tuesday, 21 Aug 2012 17:29:18 GMT", None),
        ("Tue, 21 Aug 2012 17:29:18", None),
        ("Tue, 21 Aug 2012 17:29:18 CET", None),
        ("Tue, 21 Aug 2012 17:29:18 +00:0", None),
        ("Tue, 21 Aug 2012 17:29:18 GMT extra", None),
        ("Tue, 32 Aug 2012 17:29:18 GMT", None),
        ("Tue, 21 Aug 2012 24:29:18 GMT", None),
        ("Tue, 21 Xyz 2012 17:29:18 GMT", None),
        ("Tue, +1 Aug 2012 17:29:18 GMT", None),
        ("2012-08-21T17:29:18Z", None),
        ("", None),
    ] {
        assert_eq!(date::seconds(text), expected, "{text}");
    }
}
