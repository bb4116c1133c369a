//! Scripted responses of Duo, or of an impostor.

use super::counted;
use duo_mfa::duo::SignedCall;
use duo_mfa::gate::Unanswered;
use serde_json::{Value, json};
use std::time::Duration;

/// The result of a call.
#[derive(Clone, Debug)]
pub(crate) enum Scripted {
    Says { status: u16, retry_after: Option<&'static str>, body: String, after: Duration },
    Fails(Unanswered),
}

/// A successful response in Duo's envelope, without delay.
pub(crate) fn ok(response: &Value) -> Scripted {
    says(200, json!({"stat": "OK", "response": response}).to_string())
}

/// An error in Duo's envelope, without delay.
pub(crate) fn fail(code: u32, message: &str, detail: &str) -> Scripted {
    let body = json!({"stat": "FAIL", "code": code, "message": message, "message_detail": detail});
    says(u16::try_from(code / 100).unwrap(), body.to_string())
}

pub(crate) fn says(status: u16, body: impl Into<String>) -> Scripted {
    Scripted::Says { status, retry_after: None, body: body.into(), after: Duration::ZERO }
}

impl Scripted {
    pub(crate) fn after(self, seconds: u64) -> Self {
        match self {
            Self::Says { status, retry_after, body, .. } => {
                Self::Says { status, retry_after, body, after: Duration::from_secs(seconds) }
            }
            Self::Fails(why) => Self::Fails(why),
        }
    }

    pub(crate) fn retry_after(self, value: &'static str) -> Self {
        match self {
            Self::Says { status, body, after, .. } => {
                Self::Says { status, retry_after: Some(value), body, after }
            }
            Self::Fails(why) => Self::Fails(why),
        }
    }
}

/// The response to preauth for Alice, who has one telephone with every capability.
pub(crate) fn one_phone() -> Scripted {
    phone("DPFZRS9FB0D46QFTM891")
}

/// The response to preauth for any user: each has one such phone.
pub(crate) fn their_phone(call: &SignedCall) -> Scripted {
    let body: Value = serde_json::from_slice(&call.body).unwrap();
    phone_of(body["username"].as_str().unwrap())
}

/// The response to preauth for one user.
pub(crate) fn phone_of(user: &str) -> Scripted {
    if user == "alice" { one_phone() } else { phone(&format!("DP{:0>18}", user.to_uppercase())) }
}

/// The response to preauth for a user whose telephone has this id.
pub(crate) fn phone(id: &str) -> Scripted {
    devices(&json!([{
        "device": id, "type": "phone", "name": "", "number": "XXX-XXX-0100",
        "display_name": "iOS (XXX-XXX-0100)",
        "capabilities": ["auto", "push", "sms", "phone", "mobile_otp"],
    }]))
}

pub(crate) fn devices(devices: &Value) -> Scripted {
    ok(&json!({"result": "auth", "status_msg": "Account is active", "devices": devices}))
}

/// A push or a phone call has started, with a new transaction id.
pub(crate) fn started() -> Scripted {
    let number = counted();
    ok(&json!({"txid": format!("{number:08x}-f45f-4862-8545-e0f58e78075a")}))
}

pub(crate) fn status(result: &str, status: &str) -> Scripted {
    ok(&json!({"result": result, "status": status, "status_msg": "Words of Duo."}))
}

/// Duo's status of a push that was approved.
pub(crate) fn allows() -> Scripted {
    status("allow", "allow")
}

pub(crate) fn preauth(result: &str) -> Scripted {
    ok(&json!({"result": result, "status_msg": "Words of Duo."}))
}
