//! The user of a request, from every identity source, and the requests that are refused without a call to Duo.

use crate::rig::{Request, Rig, forwarded_header, get, one_phone, started, status};
use duo_mfa::http::HeaderMap;
use serde_json::{Value, json};

/// The identity that a request carries, so that one row can be tried with each source.
#[derive(Clone)]
enum Sent {
    /// Lines of headers.
    Headers(&'static [(&'static str, &'static [u8])]),
    /// The property that the source reads; `None` if the host has no value.
    Attribute(Option<&'static [u8]>),
}

use Sent::{Attribute, Headers};

const HEADER: &str = r#"{"source": "header", "header": "x-basic-user"}"#;
const STRIPPING: &str = r#"{"source": "header", "header": "x-basic-user",
    "normalize": ["trim", "lowercase", {"strip_domain": ["corp.com", "CORP"]}]}"#;
const PLAIN_FORMS: &str = r#"{"source": "header", "header": "x-basic-user",
    "normalize": ["nfkc", "trim", "lowercase", {"strip_domain": ["corp.com"]}]}"#;
const LETTERS: &str = r#"{"source": "header", "header": "x-basic-user",
    "normalize": ["trim", "nfc", "lowercase"]}"#;
const JWT: &str = r#"{"source": "jwt", "metadata": ["jwt_authn", "payload", "realm", "email"]}"#;
const METADATA: &str = r#"{"source": "metadata", "metadata": ["ext_authz", "user"]}"#;
const SUBJECT: &str = r#"{"source": "mtls", "certificate": "subject"}"#;
const SAN_URI: &str = r#"{"source": "mtls", "certificate": "san_uri"}"#;
const SAN_DNS: &str = r#"{"source": "mtls", "certificate": "san_dns"}"#;

const MISSING: Result<&str, &str> = Err("identity_missing");
const INVALID: Result<&str, &str> = Err("identity_invalid");

const LONG: [u8; 257] = [b'a'; 257];
/// The longest valid canonical user.
const LONGEST: &str = str_of(&[b'a'; 256]);
/// Far longer than any name.
static HUGE: [u8; 100_000] = [b'a'; 100_000];

type Row = (&'static str, Sent, Result<&'static str, &'static str>);

const fn str_of(bytes: &'static [u8]) -> &'static str {
    match str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => panic!(),
    }
}

const fn of(value: &'static [u8]) -> Sent {
    Attribute(Some(value))
}

/// Header lines, and the user that they name or the code of the refusal.
type Lines = (&'static [(&'static str, &'static [u8])], Result<&'static str, &'static str>);

const PLAIN: &[Lines] = &[
    (&[("x-basic-user", b"alice")], Ok("alice")),
    (&[("x-basic-user", b"Alice")], Ok("alice")),
    (&[("x-basic-user", b" alice\t")], Ok("alice")),
    (&[("x_basic_user", b"alice")], INVALID),
    (&[("x-basic_user", b"alice")], INVALID),
    (&[("x-basic-user", b"a.l-i_c+e@corp.com")], Ok("a.l-i_c+e@corp.com")),
    (&[("x-basic-user", LONGEST.as_bytes())], Ok(LONGEST)),
    (&[], MISSING),
    (&[("x-basic-user", b"")], MISSING),
    (&[("x-basic-user", b"  ")], MISSING),
    (&[("x-basic-user2", b"alice")], MISSING),
    (&[("x-basic-use", b"alice")], MISSING),
    (&[("x-duo-mfa-user", b"alice")], MISSING),
    (&[("authorization", b"Basic YWxpY2U6eA==")], MISSING),
    (&[("x-basic-user", b"alice"), ("x-basic-user", b"alice")], INVALID),
    (&[("x-basic-user", b"alice"), ("x-basic-user", b"bob")], INVALID),
    (&[("x-basic-user", b"alice"), ("x-basic-user", b"")], INVALID),
    (&[("x-basic-user", b""), ("x-basic-user", b"alice")], INVALID),
    (&[("x-basic-user", b"alice"), ("x_basic_user", b"admin")], INVALID),
    (&[("X-Basic-User", b"admin"), ("x-basic-user", b"alice")], INVALID),
    (&[("x-basic-user", b"alice,admin")], INVALID),
    (&[("x-basic-user", b"alice, alice")], INVALID),
    (&[("x-basic-user", b"alice;admin")], INVALID),
    (&[("x-basic-user", b"a@b@c")], INVALID),
    (&[("x-basic-user", b"@corp.com")], INVALID),
    (&[("x-basic-user", b"alice@")], INVALID),
    (&[("x-basic-user", b"al ice")], Ok("al ice")),
    (&[("x-basic-user", b"al\tice")], INVALID),
    (&[("x-basic-user", b"CORP\\alice")], INVALID),
    (&[("x-basic-user", b"alice/admin")], Ok("alice/admin")),
    (&[("x-basic-user", b"alice:admin")], Ok("alice:admin")),
    (&[("x-basic-user", b"a&factor=auto")], Ok("a&factor=auto")),
    (&[("x-basic-user", b"o'brien@corp.example.com")], Ok("o'brien@corp.example.com")),
    (&[("x-basic-user", b"alice_gmail.com#EXT#@tenant.onmicrosoft.com")], {
        Ok("alice_gmail.com#ext#@tenant.onmicrosoft.com")
    }),
    (&[("x-basic-user", b"Jane Doe")], Ok("jane doe")),
    (&[("x-basic-user", b"auth0|507f1f77bcf86cd799439011")], {
        Ok("auth0|507f1f77bcf86cd799439011")
    }),
    (&[("x-basic-user", b"<b>*!{}()")], Ok("<b>*!{}()")),
    (&[("x-basic-user", b"jane  doe")], INVALID),
    (&[("x-basic-user", b"jane @corp.com")], INVALID),
    (&[("x-basic-user", b"jane@ corp.com")], INVALID),
    (&[("x-basic-user", b"al\"ice")], INVALID),
    (&[("x-basic-user", "m\u{fc}ller@example.de".as_bytes())], INVALID),
    (&[("x-basic-user", b"a%40b")], INVALID),
    (&[("x-basic-user", b"alice\xff")], INVALID),
    (&[("x-basic-user", b"\xc0\xaf")], INVALID),
    (&[("x-basic-user", b"alice\0")], INVALID),
    (&[("x-basic-user", b"alice\x7f")], INVALID),
    (&[("x-basic-user", b"alice\x1b[2J")], INVALID),
    (&[("x-basic-user", b"alice\r\nx: y")], INVALID),
    (&[("x-basic-user", "ａlice".as_bytes())], INVALID),
    (&[("x-basic-user", "alice\u{200b}".as_bytes())], INVALID),
    (&[("x-basic-user", "al\u{130}ce".as_bytes())], INVALID),
    (&[("x-basic-user", "ame\u{301}lie".as_bytes())], INVALID),
    (&[("x-basic-user", "\u{202e}alice".as_bytes())], INVALID),
    (&[("x-basic-user", "\u{a0}alice".as_bytes())], INVALID),
    (&[("x-basic-user", &LONG)], INVALID),
    (&[("x-basic-user", &HUGE)], INVALID),
];
const STRIPPED: &[Lines] = &[
    (&[("x-basic-user", b"ALICE@Corp.com")], Ok("alice")),
    (&[("x-basic-user", b"CORP\\alice")], Ok("alice")),
    (&[("x-basic-user", b"EVIL\\alice")], INVALID),
    (&[("x-basic-user", b"alice@evil.com")], INVALID),
    (&[("x-basic-user", b"alice@corp.com.evil.com")], INVALID),
    (&[("x-basic-user", b"CORP\\alice@corp.com")], INVALID),
    (&[("x-basic-user", b"@corp.com")], INVALID),
];
/// Names in Unicode's compatibility forms are normalized, and then read by the usual rules.
const MADE_PLAIN: &[Lines] = &[
    (&[("x-basic-user", "\u{ff21}lice".as_bytes())], Ok("alice")),
    (&[("x-basic-user", "\u{1d4d0}\u{1d4f5}\u{2170}c\u{1d41e}".as_bytes())], Ok("alice")),
    (&[("x-basic-user", "\u{3000}alice\u{a0}".as_bytes())], Ok("alice")),
    (&[("x-basic-user", "alice\u{ff20}\u{ff23}orp\u{ff0e}com".as_bytes())], Ok("alice")),
    (&[("x-basic-user", "\u{fb01}ona".as_bytes())], Ok("fiona")),
    (&[("x-basic-user", "\u{212a}arl".as_bytes())], Ok("karl")),
    (&[("x-basic-user", "alice\u{ff20}evil.com".as_bytes())], INVALID),
    (&[("x-basic-user", "al\u{130}ce".as_bytes())], INVALID),
    (&[("x-basic-user", "al\u{131}ce".as_bytes())], INVALID),
    (&[("x-basic-user", "ame\u{301}lie".as_bytes())], INVALID),
    (&[("x-basic-user", "am\u{e9}lie".as_bytes())], INVALID),
    (&[("x-basic-user", "\u{430}lice".as_bytes())], INVALID),
    (&[("x-basic-user", "alice\u{200b}".as_bytes())], INVALID),
    (&[("x-basic-user", "\u{202e}alice".as_bytes())], INVALID),
    (&[("x-basic-user", "\u{3000}".as_bytes())], MISSING),
    (&[("x-basic-user", b"alice")], Ok("alice")),
];

/// Names with letters beyond ASCII, in one spelling each.
const LETTERED: &[Lines] = &[
    (&[("x-basic-user", "m\u{fc}ller@example.de".as_bytes())], Ok("m\u{fc}ller@example.de")),
    (&[("x-basic-user", "MU\u{308}LLER@example.de".as_bytes())], Ok("m\u{fc}ller@example.de")),
    (&[("x-basic-user", "M\u{dc}LLER@EXAMPLE.DE".as_bytes())], Ok("m\u{fc}ller@example.de")),
    (&[("x-basic-user", "gro\u{df}".as_bytes())], Ok("gro\u{df}")),
    (
        &[("x-basic-user", "\u{418}\u{432}\u{430}\u{43d}".as_bytes())],
        Ok("\u{438}\u{432}\u{430}\u{43d}"),
    ),
    (&[("x-basic-user", "\u{5f20}\u{4f1f}".as_bytes())], Ok("\u{5f20}\u{4f1f}")),
    (&[("x-basic-user", "al\u{130}ce".as_bytes())], INVALID),
    (&[("x-basic-user", "al\u{131}ce".as_bytes())], INVALID),
    (&[("x-basic-user", "al\u{17f}ce".as_bytes())], INVALID),
    (&[("x-basic-user", "\u{212a}arl".as_bytes())], INVALID),
    (&[("x-basic-user", "\u{ff41}lice".as_bytes())], INVALID),
    (&[("x-basic-user", "alice\u{200b}".as_bytes())], INVALID),
    (&[("x-basic-user", "\u{202e}alice".as_bytes())], INVALID),
    (&[("x-basic-user", "\u{5d0}lice".as_bytes())], INVALID),
    (&[("x-basic-user", "a\u{308}\u{308}".as_bytes())], INVALID),
    (&[("x-basic-user", b"m\xfcller")], INVALID),
    (&[("x-basic-user", b"alice")], Ok("alice")),
];

fn headers() -> Vec<Row> {
    let rows = |identity, table: &'static [Lines]| {
        table.iter().map(move |(lines, user)| (identity, Headers(lines), *user))
    };
    let made_plain = rows(PLAIN_FORMS, MADE_PLAIN);
    let lettered = rows(LETTERS, LETTERED);
    let plain = rows(HEADER, PLAIN).chain(rows(STRIPPING, STRIPPED));
    plain.chain(made_plain).chain(lettered).collect()
}

fn metadata() -> Vec<Row> {
    vec![
        (JWT, of(b"alice@corp.com"), Ok("alice@corp.com")),
        (JWT, of(b"Alice"), Ok("alice")),
        (JWT, Attribute(None), MISSING),
        (JWT, of(b""), MISSING),
        (JWT, of(b"a@b@c"), INVALID),
        (JWT, of(b"alice,bob"), INVALID),
        (JWT, of(b"alice\xff"), INVALID),
        (JWT, of(b"alice\n"), INVALID),
        (JWT, of(&LONG), INVALID),
        // A list, a number and a boolean in the host's encoding.
        (JWT, of(b"\x01\0\0\0\x05\0\0\0\0\0\0\0alice\0\0"), INVALID),
        (JWT, of(b"\0\0\0\0\0\0\x28\x40"), INVALID),
        (JWT, of(b"\x01"), INVALID),
        (JWT, Headers(&[("x-basic-user", b"alice")]), MISSING),
        (METADATA, of(b"alice"), Ok("alice")),
        (METADATA, Attribute(None), MISSING),
        (METADATA, of(b"al ice"), Ok("al ice")),
        (METADATA, Headers(&[("x-basic-user", b"alice")]), MISSING),
    ]
}

fn certificates() -> Vec<Row> {
    vec![
        (SUBJECT, of(b"CN=alice,OU=ops,O=Example"), Ok("alice")),
        (SUBJECT, of(b"O=Example,CN=Alice"), Ok("alice")),
        (SUBJECT, of(b"CN=alice@corp.com,O=Example"), Ok("alice@corp.com")),
        (SUBJECT, of(b"O=x\\,CN=admin,CN=alice"), Ok("alice")),
        (SUBJECT, Attribute(None), MISSING),
        (SUBJECT, of(b""), MISSING),
        (SUBJECT, of(b"O=Example"), MISSING),
        (SUBJECT, of(b"O=x\\,CN=admin"), MISSING),
        (SUBJECT, of(b"CN=,O=Example"), MISSING),
        (SUBJECT, of(b"CN=alice,CN=admin"), INVALID),
        (SUBJECT, of(b"CN=alice+CN=admin,O=x"), INVALID),
        (SUBJECT, of(b"CN=al\\,ice"), INVALID),
        (SUBJECT, of(b"CN=Alice Liddell,O=x"), Ok("alice liddell")),
        (SUBJECT, of(b"CN=a\\+b,O=x"), Ok("a+b")),
        (SUBJECT, of(b"CN=m\\C3\\BCller,O=x"), INVALID),
        (SUBJECT, of(b"CN=alice\\ ,O=x"), INVALID),
        (SUBJECT, of(b"CN=alice\\"), INVALID),
        (SUBJECT, of(b"CN=#0c05616c696365"), INVALID),
        (SUBJECT, of(b"CN=alice\xff"), INVALID),
        (SAN_URI, of(b"spiffe://corp.com/ns/prod/sa/ci"), Ok("spiffe://corp.com/ns/prod/sa/ci")),
        (SAN_URI, of(b"spiffe://corp.com/a,spiffe://corp.com/b"), INVALID),
        (SAN_URI, of(b"spiffe://corp.com/a%2fb"), INVALID),
        (SAN_URI, of(b"spiffe://corp.com/a?b"), INVALID),
        (SAN_URI, Attribute(None), MISSING),
        (SAN_URI, of(&LONG), INVALID),
        (SAN_DNS, of(b"ci.corp.com"), Ok("ci.corp.com")),
        (SAN_DNS, of(b"CI.corp.com"), Ok("ci.corp.com")),
        (SAN_DNS, of(b"ci.corp.com:443"), INVALID),
        (SAN_DNS, of(b"*.corp.com"), INVALID),
        (SAN_DNS, of(b"a.corp.com\0.evil.com"), INVALID),
        (SAN_DNS, Headers(&[("x-forwarded-client-cert", b"DNS=ci.corp.com")]), MISSING),
    ]
}

#[test]
fn each_source_names_one_user_or_nobody() {
    let rows: Vec<Row> = [headers(), metadata(), certificates()].concat();
    assert!(rows.len() >= 80, "{} rows", rows.len());
    for (identity, sent, user) in rows {
        let (mut rig, request) = arrange(identity, &sent);
        let what = format!("{identity} {request:?} {:?}", rig.attribute);
        match user {
            Ok(user) => {
                let script = [one_phone(), started(), status("allow", "allow")];
                let forward = rig.send(&request, &script).admitted();
                assert_eq!(
                    forwarded_header(&forward, "x-duo-mfa-user").as_deref(),
                    Some(user),
                    "{what}"
                );
                assert_eq!([&rig.body(0)["username"], &rig.body(1)["username"]], [user; 2]);
            }
            Err(code) => {
                let refused = rig.send(&request, &[]).refused();
                assert_eq!(refused.code(), code, "{what}");
                assert!(rig.calls.is_empty(), "{what}");
            }
        }
    }
}

fn arrange(identity: &str, sent: &Sent) -> (Rig, Request) {
    let identity: Value = serde_json::from_str(identity).unwrap();
    let mut rig = Rig::with_identity(&identity);
    rig.mtls = Some(vec![1]);
    let mut request = get("/").without("x-basic-user");
    match sent {
        Headers(lines) => {
            for (name, value) in *lines {
                request = request.with(name, value);
            }
        }
        Attribute(value) => rig.attribute = value.map(<[u8]>::to_vec),
    }
    (rig, request)
}

#[test]
fn a_name_in_a_certificate_counts_only_where_the_client_has_shown_it() {
    for mtls in [None, Some(vec![]), Some(vec![0]), Some(vec![1, 1]), Some(b"true".to_vec())] {
        for (identity, name) in
            [(SUBJECT, &b"CN=alice"[..]), (SAN_URI, b"spiffe://a/b"), (SAN_DNS, b"ci.corp.com")]
        {
            let mut rig = Rig::with_identity(&serde_json::from_str(identity).unwrap());
            rig.attribute = Some(name.to_vec());
            rig.mtls.clone_from(&mtls);
            let refused = rig.send(&get("/"), &[]).refused();
            assert_eq!(refused.code(), "identity_missing", "{identity} {mtls:?}");
        }
    }
}

#[test]
fn duo_is_called_with_the_mapped_name_and_the_application_reads_the_canonical_one() {
    let mut identity: Value = serde_json::from_str(LETTERS).unwrap();
    identity["map"] = json!([
        {"user": "auth0|507f", "username": "Alice Liddell"},
        {"user": "*@partner.example.com", "username": "{local}-partner"},
        {"user": "svc-*", "username": "{user}"},
    ]);
    identity["username"] = json!("{local}@corp");
    for (name, user, duos) in [
        ("auth0|507F", "auth0|507f", "Alice Liddell"),
        ("Bob@Partner.example.com", "bob@partner.example.com", "bob-partner"),
        ("svc-ci", "svc-ci", "svc-ci"),
        ("m\u{fc}ller@example.de", "m\u{fc}ller@example.de", "m\u{fc}ller@corp"),
    ] {
        let mut rig = Rig::with_identity(&identity);
        let script = [one_phone(), started(), status("allow", "allow")];
        let forward = rig.send(&get("/").of(name), &script).admitted();
        assert_eq!(forwarded_header(&forward, "x-duo-mfa-user").as_deref(), Some(user));
        assert_eq!([&rig.body(0)["username"], &rig.body(1)["username"]], [duos; 2]);
    }
}

/// The signed form escapes names by RFC 3986, so that no byte of a name is read as a separator.
#[test]
fn name_is_one_value_in_a_form() {
    for (name, encoded) in [
        ("o'brien@corp.example.com", "o%27brien%40corp.example.com"),
        ("jane doe", "jane%20doe"),
        ("a&factor=sms", "a%26factor%3Dsms"),
        ("auth0|507f", "auth0%7C507f"),
        ("x#ext#@y+z", "x%23ext%23%40y%2Bz"),
        ("m\u{fc}ller", "m%C3%BCller"),
    ] {
        let mut rig = Rig::with(json!({
            "duo": {"signature": "v2-sha512"},
            "identity": {"normalize": ["trim", "lowercase", "nfc"]},
        }));
        rig.send(&get("/").of(name), &[crate::rig::preauth("deny")]).refused();
        let body = String::from_utf8(rig.calls[0].1.signed.body.clone()).unwrap();
        assert!(body.ends_with(&format!("&username={encoded}")), "{body}");
    }
}

#[test]
fn an_approval_is_valid_for_one_source() {
    let mut by_header = Rig::new();
    let script = [one_phone(), started(), status("allow", "allow")];
    let forward = by_header.send(&get("/"), &script).admitted();
    let cookie = crate::rig::pair(&crate::rig::approval(&forward)).to_owned();
    by_header.send(&get("/").with("cookie", &cookie), &[]).admitted();

    for identity in [JWT, METADATA, SUBJECT, SAN_DNS] {
        let mut rig = Rig::with_identity(&serde_json::from_str(identity).unwrap());
        rig.mtls = Some(vec![1]);
        let name: &[u8] = if identity == SUBJECT { b"CN=alice" } else { b"alice" };
        rig.attribute = Some(name.to_vec());
        let script = [one_phone(), started(), status("deny", "deny")];
        let refused = rig.send(&get("/").with("cookie", &cookie), &script).refused();
        assert_eq!(refused.code(), "mfa_denied", "{identity}");
    }
}

#[test]
fn groups_of_metadata_are_a_list_or_a_text() {
    let list = |entries: &[&[u8]]| {
        let pairs: Vec<(&[u8], &[u8])> = entries.iter().map(|entry| (*entry, &b""[..])).collect();
        HeaderMap::serialize(&pairs)
    };
    for (groups, code) in [
        (list(&[b"ops"]), None),
        (list(&[b"dev", b"ops"]), None),
        (b"ops".to_vec(), None),
        (b"dev, ops".to_vec(), None),
        (list(&[]), Some("mfa_required")),
        (list(&[b"dev"]), Some("mfa_required")),
        (list(&[b"dev,ops"]), Some("mfa_required")),
        (list(&[b"Ops", b"opsx"]), Some("mfa_required")),
        (b"".to_vec(), Some("mfa_required")),
        (list(&[b"ops", b"\xff"]), Some("identity_invalid")),
        (list(&[b"ops", b"a\nb"]), Some("identity_invalid")),
        (HeaderMap::serialize(&[(b"ops", b"true")]), Some("identity_invalid")),
        (vec![0, 0, 0, 0, 0, 0, 0x28, 0x40], Some("mfa_required")),
    ] {
        let mut rig = Rig::with(json!({
            "identity": {"groups": {"metadata": ["jwt_authn", "payload", "groups"]}},
            "access_control": {"rules": [{"groups": ["ops"], "policy": "bypass"}]},
            "api": {"mode": "refuse"},
        }));
        rig.groups = Some(groups.clone());
        let outcome = rig.send(&get("/").with("x-groups", "ops"), &[]);
        match code {
            None => drop(outcome.admitted()),
            Some(code) => assert_eq!(outcome.refused().code(), code, "{groups:?}"),
        }
    }
}
