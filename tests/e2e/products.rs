//! The files for Istio, Envoy Gateway and Kubernetes, and the output of the chart. Each plugin configuration runs in the Envoy
//! that the product makes of it ([`crate::product`]). Sign-ins by page and by held request work, and no client can choose its
//! user.

use std::fs;

use crate::browser::{Browser, PENDING};
use crate::envoy::assert_nothing_deprecated;
use crate::examples::Issuer;
use crate::message::{Body, Request};
use crate::product::{IstioPlugin, envoy_gateway, envoy_of, istio, istio_with_patches, standalone};
use crate::resources::{Resources, of_simulator, root};
use crate::setup::API_HOST;
use crate::sim::eventually;
use crate::stack::{APPROVAL, Stack};

const DUO: &str = "envoy/istio/duo-api.yaml";
const POLICY: &str = "envoy/istio/authorization-policy.yaml";
const GATEWAY: [&str; 3] = ["envoy/istio/gateway.yaml", DUO, POLICY];

#[test]
fn istio_wasm_plugin_signs_in_and_its_header_is_demanded() {
    crate::of_another_host!();
    let issuer = Issuer::new();
    let stack = istio(&Resources::of_files(&GATEWAY), &issuer, IstioPlugin::Applied);
    signs_in(&stack, &issuer);
    is_ready(&stack, &Request::get("/.duo-mfa/readyz"));
    // RequestAuthentication lets a request without a token pass. The filter refuses it.
    stack.denied(&forged(Request::get("/reports"))).assert_problem(403, "identity_missing");
    // The policy lets pass what the filter's rules bypass.
    let (_, seen) = stack.admitted(&forged(Request::get("/robots.txt")));
    assert_eq!(seen.values("x-duo-mfa-user"), [""; 0]);
    assert_eq!(seen.values("x-duo-mfa-result"), ["bypassed"]);
}

#[test]
fn istio_without_its_plugin_lets_nobody_pass() {
    crate::of_another_host!();
    let issuer = Issuer::new();
    let alice = issuer.token("RS256", "alice@example.com");
    let of_chart = Resources::of_chart("istio-gateway-values.yaml");
    for resources in [Resources::of_files(&GATEWAY), of_chart] {
        let stack = istio(&resources, &issuer, IstioPlugin::Deleted);
        for request in [
            Request::get("/reports"),
            Request::get("/robots.txt"),
            Request::get("/").bearer(&alice),
        ] {
            let reply = stack.denied(&forged(request));
            assert_eq!((reply.status, reply.text().as_str()), (403, "RBAC: access denied"));
        }
    }
}

#[test]
fn istio_without_its_secrets_lets_nobody_pass_and_says_which() {
    crate::of_another_host!();
    let issuer = Issuer::new();
    let stack = istio(&Resources::of_files(&GATEWAY), &issuer, IstioPlugin::WithoutSecrets);
    let refusal = eventually("a refused configuration", || {
        let log = stack.envoy.log();
        log.lines().find(|line| line.contains("duo_mfa configuration:")).map(str::to_owned)
    });
    assert!(refusal.contains("duo.secret_key: missing_variable"), "{refusal}");
    let alice = issuer.token("RS256", "alice@example.com");
    for request in [Request::get("/robots.txt"), Request::get("/").bearer(&alice)] {
        assert_eq!(stack.denied(&forged(request)).status, 500);
    }
}

#[test]
fn istio_without_its_cluster_is_not_ready_and_says_its_name() {
    crate::of_another_host!();
    let issuer = Issuer::new();
    // The plugin names the cluster of the API host, but the ServiceEntry is for another host.
    let mut resources = Resources::of_files(&GATEWAY);
    resources.one_mut("DestinationRule")["spec"]["host"] = "api-other.duosecurity.com".into();
    let stack = istio(&resources, &issuer, IstioPlugin::Applied);
    let alice = issuer.token("RS256", "alice@example.com");
    let held = stack.denied(&Request::get("/reports").bearer(&alice));
    held.assert_problem(503, "duo_unavailable");
    assert_eq!(stack.denied(&Request::get("/.duo-mfa/readyz")).status, 503);
    let log = stack.envoy.log();
    let line = format!("Envoy has no cluster \"outbound|443||{API_HOST}\"");
    assert!(log.contains(&line), "{log}");
}

#[test]
fn istio_traffic_extension_sidecar_and_waypoint_sign_in() {
    crate::of_another_host!();
    let issuer = Issuer::new();
    let authentication = Resources::of_files(&GATEWAY).without("WasmPlugin");
    let files = ["envoy/istio/traffic-extension.yaml"];
    let extension = authentication.with(Resources::of_files(&files));
    let sidecar = Resources::of_files(&["envoy/istio/sidecar.yaml"]);
    let waypoint = Resources::of_files(&["envoy/istio/waypoint.yaml"]);
    for resources in [extension, sidecar, waypoint] {
        signs_in(&istio(&resources, &issuer, IstioPlugin::Applied), &issuer);
    }
}

#[test]
fn istio_envoy_filter_signs_in_and_reads_forms() {
    crate::of_another_host!();
    let issuer = Issuer::new();
    let files = ["envoy/istio/gateway.yaml", "envoy/istio/envoyfilter.yaml"];
    let stack = istio_with_patches(&Resources::of_files(&files), &issuer);
    signs_in(&stack, &issuer);
    stack.denied(&forged(Request::get("/reports"))).assert_problem(403, "identity_missing");
    // A passcode from a form's body, which needs allow_on_headers_stop_iteration.
    let mut browser = browser(&issuer, "alice");
    let form = Request::post("/.duo-mfa/auth?factor=passcode&return_to=%2F")
        .navigation()
        .header("origin", "http://app.example.com")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::Sized(b"passcode=123456".to_vec()));
    let reply = browser.ask(&stack, form);
    assert_eq!((reply.status, reply.header("location")), (303, Some("/")), "{}", reply.text());
    assert!(browser.has(APPROVAL));
}

#[test]
fn envoy_gateway_signs_in_where_the_route_switches_it_on() {
    crate::of_another_host!();
    let issuer = Issuer::new();
    let files = ["envoy/envoy-gateway/mfa.yaml", "envoy/envoy-gateway/duo-api.yaml"];
    let stack = envoy_gateway(&Resources::of_files(&files), &issuer, "duo-mfa", "duo-api");
    signs_in(&stack, &issuer);
    let alice = issuer.token("RS256", "alice@example.com");
    is_ready(&stack, &Request::get("/.duo-mfa/readyz").bearer(&alice));
    assert_eq!(stack.denied(&forged(Request::get("/reports"))).status, 401);
}

#[test]
fn kubernetes_signs_in() {
    crate::of_another_host!();
    let issuer = Issuer::new();
    let text = fs::read_to_string(root().join("envoy/kubernetes/base/envoy.yaml")).unwrap();
    let stack = standalone(&of_simulator(text), &issuer);
    signs_in(&stack, &issuer);
    assert_eq!(stack.denied(&forged(Request::get("/reports"))).status, 401);
}

#[test]
fn chart_signs_in_in_each_form() {
    crate::of_another_host!();
    let issuer = Issuer::new();
    for form in ["gateway", "traffic-extension", "waypoint", "sidecar"] {
        let resources = Resources::of_chart(&format!("istio-{form}-values.yaml"));
        signs_in(&istio(&resources, &issuer, IstioPlugin::Applied), &issuer);
    }
    let resources = Resources::of_chart("envoy-gateway-values.yaml");
    signs_in(&envoy_gateway(&resources, &issuer, "mfa", "mfa-api"), &issuer);
    let resources = Resources::of_chart("standalone-values.yaml");
    signs_in(&standalone(&envoy_of(&resources), &issuer), &issuer);
}

/// Signs in by page and by held request.
fn signs_in(stack: &Stack, issuer: &Issuer) {
    page_signs_in(stack, issuer);
    held_request_signs_in(stack, issuer);
    let log = stack.envoy.log().to_lowercase();
    assert_nothing_deprecated(&log);
}

/// The page's way: POST auth, status until it is approved, then the page is loaded again.
fn page_signs_in(stack: &Stack, issuer: &Issuer) {
    let mut browser = browser(issuer, "alice");
    let page = browser.open(stack, "/reports");
    assert_eq!(page.status, 403, "{page:?} {}", page.text());
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(browser.push(stack)["state"], "waiting");
    stack.sim.answer("alice", "approve");
    assert_eq!(browser.ended(stack)["state"], "approved");
    assert!(browser.has(APPROVAL) && !browser.has(PENDING));
    let reload = browser.with_cookies(Request::get("/reports").navigation());
    let (_, seen) = stack.admitted(&reload);
    assert_eq!(seen.values("x-duo-mfa-user"), ["alice"]);
    assert_eq!(seen.values("x-duo-mfa-factor"), ["push"]);
}

fn held_request_signs_in(stack: &Stack, issuer: &Issuer) {
    let token = issuer.token("RS256", "two@example.com");
    let order =
        forged(Request::post("/orders").bearer(&token)).body(Body::Sized(b"amount=12".to_vec()));
    let reply = stack.answered_push(order, "two", "approve");
    assert_eq!(reply.status, 200, "{reply:?} {}", reply.text());
    let seen = stack.app.last();
    assert_eq!(seen.values("x-duo-mfa-user"), ["two"]);
    assert!(seen.carries(b"amount=12"), "{seen:?}");
    let cookie = reply.set_cookie(APPROVAL).expect("an approval").to_owned();
    let pushes = stack.sim.pushes();
    stack.admitted(&Request::get("/orders").bearer(&token).cookie(&cookie));
    assert_eq!(stack.sim.pushes(), pushes, "the cookie is enough");
    let denied = stack.answered_push(Request::get("/").bearer(&token), "two", "deny");
    denied.assert_problem(403, "mfa_denied");
}

/// Asserts that Duo answered a signed check, which the guides tell operators to look at first.
fn is_ready(stack: &Stack, ask: &Request) {
    eventually("readiness", || (stack.denied(ask).status == 200).then_some(()));
}

/// A browser that has the identity provider's cookie.
fn browser(issuer: &Issuer, user: &str) -> Browser {
    let mut browser = Browser::of(user);
    let token = issuer.token("RS256", &format!("{user}@example.com"));
    browser.jar.insert("id_token".to_owned(), token);
    browser
}

/// Adds every header with which a client could try to choose its user.
fn forged(request: Request) -> Request {
    request.all(&[
        ("x-duo-mfa-result", "passed"),
        ("x-duo-mfa-user", "alice"),
        ("X-Duo-Mfa-Factor", "push"),
        ("x-duo-mfa-time", "4102444800"),
    ])
}
