use super::*;
use crate::config::Config;

const LINE: &str = "__Host-duo_mfa=v; Path=/; Secure; HttpOnly; SameSite=Lax";

fn edited(cookie: impl Fn(HeaderValue) -> NewCookie, headers: &[(&str, &str)]) -> Vec<Edit> {
    let pairs: Vec<(&[u8], &[u8])> =
        headers.iter().map(|(n, v)| (n.as_bytes(), v.as_bytes())).collect();
    let buffer = HeaderMap::serialize(&pairs);
    edits(&cookie(HeaderValue::from_static(LINE)), &HeaderMap::parse(&buffer).unwrap(), &gate())
}

fn cookie(line: &'static str) -> Edit {
    Edit::Append("set-cookie", HeaderValue::from_static(line))
}

#[test]
fn no_cache_stores_a_new_approval() {
    let edits = edited(NewCookie::Approval, &[("cache-control", "public, max-age=60")]);
    let no_store = Edit::Set("cache-control", HeaderValue::from_static("no-store"));
    assert_eq!(edits, [no_store, cookie(LINE)]);
}

#[test]
fn headers_for_some_caches_do_not_spread_a_cookie() {
    for targeted in ["CDN-Cache-Control", "Example-CDN-Cache-Control", "Surrogate-Control"] {
        let headers = [(targeted, "max-age=60"), ("cache-control", "private")];
        assert_eq!(edited(NewCookie::Renewal, &headers), [], "{targeted}");
        let edits = edited(NewCookie::Approval, &headers);
        let no_store = Edit::Set("cache-control", HeaderValue::from_static("no-store"));
        assert_eq!(edits, [no_store, Edit::Remove(targeted.into()), cookie(LINE)]);
    }
}

#[test]
fn a_sign_out_deletes_all_its_cookies_and_keeps_the_applications() {
    let deletion = || HeaderValue::from_static("__Host-duo_txn=; Max-Age=0");
    let signed_out = |line| NewCookie::SignedOut(vec![line, deletion()]);
    let headers = [("set-cookie", "a=1"), ("set-cookie", "__Host-duo_txn=forged")];
    let no_store = Edit::Set("cache-control", HeaderValue::from_static("no-store"));
    let removed = Edit::Remove(b"set-cookie".to_vec());
    let last = Edit::Append("set-cookie", deletion());
    let expected = [no_store, removed, cookie("a=1"), cookie(LINE), last];
    assert_eq!(edited(signed_out, &headers), expected);
}

#[test]
fn a_renewal_stays_off_public_responses() {
    for shared in ["public", "max-age=1, S-Maxage=60", "private, public"] {
        assert_eq!(edited(NewCookie::Renewal, &[("Cache-Control", shared)]), []);
    }
    for own in ["private", "max-age=5, no-store"] {
        assert_eq!(edited(NewCookie::Renewal, &[("cache-control", own)]), [cookie(LINE)]);
    }
    let private = Edit::Append("cache-control", HeaderValue::from_static("private"));
    assert_eq!(edited(NewCookie::Renewal, &[]), [private, cookie(LINE)]);
}

#[test]
fn the_applications_cookies_stay_and_forged_ones_go() {
    let headers = [
        ("set-cookie", "a=1; Path=/"),
        ("set-cookie", "__Host-duo_mfa=forged; Path=/"),
        ("set-cookie", "b=2"),
        ("cache-control", "private"),
    ];
    let removed = Edit::Remove(b"set-cookie".to_vec());
    assert_eq!(
        edited(NewCookie::Renewal, &headers),
        [removed, cookie("a=1; Path=/"), cookie("b=2"), cookie(LINE)]
    );
    assert_eq!(
        edited(NewCookie::Renewal, &[headers[0], headers[3]]),
        [cookie(LINE)],
        "nothing is rewritten where nothing is forged"
    );
}

#[test]
fn a_forged_cookie_of_any_configured_name_goes_too() {
    const NAMED: &str = "__Host-approval=v; Path=/; Secure; HttpOnly; SameSite=Lax";
    let headers: [(&[u8], &[u8]); 4] = [
        (b"set-cookie", b"__Host-approval =forged"),
        (b"set-cookie", b"__Host-approvals=1"),
        (b"set-cookie", b"=__Host-duo_txn=forged; Path=/"),
        (b"cache-control", b"private"),
    ];
    let buffer = HeaderMap::serialize(&headers);
    let response = HeaderMap::parse(&buffer).unwrap();
    let gate = gate_with("__Host-approval");
    for line in [NAMED, "__Host-duo_operation=; Path=/; Max-Age=0"] {
        let renewal = NewCookie::Renewal(HeaderValue::from_static(line));
        assert_eq!(
            edits(&renewal, &response, &gate),
            [Edit::Remove(b"set-cookie".to_vec()), cookie("__Host-approvals=1"), cookie(line)]
        );
    }
}

#[test]
fn a_name_is_the_one_that_the_cookie_comes_back_under() {
    for (line, name) in [
        ("a=1; Path=/", "a"),
        (" a = 1", "a"),
        ("a", "a"),
        ("a; b=1", "a"),
        ("=a=1", "a"),
        ("= a = 1; Path=/", "a"),
        ("=a", "a"),
        ("==a", ""),
        ("", ""),
    ] {
        assert_eq!(name_of(line.as_bytes()), name.as_bytes(), "{line}");
    }
}

#[test]
fn a_private_that_names_fields_does_not_keep_a_response_private() {
    let private = || Edit::Append("cache-control", HeaderValue::from_static("private"));
    for shared in [
        "max-age=60, private=\"x-foo\"",
        "private=\"x-foo, x-bar\"",
        "private=x-foo",
        "no-store=\"x-foo\"",
        "a=\"x, private, y\"",
        "a=\"x\\\", private, y\"",
        "PRIVATE=\"set-cookie\"",
    ] {
        let edits = edited(NewCookie::Renewal, &[("cache-control", shared)]);
        assert_eq!(edits, [private(), cookie(LINE)], "{shared}");
    }
    for own in ["private=\"x-foo\", private", "a=\"x\", private", ",, private ,"] {
        assert_eq!(edited(NewCookie::Renewal, &[("cache-control", own)]), [cookie(LINE)], "{own}");
    }
    // The end of an open quote is unknown.
    for open in ["a=\"x, private", "private, a=\""] {
        assert_eq!(edited(NewCookie::Renewal, &[("cache-control", open)]), [], "{open}");
    }
}

#[test]
fn an_overdue_renewal_makes_a_public_response_private() {
    for (shared, own) in [
        ("public", "private"),
        ("public, max-age=60", "max-age=60, private"),
        ("max-age=1, S-Maxage=60, private=\"x-foo\"", "max-age=1, private"),
        ("public, no-cache=\"a, b\"", "no-cache=\"a, b\", private"),
        ("public, a=\"", "private"),
    ] {
        let edits = edited(NewCookie::OverdueRenewal, &[("cache-control", shared)]);
        let value = HeaderValue::new(own).unwrap();
        assert_eq!(edits, [Edit::Set("cache-control", value), cookie(LINE)], "{shared}");
    }
    let headers = [("cdn-cache-control", "max-age=60"), ("cache-control", "max-age=5")];
    let value = HeaderValue::from_static("max-age=5, private");
    assert_eq!(
        edited(NewCookie::OverdueRenewal, &headers),
        [
            Edit::Set("cache-control", value),
            Edit::Remove(b"cdn-cache-control".to_vec()),
            cookie(LINE)
        ]
    );
    for own in ["private", "no-store"] {
        assert_eq!(edited(NewCookie::OverdueRenewal, &[("cache-control", own)]), [cookie(LINE)]);
    }
}

fn gate() -> Gate {
    gate_with("__Host-duo_mfa")
}

fn gate_with(cookie: &str) -> Gate {
    let config = format!(
        r#"{{"version": 1, "duo": {{"api_host": "api-xxxxxxxx.duosecurity.com",
            "integration_key": "DIWJ8X6AEYOR5OMC6TQ1", "secret_key": {{"env": "DUO"}}}},
            "identity": {{"source": "header", "header": "x-basic-user"}},
            "session": {{"cookie": "{cookie}", "keys": [{{"env": "KEY"}}]}}}}"#
    );
    let environment = |name: &str| match name {
        "DUO" => Some("Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep".to_owned()),
        _ => Some("pMzo0uFM2P5cPIGe6jbvvQnC8gXH1V3rC5wfVTdXPcw=".to_owned()),
    };
    Gate::new(Config::parse(config.as_bytes(), &environment).unwrap())
}
