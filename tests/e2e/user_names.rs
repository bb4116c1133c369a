//! Names from real first factors: each can sign in, and is the same user for Duo and for the application.

use serde_json::json;

use crate::message::Request;
use crate::setup::{FirstFactor, Setup};
use crate::stack::Stack;

/// The name from the first factor, the name in calls to Duo, and the name that the application reads.
const NAMES: [(&str, &str, &str); 7] = [
    ("o'brien@corp.example.com", "o'brien@corp.example.com", "o'brien@corp.example.com"),
    (
        "alice_gmail.com#EXT#@tenant.onmicrosoft.com",
        "alice_gmail.com#ext#@tenant.onmicrosoft.com",
        "alice_gmail.com#ext#@tenant.onmicrosoft.com",
    ),
    ("Jane Doe", "jane doe", "jane doe"),
    ("auth0|507f1f77bcf86cd799439011", "Alice Liddell", "auth0|507f1f77bcf86cd799439011"),
    ("müller@example.de", "müller@example.de", "müller@example.de"),
    ("a&factor=sms", "a&factor=sms", "a&factor=sms"),
    ("bob@partner.example.com", "bob-partner", "bob@partner.example.com"),
];

fn stack(signature: &str) -> Stack {
    let setup = Setup::default().plugin(json!({
        "duo": {"signature": signature},
        "identity": {
            "normalize": ["trim", "lowercase", "nfc"],
            "map": [
                {"user": "auth0|507f1f77bcf86cd799439011", "username": "Alice Liddell"},
                {"user": "*@partner.example.com", "username": "{local}-partner"},
            ],
        },
    }));
    Stack::start(Setup { first_factor: FirstFactor::Absent, ..setup })
}

/// A request that names a user by the trusted header, with a passcode of theirs.
fn request(name: &str) -> Request {
    Request::get("/").header("x-basic-user", name).header("x-duo-mfa-passcode", "123456")
}

/// The simulator checks each signature with an independent implementation.
#[test]
fn names_of_real_first_factors_sign_in() {
    for signature in ["v5", "v2-sha512"] {
        let stack = stack(signature);
        for (name, duos, ours) in NAMES {
            let phone = json!({"platform": "Apple iOS", "number": "XXX-XXX-0000",
                "capabilities": ["auto", "push", "mobile_otp"]});
            let user = json!({"username": duos, "passcodes": ["123456"], "devices": [phone]});
            stack.sim.put_user(&user);
            let (_, seen) = stack.admitted(&request(name));
            assert_eq!(seen.values("x-duo-mfa-user"), [ours], "{signature}");
            assert_eq!(seen.values("x-duo-mfa-factor"), ["passcode"], "{signature} {name}");
        }
    }
}

#[test]
fn name_in_another_spelling_is_the_same_user() {
    let stack = stack("v5");
    let phone = json!({"platform": "Apple iOS", "number": "XXX-XXX-0000",
        "capabilities": ["auto", "push", "mobile_otp"]});
    for name in ["müller@example.de", "jane doe"] {
        let user = json!({"username": name, "passcodes": ["123456"], "devices": [phone]});
        stack.sim.put_user(&user);
    }
    for spelling in [
        "mu\u{308}ller@example.de",
        "MÜLLER@Example.DE",
        "MU\u{308}LLER@example.de",
        " müller@example.de ",
        "JANE DOE",
    ] {
        let (_, seen) = stack.admitted(&request(spelling));
        let user = if spelling.contains('J') { "jane doe" } else { "müller@example.de" };
        assert_eq!(seen.values("x-duo-mfa-user"), [user], "{spelling}");
    }
    for refused in [
        "jane  doe",
        "jane\u{a0}doe",
        "jane doe @x",
        "müller,bob",
        "müller\u{202e}",
        "\u{131}d",
        "müller%40x",
        "a\"b",
        "a\\b",
        "a;b",
        "mu\u{308}\u{308}\u{338}ller",
    ] {
        stack.denied(&request(refused)).assert_problem(400, "identity_invalid");
    }
}
