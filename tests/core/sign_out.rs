//! Sign-outs: with the page, and at an address of the first factor.

use crate::browser::{Browser, posted};
use crate::rig::{
    Outcome, Request, Rig, allows, approval, get, is_deletion, one_phone, started, status,
};
use duo_mfa::gate::{Forward, NewCookie};
use serde_json::{Value, json};

const STATUS: &str = "/.duo-mfa/status";
const APPROVAL: &str = "__Host-duo_mfa";
const LOGOUT: &str = "/.duo-mfa/logout?next=%2Foauth2%2Fsign_out%3Frd%3D%2F";

fn signing_out() -> Rig {
    with_rules(&json!([]))
}

fn with_rules(rules: &Value) -> Rig {
    Rig::with(json!({
        "session": {"logout_paths": ["/oauth2/sign_out", "/logout"]},
        "access_control": {"rules": rules},
    }))
}

fn approved(rig: &mut Rig) -> (Browser, Browser) {
    let mut alice = Browser::pushed(rig);
    let before = alice.clone();
    alice.is_approved(rig, &alice.fetches(STATUS), &[allows()]);
    (alice, before)
}

/// The names of the cookies that the response deletes.
fn deleted(forward: &Forward) -> Vec<String> {
    let Some(NewCookie::SignedOut(lines)) = &forward.cookie else { return Vec::new() };
    let text = |line: &duo_mfa::http::HeaderValue| {
        let line = String::from_utf8(line.as_bytes().to_vec()).unwrap();
        assert!(is_deletion(&line), "{line}");
        line.split_once('=').unwrap().0.to_owned()
    };
    let mut names: Vec<_> = lines.iter().map(text).collect();
    names.sort();
    names
}

const ALL: [&str; 3] = ["__Host-duo_mfa", "__Host-duo_operation", "__Host-duo_txn"];

#[test]
fn a_get_shows_a_page_and_signs_nobody_out() {
    let mut rig = Rig::new();
    let (mut alice, _) = approved(&mut rig);
    for path in ["/.duo-mfa/logout", LOGOUT] {
        let page = alice.asks(&mut rig, &alice.opens(path), &[]);
        assert_eq!((page.0.status, page.cookies()), (200, Vec::new()));
        assert!(page.text().contains("Sign out?"), "{}", page.text());
        let form = format!("formaction=\"{path}\"");
        assert!(page.text().contains(&form), "{}", page.text());
        let link = alice.opens(path).without("sec-fetch-site").with("sec-fetch-site", "cross-site");
        assert!(alice.asks(&mut rig, &link, &[]).cookies().is_empty());
    }
    for request in [alice.fetches(LOGOUT), get(LOGOUT)] {
        let refused = alice.asks(&mut rig, &request, &[]);
        assert_eq!((refused.0.status, refused.code().as_str()), (405, "method_not_allowed"));
    }
    rig.send(&alice.opens("/reports"), &[]).admitted();
}

#[test]
fn a_form_signs_out_and_leads_on_but_never_elsewhere() {
    for (next, leads_to) in [
        ("?next=%2Foauth2%2Fsign_out%3Frd%3D%2F", "/oauth2/sign_out?rd=/"),
        ("?next=https%3A%2F%2Fevil.example", "/"),
        ("?next=%2F%2Fevil.example", "/"),
        ("?next=%2F%5Cevil.example", "/"),
        ("?next=%2Fa%2F..%2F..%2Fb", "/"),
        ("?next=", "/"),
    ] {
        let mut rig = Rig::new();
        let (mut alice, _) = approved(&mut rig);
        let form = alice.submits(&format!("/.duo-mfa/logout{next}"));
        let page = alice.asks(&mut rig, &form, &[]);
        assert_eq!(page.0.status, 200);
        let refresh = format!("<meta http-equiv=\"refresh\" content=\"0;url={leads_to}\">");
        assert!(page.text().contains(&refresh), "{next}: {}", page.text());
        assert!(page.text().contains(&format!("href=\"{leads_to}\"")), "{next}");
        assert!(!alice.has(APPROVAL));
    }
    let mut rig = Rig::new();
    let (mut alice, _) = approved(&mut rig);
    let page = alice.asks(&mut rig, &alice.submits("/.duo-mfa/logout"), &[]);
    assert!(!page.text().contains("http-equiv"), "nowhere to go on to");
    let (mut alice, _) = approved(&mut rig);
    let foreign = alice.submits(LOGOUT).without("sec-fetch-site");
    let foreign = foreign.with("sec-fetch-site", "cross-site");
    assert_eq!(alice.asks(&mut rig, &foreign, &[]).0.details, "duo_mfa_cross_site");
    assert!(alice.has(APPROVAL));
}

#[test]
fn the_first_factors_sign_out_ends_the_approval_and_the_sign_in() {
    for path in ["/oauth2/sign_out", "/oauth2/sign_out?rd=%2F", "/logout"] {
        let mut rig = signing_out();
        let (alice, replay) = approved(&mut rig);
        let forward = rig.send(&alice.opens(path), &[]).admitted();
        assert_eq!(deleted(&forward), ALL, "{path}");
        let again = rig.send(&replay.fetches(STATUS), &[allows()]).answered();
        assert_eq!(again.0.status, 400, "the sign-in gives no other approval: {}", again.text());
    }
}

/// The first factor may not name the user on a sign-out request.
#[test]
fn a_bypassed_sign_out_ends_the_approval_of_a_user_who_is_not_named() {
    let rules = json!([{"paths": ["/oauth2/*"], "policy": "bypass"}]);
    let mut rig = with_rules(&rules);
    let (alice, replay) = approved(&mut rig);
    let nameless = alice.opens("/oauth2/sign_out").without("x-basic-user");
    assert_eq!(deleted(&rig.send(&nameless, &[]).admitted()), ALL);
    let again = rig.send(&replay.fetches(STATUS), &[allows()]).answered();
    assert_eq!(again.0.status, 400, "{}", again.text());
}

#[test]
fn a_sign_out_opens_nothing_and_no_other_path_signs_out() {
    let mut rig = signing_out();
    let nobody = Browser::of("alice");
    assert_eq!(rig.send(&nobody.opens("/logout"), &[]).answered().0.status, 403);
    let denied = with_rules(&json!([{"paths": ["/logout"], "policy": "deny"}]));
    let mut denied = denied;
    let (alice, _) = approved(&mut denied);
    let refused = denied.send(&alice.opens("/logout"), &[]).answered();
    assert_eq!(refused.0.details, "duo_mfa_access_denied");
    let (alice, _) = approved(&mut rig);
    for path in ["/logout/", "/Logout", "/%6cogout", "/logout/x", "/oauth2/sign_out/"] {
        let forward = rig.send(&alice.opens(path), &[]).admitted();
        assert_eq!(forward.cookie, None, "{path}");
    }
    assert_eq!(rig.send(&alice.opens("/reports"), &[]).admitted().cookie, None);
}

#[test]
fn a_held_sign_out_gets_no_approval() {
    let mut rig = signing_out();
    let script = [one_phone(), started(), status("allow", "allow")];
    let forward = rig.send(&get("/logout"), &script).admitted();
    assert_eq!(deleted(&forward), ALL);
    let script = [one_phone(), started(), status("allow", "allow")];
    assert!(!approval(&rig.send(&get("/reports"), &script).admitted()).is_empty());
}

#[test]
fn a_sign_out_by_a_form_of_the_application_ends_the_approval_too() {
    let mut rig = signing_out();
    let (alice, _) = approved(&mut rig);
    let form: Request = posted(alice.opens("/logout"));
    let Outcome::Forwarded(forward) = rig.send(&form, &[]) else { panic!("it goes on") };
    assert_eq!(deleted(&forward), ALL);
}
