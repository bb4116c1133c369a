//! Duo's answers to every call: a status and `Retry-After` in the first line, the body in the rest.

use super::parts::Lines;
use duo_mfa::clock::UnixTime;
use duo_mfa::duo::{AuthResult, EnrollmentState, PreauthResponse, Response};
use serde_json::Value;
use std::time::Duration;

const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);

pub(crate) fn target(bytes: &[u8]) {
    let mut lines = Lines::of(bytes);
    let (first, body) = (lines.next(), lines.rest());
    let (status, wait) =
        first.split_at(first.iter().position(u8::is_ascii_whitespace).unwrap_or(first.len()));
    let status = str::from_utf8(status).ok().and_then(|text| text.parse().ok()).unwrap_or(200);
    let retry_after = (!wait.is_empty()).then(|| wait.trim_ascii());
    let answer = Response { status, retry_after, body };
    // The members of a success, by a reader that is not ours.
    let envelope: Value = serde_json::from_slice(body).unwrap_or_default();
    let said = (status == 200 && envelope["stat"] == "OK").then_some(&envelope["response"]);
    preauth(&answer, said);
    auth(&answer, said);
    others(&answer, &envelope, said);
    if let Some(asked) = answer.asked_wait() {
        assert!(asked.time <= Duration::from_secs(86_400) && !asked.time.is_zero());
        assert!(status == 429 || status >= 500);
    }
}

fn preauth(answer: &Response<'_>, said: Option<&Value>) {
    let result = said.map(|it| &it["result"]);
    match answer.preauth() {
        Ok(PreauthResponse::Allow { .. }) => assert_eq!(result.unwrap(), "allow"),
        Ok(PreauthResponse::Deny { .. }) => assert_eq!(result.unwrap(), "deny"),
        Ok(PreauthResponse::Auth { devices, .. }) => {
            assert_eq!(result.unwrap(), "auth");
            assert!(devices.iter().all(|it| is_id(it.id.as_str())));
        }
        Ok(PreauthResponse::Enroll { portal_url }) => {
            assert_eq!(result.unwrap(), "enroll");
            assert!(portal_url.is_none_or(|url| url.expose().starts_with("https://")));
        }
        Err(fault) => drop((fault.fault(), fault.words(), fault.hint(), fault.to_string())),
    }
}

fn auth(answer: &Response<'_>, said: Option<&Value>) {
    let result = said.map(|it| &it["result"]);
    match (answer.auth_status(), answer.auth_decided()) {
        (Ok(status), decided) => {
            let word = match status.result {
                AuthResult::Allow => "allow",
                AuthResult::Deny => "deny",
                AuthResult::Waiting => "waiting",
            };
            assert_eq!(result.unwrap(), word);
            assert_eq!(decided.is_ok(), status.result != AuthResult::Waiting);
            assert!(!status.message.as_str().contains(char::is_control));
        }
        (Err(_), decided) => assert!(decided.is_err()),
    }
    if let Ok(txid) = answer.auth_started() {
        assert_eq!(said.unwrap()["txid"], txid.as_str());
        assert!(is_id(txid.as_str()));
    }
}

fn others(answer: &Response<'_>, envelope: &Value, said: Option<&Value>) {
    if let Ok(time) = answer.ping() {
        assert_eq!(said.unwrap()["time"].as_f64(), Value::from(time.seconds()).as_f64());
    }
    if let Ok(png) = answer.logo() {
        assert!(png.starts_with(b"\x89PNG") && png.len() <= Response::MAX_BODY_BYTES);
    }
    if let Ok(enrolled) = answer.enroll() {
        assert_eq!(said.unwrap()["activation_code"], **enrolled.activation_code.expose());
        assert!(enrolled.activation_url.is_none_or(|url| url.expose().starts_with("https://")));
        assert!(is_id(enrolled.user_id.as_str()));
    }
    match answer.enroll_status() {
        Ok(EnrollmentState::Success) => assert_eq!(said.unwrap(), "success"),
        Ok(EnrollmentState::Invalid | EnrollmentState::Waiting) | Err(_) => {}
    }
    match answer.health_check(NOW) {
        Ok(_) => assert!(said.is_some()),
        Err(error) => drop((error.fault(), error.duo_time(), error.to_string())),
    }
    if let Ok(token) = answer.id_token(NOW) {
        assert!(answer.status == 200 && envelope["id_token"] == **token.expose());
    }
    let _ = answer.clock();
}

fn is_id(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    !text.is_empty() && text.len() <= 64 && text.bytes().all(is_plain)
}
