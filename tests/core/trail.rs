//! One reference from the first page of a sign-in to its last line in the log.

use crate::browser::Browser;
use crate::rig::{
    NOON, Progress, Response, Rig, approval, get, is_reference, ok, one_phone, pair, started,
    status,
};
use duo_mfa::gate::Loaded;
use duo_mfa::signal::{Code, Counter, Signal};
use serde_json::{Value, json};
use std::time::Duration;

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
    rig.now = rig.now.plus(Duration::from_secs(3_600));
    let second = rig.send(&get("/"), &script()).refused().json()["reference"].clone();
    assert_ne!(first, second);
    assert_eq!(references(&rig), [first.clone(), first, second.clone(), second]);
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

/// The kinds and results of all lines.
fn kinds(rig: &Rig) -> Vec<(String, String)> {
    let text = |line: &Value, member: &str| line[member].as_str().unwrap().to_owned();
    rig.lines().iter().map(|line| (text(line, "kind"), text(line, "result"))).collect()
}

#[test]
fn first_page_is_no_refusal() {
    let mut rig = Rig::new();
    let alice = Browser::of("alice");
    rig.send(&alice.opens("/reports"), &[]).answered();
    rig.send(&alice.opens("/.duo-mfa/?return_to=%2Freports"), &[]).answered();
    assert_eq!(
        kinds(&rig),
        [("prompted".into(), "prompted".into()), ("prompted".into(), "prompted".into())]
    );
    assert_eq!(rig.signals.iter().filter(|it| **it == Signal::Count(Counter::Prompted)).count(), 2);
    assert!(!rig.signals.contains(&Signal::Count(Counter::Refused(Code::MfaRequired))));
    assert_eq!(rig.lines()[1]["path"], "/reports");
}

#[test]
fn cancel_enrollment_and_sign_out_have_lines() {
    let mut rig = Rig::with(json!({"duo": {"enrollment": "inline"}}));
    let mut alice = Browser::pushed(&mut rig);
    alice.asks(&mut rig, &alice.posts("/.duo-mfa/cancel"), &[]);
    alice.asks(&mut rig, &alice.posts("/.duo-mfa/cancel"), &[]);
    alice.asks(&mut rig, &alice.posts("/.duo-mfa/logout"), &[]);
    let of_kind: Vec<_> = kinds(&rig).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(of_kind, ["push_sent", "cancelled", "signed_out"]);
    let [sent, cancelled, signed_out] = &rig.lines()[..] else { panic!("{:?}", rig.lines()) };
    assert_eq!(cancelled["reference"], sent["reference"]);
    assert_eq!(cancelled["txid"], sent["txid"]);
    assert_ne!(signed_out["reference"], sent["reference"]);
    assert_eq!((&sent["user"], &sent["device"]), (&"alice".into(), &"DPFZRS9FB0D46QFTM891".into()));
}

#[test]
fn forged_cookie_has_a_line_and_an_expired_one_has_none() {
    let mut rig = Rig::new();
    let script = [one_phone(), started(), status("allow", "allow")];
    let forward = rig.send(&get("/"), &script).admitted();
    let line = approval(&forward);
    let cookie = pair(&line).to_owned();
    let mut forged = cookie.clone();
    // In the MAC.
    let at = forged.len() - 10;
    let other = if forged[at..].starts_with('A') { "B" } else { "A" };
    forged.replace_range(at..=at, other);
    rig.send(&Browser::of("alice").opens("/").with("cookie", &forged), &[]).answered();
    let refused = rig.lines().iter().filter(|line| line["kind"] == "cookie_refused").count();
    assert_eq!(refused, 1, "{:?}", rig.lines());
    rig.now = rig.now.plus(Duration::from_secs(86_400));
    rig.send(&Browser::of("alice").opens("/").with("cookie", &cookie), &[]).answered();
    assert_eq!(rig.lines().iter().filter(|line| line["kind"] == "cookie_refused").count(), 1);
}

#[test]
fn client_that_leaves_has_a_line_with_the_transaction() {
    let mut rig = Rig::new();
    let Progress::Waits(_, flow) = rig.start(&get("/reports")) else { panic!("decided") };
    let Progress::Waits(_, flow) = rig.resume(*flow, &one_phone()) else { panic!("decided") };
    let Progress::Waits(_, flow) = rig.resume(*flow, &started()) else { panic!("decided") };
    let Some(Signal::Log(_, text)) = flow.abandoned(&rig.env()) else { panic!("no line") };
    let left: Value = serde_json::from_str(&text).unwrap();
    let sent = rig.lines().pop().unwrap();
    assert_eq!((&sent["kind"], &left["kind"]), (&"push_sent".into(), &"abandoned".into()));
    for member in ["reference", "txid", "user", "device", "path"] {
        assert_eq!(left[member], sent[member], "{member}: {left}");
    }
}

#[test]
fn report_names_the_user_and_the_rule() {
    let mut rig = Rig::with(json!({
        "mode": "report_only",
        "access_control": {"rules": [
            {"name": "no exports", "paths": ["/export"], "users": ["alice"], "policy": "deny"},
            {"name": "reports", "paths": ["/reports"], "policy": "two_factor"},
        ]},
    }));
    rig.send(&get("/export"), &[]).admitted();
    rig.send(&get("/reports"), &[]).admitted();
    for (line, (code, rule)) in
        rig.lines().iter().zip([("access_denied", "no exports"), ("mfa_required", "reports")])
    {
        assert_eq!((&line["result"], &line["code"]), (&"would_refuse".into(), &code.into()));
        assert_eq!((&line["user"], &line["client"]), (&"alice".into(), &"192.0.2.7".into()));
        assert_eq!(line["rule_name"], rule, "{line}");
    }
}

#[test]
fn lock_out_at_preauth_is_one_and_its_words_are_the_reason() {
    for (words, code) in [
        ("Your account is disabled due to excessive failures.", "mfa_locked_out"),
        ("Your account is locked out.", "mfa_locked_out"),
        ("Your account is disabled.", "duo_denied"),
    ] {
        let answer = ok(&json!({"result": "deny", "status_msg": words}));
        let mut rig = Rig::new();
        assert_eq!(rig.send(&get("/"), std::slice::from_ref(&answer)).refused().code(), code);
        let page = Browser::of("alice").submits("/.duo-mfa/preauth?return_to=%2F");
        rig.send(&page, std::slice::from_ref(&answer)).answered();
        let script = Browser::of("alice").posts("/.duo-mfa/preauth?return_to=%2F");
        assert_eq!(rig.send(&script, &[answer]).answered().json()["result"], "deny");
        let lines = rig.lines();
        assert_eq!(lines.len(), 3);
        for line in lines {
            assert_eq!((&line["code"], &line["reason"]), (&code.into(), &words.into()), "{line}");
        }
    }
}

#[test]
fn one_worker_of_an_envoy_announces_a_configuration() {
    let rig = Rig::new();
    let (loaded, other) =
        (Loaded::new(&rig.gate), Loaded::new(&rig.beside(json!({"mode": "off"})).gate));
    assert_ne!(loaded.name(), other.name());
    let stamp = loaded.stamp(None, NOON).unwrap();
    let later = |seconds| NOON.plus(Duration::from_secs(seconds));
    assert_eq!(loaded.stamp(Some(&stamp), later(59)), None);
    assert!(loaded.stamp(Some(&stamp), later(61)).is_some(), "Envoy loads it again");
    assert!(loaded.stamp(Some(b"of a neighbor"), NOON).is_some());
    let Signal::Log(_, text) = loaded.line(NOON) else { panic!("no line") };
    let line: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&line["kind"], &line["hash"]),
        (&"config_loaded".into(), &rig.gate.config().hash.as_str().into())
    );
}
