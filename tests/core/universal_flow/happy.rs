//! Sign-ins that succeed.

use super::*;
use crate::rig::{forwarded_header, is_deletion};

#[test]
fn page_leads_to_duo_by_a_button_and_calls_nothing() {
    let mut rig = rig();
    let mut alice = Browser::of("alice");
    let page = alice.asks(&mut rig, &alice.opens("/reports?q=1"), &[]);
    assert_eq!((page.0.status, page.0.details.as_str()), (403, "duo_mfa_mfa_required"));
    let text = page.text();
    assert!(text.contains("alice") && !text.contains("<script"), "{text}");
    assert_eq!(text.matches("<button").count(), 1);
    let action = r#"formaction="/.duo-mfa/start?return_to=%2Freports%3Fq%3D1&amp;reference="#;
    assert!(text.contains(action), "{text}");
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains(&format!("form-action 'self' {};", duo::HOST)), "{policy}");
    assert!(rig.called().is_empty());
}

#[test]
fn button_asks_whether_duo_is_there_and_leads_to_its_page() {
    let mut rig = rig();
    let mut alice = Browser::of("alice");
    let request = alice.submits(&start_at("/reports"));
    let answer = alice.asks(&mut rig, &request, &[healthy()]);
    assert_eq!(rig.called(), ["health_check"]);
    let asked = departs(&answer);
    assert!(asked.url.starts_with(&format!("{}/oauth/v1/authorize?", duo::HOST)), "{}", asked.url);
    let expected = [
        ("client_id", duo::CLIENT_ID),
        ("iss", duo::CLIENT_ID),
        ("aud", duo::HOST),
        ("scope", "openid"),
        ("response_type", "code"),
        ("duo_uname", "alice"),
        ("dest_app_name", "app.example.com"),
        ("redirect_uri", "https://app.example.com/.duo-mfa/callback"),
    ];
    for (name, value) in expected {
        assert_eq!(asked.claims[name], value, "{name}");
    }
    assert_eq!(asked.claims["exp"], 1_800_000_300);
    assert_eq!(asked.claims["use_duo_code_attribute"], true);
    assert_eq!(asked.claims.get("max_age"), None);
    assert_eq!(asked.claims["nonce"].as_str().unwrap().len(), 43);
    let cookies = answer.cookies();
    assert_eq!(cookies.len(), 1);
    let line = &cookies[0];
    assert!(line.starts_with("__Host-duo_universal="), "{line}");
    let attributes = "; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=900";
    assert!(line.ends_with(attributes), "{line}");
}

#[test]
fn approval_at_duo_leads_to_the_page_that_was_wanted() {
    let mut rig = rig();
    let mut alice = Browser::of("alice");
    let page = signs_in(&mut rig, &mut alice, "/reports?q=1&r=%C3%A9");
    goes_on_to(&page, "/reports?q=1&r=%C3%A9");
    assert_eq!(rig.called(), ["health_check", "token"]);
    assert!(alice.has(COOKIE), "other tabs need it");
    let forward = rig.send(&alice.opens("/reports?q=1"), &[]).admitted();
    assert_eq!(forwarded_header(&forward, "x-duo-mfa-user").as_deref(), Some("alice"));
    assert_eq!(forwarded_header(&forward, "x-duo-mfa-factor").as_deref(), Some("push"));
}

#[test]
fn script_gets_the_address_of_duos_page() {
    let mut rig = rig();
    let mut alice = Browser::of("alice");
    let answer = alice.asks(&mut rig, &alice.posts(&start_at("/")), &[healthy()]);
    assert_eq!(answer.0.status, 200);
    let location = answer.json()["location"].as_str().unwrap().to_owned();
    let asked = AuthorizeRequest::of(&location);
    let approves = by_push(&asked, &rig);
    let request = back(&alice, asked.state());
    goes_on_to(&alice.is_approved(&mut rig, &request, &[approves]), "/");
}

#[test]
fn two_tabs_finish_in_either_order() {
    for order in [[0, 1], [1, 0]] {
        let mut rig = rig();
        let mut alice = Browser::of("alice");
        let asked = [starts(&mut rig, &mut alice, "/a"), starts(&mut rig, &mut alice, "/b")];
        let [first, second] = order;
        let approves = by_push(&asked[first], &rig);
        let request = back(&alice, asked[first].state());
        let page = alice.is_approved(&mut rig, &request, &[approves]);
        goes_on_to(&page, ["/a", "/b"][first]);
        // The other tab finds the approval, and Duo is not asked again.
        let request = back(&alice, asked[second].state());
        goes_on_to(&alice.asks(&mut rig, &request, &[]), ["/a", "/b"][second]);
        assert_eq!(tokens(&rig), 1);
    }
}

#[test]
fn callback_that_is_loaded_again_leads_to_the_page() {
    let mut rig = rig();
    let mut alice = Browser::of("alice");
    let asked = starts(&mut rig, &mut alice, "/reports");
    let approves = by_push(&asked, &rig);
    let request = back(&alice, asked.state());
    alice.is_approved(&mut rig, &request, &[approves]);
    for _ in 0..2 {
        let request = back(&alice, asked.state());
        goes_on_to(&alice.asks(&mut rig, &request, &[]), "/reports");
    }
    assert_eq!(tokens(&rig), 1);
}

#[test]
fn start_with_an_approval_asks_nobody() {
    let mut rig = rig();
    let mut alice = Browser::of("alice");
    signs_in(&mut rig, &mut alice, "/");
    let answer = alice.asks(&mut rig, &alice.submits(&start_at("/reports")), &[]);
    assert_eq!(answer.0.status, 303);
    assert_eq!(answer.header("location").as_deref(), Some("/reports"));
}

#[test]
fn sign_out_takes_the_browsers_cookie_back() {
    let mut rig = rig();
    let mut alice = Browser::of("alice");
    let asked = starts(&mut rig, &mut alice, "/reports");
    let out = alice.asks(&mut rig, &alice.posts("/.duo-mfa/logout"), &[]);
    let deletions: Vec<_> = out.cookies().into_iter().filter(|line| is_deletion(line)).collect();
    assert!(deletions.iter().any(|line| line.starts_with(COOKIE)), "{deletions:?}");
    assert!(!alice.has(COOKIE));
    let request = back(&alice, asked.state());
    refused_with(&alice.asks(&mut rig, &request, &[]), "sign_in_lost");
    assert_eq!(tokens(&rig), 0);
}
