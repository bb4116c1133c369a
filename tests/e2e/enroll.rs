//! Users without a device, in a real Envoy: the page for each `duo.enrollment`, and the activation of a first
//! device on the page.

use serde_json::{Value, json};

use crate::browser::{Browser, PENDING};
use crate::message::Request;
use crate::setup::Setup;
use crate::stack::{APPROVAL, Stack};

const ENROLL: &str = "/.duo-mfa/enroll?return_to=%2Freports";

fn stack(enrollment: &str) -> Stack {
    Stack::start(Setup::default().plugin(json!({"duo": {"enrollment": enrollment}})))
}

/// Dave's browser after its form has started an enrollment.
fn begun(stack: &Stack) -> Browser {
    let mut dave = Browser::of("dave");
    let form = dave.submit(stack, ENROLL);
    assert_eq!((form.status, form.header("location")), (303, Some(ENROLL)), "{}", form.text());
    assert!(dave.has(PENDING));
    dave
}

/// Activates the code under the picture, as Duo Mobile does.
fn scan(stack: &Stack, page: &str) {
    let start = page.find("duo://").expect("the code as text");
    let code = page[start..].split('<').next().unwrap();
    stack.sim.claim(code);
}

fn enroll_status(browser: &mut Browser, stack: &Stack) -> Value {
    browser.fetch(stack, "GET", "enroll/status").json()["result"].clone()
}

#[test]
fn scanned_code_leads_to_the_first_push() {
    let stack = stack("inline");
    let mut dave = Browser::of("dave");
    assert_eq!(dave.open(&stack, "/reports").status, 403);
    let told = dave.fetch(&stack, "POST", "preauth").json();
    assert_eq!(
        (&told["result"], &told["enroll_url"]),
        (&json!("enroll"), &json!("/.duo-mfa/enroll"))
    );
    assert_eq!(stack.sim.calls("enroll"), 0, "nobody is made before a person says so");

    let mut dave = begun(&stack);
    let made = stack.sim.only_call("enroll");
    assert_eq!(made["params"]["username"], "dave");
    let page = dave.open(&stack, ENROLL);
    assert_eq!(page.status, 403, "{page:?}");
    assert!(page.text().contains("<svg"), "{}", page.text());
    assert_eq!(enroll_status(&mut dave, &stack), "waiting");
    assert_eq!(dave.open(&stack, "/reports").status, 403, "a code is no approval");

    scan(&stack, &page.text());
    assert_eq!(enroll_status(&mut dave, &stack), "done");
    assert!(!dave.has(PENDING) && !dave.has(APPROVAL), "a device is no approval: {:?}", dave.jar);
    assert_eq!(dave.open(&stack, "/reports").status, 403);
    dave.sign_in(&stack);
    dave.reaches_the_application(&stack, "/reports");
    assert_eq!([stack.sim.calls("enroll"), stack.sim.pushes()], [1, 1]);
}

#[test]
fn code_is_the_same_however_often_it_is_loaded() {
    let stack = stack("inline");
    let mut dave = begun(&stack);
    let code = |text: &str| text.split("duo://").nth(1).map(|it| it[..20].to_owned()).unwrap();
    let first = code(&dave.open(&stack, ENROLL).text());
    for _ in 0..4 {
        assert_eq!(dave.submit(&stack, ENROLL).header("location"), Some(ENROLL));
        assert_eq!(code(&dave.open(&stack, ENROLL).text()), first);
        assert_eq!(dave.fetch(&stack, "POST", "enroll").json()["result"], "waiting");
    }
    assert_eq!(stack.sim.calls("enroll"), 1);
}

#[test]
fn code_of_one_user_is_of_no_use_to_another() {
    let stack = stack("inline");
    let mut dave = Browser::of("dave");
    let forged = "/.duo-mfa/enroll?username=mallory&user=mallory&user_id=DU00000000000000000M";
    assert_eq!(dave.submit(&stack, forged).status, 303);
    assert_eq!(stack.sim.only_call("enroll")["params"]["username"], "dave");
    let asked = stack.sim.calls("enroll_status");

    let mut thief = Browser::of("bob");
    thief.jar.clone_from(&dave.jar);
    assert_eq!(thief.fetch(&stack, "GET", "enroll/status").json()["code"], "bad_request");
    let page = thief.open(&stack, ENROLL);
    assert_eq!((page.status, page.text().contains("duo://")), (400, false));
    assert_eq!(stack.sim.calls("enroll_status"), asked, "Duo is not asked about another's code");
    let chooser = thief.submit(&stack, ENROLL);
    assert_eq!(chooser.status, 200, "who has a device chooses it: {}", chooser.text());
    assert_eq!(stack.sim.calls("enroll"), 1);
}

#[test]
fn expired_code_is_reported_and_given_up() {
    let stack = stack("inline");
    let mut dave = begun(&stack);
    // The simulator forgets all activation codes.
    stack.sim.reset();
    let mut by_form = dave.clone();
    assert_eq!(enroll_status(&mut dave, &stack), "expired");
    assert!(!dave.has(PENDING));
    let page = by_form.open(&stack, ENROLL);
    assert_eq!((page.status, page.text().contains("duo://")), (403, false));
    assert!(!by_form.has(PENDING));
    assert_eq!(dave.submit(&stack, ENROLL).status, 303, "another code is to be had");
    assert_eq!(stack.sim.calls("enroll"), 1);
}

#[test]
fn portal_of_duo_is_named_and_no_user_is_created() {
    let stack = stack("portal");
    let mut dave = Browser::of("dave");
    let told = dave.fetch(&stack, "POST", "preauth").json();
    assert_eq!(told["result"], "enroll");
    let portal = told["enroll_url"].as_str().expect("Duo's address").to_owned();
    assert!(portal.starts_with("https://api-sim.duosecurity.test/portal?"), "{portal}");
    let page = dave.submit(&stack, "/.duo-mfa/preauth?return_to=%2Freports");
    assert_eq!(page.status, 403, "{page:?}");
    let link = format!("href=\"{}\"", portal.split('?').next().unwrap());
    assert!(page.text().contains(link.trim_end_matches('"')), "{}", page.text());
    refuses_the_addresses(&mut dave, &stack);

    let phone = json!({"platform": "Apple iOS", "capabilities": ["auto", "push"]});
    stack.sim.put_user(&json!({"username": "dave", "devices": [phone]}));
    dave.sign_in(&stack);
    dave.reaches_the_application(&stack, "/reports");
}

#[test]
fn where_it_is_off_the_addresses_are_not_there() {
    let stack = stack("off");
    let mut dave = Browser::of("dave");
    let told = dave.fetch(&stack, "POST", "preauth").json();
    assert_eq!((&told["result"], &told["enroll_url"]), (&json!("enroll"), &Value::Null));
    let page = dave.submit(&stack, "/.duo-mfa/preauth?return_to=%2Freports");
    assert_eq!((page.status, page.text().contains("/portal?")), (403, false));
    refuses_the_addresses(&mut dave, &stack);
}

/// Asserts that the endpoints of enrollment refuse, as they do unless `enrollment` is `inline`.
fn refuses_the_addresses(browser: &mut Browser, stack: &Stack) {
    for (method, endpoint) in [("GET", "enroll"), ("POST", "enroll"), ("GET", "enroll/status")] {
        browser.fetch(stack, method, endpoint).assert_problem(404, "not_found");
    }
    assert_eq!(stack.sim.calls("enroll"), 0);
    assert_eq!(stack.sim.pushes(), 0);
}

#[test]
fn held_request_of_a_user_without_a_device_is_refused() {
    for enrollment in ["inline", "portal", "off"] {
        let stack = stack(enrollment);
        let reply = stack.denied(&Request::get("/reports").user("dave"));
        reply.assert_problem(403, "enrollment_required");
        assert_eq!([stack.sim.calls("enroll"), stack.sim.calls("auth")], [0, 0], "{enrollment}");
    }
}
