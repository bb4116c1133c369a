//! Tests `docs/failures.md` against a real Envoy: each row that a fault of the simulator, or a cluster
//! without Duo, can cause. [`crate::failures_midway`] has the rows in which Duo becomes unreachable midway.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::message::{Reply, Request};
use crate::setup::{DuoLink, Setup};
use crate::sim::eventually;
use crate::stack::{APPROVAL, Stack};
use crate::tally::Verdict;

/// The faults that the simulator can make at any call, by their names on the page.
pub(crate) fn simulated() -> Vec<(&'static str, Value)> {
    let malformed = r#"{"stat":"OK","response":{"result":"perhaps"}}"#;
    vec![
        ("connection closed", json!({"kind": "refuse"})),
        ("answer cut off", json!({"kind": "truncated"})),
        ("timeout", json!({"kind": "hang"})),
        ("5xx", json!({"kind": "status", "status": 500, "body": "<h1>Oops</h1>"})),
        ("5xx of Duo's", json!({"kind": "fail", "code": 50001})),
        ("not JSON", json!({"kind": "malformed"})),
        ("malformed", json!({"kind": "raw", "status": 200, "body": malformed})),
        ("400", json!({"kind": "fail", "code": 40002, "detail": "factor"})),
        ("429", json!({"kind": "rate_limit", "retry_after": "7"})),
        ("401", json!({"kind": "fail", "code": 40103})),
        ("403", json!({"kind": "fail", "code": 40301})),
        ("clock skew", json!({"kind": "fail", "code": 40105})),
    ]
}

/// Faults of a cluster that last from the first call.
#[derive(Clone, Copy)]
enum Cluster {
    Linked(DuoLink),
    /// The name of its host has no address.
    Nameless,
}

const CLUSTERS: [(&str, Cluster); 4] = [
    ("connection refused", Cluster::Linked(DuoLink::ClosedPort)),
    ("no address in DNS", Cluster::Nameless),
    ("TLS failure", Cluster::Linked(DuoLink::Impostor)),
    ("unknown cluster", Cluster::Linked(DuoLink::NoCluster)),
];

fn start(cluster: Cluster, fail_mode: &str) -> Stack {
    let setup = Setup::default().plugin(json!({
        "duo": {
            "fail_mode": fail_mode, "check_interval": "1s",
            "timeout": "1s", "status_timeout": "1s", "push_timeout": "3s",
        },
        "api": {"hold_timeout": "3s"},
    }));
    match cluster {
        Cluster::Linked(duo_link) => Stack::start(Setup { duo_link, ..setup }),
        Cluster::Nameless => {
            let given = setup.clone();
            Stack::start_as(setup, |parts| {
                let mut configuration = given.envoy(parts.module, parts.app, parts.duo);
                forget_address(&mut configuration["static_resources"]["clusters"][1]);
                configuration
            })
        }
    }
}

/// Makes a cluster resolve its host's name at an address without a name server.
fn forget_address(cluster: &mut Value) {
    let socket = |host: &str, port: u16| json!({"address": host, "port_value": port});
    assert_eq!(cluster["name"], "duo_api");
    cluster["type"] = json!("STRICT_DNS");
    cluster["wait_for_warm_on_init"] = json!(false);
    cluster["typed_dns_resolver_config"] = json!({
        "name": "envoy.network.dns_resolver.cares",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig",
            "resolvers": [{"socket_address": socket("127.0.0.1", 9)}],
        },
    });
    let endpoint = &mut cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"];
    endpoint["address"] = json!({"socket_address": socket("duo.invalid", 443)});
}

/// One row of the page about a call, under one fail mode.
pub(crate) struct Row {
    pub(crate) once: String,
    pub(crate) calls: String,
    pub(crate) lasting: String,
}

/// The row of a fault in the section of a call.
pub(crate) fn row(call: &str, fault: &str, fail_mode: &str) -> Row {
    let cells: [String; 5] = cells(call, fault).try_into().unwrap();
    let [_, once, calls, secure, safe] = cells;
    let lasting = match fail_mode {
        "secure" => secure,
        "safe" => safe,
        other => panic!("{other}"),
    };
    Row { once, calls, lasting }
}

/// The cells of a fault in the section of a call, without its name.
pub(crate) fn cells(call: &str, fault: &str) -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/failures.md");
    let page = fs::read_to_string(page).unwrap();
    let sections = page.split("\n## ").skip(1);
    let section = sections.filter_map(|section| section.split_once('\n'));
    let (_, section) = section.into_iter().find(|(name, _)| *name == call).expect("a section");
    let rows = section.lines().filter(|line| line.starts_with("| "));
    let cells =
        |row: &str| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    let row = rows.map(cells).find(|cells: &Vec<String>| cells[0] == fault);
    row.unwrap_or_else(|| panic!("no row: {call}, {fault}")).split_off(1)
}

/// The outcome of a request, in the page's words.
fn in_words(stack: &Stack, reply: &Reply) -> String {
    if reply.status == 200 {
        return match stack.app.last().values("x-duo-mfa-factor").concat().as_str() {
            "push" => "passes".to_owned(),
            "fail_safe" => "passes unverified".to_owned(),
            other => panic!("by which factor? {other:?}"),
        };
    }
    assert_eq!(reply.set_cookie(APPROVAL), None, "{reply:?}");
    refusal_in_words(reply, reply.json()["code"].as_str().unwrap())
}

/// A refusal with this code, in the page's words.
pub(crate) fn refusal_in_words(reply: &Reply, code: &str) -> String {
    let wait = reply.header("retry-after");
    let wait = wait.map(|seconds| format!(", again in {seconds} s")).unwrap_or_default();
    format!("{} `{code}`{wait}", reply.status)
}

/// Sends a request of a new user, who approves each push. Asserts that the outcome is the cell's.
fn assert_leads(stack: &Stack, user: usize, cell: &str, occasion: &str) {
    let user = stack.sim.guest(user);
    stack.sim.always(&user, "approve");
    let passes = cell.starts_with("passes");
    let verdict = if passes { Verdict::Admitted(1) } else { Verdict::Denied };
    let reply = stack.judged(verdict, occasion, || stack.send(&Request::get("/").user(&user)));
    assert_cell(stack, &reply, cell, occasion);
}

/// The names of the page's cells that were compared with a real Envoy.
static HELD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// The number of compared cells.
pub(crate) fn cells_held() -> usize {
    HELD.lock().unwrap().len()
}

pub(crate) fn hold(name: &str) {
    HELD.lock().unwrap().insert(name.to_owned());
}

/// Asserts that a response is the one in a cell. `name` identifies the cell.
pub(crate) fn assert_cell(stack: &Stack, reply: &Reply, cell: &str, name: &str) {
    assert_eq!(in_words(stack, reply), cell, "{name}: {}", reply.text());
    hold(name);
}

fn assert_faults_lead_where_the_page_says(fail_mode: &str) {
    let stack = start(Cluster::Linked(DuoLink::Simulator), fail_mode);
    let mut users = 0..;
    let is_up = || stack.envoy.stat("wasmcustom.duo_mfa_duo_up") == 1;
    eventually("a first check", || is_up().then_some(()));
    for call in ["preauth", "auth", "auth_status"] {
        for (name, mut fault) in simulated() {
            let Row { once, calls, lasting } = row(call, name, fail_mode);
            fault["endpoint"] = json!(call);
            let occasion = format!("{name} at {call}, lasting, {fail_mode}");
            stack.sim.fault(&fault);
            if fail_mode == "safe" && call == "preauth" {
                // No request passes until the background check has met the fault too.
                let user = stack.sim.guest(users.next().unwrap());
                let request = Request::get("/").user(&user);
                let early = stack.judged(Verdict::Denied, name, || stack.send(&request));
                assert_eq!(early.set_cookie(APPROVAL), None, "{name}: {early:?}");
                fault["endpoint"] = json!("check");
                let mut at_check = fault.clone();
                // A wait that the check is asked for would keep all requests from being sent.
                at_check.as_object_mut().expect("an object").remove("retry_after");
                stack.sim.fault(&at_check);
                eventually("a failed check", || (!is_up()).then_some(()));
                // The other workers see it on their next tick.
                stack.await_tick();
                fault["endpoint"] = json!(call);
            }
            let before = stack.sim.calls(call);
            assert_leads(&stack, users.next().unwrap(), &lasting, &occasion);
            let made = stack.sim.calls(call) - before;
            match calls.parse::<usize>() {
                Ok(expected) => assert_eq!(made, expected, "{occasion}"),
                Err(_) => assert!((2..=4).contains(&made), "{occasion}: {made} calls"),
            }
            stack.sim.clear_faults();
            eventually("a check that goes well", || is_up().then_some(()));
            stack.await_tick();

            fault["times"] = json!(1);
            stack.sim.fault(&fault);
            let occasion = format!("{name} at {call}, once, {fail_mode}");
            assert_leads(&stack, users.next().unwrap(), &once, &occasion);
            stack.sim.clear_faults();
        }
    }
}

#[test]
fn faults_lead_where_the_page_says_under_secure() {
    assert_faults_lead_where_the_page_says("secure");
}

#[test]
fn faults_lead_where_the_page_says_under_safe() {
    assert_faults_lead_where_the_page_says("safe");
}

fn assert_clusters_lead_where_the_page_says(fail_mode: &str) {
    for (name, cluster) in CLUSTERS {
        let Row { lasting, .. } = row("preauth", name, fail_mode);
        let stack = start(cluster, fail_mode);
        stack.await_failed_check("Duo");
        for user in 0..3 {
            let occasion = format!("{name} at preauth, lasting, {fail_mode}");
            assert_leads(&stack, user, &lasting, &occasion);
        }
        assert_not_ready(&stack, name);
        hold(&format!("{name} at the check, {fail_mode}"));
        assert_eq!(stack.sim.journal().len(), 0, "{name}: nothing was sent");
    }
}

#[test]
fn clusters_without_a_duo_lead_where_the_page_says_under_secure() {
    assert_clusters_lead_where_the_page_says("secure");
}

#[test]
fn clusters_without_a_duo_lead_where_the_page_says_under_safe() {
    assert_clusters_lead_where_the_page_says("safe");
}

pub(crate) fn is_ready(stack: &Stack) -> bool {
    stack.denied(&Request::get("/.duo-mfa/readyz").user("alice")).status == 200
}

/// Asserts that the result of Duo's check is the page's.
fn assert_not_ready(stack: &Stack, fault: &str) {
    let cells = cells("check", fault);
    assert!(cells[1].starts_with("not ready"), "{fault}: {cells:?}");
    eventually("a failed check", || {
        stack.envoy.log().contains("the check of Duo failed").then_some(())
    });
    assert!(!is_ready(stack), "{fault}");
}

#[test]
fn faults_at_the_check_lead_where_the_page_says() {
    let stack = start(Cluster::Linked(DuoLink::Simulator), "secure");
    eventually("readiness", || is_ready(&stack).then_some(()));
    for (name, mut fault) in simulated() {
        let cells = cells("check", name);
        assert!(cells[1].starts_with("not ready"), "{name}: {cells:?}");
        fault["endpoint"] = json!("check");
        // With a wait that Duo asks for, the sign-in at the end would have to wait too.
        fault.as_object_mut().expect("an object").remove("retry_after");
        stack.sim.fault(&fault);
        let other = stack.another_envoy();
        let ask = Request::get("/.duo-mfa/readyz").user("alice");
        eventually("a failed check", || {
            other.log().contains("the check of Duo failed").then_some(())
        });
        let reply = stack.judged(Verdict::Denied, name, || {
            crate::http1::Connection::open(other.listener).exchange(&ask).expect("an answer")
        });
        assert_eq!(reply.status, 503, "{name}");
        hold(&format!("{name} at the check"));
        stack.sim.clear_faults();
    }
    // The check's result does not affect requests.
    stack.sim.fault(&json!({"kind": "fail", "code": 40103, "endpoint": "check"}));
    stack.signed_in("alice");
}
