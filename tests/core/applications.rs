//! Several Duo applications behind one filter: the paths that an approval at each of them opens.

mod config;
mod visits;

pub(super) use crate::accounts::{asked, two_more};

use crate::rig::{Request, Rig, Scripted, approval, fail, get, ok, one_phone, pair};
use crate::rig::{says, started, status};
use duo_mfa::http::Edit;
use serde_json::json;
use std::collections::BTreeSet;

/// A path of each application, and the name of the cookie that opens it.
const MAIN: (&str, &str) = ("/", "__Host-duo_mfa");
const PAYMENTS: (&str, &str) = ("/payments/x", "__Host-duo_mfa-payments");
const WIKI: (&str, &str) = ("/wiki/x", "__Host-duo_mfa");

pub(super) fn rig() -> Rig {
    Rig::with(two_more())
}

/// Sends a held request, whose push is approved. Returns the cookie as `name=value`.
fn pushed(rig: &mut Rig, request: &Request) -> String {
    let script = [one_phone(), started(), status("allow", "allow")];
    pair(&approval(&rig.send(request, &script).admitted())).to_owned()
}

#[test]
fn the_rules_application_is_asked_at_its_own_host_with_its_own_key() {
    let mut rig = rig();
    for ((path, cookie), number, host, key) in [
        (MAIN, 0, "api-xxxxxxxx.duosecurity.com", "DIWJ8X6AEYOR5OMC6TQ1"),
        (PAYMENTS, 1, "api-payments.duosecurity.com", "DIPAYMENTSXXXXXXXXXX"),
        (WIKI, 2, "api-xxxxxxxx.duosecurity.com", "DIWIKIXXXXXXXXXXXXXX"),
    ] {
        rig.calls.clear();
        let given = pushed(&mut rig, &get(path));
        assert_eq!(given.split_once('=').unwrap().0, cookie, "{path}");
        assert_eq!(rig.called(), ["preauth", "auth", "auth_status"]);
        for (_, call) in &rig.calls {
            assert_eq!(call.application, number, "{path}");
            assert_eq!(asked(&call.signed), (host.to_owned(), key.to_owned()), "{path}");
        }
    }
    let clusters: Vec<_> =
        rig.gate.config().applications.iter().map(|it| it.duo.cluster.as_str()).collect();
    assert_eq!(clusters, ["duo_api", "duo_payments", "duo_api"]);
}

/// Tries every approval at every application, under every cookie name, alone and with the others.
#[test]
fn approval_opens_its_own_application_and_those_that_share_it_alone() {
    let mut rig = rig();
    let given = [MAIN, PAYMENTS, WIKI].map(|(path, _)| (path, pushed(&mut rig, &get(path))));
    let names: BTreeSet<_> = [MAIN, PAYMENTS, WIKI].into_iter().map(|(_, name)| name).collect();
    let mut opened = 0;
    for (from, cookie) in &given {
        let value = cookie.split_once('=').unwrap().1;
        for name in names.iter().chain(&["__Host-duo_mfa-wiki", "__Host-duo_mfa-default"]) {
            for (path, wanted) in [MAIN, PAYMENTS, WIKI] {
                let request = get(path).with("cookie", format!("{name}={value}"));
                let is_shared = (*from == PAYMENTS.0) == (path == PAYMENTS.0);
                if is_shared && *name == wanted {
                    rig.send(&request, &[]).admitted();
                    opened += 1;
                } else {
                    let denial = [preauth_denies()];
                    let refused = rig.send(&request, &denial).refused();
                    assert_eq!(refused.code(), "duo_denied", "{from} {name} {path}");
                }
            }
        }
    }
    assert_eq!(opened, 5);
    let both = format!("{}; {}", given[0].1, given[1].1);
    for (path, _) in [MAIN, PAYMENTS, WIKI] {
        rig.send(&get(path).with("cookie", &both), &[]).admitted();
    }
}

fn preauth_denies() -> Scripted {
    ok(&json!({"result": "deny", "status_msg": "Words of Duo."}))
}

/// The cache of verified approvals of one application does not serve another.
#[test]
fn approval_that_was_seen_at_one_application_is_not_known_at_another() {
    let mut rig = rig();
    let payments = pushed(&mut rig, &get(PAYMENTS.0));
    let value = payments.split_once('=').unwrap().1;
    for _ in 0..3 {
        rig.send(&get(PAYMENTS.0).with("cookie", &payments), &[]).admitted();
        let moved = get("/").with("cookie", format!("__Host-duo_mfa={value}"));
        assert_eq!(rig.send(&moved, &[preauth_denies()]).refused().code(), "duo_denied");
    }
}

#[test]
fn no_cookie_of_any_application_goes_upstream() {
    for cookie in ["__Host-duo_mfa", "__Host-sso"] {
        let mut changes = two_more();
        changes["session"] = json!({"cookie": cookie});
        let mut rig = Rig::with(changes);
        let main = pushed(&mut rig, &get("/"));
        let payments = pushed(&mut rig, &get(PAYMENTS.0));
        assert!(payments.starts_with(&format!("{cookie}-payments=")));
        let line = format!("a=1; {main}; {payments}; __Host-duo_txn-payments=x; b=2");
        for path in ["/", PAYMENTS.0, "/healthz"] {
            let forward = rig.send(&get(path).with("cookie", &line), &[]).admitted();
            let left: Vec<_> = forward
                .request
                .iter()
                .filter_map(|edit| match edit {
                    Edit::Set("cookie", value) => Some(value.as_bytes()),
                    Edit::Set(..) | Edit::Append(..) | Edit::AppendNamed(..) | Edit::Remove(_) => {
                        None
                    }
                })
                .collect();
            assert_eq!(left, [b"a=1; b=2"], "{cookie} {path}");
        }
    }
}

#[test]
fn a_phone_rings_for_one_application_at_a_time() {
    let mut rig = rig();
    let unanswered = [one_phone(), started(), status("deny", "timeout")];
    assert_eq!(rig.send(&get("/"), &unanswered).refused().code(), "mfa_timeout");
    let refused = rig.send(&get(PAYMENTS.0), &[one_phone()]).refused();
    assert_eq!(refused.code(), "too_many_requests", "the budget is the user's, not the rule's");
    pushed(&mut rig, &get(PAYMENTS.0).of("bob"));
}

#[test]
fn each_application_has_its_own_fail_mode_and_factors() {
    let mut changes = two_more();
    changes["applications"]["payments"]["duo"]["fail_mode"] = json!("safe");
    changes["applications"]["payments"]["duo"]["factors"] = json!(["phone"]);
    let mut rig = Rig::with(changes);
    let gone = || says(503, "");
    rig.check_meets(&gone());
    for path in ["/", WIKI.0] {
        let refused = rig.send(&get(path), &[gone(), gone()]).refused();
        assert_eq!(refused.code(), "duo_unavailable", "{path}");
    }
    let forward = rig.send(&get(PAYMENTS.0), &[gone(), gone()]).admitted();
    assert!(approval(&forward).starts_with("__Host-duo_mfa-payments="));
    rig.calls.clear();
    pushed(&mut rig, &get(PAYMENTS.0));
    assert_eq!(rig.body(1)["factor"], "phone");
}

#[test]
fn each_application_has_its_own_clock() {
    let mut rig = rig();
    let ahead = ok(&json!({"time": rig.now.seconds() + 600}));
    let bad_date = fail(40_105, "Bad request timestamp", "");
    let script = [bad_date, ahead, one_phone(), started(), status("allow", "allow")];
    rig.send(&get(PAYMENTS.0), &script).admitted();
    assert_eq!(rig.offsets.iter().map(|it| it.seconds()).collect::<Vec<_>>(), [0, 600, 0]);
    let date = |rig: &Rig, call: usize| {
        let headers = &rig.calls[call].1.signed.headers;
        let (_, value) = headers.iter().find(|(name, _)| name.ends_with("date")).unwrap();
        String::from_utf8(value.as_bytes().to_vec()).unwrap()
    };
    let (wrong, right) = (date(&rig, 0), date(&rig, 2));
    rig.calls.clear();
    pushed(&mut rig, &get("/").of("bob"));
    assert_eq!(date(&rig, 0), wrong, "the other host's clock is as it was");
    rig.calls.clear();
    pushed(&mut rig, &get(PAYMENTS.0).of("bob"));
    assert_eq!(date(&rig, 0), right);
}
