//! The session of the first factor ends while the prompt page is open. The page's script distinguishes the
//! first factor's replies from the filter's, and reloads the page.

use serde_json::{Value, json};

use crate::browser::{Browser, PENDING, fetched};
use crate::message::{Reply, Request};
use crate::setup::{DuoLink, FirstFactor, Setup};
use crate::sim::eventually;
use crate::stack::{APPROVAL, Stack};

/// The requests of the script, in the order of a sign-in.
const SENT: [(&str, &str); 5] = [
    ("POST", "preauth"),
    ("POST", "auth?factor=push&device=auto&return_to=%2F"),
    ("GET", "status?return_to=%2F"),
    ("POST", "cancel"),
    ("GET", "enroll/status?return_to=%2F"),
];

/// Whether the script accepts a reply as the filter's, by the rule of `call` in `src/page/assets/prompt.js`.
fn is_ours(reply: &Reply) -> bool {
    let Some(media_type) = reply.header("content-type") else { return false };
    let mut names = ["application/json", "application/problem+json"].into_iter();
    let is_json = names.any(|name| {
        media_type.strip_prefix(name).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    });
    let is_problem =
        || reply.json()["type"].as_str().is_some_and(|it| it.starts_with("urn:duo-mfa:"));
    is_json && (matches!(reply.status, 200..300) || is_problem())
}

/// Whether the script reloads the page. It does not for a proxy's error, which is no sign of the first factor.
fn is_renewed(reply: &Reply) -> bool {
    !is_ours(reply) && reply.status != 429 && reply.status < 500
}

#[test]
fn script_that_is_served_loads_the_page_anew_on_a_reply_of_the_first_factor() {
    let stack = Stack::standard();
    let page = stack.denied(&Request::get("/reports").user("alice").navigation()).text();
    let (_, rest) = page.split_once("<script src=\"").expect("a script");
    let address = rest.split_once('"').unwrap().0;
    let reply = stack.denied(&Request::get(address).user("alice"));
    assert_eq!(reply.status, 200);
    let script = reply.text();
    for part in [
        // A redirect is seen, not followed.
        r#"redirect: "manual""#,
        r#"/^application\/(problem\+)?json\b/.test(response.headers.get("content-type"))"#,
        r#"isJson && (ok || `${body.type}`.startsWith("urn:duo-mfa:"))"#,
        "status !== 429 && status < 500 && renew()",
    ] {
        assert!(script.contains(part), "the script lacks {part}");
    }
}

/// Sends a request of the script on Alice's page, and asserts that the reply is the filter's.
fn assert_ours(stack: &Stack, alice: &mut Browser, method: &str, endpoint: &str, status: u16) {
    let reply = alice.fetch(stack, method, endpoint);
    assert_eq!(reply.status, status, "{endpoint}: {}", reply.text());
    assert!(is_ours(&reply), "{endpoint}: {reply:?} {}", reply.text());
    let is_refusal = reply.header("content-type") == Some("application/problem+json");
    assert_eq!(is_refusal, status >= 400, "{endpoint}: {reply:?}");
}

#[test]
fn replies_of_the_filter_are_recognized_by_their_type_and_problem() {
    let push = SENT[1].1;
    let stack = Stack::standard();
    let mut alice = Browser::of("alice");
    assert_ours(&stack, &mut alice, "GET", "status", 400);
    assert_ours(&stack, &mut alice, "POST", "preauth", 200);
    assert_ours(&stack, &mut alice, "POST", "auth", 400);
    assert_ours(&stack, &mut alice, "GET", "auth", 405);
    assert_ours(&stack, &mut alice, "GET", "nothing", 404);
    let code = fetched("POST", "auth?factor=passcode").header("x-duo-mfa-passcode", "000000");
    assert!(is_ours(&alice.ask(&stack, code)));
    assert_ours(&stack, &mut alice, "POST", push, 202);
    assert_ours(&stack, &mut alice, "GET", "status", 200);
    assert_ours(&stack, &mut Browser::of("alice"), "POST", push, 429);
    stack.sim.answer("alice", "deny");
    let state = eventually("the denial", || {
        let reply = alice.fetch(&stack, "GET", "status");
        assert!(is_ours(&reply), "{reply:?}");
        (reply.json()["state"] != "waiting").then(|| reply.json())
    });
    assert_eq!(state["state"], "denied", "{state}");
    assert_ours(&stack, &mut alice, "POST", push, 429);
    let foreign = Request::post("/.duo-mfa/preauth")
        .all(&[("sec-fetch-mode", "cors"), ("sec-fetch-site", "cross-site")])
        .header("content-length", "0");
    let reply = alice.ask(&stack, foreign);
    assert_eq!((reply.status, is_ours(&reply)), (403, true));

    let unreachable = Stack::start(Setup { duo_link: DuoLink::ClosedPort, ..Setup::default() });
    assert_ours(&unreachable, &mut Browser::of("alice"), "POST", "preauth", 503);
    // The filter behind a first factor that lets requests without a user through.
    let nobody = Stack::start(Setup { first_factor: FirstFactor::Absent, ..Setup::default() });
    for (method, endpoint) in &SENT[..3] {
        let reply = nobody.denied(&fetched(method, endpoint));
        assert!(is_ours(&reply) && reply.status >= 400, "{endpoint}: {reply:?}");
    }
}

/// Sends every request of the script, and asserts that each reply is the first factor's.
fn assert_foreign(stack: &Stack, status: u16, ended: impl Fn(Request) -> Request) {
    for (method, endpoint) in SENT {
        let reply = stack.denied(&ended(fetched(method, endpoint)));
        assert_eq!(reply.status, status, "{endpoint}: {reply:?}");
        assert!(is_renewed(&reply), "{endpoint}: {reply:?} {}", reply.text());
        assert!(reply.values("set-cookie").is_empty(), "{endpoint}: {reply:?}");
    }
    assert_eq!(stack.sim.user_calls(), 0);
}

#[test]
fn refusals_of_envoys_first_factors_are_not_taken_for_the_filters() {
    assert_foreign(&Stack::standard(), 401, |request| request);
    let page = json!({"local_reply_config": {"body_format": {
        "text_format_source": {"inline_string": "<title>Log in</title>"},
        "content_type": "text/html; charset=utf-8",
    }}});
    let stack = Stack::start(Setup { manager: page, ..Setup::default() });
    assert_foreign(&stack, 401, |request| request);
    let object = json!({"local_reply_config": {"body_format": {
        "json_format": {"error": "login_required", "status": "%RESPONSE_CODE%"},
    }}});
    let stack = Stack::start(Setup { manager: object, ..Setup::default() });
    assert_foreign(&stack, 401, |request| request);
    let stack = Stack::start(Setup { first_factor: FirstFactor::Jwt, ..Setup::default() });
    assert_foreign(&stack, 401, |request| request.bearer("e30.e30.expired"));
}

/// A first factor whose session has ended for a request with `x-ended`, which names its reply.
fn ending() -> Stack {
    let setup = Setup::default();
    let given = setup.clone();
    Stack::start_as(setup, |parts| {
        let mut envoy = given.envoy(parts.module, parts.app, parts.duo);
        let manager = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";
        let filters = &mut envoy.pointer_mut(manager).unwrap()["http_filters"];
        filters.as_array_mut().unwrap().insert(0, session_filter());
        envoy
    })
}

fn session_filter() -> Value {
    let code = r#"
        local replies = {
            redirect = {{[":status"] = "302", ["location"] = "https://idp.example/login"}, ""},
            page = {{[":status"] = "200", ["content-type"] = "text/html"}, "<title>Log in</title>"},
            form = {{[":status"] = "403", ["content-type"] = "text/html"}, "<form></form>"},
            object = {{[":status"] = "401", ["content-type"] = "application/json"}, '{"type":"error"}'},
            problem = {{[":status"] = "401", ["content-type"] = "application/problem+json"},
                '{"type":"about:blank","status":401}'},
            away = {{[":status"] = "503", ["content-type"] = "text/plain"}, "no"},
        }
        function envoy_on_request(handle)
            local reply = replies[handle:headers():get("x-ended")]
            if reply then handle:respond(reply[1], reply[2]) end
        end"#;
    json!({
        "name": "session",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
            "default_source_code": {"inline_string": code},
        },
    })
}

#[test]
fn redirect_page_and_error_of_a_first_factor_are_not_taken_for_the_filters() {
    let stack = ending();
    for (ended, status) in
        [("redirect", 302), ("page", 200), ("form", 403), ("object", 401), ("problem", 401)]
    {
        assert_foreign(&stack, status, |request| request.user("alice").header("x-ended", ended));
    }
    // If a server is unreachable, the script retries without a reload.
    let reply = stack.denied(&fetched("GET", "status").user("alice").header("x-ended", "away"));
    assert!(!is_ours(&reply) && !is_renewed(&reply), "{reply:?}");
}

#[test]
fn sign_in_goes_on_where_the_first_factor_ended_meanwhile() {
    let stack = ending();
    let mut alice = Browser::of("alice");
    alice.push(&stack);
    for ended in ["redirect", "page", "object"] {
        let reply = alice.ask(&stack, fetched("GET", "status").header("x-ended", ended));
        assert!(is_renewed(&reply), "{reply:?}");
    }
    // The page reloads: the first factor asks for its sign-in, and after that the pending sign-in still waits.
    let page = alice.ask(&stack, Request::get("/").navigation().header("x-ended", "redirect"));
    assert_eq!(page.status, 302);
    let page = alice.open(&stack, "/reports?year=2026");
    assert!(page.text().contains("data-pane=\"wait\""), "{}", page.text());
    assert!(alice.has(PENDING) && !alice.has(APPROVAL));
    stack.sim.answer("alice", "approve");
    assert_eq!(alice.ended(&stack)["state"], "approved");
    alice.reaches_the_application(&stack, "/reports?year=2026");
    assert_eq!(stack.sim.pushes(), 1);
}
