//! Sign-ins at Duo's page: from the start page there and back.

pub(crate) mod duo;
mod exchange;
mod happy;
mod leaving;
mod only_duos_page;
mod returning;
mod vectors;

use crate::browser::Browser;
use crate::rig::{Request, Response, Rig, Scripted, get, overlay};
pub(crate) use duo::AuthorizeRequest;
use duo::{healthy, healthy_at, id_token, invalid_client, token};
use serde_json::{Value, json};

const CALLBACK: &str = "/.duo-mfa/callback";
const COOKIE: &str = "__Host-duo_universal";
const APPROVAL: &str = "__Host-duo_mfa";
const CODE: &str = "0123456789abcdefghijklmnopqrstuv";

/// A rig whose browsers are sent to Duo's page.
fn rig() -> Rig {
    rig_with(json!({}))
}

pub(crate) fn rig_with(changes: Value) -> Rig {
    Rig::with(configured(changes))
}

fn configured(changes: Value) -> Value {
    let mut config = json!({"duo": {
        "prompt": "universal",
        "universal": {
            "client_id": duo::CLIENT_ID,
            "client_secret": {"env": "DUO_CLIENT_SECRET"},
            "hosts": ["app.example.com", "*.apps.example.com"],
        },
    }});
    overlay(&mut config, changes);
    config
}

/// A rig without keys of the Auth API.
pub(crate) fn keyless() -> Rig {
    let mut config = configured(json!({"api": {"mode": "refuse"}}));
    // `Rig::with` takes them out.
    config["duo"]["integration_key"] = Value::Null;
    config["duo"]["secret_key"] = Value::Null;
    Rig::with(config)
}

/// A rig with a second application, for `/pay/*`; `duo` overrides members of its `duo` section.
pub(crate) fn with_payments(duo: Value) -> Rig {
    let mut section = json!({
        "api_host": "api-xxxxxxxx.duosecurity.com",
        "integration_key": "DIPAYMENTSXXXXXXXXXX",
        "secret_key": {"env": "OTHER_SECRET_KEY"},
        "universal": {
            "client_id": duo::OTHER_CLIENT_ID,
            "client_secret": {"env": "OTHER_CLIENT_SECRET"},
        },
    });
    overlay(&mut section, duo);
    rig_with(json!({
        "applications": {"payments": {"duo": section}},
        "access_control": {"rules": [
            {"paths": ["/pay/*"], "policy": "two_factor", "application": "payments"},
        ]},
    }))
}

/// The address that the button of the start page leads to.
pub(crate) fn start_at(return_to: &str) -> String {
    let value: String = form_urlencoded::byte_serialize(return_to.as_bytes()).collect();
    format!("/.duo-mfa/start?return_to={value}")
}

/// The browser is sent to Duo's page.
#[track_caller]
pub(crate) fn starts(rig: &mut Rig, browser: &mut Browser, return_to: &str) -> AuthorizeRequest {
    let request = browser.submits(&start_at(return_to));
    let answer = browser.asks(rig, &request, &[healthy()]);
    departs(&answer)
}

#[track_caller]
fn departs(answer: &Response) -> AuthorizeRequest {
    assert_eq!(answer.0.status, 303, "{}", answer.text());
    AuthorizeRequest::of(&answer.header("location").unwrap())
}

/// The browser comes back with a code.
pub(crate) fn back(browser: &Browser, state: &str) -> Request {
    comes_back(browser, &format!("{CALLBACK}?state={state}&duo_code={CODE}"))
}

/// The browser comes back from Duo's page by whatever address.
fn comes_back(browser: &Browser, target: &str) -> Request {
    browser.opens(target).without("sec-fetch-site").with("sec-fetch-site", "cross-site")
}

/// Duo's answer for the code of a sign-in: the user has confirmed it by a push.
pub(crate) fn by_push(asked: &AuthorizeRequest, rig: &Rig) -> Scripted {
    by(asked, rig, "duo_push")
}

fn by(asked: &AuthorizeRequest, rig: &Rig, factor: &str) -> Scripted {
    let changes = json!({"auth_context": {"factor": factor}});
    token(&id_token(&asked.claims, rig.now, changes))
}

/// A whole sign-in.
#[track_caller]
fn signs_in(rig: &mut Rig, browser: &mut Browser, return_to: &str) -> Response {
    let asked = starts(rig, browser, return_to);
    let approves = by_push(&asked, rig);
    let request = back(browser, asked.state());
    browser.is_approved(rig, &request, &[approves])
}

/// The page continues automatically, and by a link.
#[track_caller]
fn goes_on_to(answer: &Response, path: &str) {
    let (text, path) = (answer.text(), path.replace('&', "&amp;"));
    assert_eq!(answer.0.status, 200, "{text}");
    assert!(text.contains(&format!(r#"content="0;url={path}""#)), "{text}");
    assert!(text.contains(&format!(r#"href="{path}""#)), "{text}");
    is_confidential(answer);
}

/// No other page is forwarded_header the address of the callback, and no cache keeps the answer.
#[track_caller]
fn is_confidential(answer: &Response) {
    assert_eq!(answer.header("referrer-policy").as_deref(), Some("no-referrer"));
    assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"));
}

/// The code of a refusal, by page or document, at the callback.
#[track_caller]
fn refused_with(answer: &Response, code: &str) {
    assert_eq!(answer.0.details, format!("duo_mfa_{code}"), "{}", answer.text());
    is_confidential(answer);
}

fn tokens(rig: &Rig) -> usize {
    rig.called().iter().filter(|name| **name == "token").count()
}

fn health_checks(rig: &Rig) -> usize {
    rig.called().iter().filter(|name| **name == "health_check").count()
}

/// A program of alice's.
fn program(path: &str) -> Request {
    get(path)
}
