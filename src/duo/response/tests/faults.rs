use std::time::Duration;

use super::ok;
use crate::duo::{DuoError, Fault, Garbled, Malformed, Outage, Response, Text};

fn error(status: u16, body: &str) -> DuoError {
    Response { status, ..ok(body) }.preauth().unwrap_err()
}

/// Whether `fail_mode` applies to the error.
fn is_outage(found: &DuoError) -> bool {
    matches!(found, DuoError::Unreachable(_))
}

fn fail(code: &str) -> String {
    format!(r#"{{"stat":"FAIL","code":{code},"message":"m","message_detail":"d"}}"#)
}

#[test]
fn each_of_duos_codes_becomes_its_own_error() {
    let (m, d) = (Text::from("m"), Text::from("d"));
    let bad = |code| DuoError::BadCredentials { code, message: m.clone() };
    let rejected = |code| DuoError::Rejected { code, message: m.clone(), detail: d.clone() };
    let invalid = DuoError::InvalidParameter { name: d.clone(), message: m.clone() };
    let limited = DuoError::RateLimited { retry_after: None };
    let internal = DuoError::Unreachable(Outage::Internal { code: 50_001 });
    for (status, code, expected, fault, outage) in [
        (400, 40_001, rejected(40_001), Fault::Filter, false),
        (400, 40_002, invalid, Fault::Filter, false),
        (400, 40_003, rejected(40_003), Fault::Filter, false),
        (401, 40_101, bad(40_101), Fault::Operator, false),
        (401, 40_102, bad(40_102), Fault::Operator, false),
        (401, 40_103, bad(40_103), Fault::Operator, false),
        (401, 40_104, bad(40_104), Fault::Operator, false),
        (401, 40_105, DuoError::ClockSkew, Fault::Operator, false),
        (401, 40_106, rejected(40_106), Fault::Filter, false),
        (403, 40_301, bad(40_301), Fault::Operator, false),
        (404, 40_401, rejected(40_401), Fault::Operator, false),
        (405, 40_501, rejected(40_501), Fault::Filter, false),
        (429, 42_901, limited, Fault::User, false),
        (500, 50_001, internal, Fault::Duo, true),
    ] {
        let found = error(status, &fail(&code.to_string()));
        assert_eq!(found, expected);
        assert_eq!((found.fault(), is_outage(&found)), (fault, outage), "{code}");
        // The code decides, even with status 200.
        assert_eq!(error(200, &fail(&code.to_string())), expected);
    }
}

#[test]
fn no_4xx_counts_as_an_outage() {
    let long = " ".repeat(Response::MAX_BODY_BYTES + 1);
    for status in 400..500 {
        for body in [
            "",
            "<html>Proxy Authentication Required</html>",
            r#"{"stat":"OK","response":{"result":"allow"}}"#,
            r#"{"stat":"OK","stat":"OK"}"#,
            r#"{"error":"x"}"#,
            &fail("50001"),
            &fail(r#""""#),
            &long,
        ] {
            let found = error(status, body);
            assert!(!is_outage(&found), "HTTP {status} {body:.60}");
        }
    }
}

#[test]
fn an_error_that_is_not_duos_is_the_operators() {
    for status in [0, 100, 201, 204, 301, 302, 400, 401, 403, 404, 407, 418, 600] {
        let found = error(status, "<html>");
        assert_eq!(found, DuoError::NotDuo { status });
        assert_eq!(found.fault(), Fault::Operator);
        assert!(found.hint().is_some());
    }
}

#[test]
fn a_server_error_without_duos_envelope_is_an_outage() {
    for status in [500, 502, 503, 504, 599] {
        for body in ["", "upstream request timeout", "<html>", r#"{"stat":"OK"}"#, "{}"] {
            let found = error(status, body);
            assert_eq!(found, DuoError::Unreachable(Outage::Status { status }));
            assert!(is_outage(&found));
        }
    }
    assert!(Outage::Status { status: 504 }.is_timeout());
    assert!(!Outage::Status { status: 503 }.is_timeout());
    assert!(!Outage::NoAnswer.is_timeout());
}

#[test]
fn a_200_that_is_not_duos_is_garbled() {
    for body in ["", "<html>", "[]", "null", "{", r#"{"stat":"OK""#, r#"{"stat":"OK"}x"#] {
        assert_eq!(error(200, body), DuoError::Garbled(Garbled::NotAnObject), "{body}");
    }
    assert_eq!(error(200, r#"{"result":"allow"}"#), DuoError::Garbled(Garbled::NoStat));
    assert!(!is_outage(&error(200, "")));
}

#[test]
fn a_malformed_response_of_duos_is_not_an_outage() {
    for (body, why) in [
        (r#"{"stat":"MAYBE"}"#, Malformed::UnknownStat),
        (r#"{"stat":1}"#, Malformed::Members),
        (r#"{"stat":"OK","stat":"OK"}"#, Malformed::Members),
        (r#"{"stat":"OK"}"#, Malformed::Members),
        (r#"{"stat":"OK","response":{"result":"maybe"}}"#, Malformed::UnknownResult),
        (r#"{"stat":"OK","response":{"result":"waiting"}}"#, Malformed::UnknownResult),
        (r#"{"stat":"OK","response":{"result":"auth","devices":[[]]}}"#, Malformed::Members),
    ] {
        let found = error(200, body);
        assert_eq!(found, DuoError::Malformed(why), "{body}");
        assert!(!is_outage(&found));
        assert_eq!(found.fault(), Fault::Duo);
    }
}

#[test]
fn a_body_above_64_kib_is_not_read() {
    let padded = |length| super::ALLOW.to_owned() + &" ".repeat(length - super::ALLOW.len());
    assert!(super::admits(&ok(&padded(65_536))));
    let long = padded(65_537);
    assert_eq!(error(200, &long), DuoError::Malformed(Malformed::TooLong));
    assert_eq!(error(502, &long), DuoError::Unreachable(Outage::Status { status: 502 }));
}

#[test]
fn a_code_may_be_a_text_or_absent() {
    let of_class = |code| DuoError::BadCredentials { code, message: Text::from("m") };
    for (code, expected) in [
        ("40103", 40_103),
        (r#""40103""#, 40_103),
        (r#""""#, 40_100),
        ("null", 40_100),
        ("99999999999", 40_100),
    ] {
        assert_eq!(error(401, &fail(code)), of_class(expected), "{code}");
    }
    // Neither a number nor a text: the body is not Duo's, and the status decides.
    assert_eq!(error(401, &fail("[40103]")), DuoError::NotDuo { status: 401 });
    assert_eq!(
        error(401, r#"{"stat":"FAIL"}"#),
        DuoError::BadCredentials { code: 40_100, message: Text::default() }
    );
}

#[test]
fn the_wait_is_read_where_it_is_a_number() {
    for (value, seconds) in [
        (&b"7"[..], Some(7)),
        (b" 12 ", Some(12)),
        (b"0", Some(0)),
        (b"86401", Some(86_400)),
        (b"99999999999999999999999999", Some(86_400)),
        (b"", None),
        (b"-1", None),
        (b"+1", None),
        (b"1.5", None),
        (b"Wed, 21 Oct 2015 07:28:00 GMT", None),
        (b"\xff", None),
    ] {
        let expected = DuoError::RateLimited { retry_after: seconds.map(Duration::from_secs) };
        for body in ["", "<html>", &fail("42901")] {
            let limited = Response { status: 429, retry_after: Some(value), ..ok(body) };
            assert_eq!(limited.preauth().unwrap_err(), expected);
        }
    }
}

#[test]
fn a_parameter_of_the_users_is_the_users_fault() {
    for (name, fault) in [
        ("username", Fault::User),
        ("txid", Fault::User),
        ("device", Fault::User),
        ("factor", Fault::User),
        ("ipaddr", Fault::Filter),
        ("", Fault::Filter),
    ] {
        let body = format!(
            r#"{{"stat":"FAIL","code":40002,"message":"Invalid request parameters","message_detail":"{name}"}}"#
        );
        let found = error(400, &body);
        assert_eq!(found.fault(), fault, "{name}");
    }
}

#[test]
fn an_error_shows_duos_words_without_control_characters() {
    let body = r#"{"stat":"FAIL","code":40103,"message":"Invalid\r\nsignature\u001b[0m"}"#;
    let text = error(401, body).to_string();
    assert_eq!(text, "Duo refuses the credentials: 40103 Invalid  signature[0m");
    assert!(error(401, body).hint().unwrap().contains("secret key"));
}
