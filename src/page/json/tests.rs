use super::super::link::Link;
use super::super::screen::{DeviceKind, Waiting};
use super::super::site::Branding;
use super::*;
use crate::factor::Factor;
use serde_json::{Value, json};

fn parsed(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap()
}

fn site() -> Site {
    Site::new(Branding::default(), "/.duo-mfa")
}

fn waiting(awaited: Awaited) -> Standing {
    let left = Duration::from_millis(41_200);
    let device = Some(DisplayText::new("iPhone"));
    Standing::Waiting(Waiting { awaited, device, left, total: Duration::from_secs(60) })
}

fn answer(standing: &Standing) -> SignInReply<'_> {
    let poll_after = Duration::from_millis(500);
    let (transaction, return_to, reference) = (None, None, Reference::default());
    SignInReply { standing, status: "pushed", poll_after, transaction, return_to, reference }
}

#[test]
fn json_has_no_character_that_is_special_in_html_or_script() {
    let message = "</script><!--&\u{2028}\u{2029}\"'\\";
    let body = body(ObjectText::new().text("message", message));
    let text = std::str::from_utf8(&body).unwrap();
    assert!(!text.contains(['<', '>', '&', '\u{2028}', '\u{2029}']), "{text}");
    assert!(text.contains(r"\u003c/script\u003e\u003c!--\u0026\u2028\u2029"), "{text}");
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap()["message"], message);
}

#[test]
fn preauth_lists_devices_and_factors() {
    let device = Device {
        id: "DP1".to_owned(),
        name: DisplayText::new("iPhone"),
        kind: DeviceKind::Of(DisplayText::new("phone")),
        factors: vec![Factor::Push, Factor::Sms],
        is_preferred: true,
    };
    let factors = vec![Factor::Push, Factor::Sms, Factor::Passcode];
    let choices = Choices { devices: vec![device], factors };
    let reply = PreauthReply::Auth(choices).reply(&site(), Language::En, Reference::default());
    assert_eq!(reply.status, 200);
    let expected = json!({
        "result": "auth",
        "heading": "Confirm it’s you",
        "message": "One more step before you can go on.",
        "factors": ["push", "sms", "passcode"],
        "devices": [{
            "device": "DP1", "name": "iPhone", "type": "phone", "factors": ["push", "sms"],
            "preferred": true,
        }],
        "reference": "00000000",
    });
    assert_eq!(parsed(&reply), expected);
}

#[test]
fn preauth_has_the_reason_and_the_address_to_enroll() {
    let link = Link::new("https://duo.example/portal?code=1").unwrap();
    let cases = [
        (
            PreauthReply::Allow { message: DisplayText::new("Bypass") },
            "allow",
            "Bypass",
            Value::Null,
        ),
        (PreauthReply::Deny { message: DisplayText::new("No!") }, "deny", "No!", Value::Null),
        (
            PreauthReply::Deny { message: DisplayText::default() },
            "deny",
            "Duo does not allow this sign-in. Contact your help desk.",
            Value::Null,
        ),
        (
            PreauthReply::Enroll(Enrollment::Off),
            "enroll",
            "You need Duo Mobile on your phone to go on. Your help desk can set it up with you.",
            Value::Null,
        ),
        (
            PreauthReply::Enroll(Enrollment::Portal(link)),
            "enroll",
            "You need Duo Mobile on your phone to go on. Setting it up takes a few minutes.",
            json!("https://duo.example/portal?code=1"),
        ),
        (
            PreauthReply::Enroll(Enrollment::Inline),
            "enroll",
            "You need Duo Mobile on your phone to go on. Setting it up takes a few minutes.",
            json!("/.duo-mfa/enroll"),
        ),
    ];
    for (answer, result, message, enroll_url) in cases {
        let body = parsed(&answer.reply(&site(), Language::En, Reference::default()));
        assert_eq!(body["result"], result);
        assert_eq!(body["message"], message);
        assert_eq!(body["enroll_url"], enroll_url);
    }
}

#[test]
fn a_waiting_sign_in_names_the_event_and_the_time() {
    let code = DisplayText::new("708");
    let standing = waiting(Awaited::VerifiedPush { code });
    let answer = SignInReply { transaction: Some("t"), ..answer(&standing) };
    let reply = answer.reply(202, Language::En);
    assert_eq!(reply.status, 202);
    let expected = json!({
        "state": "waiting",
        "status": "pushed",
        "heading": "Enter this code in Duo Mobile",
        "message": "We sent a Duo Push to iPhone. It asks for this code.",
        "verification_code": "708",
        "seconds_left": 42,
        "poll_after_ms": 500,
        "transaction": "t",
        "reference": "00000000",
    });
    assert_eq!(parsed(&reply), expected);
}

#[test]
fn every_standing_has_its_own_state() {
    let cases = [
        (waiting(Awaited::Push), "waiting", Value::Null),
        (Standing::CodesSent { device: None }, "sent", Value::Null),
        (Standing::Approved, "approved", Value::Null),
        (Standing::Denied, "denied", json!("mfa_denied")),
        (Standing::TimedOut, "timeout", json!("mfa_timeout")),
        (Standing::Fraud, "fraud", json!("mfa_fraud")),
        (Standing::LockedOut, "locked_out", json!("mfa_locked_out")),
    ];
    for (standing, state, code) in cases {
        let body = parsed(&answer(&standing).reply(200, Language::De));
        assert_eq!(body["state"], state);
        assert_eq!(body["code"], code, "{state}");
        assert_eq!(body["poll_after_ms"].is_u64(), state == "waiting");
        assert!(!body["message"].as_str().unwrap().is_empty());
    }
}

#[test]
fn duos_message_is_shown_if_there_is_no_other() {
    let standing = waiting(Awaited::Other { message: DisplayText::new("Dialing <b>…") });
    let body = parsed(&answer(&standing).reply(200, Language::Es));
    assert_eq!(body["message"], "Dialing <b>…");
    assert_eq!(body["heading"], "Mire su teléfono");
}

#[test]
fn a_final_state_has_the_return_path() {
    let approved = Standing::Approved;
    let path = ReturnPath::parse(b"/app?x=1&y=2");
    let answer = SignInReply { return_to: Some(&path), ..answer(&approved) };
    let reply = answer.reply(200, Language::Ja);
    assert_eq!(parsed(&reply)["return_to"], "/app?x=1&y=2");
    let language = reply.headers.iter().find(|(name, _)| *name == "content-language").unwrap();
    assert_eq!(language.1.as_bytes(), b"ja");
    let cached = reply.headers.iter().find(|(name, _)| *name == "cache-control").unwrap();
    assert_eq!(cached.1.as_bytes(), b"no-store");
}

#[test]
fn enrollment_and_user_info_have_fixed_shapes() {
    let cases = [
        (
            EnrollmentReply::Waiting { poll_after: Duration::from_secs(2) },
            json!({ "result": "waiting", "poll_after_ms": 2_000 }),
        ),
        (EnrollmentReply::Done, json!({ "result": "done" })),
        (EnrollmentReply::Expired, json!({ "result": "expired" })),
    ];
    for (answer, expected) in cases {
        assert_eq!(parsed(&answer.reply()), expected);
    }
    let info = UserInfo {
        user: "alice",
        factor: "push",
        authenticated_at: UnixTime::from_seconds(1),
        expires_at: UnixTime::from_seconds(2),
    };
    let expected = json!({
        "user": "alice", "factor": "push", "authenticated_at": 1, "expires_at": 2,
    });
    assert_eq!(parsed(&info.reply()), expected);
}
