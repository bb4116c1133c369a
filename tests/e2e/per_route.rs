//! `envoy/per-route.yaml`: routes with the second factor on or off. No spelling of a path gets around it.

use std::fs;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha1::{Digest, Sha1};

use crate::envoy::assert_nothing_deprecated;
use crate::examples::started;
use crate::message::{PASSWORD, Request};
use crate::stack::{APPROVAL, Stack};

const APP: &str = "app.example.com";
const INTRANET: &str = "intranet.example.com:8443";
const STATUS: &str = "status.example.com";
const FREE: [(&str, &str); 6] = [
    (APP, "/public/logo"),
    (APP, "/public/"),
    (APP, "/robots.txt"),
    (INTRANET, "/"),
    (INTRANET, "/news"),
    (STATUS, "/payroll/"),
];
const GUARDED: [(&str, &str); 4] =
    [(APP, "/"), (APP, "/publicity"), (INTRANET, "/payroll/"), (INTRANET, "/payroll/july")];

fn stack() -> Stack {
    started("envoy/per-route.yaml", |directory, text| {
        let users = directory.join("users.htpasswd");
        let password = STANDARD.encode(Sha1::digest(PASSWORD));
        fs::write(&users, format!("alice:{{SHA}}{password}\n")).unwrap();
        text.replace("/etc/envoy/users.htpasswd", users.to_str().unwrap())
    })
}

fn at(host: &str, path: &str) -> Request {
    Request::get(path).header("host", host)
}

#[test]
fn second_factor_is_wanted_where_it_is_on_and_nowhere_else() {
    let stack = stack();
    for (host, path) in FREE {
        stack.admitted(&at(host, path).user("alice").navigation());
    }
    for (host, path) in GUARDED {
        assert_eq!(stack.denied(&at(host, path).user("alice").navigation()).status, 403, "{path}");
    }
    assert_eq!(stack.sim.user_calls(), 0);
    let reply = stack.answered_push(at(APP, "/").user("alice"), "alice", "approve");
    let cookie = reply.set_cookie(APPROVAL).expect("an approval");
    for (host, path) in GUARDED {
        stack.admitted(&at(host, path).user("alice").cookie(cookie).navigation());
    }
    let log = stack.envoy.log();
    assert_nothing_deprecated(&log);
}

#[test]
fn first_factor_is_wanted_everywhere() {
    let stack = stack();
    for (host, path) in FREE.into_iter().chain(GUARDED) {
        let forged = at(host, path).header("x-basic-user", "alice");
        assert_eq!(stack.denied(&forged).status, 401, "{path}");
    }
}

#[test]
fn odd_spellings_lead_to_no_route_without_a_second_factor() {
    let stack = stack();
    let spellings = [
        (APP, "/public/../reports"),
        (APP, "/public/%2e%2e/reports"),
        (APP, "/public//../../reports"),
        (APP, "/public/..%2freports"),
        (APP, "/public/..%5creports"),
        (APP, "/PUBLIC/reports"),
        (INTRANET, "/news/../payroll/july"),
        (INTRANET, "/PayRoll/july"),
        (INTRANET, "//payroll/july"),
        (INTRANET, "/./payroll/july"),
        (INTRANET, "/%70ayroll/july"),
        (INTRANET, "/news/..%2fpayroll/july"),
        // A servlet container reads this path as a guarded one, and Envoy's routes do not.
        (INTRANET, "/payroll;a/x"),
        (INTRANET, "/;/payroll/x"),
        (INTRANET, "/payroll"),
        (INTRANET, "/news/..;/payroll/x"),
        (APP, "/public/..;/reports"),
        (APP, "/robots.txt/"),
    ];
    for (host, path) in spellings {
        let reply = stack.denied(&at(host, path).user("alice").navigation());
        assert!(matches!(reply.status, 400 | 403), "{path}: {reply:?}");
    }
    assert_eq!(stack.sim.user_calls(), 0);
}

#[test]
fn nobody_asserts_an_approval_where_the_filter_is_off() {
    let stack = stack();
    let names = [
        "x-duo-mfa-result",
        "x-duo-mfa-user",
        "x-duo-mfa-factor",
        "x-duo-mfa-time",
        "x-duo-mfa-approved-by",
        "x-duo-mfa-assertion",
    ];
    for (host, path) in FREE {
        let forged =
            names.iter().fold(at(host, path).user("alice").navigation(), |request, name| {
                request.header(name, "1")
            });
        let (_, seen) = stack.admitted(&forged);
        for name in &names[1..] {
            assert_eq!(seen.values(name), [""; 0], "{path}: {name}");
        }
        // The filter runs for what its own rules bypass, and says so.
        let is_off = host == STATUS || path == "/robots.txt";
        let result = if is_off { vec![] } else { vec!["bypassed"] };
        assert_eq!(seen.values(names[0]), result, "{path}");
        assert_eq!(seen.values("x-basic-user"), ["alice"]);
    }
    let underscored = at(APP, "/public/").user("alice").header("x_duo_mfa_user", "alice");
    assert_eq!(stack.denied(&underscored).status, 400);
}

#[test]
fn prompt_page_works_for_a_route_that_is_switched_on() {
    let stack = stack();
    let page = stack.denied(&at(INTRANET, "/payroll/july").user("alice").navigation());
    let text = page.text();
    let asset = text.split("href=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    assert!(asset.starts_with("/.duo-mfa/assets/"), "{asset}");
    assert_eq!(stack.denied(&at(INTRANET, asset).user("alice")).status, 200);
    let state =
        stack.denied(&Request::post("/.duo-mfa/preauth").header("host", INTRANET).user("alice"));
    assert_eq!((state.status, &state.json()["result"]), (200, &"auth".into()));
}
