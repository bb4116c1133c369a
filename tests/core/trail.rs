//! One reference from the first page of a sign-in to its last line in the log.

use crate::browser::Browser;
use crate::rig::{Response, Rig, get, is_reference, one_phone, started, status};
use serde_json::Value;

/// The reference that a page shows, and the ticket that its script sends.
fn shown(page: &Response) -> (String, String) {
    let text = page.text();
    let between = |start: &str, end: char| {
        text.split_once(start).unwrap().1.split_once(end).unwrap().0.to_owned()
    };
    let reference = between("<code id=\"reference\">", '<');
    assert!(is_reference(&reference), "{reference}");
    (reference, between("data-ticket=\"", '"'))
}

/// The references of all lines.
fn references(rig: &Rig) -> Vec<Value> {
    rig.lines().iter().map(|line| line["reference"].clone()).collect()
}

#[test]
fn page_answers_phone_and_lines_share_the_reference() {
    let mut rig = Rig::new();
    let mut alice = Browser::of("alice");
    let page = alice.asks(&mut rig, &alice.opens("/reports"), &[]);
    let (reference, ticket) = shown(&page);
    let to = format!("return_to=%2Freports&reference={ticket}");

    let choices = alice.posts(&format!("/.duo-mfa/preauth?{to}"));
    let choices = alice.asks(&mut rig, &choices, &[one_phone()]);
    assert_eq!(choices.json()["reference"], reference);
    let push = alice.posts(&format!("/.duo-mfa/auth?factor=push&{to}"));
    let waiting = alice.asks(&mut rig, &push, &[one_phone(), started()]);
    assert_eq!(waiting.json()["reference"], reference);
    assert_eq!(rig.phone_reference(rig.calls.len() - 1), reference);

    // The page again, in a tab that knows nothing of the first one.
    let (again, _) = shown(&alice.asks(&mut rig, &alice.opens("/reports"), &[]));
    assert_eq!(again, reference);
    let denied = alice.fetches("/.duo-mfa/status");
    let denied = alice.asks(&mut rig, &denied, &[status("deny", "deny")]);
    assert_eq!(denied.json()["reference"], reference);

    let last = rig.lines().pop().unwrap();
    assert_eq!(last["code"], "mfa_denied");
    for (member, value) in [
        ("user", "alice"),
        ("duo_user", "alice"),
        ("client", "192.0.2.7"),
        ("client_kind", "script"),
        ("method", "GET"),
        ("path", "/reports"),
        ("endpoint", "status"),
        ("factor", "push"),
        ("device", "DPFZRS9FB0D46QFTM891"),
        ("device_name", "iOS (XXX-XXX-0100)"),
        ("request_id", "7f3a19c2-1111-4222-8333-444444444444"),
    ] {
        assert_eq!(last[member], value, "{member}: {last}");
    }
    assert!(last["waited_ms"].is_u64() && last["txid"].is_string(), "{last}");
    assert!(references(&rig).iter().all(|it| *it == *reference), "{:?}", rig.lines());
}

#[test]
fn page_continues_only_a_reference_that_was_made_for_its_user() {
    let mut rig = Rig::new();
    let mut alice = Browser::of("alice");
    let (reference, ticket) = shown(&alice.asks(&mut rig, &alice.opens("/"), &[]));
    let preauth = |browser: &Browser, ticket: &str| {
        browser.posts(&format!("/.duo-mfa/preauth?return_to=%2F&reference={ticket}"))
    };
    let mut forged = ticket.clone();
    forged.replace_range(..1, if ticket.starts_with('A') { "B" } else { "A" });
    let bob = Browser::of("bob");
    for (browser, ticket, is_same) in [
        (&alice, ticket.as_str(), true),
        (&alice, &forged, false),
        (&alice, &ticket[..21], false),
        (&alice, &reference, false),
        (&alice, "", false),
        (&bob, &ticket, false),
    ] {
        let answer = rig.send(&preauth(browser, ticket), &[one_phone()]).answered();
        let shown = answer.json()["reference"].as_str().unwrap().to_owned();
        assert!(is_reference(&shown), "{shown}");
        assert_eq!(shown == reference, is_same, "{ticket}");
    }
}

#[test]
fn each_held_request_has_another_reference() {
    let mut rig = Rig::new();
    let script = || [one_phone(), started(), status("deny", "deny")];
    let first = rig.send(&get("/"), &script()).refused().json()["reference"].clone();
    rig.now = rig.now.plus(std::time::Duration::from_secs(3_600));
    let second = rig.send(&get("/"), &script()).refused().json()["reference"].clone();
    assert_ne!(first, second);
    assert_eq!(references(&rig), [first, second]);
}

#[test]
fn refusal_without_a_user_has_a_line_with_its_reference_and_the_client() {
    let mut rig = Rig::new();
    let refused = rig.send(&get("/").without("x-basic-user"), &[]).refused();
    let line = rig.lines().pop().unwrap();
    assert_eq!(line["code"], "identity_missing");
    assert_eq!(
        (&line["reference"], &line["client"]),
        (&refused.json()["reference"], &"192.0.2.7".into())
    );
    assert!(line.get("user").is_none(), "{line}");
}
