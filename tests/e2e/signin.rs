//! The sign-in of a browser in a real Envoy, by script and by plain forms.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::http1::Connection;
use crate::message::{Reply, Request};
use crate::sim::eventually;
use crate::stack::{APPROVAL, Stack};
use crate::tally::Verdict;

crate::trials![
    script_signs_in_and_reaches_the_application,
    plain_forms_sign_in_and_reach_the_application,
    denied_push_is_told_and_approves_nothing,
    sign_in_is_begun_at_one_envoy_and_ended_at_another,
    page_is_answered_to_head_without_a_body,
];

/// What a browser keeps between two requests.
#[derive(Default)]
struct Browser {
    jar: BTreeMap<String, String>,
}

impl Browser {
    fn with_cookies(&self, request: Request) -> Request {
        let pairs: Vec<String> = self.jar.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let request = request.user("alice");
        if pairs.is_empty() { request } else { request.header("cookie", pairs.join("; ")) }
    }

    fn open(&mut self, stack: &Stack, target: &str) -> Reply {
        self.ask(stack, Request::get(target).navigation())
    }

    fn submit(&mut self, stack: &Stack, target: &str) -> Reply {
        let form = Request::post(target).navigation();
        let form = form.header("origin", "http://app.example.com").header("content-length", "0");
        self.ask(stack, form)
    }

    fn fetch(&mut self, stack: &Stack, method: &str, endpoint: &str) -> Reply {
        let request = Request::new(method, format!("/.duo-mfa/{endpoint}")).all(&[
            ("accept", "application/json"),
            ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) Chrome/156"),
            ("sec-fetch-mode", "cors"),
            ("sec-fetch-dest", "empty"),
            ("sec-fetch-site", "same-origin"),
        ]);
        let is_post = method == "POST";
        self.ask(stack, if is_post { request.header("content-length", "0") } else { request })
    }

    /// Asks the filter itself: nothing of it reaches the application.
    fn ask(&mut self, stack: &Stack, request: Request) -> Reply {
        let occasion = request.summary();
        let request = self.with_cookies(request);
        let reply = stack.judged(Verdict::Denied, &occasion, || stack.send(&request));
        for line in reply.values("set-cookie") {
            let pair = line.split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if line.contains("Max-Age=0") {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.to_owned(), value.to_owned());
            }
        }
        reply
    }

    fn reaches_the_application(&self, stack: &Stack, target: &str) {
        let (_, seen) = stack.admitted(&self.with_cookies(Request::get(target).navigation()));
        assert_eq!(seen.values("x-duo-mfa-user"), ["alice"]);
        assert_eq!(seen.values("x-duo-mfa-factor"), ["push"]);
        assert_eq!(seen.values("cookie"), [""; 0], "the filter's cookies stay here");
    }
}

/// Starts a push by the script, to the first device that preauth names.
fn push(stack: &Stack, browser: &mut Browser) -> Value {
    let choices = browser.fetch(stack, "POST", "preauth");
    assert_eq!(choices.status, 200, "{choices:?} {}", choices.text());
    assert_eq!(choices.json()["result"], "auth");
    let device = choices.json()["devices"][0]["device"].as_str().unwrap().to_owned();
    let auth = format!("auth?factor=push&device={device}&return_to=%2Freports%3Fyear%3D2026");
    let begun = browser.fetch(stack, "POST", &auth);
    assert_eq!(begun.status, 202, "{begun:?} {}", begun.text());
    assert!(browser.jar.contains_key("__Host-duo_txn"));
    begun.json()
}

fn script_signs_in_and_reaches_the_application() {
    let stack = Stack::standard();
    let mut browser = Browser::default();
    let page = browser.open(&stack, "/reports?year=2026");
    assert_eq!(page.status, 403, "{page:?}");
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(stack.sim.user_calls(), 0);

    assert_eq!(push(&stack, &mut browser)["state"], "waiting");
    let waiting = browser.fetch(&stack, "GET", "status");
    assert_eq!(waiting.json()["state"], "waiting", "{}", waiting.text());
    stack.sim.answer("alice", "approve");
    let approved = eventually("the approval", || {
        let state = browser.fetch(&stack, "GET", "status").json();
        (state["state"] == "approved").then_some(state)
    });
    assert_eq!(approved["return_to"], "/reports?year=2026");
    assert!(browser.jar.contains_key(APPROVAL) && !browser.jar.contains_key("__Host-duo_txn"));
    browser.reaches_the_application(&stack, "/reports?year=2026");
    assert_eq!([stack.sim.calls("auth"), stack.sim.pushes()], [1, 1]);
}

fn plain_forms_sign_in_and_reach_the_application() {
    let stack = Stack::standard();
    let mut browser = Browser::default();
    let page = browser.open(&stack, "/reports");
    let chooser = browser.submit(&stack, &action(&page, "/.duo-mfa/preauth"));
    assert_eq!(chooser.status, 200, "{chooser:?} {}", chooser.text());
    let begun = browser.submit(&stack, &action(&chooser, "/.duo-mfa/auth?factor=push"));
    assert_eq!(begun.status, 303, "{begun:?} {}", begun.text());
    let page = begun.header("location").unwrap().to_owned();
    assert_eq!(browser.open(&stack, &page).status, 200);
    stack.sim.answer("alice", "approve");
    let onward = eventually("the approval", || {
        let reply = browser.open(&stack, &page);
        (reply.status == 303).then_some(reply)
    });
    assert_eq!(onward.header("location"), Some("/reports"));
    browser.reaches_the_application(&stack, "/reports");
    assert_eq!(stack.sim.pushes(), 1);
}

/// The address of the first button that leads to an endpoint.
fn action(page: &Reply, endpoint: &str) -> String {
    let text = page.text();
    let start = format!("formaction=\"{}", endpoint.replace('&', "&amp;"));
    let at = text.find(&start).unwrap_or_else(|| panic!("no button to {endpoint}: {text}"));
    let value = text[at..].split('"').nth(1).unwrap();
    value.replace("&amp;", "&")
}

fn denied_push_is_told_and_approves_nothing() {
    let stack = Stack::standard();
    let mut browser = Browser::default();
    push(&stack, &mut browser);
    stack.sim.answer("alice", "deny");
    let denied = eventually("the denial", || {
        let state = browser.fetch(&stack, "GET", "status").json();
        (state["state"] != "waiting").then_some(state)
    });
    assert_eq!((&denied["state"], &denied["code"]), (&"denied".into(), &"mfa_denied".into()));
    assert_eq!(browser.jar.len(), 0, "{:?}", browser.jar);
    assert_eq!(browser.open(&stack, "/reports").status, 403);
}

fn sign_in_is_begun_at_one_envoy_and_ended_at_another() {
    let stack = Stack::standard();
    let other = stack.another_envoy();
    let mut browser = Browser::default();
    push(&stack, &mut browser);
    stack.sim.answer("alice", "approve");
    let ask = Request::get("/.duo-mfa/status").header("accept", "application/json");
    let ask = browser.with_cookies(ask);
    let state = stack.judged(Verdict::Denied, "a look at another Envoy", || {
        let mut connection = Connection::open(other.listener);
        eventually("the approval", || {
            let reply = connection.exchange(&ask).expect("an answer");
            (reply.json()["state"] == "approved").then_some(reply)
        })
    });
    assert!(state.set_cookie(APPROVAL).is_some());
}

fn page_is_answered_to_head_without_a_body() {
    let stack = Stack::standard();
    let reply = stack.denied(&Request::new("HEAD", "/reports").user("alice").navigation());
    assert_eq!((reply.status, reply.body.len()), (403, 0), "{reply:?}");
}
