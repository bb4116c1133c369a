//! The steps between a request and Duo's page.

use super::*;
use crate::browser::posted;
use crate::rig::{allows, fail, forwarded_header, one_phone, says, started};
use duo_mfa::gate::Unanswered;
use duo_mfa::signal::{Level, Signal};
use std::time::Duration;

const EVIL: &str = "https://evil.example";

#[test]
fn client_without_pages_gets_start_url_and_no_redirect() {
    let mut rig = rig();
    let alice = Browser::of("alice");
    let image = alice.opens("/").without("sec-fetch-dest").with("sec-fetch-dest", "image");
    let frame = alice.opens("/").without("sec-fetch-dest").with("sec-fetch-dest", "iframe");
    let socket = alice.fetches("/").with("upgrade", "websocket").with("connection", "upgrade");
    let prefetch = alice.opens("/").with("sec-purpose", "prefetch");
    for request in [alice.fetches("/"), image, frame, socket, prefetch] {
        let refused = rig.send(&request, &[]).answered();
        assert_eq!((refused.0.status, refused.code().as_str()), (403, "mfa_required"));
        assert_eq!(refused.json()["start_url"], "/.duo-mfa/?return_to=%2F");
        assert_eq!(refused.header("location"), None);
    }
    let grpc = posted(get("/"));
    let grpc = grpc.with("content-type", "application/grpc").with("te", "trailers");
    let refused = rig.send(&grpc.with("x-duo-mfa-passcode", ""), &[]).answered();
    assert_eq!(refused.header("location"), None);
    assert!(rig.called().is_empty());
}

#[test]
fn page_of_start_url_has_the_button_too() {
    let mut rig = rig();
    let mut alice = Browser::of("alice");
    let page = alice.asks(&mut rig, &alice.opens("/.duo-mfa/?return_to=%2Freports"), &[]);
    assert_eq!(page.0.status, 200);
    assert!(
        page.text().contains(r#"formaction="/.duo-mfa/start?return_to=%2Freports&amp;reference="#)
    );
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains(&format!("form-action 'self' {};", duo::HOST)), "{policy}");
    assert!(rig.called().is_empty());
}

/// The page cannot wait for an approval that the user gives at Duo's page.
#[test]
fn form_of_another_site_is_sent_again_at_once() {
    let mut rig = rig_with(json!({"request_bodies": true, "cross_site_forms": ["/saml/acs"]}));
    let alice = Browser::of("alice");
    let form = alice.submits("/saml/acs").without("sec-fetch-site").without("origin");
    let form = form.with("content-type", "application/x-www-form-urlencoded");
    let own = form.clone().with("sec-fetch-site", "same-origin").with("content-length", "3");
    let foreign = form.with("sec-fetch-site", "cross-site").with("content-length", "3");
    let page = rig.send(&foreign.followed_by("a=b"), &[]).answered();
    let text = page.text();
    assert!(text.contains(r#"data-pane="resend-at-once""#) && text.contains("<script"), "{text}");
    let page = rig.send(&own.followed_by("a=b"), &[]).answered();
    let text = page.text();
    assert!(text.contains("Confirm it’s you, then send it again"), "{text}");
    assert!(
        text.contains(
            r#"formaction="/.duo-mfa/start?return_to=%2Fsaml%2Facs&amp;method=POST&amp;reference="#
        ),
        "{text}"
    );
    assert!(rig.called().is_empty());
}

#[test]
fn only_a_post_of_this_site_starts() {
    let mut rig = rig();
    let alice = Browser::of("alice");
    let foreign = alice.submits(&start_at("/")).without("sec-fetch-site").without("origin");
    for request in [
        foreign.clone().with("sec-fetch-site", "cross-site").with("origin", EVIL),
        foreign.clone().with("sec-fetch-site", "same-site").with("origin", EVIL),
        foreign.with("origin", EVIL),
    ] {
        let refused = rig.send(&request, &[]).answered();
        assert_eq!(refused.0.details, "duo_mfa_cross_site");
        assert_eq!(refused.cookies(), [""; 0]);
    }
    let got = rig.send(&alice.opens(&start_at("/")), &[]).answered();
    assert_eq!((got.0.status, got.header("allow").as_deref()), (405, Some("POST")));
    assert!(rig.called().is_empty());
}

#[test]
fn programs_are_held_as_ever() {
    let mut rig = rig();
    let forward = rig.send(&program("/"), &[one_phone(), started(), allows()]).admitted();
    assert_eq!(forwarded_header(&forward, "x-duo-mfa-factor").as_deref(), Some("push"));
    assert_eq!(rig.called(), ["preauth", "auth", "auth_status"]);
}

#[test]
fn without_the_key_the_addresses_serve_nothing() {
    let mut rig = Rig::new();
    let mut alice = Browser::of("alice");
    let start = alice.submits(&start_at("/"));
    for request in [start, back(&alice, "SSSSSSSSSSSSSSSSSSSSSSSS")] {
        let refused = alice.asks(&mut rig, &request, &[]);
        assert_eq!(refused.0.details, "duo_mfa_not_found");
    }
}

#[test]
fn rule_for_single_requests_stays_on_the_own_page() {
    let rule = json!({"paths": ["/pay"], "policy": "two_factor", "approval": "per_request"});
    let mut rig = rig_with(json!({"access_control": {"rules": [rule]}}));
    let mut alice = Browser::of("alice");
    let page = alice.asks(&mut rig, &alice.opens("/pay"), &[]);
    assert!(page.text().contains("/.duo-mfa/preauth?") && !page.text().contains("/start?"));
    let start = alice.submits(&start_at("/pay"));
    let refused = alice.asks(&mut rig, &start, &[]);
    assert_eq!(refused.0.details, "duo_mfa_bad_request");
    assert!(rig.called().is_empty());
}

#[test]
fn only_listed_hosts_get_a_redirect_uri_in_one_spelling() {
    let at = |authority: &str| {
        let start = Browser::of("alice").submits(&start_at("/"));
        start.without(":authority").with(":authority", authority)
    };
    for (authority, uri) in [
        ("app.example.com:443", "https://app.example.com/.duo-mfa/callback"),
        ("APP.example.COM", "https://app.example.com/.duo-mfa/callback"),
        ("app.example.com:8443", "https://app.example.com:8443/.duo-mfa/callback"),
        ("wiki.apps.example.com", "https://wiki.apps.example.com/.duo-mfa/callback"),
    ] {
        let answer = rig().send(&at(authority), &[healthy()]).answered();
        assert_eq!(departs(&answer).claims["redirect_uri"], uri, "{authority}");
    }
    for authority in ["evil.test", "app.example.com.", "apps.example.com", "x@app.example.com"] {
        let mut rig = rig();
        let refused = rig.send(&at(authority), &[]).answered();
        assert_eq!(refused.0.details, "duo_mfa_access_denied", "{authority}");
        assert!(rig.called().is_empty());
    }
}

#[test]
fn nobody_leaves_while_duo_is_down() {
    let cut = || Scripted::Fails(Unanswered::Cut);
    let down = [
        says(502, "<h1>Bad gateway</h1>"),
        says(503, "upstream connect error"),
        says(504, "upstream request timeout"),
        cut(),
        Scripted::Fails(Unanswered::NotSent),
    ];
    for fault in &down {
        let mut rig = rig();
        let mut alice = Browser::of("alice");
        let start = alice.submits(&start_at("/reports"));
        let twice = [fault.clone(), fault.clone()];
        let refused = alice.asks(&mut rig, &start, &twice);
        assert_eq!(refused.0.details, "duo_mfa_duo_unavailable", "{fault:?}");
        assert_eq!(refused.header("retry-after").as_deref(), Some("5"));
        assert!(
            refused
                .text()
                .contains(r#"formaction="/.duo-mfa/start?return_to=%2Freports&amp;reference="#)
        );
        assert_eq!((rig.called(), alice.has(COOKIE)), (vec!["health_check"; 2], false));
        // One that comes back at the second try goes on.
        let answer = alice.asks(&mut rig, &start, &[fault.clone(), healthy()]);
        departs(&answer);
    }
}

#[test]
fn fail_mode_safe_waits_for_the_background_check() {
    let fault = says(503, "upstream connect error");
    let mut rig = rig_with(json!({"duo": {"fail_mode": "safe"}}));
    let mut alice = Browser::of("alice");
    let start = alice.submits(&start_at("/reports"));
    let unchecked = alice.asks(&mut rig, &start, &[fault.clone(), fault.clone()]);
    assert_eq!(unchecked.0.details, "duo_mfa_duo_unavailable");
    rig.check_meets(&fault);
    let twice = [fault.clone(), fault];
    let admitted = alice.is_approved(&mut rig, &start, &twice);
    assert_eq!(admitted.header("location").as_deref(), Some("/reports"));
    let forward = rig.send(&alice.opens("/reports"), &[]).admitted();
    assert_eq!(forwarded_header(&forward, "x-duo-mfa-factor").as_deref(), Some("fail_safe"));
    rig.now = rig.now.plus(Duration::from_secs(5 * 60 + 1));
    alice.asks(&mut rig, &alice.opens("/reports"), &[]);
}

#[test]
fn no_answer_of_duos_lets_anybody_pass() {
    let twice = r#"{"stat":"OK","stat":"OK","response":{"timestamp":1800000000}}"#;
    for (answer, code) in [
        (
            fail(40_002, "invalid_client", "The provided client_assertion was invalid."),
            "duo_misconfigured",
        ),
        (fail(40_301, "Access forbidden", ""), "duo_misconfigured"),
        (fail(42_901, "Too many requests", ""), "too_many_requests"),
        (says(429, ""), "too_many_requests"),
        (says(404, "<html>"), "duo_misconfigured"),
        (says(200, twice), "duo_unavailable"),
        (says(200, "{}"), "duo_unavailable"),
        (says(200, "<html>"), "duo_unavailable"),
    ] {
        let mut rig = rig_with(json!({"duo": {"fail_mode": "safe"}}));
        rig.check_meets(&says(503, "upstream connect error"));
        let mut alice = Browser::of("alice");
        let start = alice.submits(&start_at("/"));
        let outcome = rig.drive(&start, |_| Some(answer.clone())).answered();
        alice.keep(&outcome);
        assert_eq!(outcome.0.details, format!("duo_mfa_{code}"), "{answer:?}");
        assert!(health_checks(&rig) <= 2 && !alice.has(COOKIE));
    }
}

#[test]
fn wrong_client_secret_is_the_operators_and_the_log_says_what_to_check() {
    let mut rig = rig();
    let mut alice = Browser::of("alice");
    let start = alice.submits(&start_at("/"));
    let detail = "The provided client_assertion was invalid.";
    let refused = alice.asks(&mut rig, &start, &[fail(40_002, "invalid_client", detail)]);
    assert_eq!((refused.0.status, refused.0.details.as_str()), (503, "duo_mfa_duo_misconfigured"));
    let is_cause = |signal: &Signal| match signal {
        Signal::Log(Level::Error, line) => {
            line.contains("invalid_client") && line.contains("Web SDK")
        }
        Signal::Log(..) | Signal::Count(_) => false,
    };
    assert!(rig.signals.iter().any(is_cause), "{:?}", rig.signals);
}

#[test]
fn host_whose_clock_is_wrong_asks_duo_for_the_time() {
    let mut rig = rig();
    let mut alice = Browser::of("alice");
    let start = alice.submits(&start_at("/"));
    let theirs = rig.now.plus(Duration::from_secs(4_000));
    let time = crate::rig::ok(&json!({"time": theirs.seconds()}));
    let script = [invalid_client(theirs), time, healthy_at(theirs)];
    let answer = alice.asks(&mut rig, &start, &script);
    assert_eq!(rig.called(), ["health_check", "ping", "health_check"]);
    assert_eq!(departs(&answer).claims["exp"], theirs.seconds() + 300);
}

#[test]
fn ten_starts_without_an_approval_are_too_many() {
    let mut rig = rig();
    let mut alice = Browser::of("alice");
    for _ in 0..9 {
        starts(&mut rig, &mut alice, "/");
    }
    let checks = health_checks(&rig);
    let start = alice.submits(&start_at("/"));
    let refused = alice.asks(&mut rig, &start, &[]);
    assert_eq!((refused.0.status, refused.0.details.as_str()), (429, "duo_mfa_too_many_requests"));
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((590..=601).contains(&wait), "{wait}");
    assert_eq!(health_checks(&rig), checks);
    let mut other = Browser::of("bob");
    starts(&mut rig, &mut other, "/");
    rig.now = rig.now.plus(Duration::from_secs(wait));
    starts(&mut rig, &mut alice, "/");
}

#[test]
fn approval_makes_room_for_starts_and_a_lost_health_check_takes_none() {
    let mut rig = rig_with(json!({"limits": {"starts": 1}}));
    let mut alice = Browser::of("alice");
    let start = alice.submits(&start_at("/"));
    let down = says(503, "upstream connect error");
    for _ in 0..3 {
        let twice = [down.clone(), down.clone()];
        alice.asks(&mut rig, &start, &twice);
    }
    signs_in(&mut rig, &mut alice, "/");
    let mut elsewhere = Browser::of("alice");
    starts(&mut rig, &mut elsewhere, "/");
    let start = elsewhere.submits(&start_at("/"));
    let refused = elsewhere.asks(&mut rig, &start, &[]);
    assert_eq!(refused.0.details, "duo_mfa_too_many_requests");
}

#[test]
fn host_without_random_bytes_begins_nothing() {
    let mut rig = rig();
    rig.random = None;
    let mut alice = Browser::of("alice");
    let start = alice.submits(&start_at("/"));
    let refused = rig.drive(&start, |_| Some(healthy())).answered();
    alice.keep(&refused);
    assert_eq!(refused.0.details, "duo_mfa_duo_unavailable");
    assert!(!alice.has(COOKIE));
}

#[test]
fn names_arrive_whole_at_duo_and_back() {
    for name in ["a", "alice+x&y=z", "al\\ice", "o'neil", "élise", "x".repeat(60).as_str()] {
        let mut rig = rig();
        let name: &'static str = String::leak(name.to_owned());
        let mut browser = Browser::of(name);
        let request = browser.submits(&start_at("/"));
        let outcome = rig.drive(&request, |_| Some(healthy())).answered();
        if outcome.0.status == 400 {
            assert_eq!(outcome.0.details, "duo_mfa_identity_invalid", "{name}");
            continue;
        }
        browser.keep(&outcome);
        let asked = departs(&outcome);
        assert_eq!(asked.claims["duo_uname"], name);
        let approves = by_push(&asked, &rig);
        let request = back(&browser, asked.state());
        browser.is_approved(&mut rig, &request, &[approves]);
    }
}

#[test]
fn destination_is_what_the_configuration_says() {
    for (destination, name) in
        [("host", json!("app.example.com")), ("Intranet", json!("Intranet")), ("off", Value::Null)]
    {
        let mut rig = rig_with(json!({"duo": {"universal": {"destination": destination}}}));
        let mut alice = Browser::of("alice");
        let asked = starts(&mut rig, &mut alice, "/");
        assert_eq!(asked.claims["dest_app_name"], name);
    }
}

#[test]
fn form_that_was_not_sent_leads_to_duo_too() {
    let mut rig = rig();
    let mut alice = Browser::of("alice");
    let form = posted(alice.opens("/orders")).with("origin", "https://app.example.com");
    let page = alice.asks(&mut rig, &form, &[]);
    assert!(page.text().contains(
        r#"formaction="/.duo-mfa/start?return_to=%2Forders&amp;method=POST&amp;reference="#
    ));
}
