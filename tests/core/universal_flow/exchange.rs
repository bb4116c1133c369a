//! Exchanging a code: one call of `token`, and every check of the id_token.

use super::*;
use crate::rig::{OTHER_CLIENT_SECRET, Progress, forwarded_header, says};
use duo_mfa::clock::ClockOffset;
use duo_mfa::gate::Unanswered;
use std::time::Duration;

/// Sends a callback, for which Duo answers, and gets a refusal without an approval.
#[track_caller]
fn is_refused(rig: &mut Rig, request: &Request, answer: Scripted, code: &str) -> Response {
    let before = tokens(rig);
    let refused = rig.send(request, &[answer]).answered();
    refused_with(&refused, code);
    assert_eq!(tokens(rig), before + 1);
    refused
}

/// An id_token for the sign-in with changed claims.
fn with(asked: &AuthorizeRequest, rig: &Rig, changes: Value) -> Scripted {
    token(&id_token(&asked.claims, rig.now, changes))
}

fn rules(rule: &Value) -> Rig {
    rig_with(json!({"access_control": {"rules": [rule]}}))
}

#[test]
fn code_is_exchanged_once_however_often_the_callback_comes() {
    let mut rig = rig();
    let mut alice = Browser::of("alice");
    let asked = starts(&mut rig, &mut alice, "/reports");
    let request = back(&alice, asked.state());
    let Progress::Waits(_, flow) = rig.start(&request) else { panic!("token is not called") };
    let second = rig.send(&request, &[]).answered();
    refused_with(&second, "sign_in_lost");
    assert!(second.text().contains(r#"href="/reports""#), "{}", second.text());
    let approves = by_push(&asked, &rig);
    let Progress::Done(outcome) = rig.resume(*flow, &approves) else { panic!("it goes on") };
    goes_on_to(&outcome.refused(), "/reports");
    assert_eq!(tokens(&rig), 1);
}

#[test]
fn code_of_another_sign_in_fails_at_the_nonce() {
    let mut rig = rig();
    let (mut alice, mut bob) = (Browser::of("alice"), Browser::of("bob"));
    let asked = starts(&mut rig, &mut alice, "/");
    let of_bob = starts(&mut rig, &mut bob, "/");
    let request = back(&alice, asked.state());
    let answer = with(&asked, &rig, json!({"nonce": of_bob.claims["nonce"]}));
    is_refused(&mut rig, &request, answer, "sign_in_lost");
    let lines: Vec<_> = rig.signals.iter().map(|signal| format!("{signal:?}")).collect();
    assert!(lines.iter().any(|line| line.contains("SignInLost")), "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("(nonce)")), "{lines:?}");
}

#[test]
fn id_token_for_another_user_approves_nobody() {
    let mut rig = rig();
    let mut alice = Browser::of("alice");
    let asked = starts(&mut rig, &mut alice, "/");
    let request = back(&alice, asked.state());
    let answer = with(&asked, &rig, json!({"preferred_username": "bob"}));
    let refused = is_refused(&mut rig, &request, answer, "other_user");
    assert!(!refused.text().contains("/start?"), "no button helps");
}

#[test]
fn id_token_of_another_application_is_refused() {
    for (changes, secret) in [
        (json!({}), OTHER_CLIENT_SECRET),
        (json!({"aud": duo::OTHER_CLIENT_ID}), crate::rig::CLIENT_SECRET),
        (
            json!({"iss": "https://api-yyyyyyyy.duosecurity.com/oauth/v1/token"}),
            crate::rig::CLIENT_SECRET,
        ),
    ] {
        let mut rig = rig();
        let mut alice = Browser::of("alice");
        let asked = starts(&mut rig, &mut alice, "/");
        let claims = duo::claims(&asked.claims, rig.now, changes);
        let answer = token(&duo::signed(&claims, secret));
        let request = back(&alice, asked.state());
        is_refused(&mut rig, &request, answer, "duo_misconfigured");
    }
}

#[test]
fn denied_result_approves_nobody() {
    for result in [
        json!({"result": "deny", "status": "deny"}),
        json!({"result": "allow", "status": "deny"}),
        Value::Null,
    ] {
        let mut rig = rig();
        let mut alice = Browser::of("alice");
        let asked = starts(&mut rig, &mut alice, "/");
        let answer = with(&asked, &rig, json!({"auth_result": result}));
        let request = back(&alice, asked.state());
        is_refused(&mut rig, &request, answer, "duo_denied");
    }
}

#[test]
fn code_that_duo_does_not_take_leads_to_a_button() {
    let mut rig = rig();
    let mut alice = Browser::of("alice");
    let asked = starts(&mut rig, &mut alice, "/reports");
    let request = back(&alice, asked.state());
    let refused = is_refused(&mut rig, &request, duo::error("invalid_grant"), "sign_in_lost");
    let text = refused.text();
    assert!(text.contains(r#"href="/reports""#) && !text.contains("http-equiv"), "{text}");
}

#[test]
fn state_that_another_envoy_has_used_is_left_to_duo() {
    let mut alice = Browser::of("alice");
    let (mut one, mut other) = (rig(), rig());
    let asked = starts(&mut one, &mut alice, "/");
    let request = back(&alice, asked.state());
    let approves = by_push(&asked, &one);
    alice.clone().is_approved(&mut one, &request, &[approves]);
    is_refused(&mut other, &request, duo::error("invalid_grant"), "sign_in_lost");
}

#[test]
fn token_that_fails_is_not_called_again_and_opens_nothing() {
    let large = format!(r#"{{"id_token":"{}"}}"#, "x".repeat(70_000));
    for answer in [
        says(504, "upstream request timeout"),
        says(502, "<h1>Bad gateway</h1>"),
        Scripted::Fails(Unanswered::Cut),
        Scripted::Fails(Unanswered::NotSent),
        says(200, large),
        says(200, "<html>"),
        says(201, "{}"),
        duo::error("invalid_client"),
        duo::error("server_error"),
    ] {
        let mut rig = rig_with(json!({"duo": {"fail_mode": "safe"}}));
        let mut alice = Browser::of("alice");
        let asked = starts(&mut rig, &mut alice, "/reports");
        rig.check_meets(&says(503, "upstream connect error"));
        let request = back(&alice, asked.state());
        let refused = rig.send(&request, std::slice::from_ref(&answer)).answered();
        assert_eq!(refused.0.status, 503, "{answer:?}");
        is_confidential(&refused);
        let again = rig.send(&request, &[]).answered();
        refused_with(&again, "sign_in_lost");
        assert_eq!(tokens(&rig), 1);
    }
}

#[test]
fn host_whose_clock_is_off_signs_in_by_duos_time() {
    for offset in [-600, 600] {
        let mut rig = rig();
        rig.offsets[0] = ClockOffset::from_seconds(offset);
        let mut alice = Browser::of("alice");
        let theirs = rig.now.shifted(rig.offsets[0]);
        let request = alice.submits(&start_at("/"));
        let answer = alice.asks(&mut rig, &request, &[healthy_at(theirs)]);
        let asked = departs(&answer);
        assert_eq!(asked.claims["exp"], theirs.seconds() + 300);
        let request = back(&alice, asked.state());
        let approves = token(&id_token(&asked.claims, theirs, json!({})));
        alice.is_approved(&mut rig, &request, &[approves]);
        rig.send(&alice.opens("/"), &[]).admitted();
    }
}

#[test]
fn age_that_a_rule_wants_is_asked_for_and_checked() {
    let rule = json!({"paths": ["/admin/*"], "policy": "two_factor", "max_age": "5m"});
    let mut rig = rules(&rule);
    let mut alice = Browser::of("alice");
    let asked = starts(&mut rig, &mut alice, "/admin/x");
    assert_eq!(asked.claims["max_age"], 300);
    // The user has taken it out of the URL, and Duo remembers the session of an hour ago.
    let old = json!({"auth_time": rig.now.seconds() - 3_600});
    let answer = with(&asked, &rig, old);
    let request = back(&alice, asked.state());
    let refused = is_refused(&mut rig, &request, answer, "mfa_insufficient");
    let text = refused.text();
    assert!(text.contains("href=\"/admin/x\"") && !text.contains("http-equiv"), "{text}");
    let asked = starts(&mut rig, &mut alice, "/admin/x");
    let approves = by_push(&asked, &rig);
    let request = back(&alice, asked.state());
    goes_on_to(&alice.is_approved(&mut rig, &request, &[approves]), "/admin/x");
    rig.send(&alice.opens("/admin/x"), &[]).admitted();
    rig.now = rig.now.plus(Duration::from_secs(301));
    alice.asks(&mut rig, &alice.opens("/admin/x"), &[]);
}

#[test]
fn session_at_duo_is_not_older_than_an_approval_may_be() {
    let rule = json!({"paths": ["/admin/*"], "policy": "two_factor", "max_age": "12h"});
    let mut rig = rules(&rule);
    let mut alice = Browser::of("alice");
    let asked = starts(&mut rig, &mut alice, "/admin/x");
    assert_eq!(asked.claims["max_age"], 8 * 3_600, "session.expiration");
    let nine_hours_ago = json!({"auth_time": rig.now.seconds() - 9 * 3_600});
    let answer = with(&asked, &rig, nine_hours_ago);
    let request = back(&alice, asked.state());
    is_refused(&mut rig, &request, answer, "mfa_insufficient");
}

#[test]
fn time_at_duos_page_does_not_age_the_approval() {
    let mut rig = rules(&json!({"paths": ["/*"], "policy": "two_factor", "max_age": "5m"}));
    let mut alice = Browser::of("alice");
    let asked = starts(&mut rig, &mut alice, "/");
    rig.now = rig.now.plus(Duration::from_secs(600));
    let approves = by_push(&asked, &rig);
    let request = back(&alice, asked.state());
    goes_on_to(&alice.is_approved(&mut rig, &request, &[approves]), "/");
    rig.send(&alice.opens("/"), &[]).admitted();
}

#[test]
fn form_leads_to_duos_page_under_the_rule_of_its_method_and_back() {
    let rule = json!({"paths": ["/transfer"], "methods": ["POST"], "policy": "two_factor",
        "max_age": "5m"});
    let mut rig = rules(&rule);
    let mut alice = Browser::of("alice");
    signs_in(&mut rig, &mut alice, "/");
    rig.now = rig.now.plus(Duration::from_secs(301));
    rig.send(&alice.opens("/transfer"), &[]).admitted();
    let page = alice.asks(&mut rig, &alice.submits("/transfer"), &[]).text();
    let button = r#"formaction="/.duo-mfa/start?return_to=%2Ftransfer&amp;method=POST&amp;"#;
    assert!(page.contains(button), "{page}");

    let start = alice.submits(&format!("{}&method=POST", start_at("/transfer")));
    let asked = departs(&alice.asks(&mut rig, &start, &[healthy()]));
    assert_eq!(asked.claims["max_age"], 300);
    let approves = with(&asked, &rig, json!({"auth_time": rig.now.seconds()}));
    let back = back(&alice, asked.state());
    goes_on_to(&alice.is_approved(&mut rig, &back, &[approves]), "/transfer");
    rig.send(&alice.submits("/transfer"), &[]).admitted();
}

#[test]
fn session_that_duo_remembers_is_no_fresh_factor_elsewhere() {
    let mut rig = rules(&json!({"paths": ["/admin/*"], "policy": "two_factor", "max_age": "5m"}));
    let mut alice = Browser::of("alice");
    let asked = starts(&mut rig, &mut alice, "/");
    let old = json!({"auth_time": rig.now.seconds() - 3_600});
    let answer = with(&asked, &rig, old);
    let request = back(&alice, asked.state());
    goes_on_to(&alice.is_approved(&mut rig, &request, &[answer]), "/");
    let forward = rig.send(&alice.opens("/"), &[]).admitted();
    assert_eq!(forwarded_header(&forward, "x-duo-mfa-factor").as_deref(), Some("remembered"));
    alice.asks(&mut rig, &alice.opens("/admin/x"), &[]);
}

#[test]
fn factor_that_the_rule_does_not_accept_serves_where_it_does() {
    let rule = json!({"paths": ["/admin/*"], "policy": "two_factor", "factors": ["phone"]});
    for (factor, name) in [("duo_push", "push"), ("bypass_code", "passcode")] {
        let mut rig = rules(&rule);
        let mut alice = Browser::of("alice");
        let asked = starts(&mut rig, &mut alice, "/admin/x");
        let answer = by(&asked, &rig, factor);
        let request = back(&alice, asked.state());
        let refused = alice.is_approved(&mut rig, &request, &[answer]);
        refused_with(&refused, "mfa_insufficient");
        assert!(refused.text().contains("href=\"/admin/x\""));
        let forward = rig.send(&alice.opens("/"), &[]).admitted();
        assert_eq!(forwarded_header(&forward, "x-duo-mfa-factor").as_deref(), Some(name));
        alice.asks(&mut rig, &alice.opens("/admin/x"), &[]);
        assert_eq!(asked.claims.get("prompt"), None);
        let again = starts(&mut rig, &mut alice, "/admin/x");
        assert_eq!(again.claims["prompt"], "login", "Duo would repeat a remembered approval");
    }
}

#[test]
fn user_with_bypass_at_duo_passes_as_before() {
    let rule = json!({"paths": ["/*"], "policy": "two_factor", "factors": ["phone"]});
    let mut rig = rules(&rule);
    let mut alice = Browser::of("alice");
    let asked = starts(&mut rig, &mut alice, "/");
    let context = json!({"auth_context": {"factor": null, "reason": "bypass_user"}});
    let answer = with(&asked, &rig, context);
    let request = back(&alice, asked.state());
    alice.is_approved(&mut rig, &request, &[answer]);
    let forward = rig.send(&alice.opens("/"), &[]).admitted();
    assert_eq!(forwarded_header(&forward, "x-duo-mfa-factor").as_deref(), Some("bypass"));
}

#[test]
fn neither_logs_nor_pages_hold_a_secret_a_code_or_a_token() {
    let mut rig = rig();
    let mut alice = Browser::of("alice");
    let mut texts = Vec::new();
    let mut secrets = vec![crate::rig::CLIENT_SECRET.to_owned(), CODE.to_owned()];
    for changes in
        [json!({}), json!({"nonce": "n".repeat(43)}), json!({"preferred_username": "bob"})]
    {
        let mut browser = Browser::of("alice");
        let asked = starts(&mut rig, &mut browser, "/reports");
        let jwt = id_token(&asked.claims, rig.now, changes);
        secrets.extend([asked.state().to_owned(), jwt.clone()]);
        secrets.push(asked.claims["nonce"].as_str().unwrap().to_owned());
        let outcome = rig.send(&back(&browser, asked.state()), &[token(&jwt)]).refused();
        texts.push(outcome.text());
    }
    let asked = starts(&mut rig, &mut alice, "/");
    let down = says(502, "");
    texts.push(rig.send(&back(&alice, asked.state()), &[down]).answered().text());
    texts.extend(rig.signals.iter().chain(&rig.undone).map(|signal| format!("{signal:?}")));
    for text in &texts {
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "{secret} in {text}");
        }
    }
}
