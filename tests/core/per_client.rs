//! Approvals per client: a program that keeps no cookie needs one push for a whole run.

mod at_once;
mod ends;
pub(crate) mod model;
mod terms;

use crate::browser::{Browser, posted};
use crate::rig::{
    Outcome, Request, Rig, Scripted, allows, forwarded_header, get, ok, phone_of, preauth, started,
    status,
};
use duo_mfa::clock::UnixTime;
use duo_mfa::gate::{Forward, NewCookie, Outcome as Judged};
use duo_mfa::signal::{Counter, Signal};
use serde_json::{Value, json};
use std::time::Duration;

const HERE: &[u8] = b"192.0.2.7:51000";
const NEXT_DOOR: &[u8] = b"192.0.2.99:1";
const ELSEWHERE: &[u8] = b"198.51.100.7:51000";

fn rule(changes: &Value) -> Value {
    let mut rule = json!({"paths": ["/api/*"], "policy": "two_factor",
        "approval": {"per": "client", "for": "5m"}});
    for (key, value) in changes.as_object().unwrap() {
        rule[key] = value.clone();
    }
    rule
}

fn config(rules: &Value) -> Value {
    json!({
        "session": {"bind": ["ip_prefix"], "logout_paths": ["/signout"]},
        "access_control": {"rules": rules},
    })
}

fn ruled(rules: &Value) -> Rig {
    Rig::with(config(rules))
}

fn rig() -> Rig {
    ruled(&json!([rule(&json!({}))]))
}

fn wait(rig: &mut Rig, seconds: u64) {
    rig.now = rig.now.plus(Duration::from_secs(seconds));
}

fn back(rig: &mut Rig, seconds: u64) {
    rig.now = UnixTime::from_seconds(rig.now.seconds() - seconds);
}

/// The script of a request of Alice whose push is approved.
fn pushed() -> [Scripted; 3] {
    [phone_of("alice"), started(), allows()]
}

/// Sends a request that is held until its push is approved.
#[track_caller]
fn approved(rig: &mut Rig, request: &Request) -> Forward {
    rig.send(request, &pushed()).admitted()
}

/// Asserts that the request passes without a call to Duo.
#[track_caller]
fn passes(rig: &mut Rig, request: &Request) -> Forward {
    let calls = rig.calls.len();
    let forward = rig.send(request, &[]).admitted();
    assert_eq!(rig.calls.len(), calls);
    forward
}

/// Asserts that the request starts a new second factor, which Duo refuses.
#[track_caller]
fn is_asked(rig: &mut Rig, request: &Request) {
    let refused = rig.send(request, &[preauth("deny")]).refused();
    assert_eq!(refused.code(), "duo_denied");
}

#[test]
fn a_run_without_a_cookie_is_one_push() {
    let mut rig = rig();
    let first = approved(&mut rig, &get("/api/v1/pods"));
    assert!(matches!(first.cookie, Some(NewCookie::Approval(_))), "a client may still keep it");
    let since = rig.now.seconds().to_string();
    for (number, request) in [
        get("/api/v1/pods/a"),
        posted(get("/api/v1/pods")).followed_by("{}"),
        get("/api/openapi?x=1").with("accept", "application/json"),
        get("/api/exec").with("upgrade", "SPDY/3.1").with("connection", "upgrade"),
        posted(get("/api/grpc")).with("content-type", "application/grpc"),
    ]
    .iter()
    .enumerate()
    {
        wait(&mut rig, 7);
        let forward = passes(&mut rig, request);
        assert_eq!(forward.cookie, None, "{number}");
        assert_eq!(forwarded_header(&forward, "x-duo-mfa-user").as_deref(), Some("alice"));
        assert_eq!(forwarded_header(&forward, "x-duo-mfa-factor").as_deref(), Some("push"));
        assert_eq!(forwarded_header(&forward, "x-duo-mfa-time").as_deref(), Some(since.as_str()));
    }
    assert_eq!(rig.called(), ["preauth", "auth", "auth_status"]);
}

#[test]
fn a_pass_is_counted_and_logged_as_what_it_is() {
    let mut rig = rig();
    approved(&mut rig, &get("/api/a"));
    rig.signals.clear();
    rig.judgements.clear();
    wait(&mut rig, 10);
    passes(&mut rig, &get("/api/b"));
    let [Signal::Count(counter), Signal::Log(_, line)] = &rig.signals[..] else {
        panic!("{:?}", rig.signals)
    };
    assert_eq!(*counter, Counter::PassedPerClient);
    let line: Value = serde_json::from_str(line).unwrap();
    for (member, value) in [
        ("result", json!("passed_per_client")),
        ("user", json!("alice")),
        ("factor", json!("push")),
        ("rule", json!(0)),
        ("client", json!("192.0.2.7")),
        ("path", json!("/api/b")),
        ("reason", json!("approved for this client since Fri, 15 Jan 2027 08:00:00 -0000")),
    ] {
        assert_eq!(line[member], value, "{line}");
    }
    assert_eq!(rig.judgements[0].outcome, Judged::PassedPerClient);
}

#[test]
fn only_the_same_user_and_client_pass() {
    let mut rig = rig();
    approved(&mut rig, &get("/api/a"));
    rig.peer = Some(NEXT_DOOR);
    passes(&mut rig, &get("/api/a"));
    rig.peer = Some(ELSEWHERE);
    is_asked(&mut rig, &get("/api/a"));
    rig.peer = Some(HERE);
    for name in ["bob", "alice2", "alic", "ALICE2"] {
        is_asked(&mut rig, &get("/api/a").of(name));
    }
    passes(&mut rig, &get("/api/a"));
    rig.peer = None;
    assert_eq!(rig.send(&get("/api/a"), &[]).refused().code(), "access_denied");
}

/// The client is identified by its certificate, or by a claim of the token.
#[test]
fn a_client_is_what_the_configuration_names() {
    for bind in [json!(["certificate"]), json!([{"metadata": ["first_factor", "session"]}])] {
        let mut config = config(&json!([rule(&json!({}))]));
        config["session"]["bind"] = bind;
        let mut rig = Rig::with(config);
        let client = |name: &str| vec![Some(name.as_bytes().to_vec())];
        rig.bound = client("aa");
        approved(&mut rig, &get("/api/a"));
        rig.peer = Some(ELSEWHERE);
        passes(&mut rig, &get("/api/a"));
        for other in ["ab", "a", "aaa"] {
            rig.bound = client(other);
            is_asked(&mut rig, &get("/api/a"));
        }
        rig.bound = vec![None];
        assert_eq!(rig.send(&get("/api/a"), &[]).refused().code(), "access_denied");
        rig.bound = client("aa");
        passes(&mut rig, &get("/api/a"));
    }
}

/// A page of another site could make a browser on the same client send requests.
#[test]
fn no_browser_passes_by_it() {
    let mut rig = rig();
    approved(&mut rig, &get("/api/a"));
    let alice = Browser::of("alice");
    let foreign = |request: Request| {
        let request = request.without("sec-fetch-site").with("sec-fetch-site", "cross-site");
        request.without("origin").with("origin", "https://evil.example")
    };
    for request in [
        alice.opens("/api/a"),
        alice.fetches("/api/a"),
        alice.posts("/api/a"),
        foreign(alice.posts("/api/a")),
        alice.submits("/api/a"),
        foreign(alice.submits("/api/a")),
        get("/api/a").with("origin", "https://app.example.com"),
        get("/api/a").with("upgrade", "websocket").with("sec-websocket-key", "AAAA"),
        get("/api/a").with("user-agent", "Mozilla/5.0 (Windows NT 6.1; Trident/7.0)"),
        posted(get("/api/a"))
            .with("content-type", "application/grpc")
            .with("sec-fetch-mode", "cors")
            .with("origin", "https://evil.example"),
    ] {
        let refused = rig.send(&request, &[]).refused();
        assert!([400, 403, 200].contains(&refused.0.status), "{request:?}");
    }
    passes(&mut rig, &get("/api/a"));
}

#[test]
fn a_cookie_serves_as_ever() {
    let mut rig = rig();
    let forward = approved(&mut rig, &get("/api/a"));
    let cookie = crate::rig::pair(&crate::rig::approval(&forward)).to_owned();
    rig.table.clear();
    passes(&mut rig, &get("/api/a").with("cookie", &cookie));
    assert!(rig.signals.contains(&Signal::Count(Counter::Passed)));
    wait(&mut rig, 600);
    passes(&mut rig, &get("/api/a").with("cookie", &cookie));
    is_asked(&mut rig, &get("/api/a"));
}

/// An invalid cookie is counted as usual, and the client's approval is looked up.
#[test]
fn a_bad_cookie_does_not_stand_in_the_way() {
    let mut rig = rig();
    approved(&mut rig, &get("/api/a"));
    passes(&mut rig, &get("/api/a").with("cookie", "__Host-duo_mfa=AQ"));
    let counted = Signal::Count(Counter::CookieRefused("length"));
    assert!(rig.signals.contains(&counted), "{:?}", rig.signals);
}

/// A user signs in with a browser on the same client. Then the program passes, in each mode.
#[test]
fn a_sign_in_by_a_browser_is_kept_too() {
    for mode in ["hold", "refuse"] {
        let mut rig = ruled(&json!([rule(&json!({"api_mode": mode}))]));
        let mut alice = Browser::of("alice");
        let auth = "/.duo-mfa/auth?factor=push&return_to=%2Fapi%2Fa";
        alice.asks(&mut rig, &alice.posts(auth), &[phone_of("alice"), started()]);
        let since = rig.now;
        wait(&mut rig, 20);
        alice.is_approved(&mut rig, &alice.fetches("/.duo-mfa/status"), &[allows()]);
        let forward = passes(&mut rig, &get("/api/a"));
        let told = forwarded_header(&forward, "x-duo-mfa-time").unwrap();
        assert_eq!(told, since.seconds().to_string());
        rig.now = since.plus(Duration::from_secs(299));
        passes(&mut rig, &get("/api/a"));
        wait(&mut rig, 1);
        match mode {
            "hold" => is_asked(&mut rig, &get("/api/a")),
            _ => assert_eq!(rig.send(&get("/api/a"), &[]).refused().code(), "mfa_required"),
        }
    }
}

/// The approval of a single request is for nothing else, whatever the status says it leads to.
#[test]
fn a_push_for_a_single_request_is_not_kept() {
    let single = json!({"paths": ["/wire"], "policy": "two_factor", "approval": "per_request"});
    let mut rig = ruled(&json!([single, rule(&json!({}))]));
    let mut alice = Browser::of("alice");
    let auth = "/.duo-mfa/auth?factor=push&return_to=%2Fwire";
    alice.asks(&mut rig, &alice.posts(auth), &[phone_of("alice"), started()]);
    let status = alice.fetches("/.duo-mfa/status?return_to=%2Fapi%2Fa");
    alice.asks(&mut rig, &status, &[allows()]);
    is_asked(&mut rig, &get("/api/a"));
}

#[test]
fn a_passcode_is_kept_under_its_name() {
    let mut rig = rig();
    let request = get("/api/a").with("x-duo-mfa-passcode", "123456");
    rig.send(&request, &[phone_of("alice"), allows()]).admitted();
    let forward = passes(&mut rig, &get("/api/b"));
    assert_eq!(forwarded_header(&forward, "x-duo-mfa-factor").as_deref(), Some("passcode"));
    let mut rig = self::rig();
    let alice = Browser::of("alice");
    let typed = alice.posts("/.duo-mfa/auth?factor=passcode&return_to=%2Fapi%2Fa");
    let typed = typed.with("x-duo-mfa-passcode", "123456");
    assert!(matches!(rig.send(&typed, &[phone_of("alice"), allows()]), Outcome::Replied(_)));
    passes(&mut rig, &get("/api/b"));
}

/// After an internal redirect, the headers of the admitted request give no approval.
#[test]
fn an_internal_redirect_is_refused_as_ever() {
    let mut rig = rig();
    approved(&mut rig, &get("/api/a"));
    let second = get("/api/b").with("x-duo-mfa-user", "alice");
    let second = second.with("x-envoy-original-url", "https://app.example.com/api/a");
    assert_eq!(rig.send(&second, &[]).refused().code(), "internal_redirect");
}

#[test]
fn report_only_says_what_would_have_passed() {
    let mut config = config(&json!([rule(&json!({}))]));
    let mut enforcing = Rig::with(config.clone());
    approved(&mut enforcing, &get("/api/a"));
    config["mode"] = json!("report_only");
    let mut rig = enforcing.beside(config);
    passes(&mut rig, &get("/api/b"));
    assert!(rig.signals.contains(&Signal::Count(Counter::PassedPerClient)));
    wait(&mut rig, 300);
    let forward = passes(&mut rig, &get("/api/b"));
    assert_eq!((&forward.cookie, forwarded_header(&forward, "x-duo-mfa-user")), (&None, None));
    assert_eq!(rig.judgements.last().unwrap().outcome, Judged::WouldRefuse);
    let redirected = get("/api/b").with("x-duo-mfa-user", "alice");
    passes(&mut rig, &redirected.with("x-envoy-original-url", "https://app.example.com/api/a"));
}

#[test]
fn nothing_is_looked_up_or_kept_without_such_a_rule() {
    let mut rig = ruled(&json!([{"paths": ["/api/*"], "policy": "two_factor", "max_age": "5m"}]));
    approved(&mut rig, &get("/api/a"));
    let before = rig.table.clone();
    is_asked(&mut rig, &get("/api/a"));
    assert_eq!(rig.table, before);
    let mut other = rig.beside(config(&json!([rule(&json!({}))])));
    is_asked(&mut other, &get("/api/a"));
    // It adds the bucket of the approvals, and changes nothing else.
    other.table.retain(|name, _| before.contains_key(name));
    assert_eq!(other.table, before);
}

#[test]
fn a_denied_push_and_a_fail_safe_admission_are_never_kept() {
    let mut config = config(&json!([rule(&json!({"fail_mode": "safe"}))]));
    config["duo"] = json!({"fail_mode": "safe"});
    let gone = || Scripted::Fails(duo_mfa::gate::Unanswered::Cut);
    let mut rig = Rig::with(config.clone());
    rig.check_meets(&gone());
    let forward = rig.send(&get("/api/a"), &[gone(), gone()]).admitted();
    assert_eq!(forwarded_header(&forward, "x-duo-mfa-factor").as_deref(), Some("fail_safe"));
    rig.check_meets(&ok(&json!({"time": rig.now.seconds()})));
    is_asked(&mut rig, &get("/api/a"));

    for (result, word) in [
        ("deny", "deny"),
        ("deny", "fraud"),
        ("deny", "timeout"),
        ("deny", "allow"),
        ("no", "allow"),
    ] {
        let mut rig = Rig::with(config.clone());
        let script = [phone_of("alice"), started(), status(result, word)];
        rig.send(&get("/api/a"), &script).refused();
        wait(&mut rig, 1_801);
        is_asked(&mut rig, &get("/api/a"));
    }
    let mut rig = Rig::with(config);
    let allowed = rig.send(&get("/api/a"), &[preauth("allow")]).admitted();
    assert_eq!(forwarded_header(&allowed, "x-duo-mfa-factor").as_deref(), Some("bypass"));
    is_asked(&mut rig, &get("/api/a"));
}
