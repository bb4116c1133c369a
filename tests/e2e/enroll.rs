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

/// Nora's browser after its form has started an enrollment.
fn begun(stack: &Stack) -> Browser {
    let mut nora = Browser::of("nora");
    let form = nora.submit(stack, ENROLL);
    assert_eq!((form.status, form.header("location")), (303, Some(ENROLL)), "{}", form.text());
    assert!(nora.has(PENDING));
    nora
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
    let mut nora = Browser::of("nora");
    assert_eq!(nora.open(&stack, "/reports").status, 403);
    let told = nora.fetch(&stack, "POST", "preauth").json();
    assert_eq!(
        (&told["result"], &told["enroll_url"]),
        (&json!("enroll"), &json!("/.duo-mfa/enroll"))
    );
    assert_eq!(stack.sim.calls("enroll"), 0, "nobody is made before a person says so");

    let mut nora = begun(&stack);
    let made = stack.sim.only_call("enroll");
    assert_eq!(made["params"]["username"], "nora");
    let page = nora.open(&stack, ENROLL);
    assert_eq!(page.status, 403, "{page:?}");
    assert!(page.text().contains("<svg"), "{}", page.text());
    assert_eq!(enroll_status(&mut nora, &stack), "waiting");
    assert_eq!(nora.open(&stack, "/reports").status, 403, "a code is no approval");

    scan(&stack, &page.text());
    assert_eq!(enroll_status(&mut nora, &stack), "done");
    assert!(!nora.has(PENDING) && !nora.has(APPROVAL), "a device is no approval: {:?}", nora.jar);
    assert_eq!(nora.open(&stack, "/reports").status, 403);
    nora.sign_in(&stack);
    nora.reaches_the_application(&stack, "/reports");
    assert_eq!([stack.sim.calls("enroll"), stack.sim.pushes()], [1, 1]);
}

#[test]
fn code_is_the_same_however_often_it_is_loaded() {
    let stack = stack("inline");
    let mut nora = begun(&stack);
    let code = |text: &str| text.split("duo://").nth(1).map(|it| it[..20].to_owned()).unwrap();
    let first = code(&nora.open(&stack, ENROLL).text());
    for _ in 0..4 {
        assert_eq!(nora.submit(&stack, ENROLL).header("location"), Some(ENROLL));
        assert_eq!(code(&nora.open(&stack, ENROLL).text()), first);
        assert_eq!(nora.fetch(&stack, "POST", "enroll").json()["result"], "waiting");
    }
    assert_eq!(stack.sim.calls("enroll"), 1);
}

#[test]
fn code_of_one_user_is_of_no_use_to_another() {
    let stack = stack("inline");
    let mut nora = Browser::of("nora");
    let forged = "/.duo-mfa/enroll?username=mallory&user=mallory&user_id=DU00000000000000000M";
    assert_eq!(nora.submit(&stack, forged).status, 303);
    assert_eq!(stack.sim.only_call("enroll")["params"]["username"], "nora");
    let asked = stack.sim.calls("enroll_status");

    let mut thief = Browser::of("bob");
    thief.jar.clone_from(&nora.jar);
    assert_eq!(thief.fetch(&stack, "GET", "enroll/status").json()["code"], "bad_request");
    let page = thief.open(&stack, ENROLL);
    assert_eq!((page.status, page.text().contains("duo://")), (400, false));
    assert_eq!(stack.sim.calls("enroll_status"), asked, "Duo is not asked about another's code");
    let chooser = thief.submit(&stack, ENROLL);
    assert_eq!(chooser.status, 200, "who has a device chooses it: {}", chooser.text());
    assert_eq!(stack.sim.calls("enroll"), 1);
}

/// Duo knows the name by then, and gives no second code for it.
#[test]
fn expired_code_leads_to_the_help_desk() {
    let stack = stack("inline");
    let mut nora = begun(&stack);
    stack.sim.expire_enrollments();
    assert_eq!(enroll_status(&mut nora, &stack), "expired");
    let page = nora.open(&stack, ENROLL);
    assert_eq!((page.status, page.text().contains("duo://")), (403, false));
    assert!(page.text().contains("Your help desk can set it up with you"), "{}", page.text());
    assert!(
        !page.text().contains("/.duo-mfa/enroll"),
        "no second code is offered: {}",
        page.text()
    );
    assert!(!nora.has(PENDING));
    let again = nora.submit(&stack, ENROLL);
    assert_eq!(again.status, 403, "{}", again.text());
    assert!(again.text().contains("Your help desk can set it up with you"), "{}", again.text());
    assert_eq!(stack.sim.calls("enroll"), 2);
    // The help desk gives the user a phone.
    let phone = json!({"platform": "Apple iOS", "capabilities": ["auto", "push"]});
    stack.sim.put_user(&json!({"username": "nora", "devices": [phone]}));
    nora.sign_in(&stack);
    nora.reaches_the_application(&stack, "/reports");
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
