//! Callbacks that belong to no sign-in of this browser: `token` is not called for any.

use super::*;
use crate::browser::posted;
use crate::rig::{COOKIE_KEY, OTHER_COOKIE_KEY, wrongly_admitted};
use std::time::Duration;

/// Sends a request and gets a refusal, without a call to Duo and without an approval.
#[track_caller]
fn is_refused(rig: &mut Rig, request: &Request, code: &str) -> Response {
    let calls = rig.calls.len();
    let refused = rig.send(request, &[]).answered();
    refused_with(&refused, code);
    assert_eq!(rig.calls.len(), calls, "Duo was called");
    refused
}

#[test]
fn another_browser_of_the_user_finishes_nothing() {
    let mut rig = rig();
    let mut alice = Browser::of("alice");
    let asked = starts(&mut rig, &mut alice, "/secret-page");
    let mut other = Browser::of("alice");
    let refused = is_refused(&mut rig, &back(&other, asked.state()), "sign_in_lost");
    assert!(!refused.text().contains("secret-page") && !refused.text().contains(asked.state()));
    starts(&mut rig, &mut other, "/");
    is_refused(&mut rig, &back(&other, asked.state()), "sign_in_lost");
}

#[test]
fn attackers_sign_in_is_no_sign_in_of_anybody_elses_browser() {
    let mut rig = rig();
    let mut mallory = Browser::of("mallory");
    let asked = starts(&mut rig, &mut mallory, "/");
    let mut alice = Browser::of("alice");
    is_refused(&mut rig, &back(&alice, asked.state()), "sign_in_lost");
    starts(&mut rig, &mut alice, "/");
    is_refused(&mut rig, &back(&alice, asked.state()), "sign_in_lost");
    // Even with mallory's cookie planted in it.
    alice.jar.clone_from(&mallory.jar);
    is_refused(&mut rig, &back(&alice, asked.state()), "sign_in_lost");
}

#[test]
fn other_user_in_the_same_browser_gets_nothing() {
    let mut rig = rig();
    let mut alice = Browser::of("alice");
    let asked = starts(&mut rig, &mut alice, "/");
    let mut bob = Browser::of("bob");
    bob.jar = alice.jar;
    is_refused(&mut rig, &back(&bob, asked.state()), "sign_in_lost");
}

#[test]
fn cookie_has_to_come_once() {
    let mut rig = rig();
    let mut alice = Browser::of("alice");
    let asked = starts(&mut rig, &mut alice, "/");
    let request = back(&alice, asked.state());
    let twice = format!("{0}; {0}", alice.jar[COOKIE]);
    is_refused(&mut rig, &request.clone().without("cookie"), "sign_in_lost");
    is_refused(&mut rig, &request.without("cookie").with("cookie", twice), "sign_in_lost");
    alice.jar.insert(COOKIE.to_owned(), format!("{COOKIE}=AAAA"));
    is_refused(&mut rig, &back(&alice, asked.state()), "sign_in_lost");
}

#[test]
fn state_of_another_host_is_lost() {
    let mut rig = rig();
    let mut alice = Browser::of("alice");
    let asked = starts(&mut rig, &mut alice, "/");
    let moved = back(&alice, asked.state()).without(":authority");
    let listed = moved.clone().with(":authority", "wiki.apps.example.com");
    is_refused(&mut rig, &listed, "sign_in_lost");
    is_refused(&mut rig, &moved.with(":authority", "evil.test"), "access_denied");
}

#[test]
fn authority_may_be_spelled_otherwise_at_the_callback() {
    let mut rig = rig();
    let mut alice = Browser::of("alice");
    let asked = starts(&mut rig, &mut alice, "/");
    let approves = by_push(&asked, &rig);
    let request = back(&alice, asked.state()).without(":authority");
    let request = request.with(":authority", "APP.example.com:443");
    alice.is_approved(&mut rig, &request, &[approves]);
}

#[test]
fn state_that_was_changed_or_is_malformed_is_refused() {
    let mut rig = rig();
    let mut alice = Browser::of("alice");
    let asked = starts(&mut rig, &mut alice, "/");
    let state = asked.state().to_owned();
    for place in (0..state.len()).step_by(7) {
        let mut changed = state.clone().into_bytes();
        changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        is_refused(&mut rig, &back(&alice, &changed), "sign_in_lost");
        if place >= 16 {
            is_refused(&mut rig, &back(&alice, &state[..place]), "sign_in_lost");
        }
    }
    for state in [String::new(), "a".repeat(15), "a".repeat(1_025), "a".repeat(100_000)] {
        is_refused(&mut rig, &back(&alice, &state), "bad_request");
    }
    let [approval, pending] = [APPROVAL, "__Host-duo_txn"].map(|name| {
        let mut own = Rig::new();
        let mut other = Browser::pushed(&mut own);
        if name == APPROVAL {
            let allows = crate::rig::allows();
            other.is_approved(&mut own, &other.fetches("/.duo-mfa/status"), &[allows]);
        }
        other.jar[name].split_once('=').unwrap().1.to_owned()
    });
    for token in [approval, pending] {
        is_refused(&mut rig, &back(&alice, &token), "sign_in_lost");
    }
}

#[test]
fn sign_in_lasts_fifteen_minutes() {
    for (seconds, is_good) in [(15 * 60, true), (15 * 60 + 1, false)] {
        let mut rig = rig();
        let mut alice = Browser::of("alice");
        let asked = starts(&mut rig, &mut alice, "/");
        rig.now = rig.now.plus(Duration::from_secs(seconds));
        let request = back(&alice, asked.state());
        if is_good {
            let approves = by_push(&asked, &rig);
            alice.is_approved(&mut rig, &request, &[approves]);
        } else {
            is_refused(&mut rig, &request, "sign_in_lost");
        }
    }
    let mut rig = rig();
    let mut alice = Browser::of("alice");
    let asked = starts(&mut rig, &mut alice, "/");
    rig.now = rig.now.minus(Duration::from_secs(120));
    is_refused(&mut rig, &back(&alice, asked.state()), "sign_in_lost");
}

#[test]
fn keys_may_change_while_the_user_is_at_duo() {
    let under = |names: &[&str]| {
        let keys: Vec<Value> = names.iter().map(|name| json!({"env": name})).collect();
        rig_with(json!({"session": {"keys": keys}}))
    };
    let (old, new) = ("DUO_MFA_COOKIE_KEY", "DUO_MFA_OTHER_COOKIE_KEY");
    assert_ne!(COOKIE_KEY, OTHER_COOKIE_KEY);
    let mut before = under(&[old]);
    let mut alice = Browser::of("alice");
    let asked = starts(&mut before, &mut alice, "/");
    let mut removed = under(&[new]);
    is_refused(&mut removed, &back(&alice, asked.state()), "sign_in_lost");
    // Another Envoy, whose ring signs with the new key already.
    let mut rotated = under(&[new, old]);
    let approves = by_push(&asked, &rotated);
    let request = back(&alice, asked.state());
    alice.is_approved(&mut rotated, &request, &[approves]);
}

#[test]
fn parameters_have_to_come_once_and_plain() {
    let mut rig = rig();
    let mut alice = Browser::of("alice");
    let asked = starts(&mut rig, &mut alice, "/");
    let state = asked.state();
    let long = "c".repeat(513);
    for query in [
        String::new(),
        format!("state={state}"),
        format!("duo_code={CODE}"),
        format!("state=&duo_code={CODE}"),
        format!("state={state}&duo_code="),
        format!("state={state}&state={state}&duo_code={CODE}"),
        format!("state={state}&%73tate={state}&duo_code={CODE}"),
        format!("state={state}&duo_code={CODE}&duo_code={CODE}"),
        format!("state={state}&duo_code={CODE}&duo%5Fcode=x"),
        format!("state={state}&duo_code=a%0D%0Aset-cookie:x"),
        format!("state={state}&duo_code=a%00"),
        format!("state={state}&duo_code=a%26redirect_uri%3Dx"),
        format!("state={state}&duo_code=%C3%A9"),
        format!("state={state}&duo_code={long}"),
        format!("state={state}&duo_code={CODE}&x={}", "x".repeat(9_000)),
    ] {
        let request = comes_back(&alice, &format!("{CALLBACK}?{query}"));
        let refused = is_refused(&mut rig, &request, "bad_request");
        assert!(refused.header("set-cookie").is_none(), "{query}");
    }
    for line in rig.signals.iter().map(|signal| format!("{signal:?}")) {
        assert!(!line.contains(state) && !line.contains(CODE), "{line}");
    }
    // Other parameters are ignored.
    let approves = by_push(&asked, &rig);
    let query = format!("code=theirs&state={state}&return_to=%2Fevil&duo_code={CODE}&x=1");
    let request = comes_back(&alice, &format!("{CALLBACK}?{query}"));
    goes_on_to(&alice.is_approved(&mut rig, &request, &[approves]), "/");
}

#[test]
fn only_a_navigation_by_get_comes_back() {
    let mut rig = rig();
    let mut alice = Browser::of("alice");
    let asked = starts(&mut rig, &mut alice, "/");
    let request = back(&alice, asked.state());
    for method in ["POST", "HEAD", "PUT"] {
        let request = request.clone().without(":method").with(":method", method);
        let refused = is_refused(&mut rig, &request, "method_not_allowed");
        assert_eq!(refused.header("allow").as_deref(), Some("GET"));
    }
    let path = format!("{CALLBACK}?state={}&duo_code={CODE}", asked.state());
    let frame = request.clone().without("sec-fetch-dest").with("sec-fetch-dest", "iframe");
    for request in [alice.fetches(&path), frame] {
        is_refused(&mut rig, &request, "cross_site");
    }
    let body = posted(request).followed_by("state=x").without(":method");
    let approves = by_push(&asked, &rig);
    alice.is_approved(&mut rig, &body.with(":method", "GET"), &[approves]);
    assert_eq!(rig.bodies, 0);
}

#[test]
fn user_has_to_be_known_and_the_code_waits() {
    let mut rig = rig();
    let mut alice = Browser::of("alice");
    let asked = starts(&mut rig, &mut alice, "/");
    let request = back(&alice, asked.state());
    is_refused(&mut rig, &request.clone().without("x-basic-user"), "identity_missing");
    let approves = by_push(&asked, &rig);
    alice.is_approved(&mut rig, &request, &[approves]);
}

#[test]
fn end_that_duo_reports_is_shown_in_the_filters_words() {
    let mut rig = rig();
    let mut alice = Browser::of("alice");
    let words = "error_description=%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    for (error, code) in [
        ("access_denied", "mfa_denied"),
        ("server_error", "sign_in_lost"),
        ("x%3Cy", "sign_in_lost"),
    ] {
        let asked = starts(&mut rig, &mut alice, "/");
        let target = format!("{CALLBACK}?state={}&error={error}&{words}", asked.state());
        let refused = is_refused(&mut rig, &comes_back(&alice, &target), code);
        assert!(!refused.text().contains("alert(1)") && !refused.text().contains("x<y"));
        // The attempt is over: a code for it is not exchanged any more.
        is_refused(&mut rig, &back(&alice, asked.state()), "sign_in_lost");
        let target = format!("{CALLBACK}?error={error}&{words}");
        is_refused(&mut rig, &comes_back(&alice, &target), "bad_request");
    }
    let lines: Vec<_> = rig.signals.iter().map(|signal| format!("{signal:?}")).collect();
    assert!(lines.iter().any(|line| line.contains("access_denied")));
    assert!(!lines.iter().any(|line| line.contains("alert(1)") || line.contains("x<y")));
}

#[test]
fn callback_is_answered_in_every_mode_and_under_every_bypass_rule() {
    let bypass = json!({"rules": [{"paths": ["/*"], "policy": "bypass"}]});
    for changes in
        [json!({"mode": "report_only"}), json!({"mode": "off"}), json!({"access_control": bypass})]
    {
        let mut rig = rig_with(changes);
        let mut alice = Browser::of("alice");
        is_refused(&mut rig, &back(&alice, "SSSSSSSSSSSSSSSSSSSSSSSS"), "sign_in_lost");
        rig.send(&alice.opens("/"), &[]).admitted();
        let asked = starts(&mut rig, &mut alice, "/");
        let approves = by_push(&asked, &rig);
        let request = back(&alice, asked.state());
        alice.is_approved(&mut rig, &request, &[approves]);
    }
}

#[test]
fn state_of_one_application_is_lost_at_the_callback_of_another() {
    let mut rig = with_payments(json!({}));
    let mut alice = Browser::of("alice");
    let main = starts(&mut rig, &mut alice, "/");
    let payments = starts(&mut rig, &mut alice, "/pay/1");
    assert_eq!(payments.claims["client_id"], duo::OTHER_CLIENT_ID);
    let uri = payments.claims["redirect_uri"].as_str().unwrap();
    assert_eq!(uri, "https://app.example.com/.duo-mfa/callback/payments");
    let at = |state: &str, path: &str| {
        comes_back(&alice, &format!("{path}?state={state}&duo_code={CODE}"))
    };
    let other = format!("{CALLBACK}/payments");
    is_refused(&mut rig, &at(main.state(), &other), "sign_in_lost");
    is_refused(&mut rig, &at(payments.state(), CALLBACK), "sign_in_lost");
    let unknown = at(main.state(), &format!("{CALLBACK}/wiki"));
    let refused = rig.send(&unknown, &[]).answered();
    assert_eq!(refused.0.details, "duo_mfa_not_found");
    let request = at(payments.state(), &other);
    let claims = json!({"aud": duo::OTHER_CLIENT_ID});
    let claims = duo::claims(&payments.claims, rig.now, claims);
    let answer = token(&duo::signed(&claims, crate::rig::OTHER_CLIENT_SECRET));
    let page = alice.is_approved(&mut rig, &request, &[answer]);
    goes_on_to(&page, "/pay/1");
    // It opens what is the application's alone.
    rig.send(&alice.opens("/pay/1"), &[]).admitted();
    if let crate::rig::Outcome::Forwarded(_) = rig.send(&alice.opens("/"), &[]) {
        wrongly_admitted("an approval of another application");
    }
}

#[test]
fn path_that_was_wanted_is_kept_or_becomes_the_root() {
    for path in ["//evil.test", "/\\evil.test", "https://evil.test", "/%2f/evil.test", ""] {
        let mut rig = rig();
        let page = signs_in(&mut rig, &mut Browser::of("alice"), path);
        goes_on_to(&page, "/");
    }
    let path = |length: usize, letter: &str| format!("/{}", letter.repeat(length - 1));
    for length in [640, 641, 2_048] {
        let mut rig = rig();
        let page = signs_in(&mut rig, &mut Browser::of("alice"), &path(length, "p"));
        goes_on_to(&page, &path(length, "p"));
    }
    let mut rig = rig();
    let mut alice = Browser::of("alice");
    let older = starts(&mut rig, &mut alice, &path(2_048, "o"));
    let newer = starts(&mut rig, &mut alice, &path(2_048, "n"));
    let approves = by_push(&older, &rig);
    let request = back(&alice, older.state());
    goes_on_to(&alice.is_approved(&mut rig, &request, &[approves]), "/");
    let request = back(&alice, newer.state());
    goes_on_to(&alice.asks(&mut rig, &request, &[]), &path(2_048, "n"));
}

#[test]
fn rule_that_denies_the_page_meanwhile_denies_the_callback() {
    let mut before = rig();
    let mut alice = Browser::of("alice");
    let asked = starts(&mut before, &mut alice, "/reports");
    let rules = json!([{"paths": ["/reports"], "policy": "deny"}]);
    let mut after = rig_with(json!({"access_control": {"rules": rules}}));
    is_refused(&mut after, &back(&alice, asked.state()), "access_denied");
}

#[test]
fn rules_that_change_meanwhile_decide_about_the_return() {
    let section = json!({
        "api_host": "api-xxxxxxxx.duosecurity.com",
        "integration_key": "DIPAYMENTSXXXXXXXXXX",
        "secret_key": {"env": "OTHER_SECRET_KEY"},
        "universal": {
            "client_id": duo::OTHER_CLIENT_ID,
            "client_secret": {"env": "OTHER_CLIENT_SECRET"},
        },
    });
    let under = |rule: Value| {
        let elsewhere =
            json!({"paths": ["/x/*"], "policy": "two_factor", "application": "payments"});
        configured(json!({
            "applications": {"payments": {"duo": section}},
            "access_control": {"rules": [rule, elsewhere]},
        }))
    };
    let pay = |terms: Value| {
        let mut rule = json!({"paths": ["/pay/*"], "policy": "two_factor"});
        overlay(&mut rule, terms);
        rule
    };
    let mut before = Rig::with(under(pay(json!({}))));
    let mut alice = Browser::of("alice");
    let asked = starts(&mut before, &mut alice, "/pay/7");
    let request = back(&alice, asked.state());
    for (changed, code) in [
        (json!({"application": "payments"}), "sign_in_lost"),
        (json!({"approval": "per_request"}), "sign_in_lost"),
        (json!({"policy": "deny"}), "access_denied"),
    ] {
        let mut after = before.beside(under(pay(changed)));
        is_refused(&mut after, &request, code);
    }
    let approves = by_push(&asked, &before);
    alice.is_approved(&mut before, &request, &[approves]);
}
