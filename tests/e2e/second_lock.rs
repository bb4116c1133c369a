//! A second lock behind the filter: Istio's RBAC, as Istio makes it of the shipped AuthorizationPolicy. In every mode it blocks
//! nothing that the filter lets pass, and everything that the filter has not seen.

use serde_json::{Value, json};

use crate::message::{Reply, Request};
use crate::product::istio_rbac;
use crate::resources::Resources;
use crate::setup::{FirstFactor, Setup};
use crate::stack::Stack;
use crate::tally::Verdict;

const RESULT: &str = "x-duo-mfa-result";
const BLOCKED: &str = "RBAC: access denied";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Filter {
    Runs,
    /// Its resource was deleted, or selects nothing.
    Absent,
    /// A route switches it off.
    Disabled,
}

/// The expected end of a request: the filter's word, or its refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Forwarded(&'static str),
    Refused,
}

use Fate::{Forwarded, Refused};

const MODES: [&str; 3] = ["enforce", "report_only", "off"];

/// The lock and what strips the client's own headers, as shipped.
fn shipped() -> Resources {
    Resources::of_files(&["envoy/istio/authorization-policy.yaml"])
}

fn start(mode: &str, filter: Filter, lock: &Resources) -> Stack {
    let plugin = json!({"mode": mode, "api": {"mode": "refuse"}});
    start_with(plugin, filter, lock)
}

fn start_with(plugin: Value, filter: Filter, lock: &Resources) -> Stack {
    let mut setup = Setup::default().plugin(plugin).plugin(json!({
        "access_control": {"rules": [
            {"paths": ["/public/*"], "policy": "bypass"},
            {"paths": ["/internal/*"], "policy": "deny"},
        ]},
    }));
    setup.first_factor = FirstFactor::Absent;
    let of_envoy = setup.clone();
    let stripping = lock.find("EnvoyFilter").expect("a filter that strips");
    let strip = stripping["spec"]["configPatches"][0]["patch"]["value"].clone();
    let rbac = istio_rbac(lock.find("AuthorizationPolicy").expect("a lock"));
    Stack::start_as(setup, |parts| {
        let mut envoy = of_envoy.envoy(parts.module, parts.app, parts.duo);
        let listener = &mut envoy["static_resources"]["listeners"][0];
        let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
        let filters = manager["http_filters"].as_array_mut().unwrap();
        let [module, _router] = &filters[..] else { panic!("{filters:?}") };
        let name = module["name"].as_str().unwrap().to_owned();
        filters.insert(1, rbac);
        if filter == Filter::Absent {
            filters.remove(0);
        }
        filters.insert(0, strip);
        if filter == Filter::Disabled {
            manager["route_config"]["virtual_hosts"][0]["typed_per_filter_config"] = json!({name: {
                "@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "disabled": true,
            }});
        }
        envoy
    })
}

/// Requests of each kind, with their expected ends in each of [`MODES`]. `approval` is alice's.
fn requests(approval: &str) -> Vec<(Request, [Fate; 3])> {
    let to = |path: &str, user: &str| Request::get(path).header("x-basic-user", user);
    let (name, value) = approval.split(';').next().unwrap().split_once('=').unwrap();
    let forged = format!("{name}={}", "A".repeat(value.len()));
    let refused = [Refused, Forwarded("would_refuse"), Forwarded("off")];
    let passed = [Forwarded("passed"), Forwarded("passed"), Forwarded("off")];
    let bypassed = [Forwarded("bypassed"), Forwarded("bypassed"), Forwarded("off")];
    let kinds = [
        (Request::get("/public/a"), bypassed),
        (to("/public/a", "alice").cookie(approval), bypassed),
        (to("/", "alice").cookie(approval), passed),
        (to("/", "alice"), refused),
        (to("/", "alice").navigation(), refused),
        (to("/", "alice").cookie(&forged), refused),
        (to("/", "bob").cookie(approval), refused),
        (to("/internal/a", "alice").cookie(approval), refused),
        (to("/a/../b", "alice").cookie(approval), refused),
        (Request::get("/"), refused),
        // The filter's own addresses are never forwarded.
        (to("/.duo-mfa/none", "alice"), [Refused; 3]),
    ];
    kinds
        .into_iter()
        .flat_map(|(request, fates)| [(spoofed(&request), fates), (request, fates)])
        .collect()
}

/// Adds the header in each spelling, with a word that the lock takes.
fn spoofed(request: &Request) -> Request {
    request.clone().all(&[
        (RESULT, "passed"),
        ("X-Duo-MFA-Result", "admitted"),
        ("x_duo_mfa_result", "off"),
        ("x-duo-mfa-user", "root"),
    ])
}

fn is_blocked(reply: &Reply) -> bool {
    reply.status == 403 && reply.text() == BLOCKED
}

#[test]
fn second_lock_blocks_nobody_in_any_mode_and_all_that_went_around_the_filter() {
    let approval = Stack::standard().signed_in("alice");
    let requests = requests(&approval);
    let (mut forwarded, mut refused, mut blocked) = (0, 0, 0);
    let (mut wrongly_blocked, mut wrongly_admitted) = (0, 0);
    for (number, mode) in MODES.into_iter().enumerate() {
        let stack = start(mode, Filter::Runs, &shipped());
        for (request, fates) in &requests {
            match fates[number] {
                Forwarded(word) => {
                    let before = stack.app.count();
                    let reply = stack.send(request);
                    if stack.app.count() == before || reply.status != 200 {
                        wrongly_blocked += 1;
                        continue;
                    }
                    assert_eq!(stack.app.last().values(RESULT), [word], "{mode} {request:?}");
                    forwarded += 1;
                }
                Refused => {
                    // The refusal is the filter's, and the client gets its code.
                    let before = stack.app.count();
                    let reply = stack.send(request);
                    wrongly_admitted += stack.app.count() - before;
                    assert!(!is_blocked(&reply), "{mode} {request:?}");
                    refused += 1;
                }
            }
        }
        let expected = requests.iter().filter(|(_, fates)| fates[number] != Refused).count();
        stack.settle(Verdict::Admitted(expected), mode);
    }
    for filter in [Filter::Absent, Filter::Disabled] {
        let stack = start("enforce", filter, &shipped());
        for (request, _) in &requests {
            let reply = stack.send(request);
            assert!(
                is_blocked(&reply),
                "{filter:?} {request:?}: {} {}",
                reply.status,
                reply.text()
            );
            blocked += 1;
        }
        wrongly_admitted += stack.app.count();
    }
    println!(
        "second_lock: forwarded={forwarded} refused_by_the_filter={refused} \
         blocked_by_the_lock={blocked} wrongly_blocked={wrongly_blocked} \
         wrongly_admitted={wrongly_admitted}"
    );
    assert_eq!((wrongly_blocked, wrongly_admitted), (0, 0));
}

#[test]
fn held_request_is_forwarded_as_admitted_through_the_lock() {
    let mut lock = shipped();
    for words in [json!(["*"]), json!(["passed", "admitted"])] {
        lock.one_mut("AuthorizationPolicy")["spec"]["rules"][0]["when"][0]["notValues"] = words;
        let stack = start_with(json!({}), Filter::Runs, &lock);
        let passcode = Request::get("/").header("x-basic-user", "alice");
        let (_, seen) = stack.admitted(&passcode.header("x-duo-mfa-passcode", "123456"));
        assert_eq!(seen.values(RESULT), ["admitted"]);
    }
}

/// Why the shipped lock takes any word. `duo-mfa check` warns of both of these.
#[test]
fn narrower_locks_block_requests_that_the_filter_lets_pass() {
    let narrow: [fn(&mut Value); 2] = [
        |when| when["notValues"] = json!(["passed", "admitted"]),
        |when| when["key"] = json!("request.headers[x-duo-mfa-user]"),
    ];
    let approval = Stack::standard().signed_in("alice");
    for change in narrow {
        let mut lock = shipped();
        change(&mut lock.one_mut("AuthorizationPolicy")["spec"]["rules"][0]["when"][0]);
        for mode in MODES {
            let stack = start(mode, Filter::Runs, &lock);
            let alice = Request::get("/").header("x-basic-user", "alice").cookie(&approval);
            let is_off = mode == "off";
            if is_off {
                assert!(is_blocked(&stack.denied(&alice)), "{mode}");
            } else {
                stack.admitted(&alice);
            }
            assert!(is_blocked(&stack.denied(&Request::get("/public/a"))), "{mode}");
            let without = Request::get("/").header("x-basic-user", "alice");
            assert_eq!(is_blocked(&stack.denied(&without)), mode != "enforce", "{mode}");
        }
    }
}
