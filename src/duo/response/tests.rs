//! Responses that admit and responses that do not; then the other calls. `faults` holds the errors.

use super::super::device::{Capability, DeviceKind};
use super::super::text::Text;
use super::*;
use crate::duo::Status;

mod faults;

const ALLOW: &str = r#"{"stat":"OK","response":{"result":"allow","status":"allow","status_msg":"Success. Logging you in..."}}"#;

fn ok(body: &str) -> Response<'_> {
    Response { status: 200, retry_after: None, body: body.as_bytes() }
}

fn admits(response: &Response<'_>) -> bool {
    let status = response.auth_status().is_ok_and(|said| said.result == AuthResult::Allow);
    let decided = response.auth_decided().is_ok_and(|said| said.result == AuthResult::Allow);
    assert_eq!(status, decided);
    status
}

fn allows_without_a_factor(response: &Response<'_>) -> bool {
    matches!(response.preauth(), Ok(PreauthResponse::Allow { .. }))
}

/// Similar bodies, none of which is an allow.
const REFUSED: &[&str] = &[
    "",
    " ",
    "null",
    "allow",
    r#""allow""#,
    r#"["allow"]"#,
    r#"{"result":"allow"}"#,
    r#"{"response":{"result":"allow"}}"#,
    r#"{"stat":"OK"}"#,
    r#"{"stat":"OK","response":null}"#,
    r#"{"stat":"OK","response":"allow"}"#,
    r#"{"stat":"OK","response":{}}"#,
    r#"{"stat":"OK","response":[{"result":"allow"}]}"#,
    r#"{"stat":"OK","response":["allow","allow","x",null]}"#,
    r#"{"stat":"OK","response":["allow","x",[],"u","t","c",1]}"#,
    r#"["OK",{"result":"allow"}]"#,
    r#"["OK",{"result":"allow"},null,null,null]"#,
    r#"[{"stat":"OK","response":{"result":"allow"}}]"#,
    r#"{"stat":"ok","response":{"result":"allow"}}"#,
    r#"{"stat":" OK","response":{"result":"allow"}}"#,
    r#"{"stat":"OK\u0000","response":{"result":"allow"}}"#,
    r#"{"stat":"FAIL","response":{"result":"allow"}}"#,
    r#"{"stat":"FAIL","code":40103,"response":{"result":"allow"}}"#,
    r#"{"stat":{"OK":null},"response":{"result":"allow"}}"#,
    r#"{"stat":["OK"],"response":{"result":"allow"}}"#,
    r#"{"stat":null,"response":{"result":"allow"}}"#,
    r#"{"stat":true,"response":{"result":"allow"}}"#,
    r#"{"Stat":"OK","response":{"result":"allow"}}"#,
    r#"{"stat":"OK","Response":{"result":"allow"}}"#,
    r#"{"stat":"OK","response":{"Result":"allow"}}"#,
    r#"{"stat":"OK","response":{"result":"Allow"}}"#,
    r#"{"stat":"OK","response":{"result":"ALLOW"}}"#,
    r#"{"stat":"OK","response":{"result":" allow"}}"#,
    r#"{"stat":"OK","response":{"result":"allow "}}"#,
    r#"{"stat":"OK","response":{"result":"allow\n"}}"#,
    r#"{"stat":"OK","response":{"result":"allow\u0000"}}"#,
    r#"{"stat":"OK","response":{"result":"al\u202elow"}}"#,
    r#"{"stat":"OK","response":{"result":"allowed"}}"#,
    r#"{"stat":"OK","response":{"result":""}}"#,
    r#"{"stat":"OK","response":{"result":null}}"#,
    r#"{"stat":"OK","response":{"result":true}}"#,
    r#"{"stat":"OK","response":{"result":1}}"#,
    r#"{"stat":"OK","response":{"result":["allow"]}}"#,
    r#"{"stat":"OK","response":{"result":{"allow":null}}}"#,
    r#"{"stat":"OK","response":{"result":"deny","status":"allow"}}"#,
    r#"{"stat":"OK","response":{"result":"waiting","status":"allow"}}"#,
    r#"{"stat":"OK","response":{"status":"allow"}}"#,
    r#"{"stat":"OK","response":{"response":{"result":"allow"}}}"#,
    r#"{"stat":"OK","response":{"result":"allow","result":"allow"}}"#,
    r#"{"stat":"OK","response":{"result":"deny","result":"allow"}}"#,
    r#"{"stat":"OK","response":{"result":"allow","r\u0065sult":"deny"}}"#,
    r#"{"stat":"OK","response":{"result":"allow"},"response":{"result":"allow"}}"#,
    r#"{"stat":"OK","response":{"result":"deny"},"response":{"result":"allow"}}"#,
    r#"{"stat":"OK","stat":"OK","response":{"result":"allow"}}"#,
    r#"{"stat":"FAIL","stat":"OK","response":{"result":"allow"}}"#,
    r#"{"stat":"OK","response":{"result":"allow"}"#,
    r#"{"stat":"OK","response":{"result":"allow"}}}"#,
    r#"{"stat":"OK","response":{"result":"allow"}}{"stat":"OK"}"#,
    r#"{"stat":"OK","response":{"result":"allow",}}"#,
    r#"{'stat':'OK','response':{'result':'allow'}}"#,
    r#"stat=OK&result=allow"#,
    "<html>allow</html>",
    "\u{feff}{\"stat\":\"OK\",\"response\":{\"result\":\"allow\"}}",
];

#[test]
fn only_the_exact_body_admits() {
    assert!(admits(&ok(ALLOW)));
    assert!(allows_without_a_factor(&ok(ALLOW)));
    for body in REFUSED {
        assert!(!admits(&ok(body)), "{body}");
        assert!(!allows_without_a_factor(&ok(body)), "{body}");
    }
    let not_utf_8 = b"{\"stat\":\"OK\",\"response\":{\"result\":\"allow\",\"status\":\"\xff\"}}";
    assert!(!admits(&Response { body: not_utf_8, ..ok("") }));
}

#[test]
fn no_status_but_200_admits() {
    for status in (0..200).chain(201..=999) {
        let response = Response { status, ..ok(ALLOW) };
        assert!(!admits(&response) && !allows_without_a_factor(&response), "HTTP {status}");
    }
}

#[test]
fn another_spelling_of_the_same_json_admits() {
    for body in [
        r#" { "response" : { "result" : "allow" } , "stat" : "OK" } "#,
        r#"{"stat":"OK","response":{"result":"\u0061llow"}}"#,
        r#"{"stat":"OK","response":{"result":"allow","status":null,"unknown":{"result":"deny"}}}"#,
        r#"{"stat":"OK","response":{"result":"allow","status":"teleported"},"more":[1]}"#,
    ] {
        assert!(admits(&ok(body)), "{body}");
    }
}

#[test]
fn deep_nesting_neither_admits_nor_ends_the_program() {
    let deep = "[".repeat(30_000);
    let unknown = format!(r#"{{"stat":"OK","response":{{"result":"allow","x":{deep}}}}}"#);
    assert!(!admits(&ok(&unknown)));
    assert!(!admits(&ok(&deep)));
    assert!(!admits(&ok(&r#"{"stat":"#.repeat(8_000))));
    assert!(!admits(&ok(&r#"{"stat":"OK","response":"#.repeat(2_000))));
}

#[test]
fn ping_and_check_give_duos_clock() {
    let response = ok(r#"{"stat":"OK","response":{"time":1357020061}}"#);
    assert_eq!(response.ping(), Ok(UnixTime::from_seconds(1_357_020_061)));
    assert_eq!(response.check(), Ok(UnixTime::from_seconds(1_357_020_061)));
    for time in [r#""1357020061""#, "-1", "1.5", "1e99", "null"] {
        let body = format!(r#"{{"stat":"OK","response":{{"time":{time}}}}}"#);
        assert_eq!(ok(&body).ping(), Err(DuoError::Malformed(Malformed::Members)), "{body}");
    }
}

#[test]
fn a_logo_is_a_png() {
    let png = b"\x89PNG\r\n\x1a\n....";
    assert_eq!(Response { body: png, ..ok("") }.logo(), Ok(&png[..]));
    assert_eq!(ok("<svg/>").logo(), Err(DuoError::Garbled(Garbled::NotAnObject)));
    let object = ok(r#"{"stat":"OK","response":{}}"#);
    assert_eq!(object.logo(), Err(DuoError::Garbled(Garbled::NotAnImage)));
    let long = [png.as_slice(), &[0; Response::MAX_BODY_BYTES]].concat();
    let long = Response { body: &long, ..ok("") };
    assert_eq!(long.logo(), Err(DuoError::Malformed(Malformed::TooLong)));
    let none = Response { status: 404, ..ok(r#"{"stat":"FAIL","code":40401,"message":"none"}"#) };
    assert!(matches!(none.logo(), Err(DuoError::Rejected { code: 40_401, .. })));
}

#[test]
fn preauth_lists_phones_and_tokens() {
    let body = r#"{"stat":"OK","response":{"devices":[
        {"capabilities":["auto","push","sms","phone","mobile_otp","hologram"],
         "device":"DPFZRS9FB0D46QFTM891","display_name":"iOS (XXX-XXX-1234)","name":"",
         "number":"XXX-XXX-1234","sms_nextcode":"3","type":"phone"},
        {"device":"DHEKH0JJIYC1LX3AZWO4","name":"0","type":"token"},
        {"device":"DX1","type":"ring","capabilities":null,"name":null}],
        "result":"auth","status_msg":"Account is active"}}"#;
    let Ok(PreauthResponse::Auth { devices, verification: None }) = ok(body).preauth() else {
        panic!("no auth without a verified push");
    };
    let [phone, token, ring] = devices.as_slice() else { panic!("{devices:?}") };
    assert_eq!(phone.id.as_str(), "DPFZRS9FB0D46QFTM891");
    assert_eq!(phone.kind, DeviceKind::Phone);
    assert_eq!(phone.display_name, Text::from("iOS (XXX-XXX-1234)"));
    assert_eq!(phone.number, Text::from("XXX-XXX-1234"));
    assert!(phone.can(&Capability::Push) && phone.can(&Capability::MobileOtp));
    assert!(phone.can(&Capability::Other(Text::from("hologram"))));
    assert_eq!((&token.kind, &token.name), (&DeviceKind::Token, &Text::from("0")));
    assert!(token.capabilities.is_empty() && token.display_name.is_empty());
    assert_eq!(ring.kind, DeviceKind::Other(Text::from("ring")));
}

#[test]
fn a_verified_push_has_a_code_and_a_transaction() {
    let verified = r#"{"stat":"OK","response":{"result":"auth","devices":[],
        "txid":"45f7c92b-f45f-4862-8545-e0f58e78075a","verification_code":"052",
        "expiration":1757000060}}"#;
    let Ok(PreauthResponse::Auth { verification: Some(found), .. }) = ok(verified).preauth() else {
        panic!("no verification");
    };
    assert_eq!(found.txid.as_str(), "45f7c92b-f45f-4862-8545-e0f58e78075a");
    assert_eq!(found.code.as_str(), "052");

    let no_txid = ok(r#"{"stat":"OK","response":{"result":"auth","verification_code":"052"}}"#);
    assert!(matches!(no_txid.preauth(), Err(DuoError::Malformed(Malformed::Members))));
    let no_code = ok(r#"{"stat":"OK","response":{"result":"auth","txid":"t","devices":null}}"#);
    assert!(matches!(no_code.preauth(), Ok(PreauthResponse::Auth { verification: None, .. })));
}

#[test]
fn preauth_denies_in_duos_words_and_asks_to_enroll() {
    let deny = ok(r#"{"stat":"OK","response":{"result":"deny","status_msg":"Locked\u0007 out."}}"#);
    let Ok(PreauthResponse::Deny { message }) = deny.preauth() else { panic!("no deny") };
    assert_eq!(message.as_str(), "Locked out.");

    for (url, kept) in [
        ("https://api-x.duosecurity.com/portal?code=48&akey=DA", true),
        ("javascript:alert(1)", false),
        ("http://api-x.duosecurity.com/portal", false),
        ("https://x/\\\"onclick=", true),
        ("https://x/ y", false),
        ("", false),
    ] {
        let body = format!(
            r#"{{"stat":"OK","response":{{"enroll_portal_url":"{url}","result":"enroll",
            "status_msg":"Enroll an authentication device to proceed"}}}}"#
        );
        let Ok(PreauthResponse::Enroll { portal_url }) = ok(&body).preauth() else {
            panic!("no enroll");
        };
        assert_eq!(portal_url.is_some(), kept, "{url}");
    }
}

#[test]
fn an_asynchronous_auth_gives_a_transaction() {
    let body = r#"{"stat":"OK","response":{"txid":"45f7c92b-f45f-4862-8545-e0f58e78075a"}}"#;
    assert_eq!(ok(body).auth_started().unwrap().as_str(), "45f7c92b-f45f-4862-8545-e0f58e78075a");
    for response in [r#"{"txid":""}"#, r#"{"txid":"a b"}"#, r#"["t"]"#, r#"{"result":"allow"}"#] {
        let body = format!(r#"{{"stat":"OK","response":{response}}}"#);
        assert_eq!(ok(&body).auth_started(), Err(DuoError::Malformed(Malformed::Members)));
    }
}

#[test]
fn each_status_comes_with_its_result() {
    use AuthResult::{Allow, Deny, Waiting};
    for (status, result, word, expected) in [
        ("calling", "waiting", Waiting, Status::Calling),
        ("answered", "waiting", Waiting, Status::Answered),
        ("pushed", "waiting", Waiting, Status::Pushed),
        ("push_failed", "waiting", Waiting, Status::PushFailed),
        ("timeout", "deny", Deny, Status::Timeout),
        ("fraud", "deny", Deny, Status::Fraud),
        ("allow", "allow", Allow, Status::Allow),
        ("bypass", "allow", Allow, Status::Bypass),
        ("deny", "deny", Deny, Status::Deny),
        ("locked_out", "deny", Deny, Status::LockedOut),
        ("sent", "deny", Deny, Status::Sent),
        ("teleported", "waiting", Waiting, Status::Other(Text::from("teleported"))),
    ] {
        let body = format!(
            r#"{{"stat":"OK","response":{{"result":"{result}","status":"{status}","status_msg":"m"}}}}"#
        );
        let said = ok(&body).auth_status().unwrap();
        assert_eq!((said.result, &said.status), (word, &expected));
        assert_eq!(said.status.as_str(), status);
        assert_eq!(said.message.as_str(), "m");
        assert_eq!(ok(&body).auth_decided().is_ok(), word != Waiting, "{body}");
    }
}

#[test]
fn a_device_token_is_kept_and_not_shown() {
    let body = r#"{"stat":"OK","response":{"result":"allow","trusted_device_token":"REkxM3w"}}"#;
    let said = ok(body).auth_status().unwrap();
    assert_eq!(said.trusted_device_token.as_ref().unwrap().expose(), "REkxM3w");
    assert!(!format!("{said:?}").contains("REkxM3w"));
    for absent in [r#""""#, "null"] {
        let body = body.replace(r#""REkxM3w""#, absent);
        assert!(ok(&body).auth_status().unwrap().trusted_device_token.is_none());
    }
}

#[test]
fn an_enrollment_has_what_activates_a_device() {
    let body = r#"{"stat":"OK","response":{
        "activation_barcode":"https://api-x.duosecurity.com/frame/qr?value=duo%3A%2F%2Fm-x%2F8LIRa5danr",
        "activation_code":"duo://8LIRa5danrICkhHtkLxi-cKLu2DWzDYCmBwBHY2YzW5ZYnYaRxA",
        "activation_url":"https://m-x.duosecurity.com/activate/8LIRa5danr",
        "expiration":1357020061,"user_id":"DU94SWSN4ADHHJHF2HXT","username":"49c6c3097adb386048c84354d82ea63d"}}"#;
    let made = ok(body).enroll().unwrap();
    assert_eq!(made.user_id.as_str(), "DU94SWSN4ADHHJHF2HXT");
    assert_eq!(made.qr_content.expose(), "duo://m-x/8LIRa5danr");
    assert!(made.activation_code.expose().starts_with("duo://8LIRa5danrICk"));
    assert!(made.activation_url.is_some());
    assert_eq!(made.expires, UnixTime::from_seconds(1_357_020_061));
    assert!(!format!("{made:?}").contains("8LIRa5danr"));

    let no_picture = body.replace("activation_barcode", "other");
    let made = ok(&no_picture).enroll().unwrap();
    assert_eq!(made.qr_content.expose(), made.activation_code.expose());
}

#[test]
fn an_enrollment_succeeds_fails_or_waits() {
    for (word, state) in [
        (r#""success""#, Ok(EnrollmentState::Success)),
        (r#""invalid""#, Ok(EnrollmentState::Invalid)),
        (r#""waiting""#, Ok(EnrollmentState::Waiting)),
        (r#""Success""#, Err(DuoError::Malformed(Malformed::UnknownResult))),
        (r#"{"success":null}"#, Err(DuoError::Malformed(Malformed::Members))),
        (r#"["success"]"#, Err(DuoError::Malformed(Malformed::Members))),
    ] {
        let body = format!(r#"{{"stat":"OK","response":{word}}}"#);
        assert_eq!(ok(&body).enroll_status(), state, "{word}");
    }
}
