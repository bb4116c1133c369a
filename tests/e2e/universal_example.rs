//! `examples/universal-prompt`: a browser signs in at Duo's page, a program by push, and no client can
//! choose its user.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use url::form_urlencoded;

use crate::browser::Browser;
use crate::envoy::assert_nothing_deprecated;
use crate::examples::{FORGED, assert_refused, signs_in, started, with_oauth2_proxy};
use crate::http1::Connection;
use crate::message::{Body, Reply, Request};
use crate::setup::API_HOST;
use crate::sim::{Sim, eventually};
use crate::stack::{APPROVAL, Stack};
use crate::universal::{
    CALLBACK, approves, assert_arrived, assert_refused as assert_refused_at_callback, at_duo, back,
    denied, parameter, target,
};

#[test]
fn universal_prompt_signs_in_and_no_client_chooses_its_user() {
    let mut log = PathBuf::new();
    let stack = started("examples/universal-prompt/envoy.yaml", |directory, text| {
        log = directory.join("access.log");
        let to_file = format!("file.v3.FileAccessLog\n              path: {}\n", log.display());
        with_oauth2_proxy(&text).replace("stream.v3.StdoutAccessLog\n", &to_file)
    });
    signs_in(&stack, &|request| request.header("cookie", "_oauth2_proxy=alice"));
    assert_refused(&stack, Request::get("/").all(&FORGED), 302);

    let mut alice = signed_in_at_oauth2_proxy("alice");
    let callback = by_passkey(&mut alice, &stack, "/admin/users?page=2");
    let token_calls = stack.sim.calls("token");
    // Without the cookie of the first factor, as if it were `SameSite=Strict`.
    let stranger = denied(&stack, "no first factor", || stack.send(&back(&callback)));
    assert_eq!(stranger.status, 302, "{stranger:?}");
    // The callback in a browser of another user.
    let mut two = signed_in_at_oauth2_proxy("two");
    assert_refused_at_callback(&two.returns(&stack, &callback), 403, "sign_in_lost");
    assert_eq!(stack.sim.calls("token"), token_calls);
    assert_arrived(&alice.returns(&stack, &callback), "/admin/users?page=2");
    let seen = alice.is_admitted(&stack, "/admin/users?page=2");
    assert_eq!(seen.values("x-duo-mfa-user"), ["alice"]);
    assert_eq!(seen.values("x-duo-mfa-factor"), ["webauthn"]);
    assert_no_query_of_the_callback(&log);
    assert_nothing_deprecated(&stack.envoy.log());
}

#[test]
fn push_at_duos_page_opens_only_what_asks_for_no_passkey() {
    let stack = started("examples/universal-prompt/envoy.yaml", |_, text| with_oauth2_proxy(&text));
    approves(&stack.sim, "alice");
    let mut alice = signed_in_at_oauth2_proxy("alice");
    alice.signs_in_at_duo(&stack, "/reports");
    alice.is_admitted(&stack, "/reports");
    assert_eq!(alice.open(&stack, "/admin/users").status, 403);
    assert!(alice.has(APPROVAL));
}

fn signed_in_at_oauth2_proxy(user: &str) -> Browser {
    let mut browser = Browser::of(user);
    browser.jar.insert("_oauth2_proxy".to_owned(), user.to_owned());
    browser
}

/// Opens the page, leaves for Duo, and presses "Use a passkey" there; gives the path and query to come
/// back with.
fn by_passkey(browser: &mut Browser, stack: &Stack, page: &str) -> String {
    let (pushes, tokens) = (stack.sim.pushes(), stack.sim.calls("token"));
    assert_eq!(browser.open(stack, page).status, 403);
    assert_eq!((stack.sim.pushes(), stack.sim.calls("token")), (pushes, tokens));
    let address = browser.leaves(stack, page);
    assert!(address.starts_with(&format!("https://{API_HOST}/oauth/v1/authorize?")), "{address}");
    let opened = at_duo(&stack.sim, &address);
    let prompt = opened.header("location").expect("Duo's page").to_owned();
    let shown = at_duo(&stack.sim, &prompt);
    assert_eq!(shown.status, 200, "{shown:?}");
    assert!(shown.text().contains("Use a passkey"), "{}", shown.text());
    let pressed = press_passkey(&stack.sim, &parameter(&prompt, "sid"));
    let address = pressed.header("location").expect("the way back").to_owned();
    assert!(address.starts_with(&format!("https://app.example.com{CALLBACK}?")), "{address}");
    target(&address).to_owned()
}

fn press_passkey(sim: &Sim, sid: &str) -> Reply {
    let form = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("sid", sid), ("factor", "passkey")])
        .finish();
    let request = Request::post("/frame/prompt")
        .header("host", API_HOST)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::Sized(form.into_bytes()));
    Connection::open(sim.api).ask(&request).expect("duo-sim answers")
}

/// Asserts that the access log names the callback without its state and code.
fn assert_no_query_of_the_callback(log: &PathBuf) {
    let paths = eventually("the access log", || {
        let text = fs::read_to_string(log).ok()?;
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let paths: Vec<_> = lines.map(|line| line["path"].as_str().unwrap().to_owned()).collect();
        paths.last().is_some_and(|path| path == "/admin/users").then_some(paths)
    });
    assert!(paths.iter().any(|path| path == CALLBACK), "{paths:?}");
    assert!(paths.iter().all(|path| !path.contains('?')), "{paths:?}");
}
