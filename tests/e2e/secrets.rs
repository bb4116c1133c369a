//! Secrets must not appear in a log, a metric or a dump.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::message::Request;
use crate::setup::{COOKIE_KEY, INTEGRATION_KEY, SECRET_KEY, Setup};
use crate::stack::{APPROVAL, Stack};

const PASSCODE: &str = "739164285";

#[test]
fn secrets_stand_in_no_log_metric_or_dump() {
    // Only the wasm component at trace: Envoy's own http component prints every header of every
    // request at that level, cookies among them, and no filter can keep it from that.
    let stack = Stack::start(Setup { log: "wasm:trace", ..Setup::default() });
    stack.sim.put_user(&json!({
        "username": "guest0", "passcodes": [PASSCODE], "devices": [{
            "platform": "Apple iOS", "number": "XXX-XXX-0000",
            "capabilities": ["auto", "push", "mobile_otp"],
        }],
    }));
    let mut hidden = vec![SECRET_KEY.to_owned(), COOKIE_KEY.to_owned(), PASSCODE.to_owned()];

    let approval = stack.signed_in("alice");
    stack.admitted(&Request::get("/").user("alice").cookie(&approval));
    let (reply, _) =
        stack.admitted(&Request::get("/").user("guest0").header("x-duo-mfa-passcode", PASSCODE));
    let second = reply.set_cookie(APPROVAL).unwrap().to_owned();
    stack.denied(&Request::get("/").user("mallory"));
    stack.answered_push(Request::get("/").user("two"), "two", "deny");
    for approval in [approval, second] {
        let pair = approval.split(';').next().unwrap();
        let value = pair.split_once('=').unwrap().1;
        // No half of a secret may appear either.
        hidden.extend([value[..40].to_owned(), value[value.len() - 40..].to_owned()]);
    }
    // The beginning of every signed call's credentials.
    let credentials = STANDARD.encode(format!("{INTEGRATION_KEY}:"));
    hidden.push(credentials[..20].to_owned());

    for page in ["/config_dump", "/stats", "/stats/prometheus", "/listeners", "/server_info"] {
        assert_hides(page, &stack.envoy.admin(page), &hidden);
    }
    let log = stack.envoy.log();
    let component = format!("[{}]", crate::filter::Host::of_this_run().component());
    assert!(log.contains(&component), "the module's log is there:\n{log}");
    assert_hides("the log", &log, &hidden);
}

pub(crate) fn assert_hides(place: &str, text: &str, hidden: &[String]) {
    for secret in hidden {
        assert!(!text.contains(secret), "{secret} is in {place}");
    }
}
