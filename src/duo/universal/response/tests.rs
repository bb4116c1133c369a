use super::*;
use crate::duo::universal::prompt_error::{Cause, Refusal};
use crate::duo::{Fault, Garbled, Outage};
use proptest::prelude::*;
use std::time::Duration;

const NOW: u64 = 1_800_000_000;
const SIGNED_AT: UnixTime = UnixTime::from_seconds(NOW);

fn response(status: u16, body: &str) -> Response<'_> {
    Response { status, retry_after: Some(b"7"), body: body.as_bytes() }
}

fn health(status: u16, body: &str) -> Result<Health, PromptError> {
    response(status, body).health_check(SIGNED_AT)
}

fn token(status: u16, body: &str) -> Result<String, PromptError> {
    response(status, body).id_token(SIGNED_AT).map(|text| text.expose().clone())
}

fn cause(error: PromptError) -> Cause {
    let PromptError::Refused(refusal) = error else { panic!("{error:?}") };
    refusal.cause
}

fn fail(code: u32, timestamp: u64) -> String {
    format!(
        r#"{{"stat":"FAIL","code":{code},"message":"invalid_client","message_detail":"The provided client_assertion was invalid.","timestamp":{timestamp}}}"#
    )
}

#[test]
fn duos_time_is_read_if_it_is_there() {
    let time = |body: &str| health(200, body).unwrap().time.map(UnixTime::seconds);
    assert_eq!(time(r#"{"stat":"OK","response":{"timestamp":7}}"#), Some(7));
    for response in ["null", "{}", "[]", "7", r#"{"timestamp":"7"}"#, r#"{"timestamp":0.5}"#] {
        assert_eq!(time(&format!(r#"{{"stat":"OK","response":{response}}}"#)), None, "{response}");
    }
}

#[test]
fn a_refusal_tells_a_wrong_clock_from_wrong_credentials() {
    for (duo_time, expected) in [
        (NOW, Cause::Credentials),
        (NOW + 299, Cause::Credentials),
        (NOW + 300, Cause::Clock),
        (NOW - 3_300, Cause::Credentials),
        (NOW - 3_301, Cause::Clock),
    ] {
        for status in [200, 400] {
            let error = health(status, &fail(40_002, duo_time)).unwrap_err();
            assert_eq!(cause(error), expected, "{duo_time}");
        }
        assert_eq!(cause(token(400, &fail(40_002, duo_time)).unwrap_err()), expected);
    }
    let without = r#"{"stat":"FAIL","code":40002,"message":"invalid_client"}"#;
    assert_eq!(cause(health(400, without).unwrap_err()), Cause::Credentials);
    assert_eq!(cause(health(403, &fail(40_301, NOW)).unwrap_err()), Cause::Credentials);
    let forbidden = r#"{"stat":"FAIL","code":40301,"message":"Access forbidden"}"#;
    assert_eq!(cause(health(403, forbidden).unwrap_err()), Cause::Forbidden);
    assert_eq!(cause(health(400, &fail(40_105, NOW)).unwrap_err()), Cause::Clock);
}

#[test]
fn a_refusal_shows_duos_words_and_the_operators_part() {
    let error = health(400, &fail(40_002, NOW)).unwrap_err();
    let text = "Duo refuses the Web SDK application: 40002 invalid_client The provided \
                client_assertion was invalid.";
    assert_eq!((error.to_string().as_str(), error.fault()), (text, Fault::Operator));
    assert!(Cause::Credentials.hint().contains("Web SDK"));
    let error =
        token(400, "{\"error\":\"x\\n\",\"error_description\":\"\\u001b[31m\"}").unwrap_err();
    assert_eq!(error.to_string(), "Duo refuses the Web SDK application: 40000 x  [31m");
    assert_eq!(error.fault(), Fault::Filter);
    assert_eq!(token(400, r#"{"error":"invalid_grant"}"#).unwrap_err().fault(), Fault::User);
}

#[test]
fn only_a_missing_answer_or_a_server_error_is_an_outage() {
    let outage = |error| matches!(error, PromptError::Call(DuoError::Unreachable(_)));
    for body in ["", "<html>", "{}", r#"{"stat":"OK"}"#, r#"{"error":"invalid_grant"}"#] {
        for status in [100, 200, 201, 204, 301, 302, 400, 401, 403, 404, 429, 499, 600, 65_535] {
            assert!(!outage(token(status, body).unwrap_err()), "{status} {body}");
            assert!(!health(status, body).is_err_and(outage), "{status} {body}");
        }
        for status in [500, 502, 503, 504, 599] {
            let expected = PromptError::Call(DuoError::Unreachable(Outage::Status { status }));
            assert_eq!(token(status, body), Err(expected.clone()), "{status} {body}");
            assert_eq!(health(status, body), Err(expected), "{status} {body}");
        }
    }
    // A refusal is none, whatever its status.
    assert_eq!(cause(health(500, &fail(40_002, NOW)).unwrap_err()), Cause::Credentials);
    let limited =
        PromptError::Call(DuoError::RateLimited { retry_after: Some(Duration::from_secs(7)) });
    assert_eq!(token(429, "<html>"), Err(limited.clone()));
    assert_eq!(health(429, "<html>"), Err(limited.clone()));
    assert_eq!(health(400, &fail(42_901, NOW)), Err(limited));
    let internal = PromptError::Call(DuoError::Unreachable(Outage::Internal { code: 50_001 }));
    assert_eq!(health(200, &fail(50_001, NOW)), Err(internal.clone()));
    assert_eq!(token(200, &fail(50_001, NOW)), Err(internal));
}

#[test]
fn an_answer_that_is_not_understood_is_not_taken_for_another() {
    let malformed = || PromptError::Call(DuoError::Malformed(Malformed::Members));
    let ok = r#""id_token":"a.b.c","token_type":"Bearer""#;
    assert_eq!(token(200, &format!("{{{ok}}}")).as_deref(), Ok("a.b.c"));
    assert_eq!(token(200, &format!("{{{ok},\"error\":null}}")).as_deref(), Ok("a.b.c"));
    for (status, body) in [
        (200, format!("{{{ok},\"error\":1}}")),
        (200, format!("{{{ok},\"error\":\"\"}}")),
        (200, format!("{{{ok},\"stat\":\"OK\"}}")),
        (200, format!("{{{ok},\"x\":{{\"a\":1,\"a\":1}}}}")),
        (200, format!("{{{ok},\"token_type\":\"Bearer\"}}")),
        (200, r#"{"id_token":"a.b.c","token_type":1}"#.to_owned()),
        (201, format!("{{{ok}}}")),
        (400, format!("{{{ok}}}")),
        (302, r#"{"error":"invalid_grant"}"#.to_owned()),
        (400, r#"{"error":"invalid_grant","error":"invalid_grant"}"#.to_owned()),
        (400, r#"{"error":["invalid_grant"]}"#.to_owned()),
    ] {
        assert_eq!(token(status, &body), Err(malformed()), "{status} {body}");
    }
    let not_duo = |status| Err(PromptError::Call(DuoError::NotDuo { status }));
    assert_eq!(token(400, "<html>"), not_duo(400));
    assert_eq!(token(302, "{}"), not_duo(302));
    let garbled = DuoError::Garbled(Garbled::NotAnObject);
    assert_eq!(token(200, "<html>"), Err(PromptError::Call(garbled)));
    let long = format!("{{{ok},\"x\":\"{}\"}}", "x".repeat(Response::MAX_BODY_BYTES));
    let too_long = PromptError::Call(DuoError::Malformed(Malformed::TooLong));
    assert_eq!(token(200, &long), Err(too_long));
    assert_eq!(
        token(400, r#"{"error":"invalid_grant","error_description":1}"#),
        Err(PromptError::StartAgain)
    );
}

#[test]
fn the_words_of_rfc_6749_have_causes() {
    for (error, expected) in [
        ("invalid_client", Cause::Credentials),
        ("unauthorized_client", Cause::Forbidden),
        ("unauthorized_request", Cause::Forbidden),
        ("invalid_request", Cause::Request),
        ("Invalid_Grant", Cause::Request),
        ("", Cause::Request),
    ] {
        let error_body = format!(r#"{{"error":"{error}"}}"#);
        let refusal = token(400, &error_body).unwrap_err();
        assert_eq!(cause(refusal.clone()), expected, "{error}");
        let PromptError::Refused(Refusal { code, .. }) = refusal else { panic!() };
        assert_eq!(code, 40_000);
    }
}

proptest! {
    #[test]
    fn arbitrary_answers_do_no_harm(
        status in any::<u16>(),
        body in proptest::collection::vec(any::<u8>(), 0..200),
        signed_at in any::<u64>(),
    ) {
        let response = Response { status, retry_after: None, body: &body };
        let signed_at = UnixTime::from_millis(signed_at);
        prop_assert!(response.health_check(signed_at).is_err());
        prop_assert!(response.id_token(signed_at).is_err());
    }

    #[test]
    fn responses_like_duos_are_approved_only_with_status_200(
        status in prop_oneof![Just(200), Just(400), 100..600_u16],
        stat in "OK|FAIL|ok", code in any::<u64>(), timestamp in any::<u64>(),
        error in "invalid_grant|invalid_client|[a-z]{0,4}",
    ) {
        let body = format!(r#"{{"stat":"{stat}","code":{code},"timestamp":{timestamp}}}"#);
        let told = health(status, &body);
        prop_assert_eq!(told.is_ok(), status == 200 && stat == "OK");
        prop_assert!(token(status, &body).is_err());
        let body = format!(r#"{{"error":"{error}","id_token":"x","token_type":"Bearer"}}"#);
        let said = token(status, &body).unwrap_err();
        let is_grant = (400..500).contains(&status) && status != 429 && error == "invalid_grant";
        prop_assert_eq!(said == PromptError::StartAgain, is_grant);
    }
}
