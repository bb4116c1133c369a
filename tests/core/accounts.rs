//! Several Duo applications behind one filter, and which of them a call is for.

use base64::{Engine, engine::general_purpose::STANDARD};
use duo_mfa::duo::SignedCall;
use serde_json::{Value, json};

/// Two applications beside the main one. `payments` belongs to another account at Duo. `wiki` belongs to
/// the same account, and its approvals are valid for the main application too.
pub(crate) fn two_more() -> Value {
    json!({
        "applications": {
            "payments": {"duo": {
                "api_host": "api-payments.duosecurity.com",
                "integration_key": "DIPAYMENTSXXXXXXXXXX",
                "secret_key": {"env": "OTHER_SECRET_KEY"},
                "cluster": "duo_payments",
            }},
            "wiki": {
                "duo": {
                    "api_host": "api-xxxxxxxx.duosecurity.com",
                    "integration_key": "DIWIKIXXXXXXXXXXXXXX",
                    "secret_key": {"env": "OTHER_SECRET_KEY"},
                },
                "session": {"application": "default"},
            },
        },
        "access_control": {"rules": [
            {"paths": ["/healthz"], "policy": "bypass"},
            {"paths": ["/payments/*"], "policy": "two_factor", "application": "payments"},
            {"paths": ["/wiki/*"], "policy": "two_factor", "application": "wiki"},
        ]},
    })
}

/// Host and integration key of a call.
pub(crate) fn asked(call: &SignedCall) -> (String, String) {
    let header = call.headers.iter().find(|(name, _)| *name == "authorization");
    let credentials = header.unwrap().1.as_bytes().strip_prefix(b"Basic ").unwrap();
    let credentials = String::from_utf8(STANDARD.decode(credentials).unwrap()).unwrap();
    let (integration_key, _) = credentials.split_once(':').unwrap();
    (call.authority.clone(), integration_key.to_owned())
}
