//! Duo's Universal Prompt by the files for Istio, Envoy Gateway and Kubernetes, and by the chart: the first
//! factor is an identity provider's cookie, and a browser signs in at Duo's page.

use std::fs;

use crate::browser::Browser;
use crate::envoy::assert_nothing_deprecated;
use crate::examples::Issuer;
use crate::message::Request;
use crate::product::{IstioPlugin, envoy_gateway, envoy_of, istio, standalone};
use crate::resources::{Resources, root, with_universal};
use crate::stack::Stack;
use crate::universal::{approves, back, denied};

const DUO: &str = "envoy/istio/duo-api.yaml";

#[test]
fn istio_signs_in_at_duos_page() {
    crate::of_another_host!();
    let issuer = Issuer::new();
    let gateway = Resources::of_files_with_universal(&["envoy/istio/gateway.yaml", DUO]);
    let extension = ["envoy/istio/traffic-extension.yaml"];
    let extension = Resources::of_files_with_universal(&["envoy/istio/gateway.yaml", DUO])
        .without("WasmPlugin")
        .with(Resources::of_files_with_universal(&extension));
    let sidecar = Resources::of_files_with_universal(&["envoy/istio/sidecar.yaml"]);
    let waypoint = Resources::of_files_with_universal(&["envoy/istio/waypoint.yaml"]);
    for resources in [gateway, extension, sidecar, waypoint] {
        signs_in(&istio(&resources, &issuer, IstioPlugin::Applied), &issuer, 403);
    }
}

#[test]
fn envoy_gateway_and_kubernetes_sign_in_at_duos_page() {
    crate::of_another_host!();
    let issuer = Issuer::new();
    let files = ["envoy/envoy-gateway/mfa.yaml", "envoy/envoy-gateway/duo-api.yaml"];
    let resources = Resources::of_files_with_universal(&files);
    signs_in(&envoy_gateway(&resources, &issuer, "duo-mfa", "duo-api"), &issuer, 401);
    let text = fs::read_to_string(root().join("envoy/kubernetes/base/envoy.yaml")).unwrap();
    signs_in(&standalone(&with_universal(text), &issuer), &issuer, 401);
}

#[test]
fn chart_signs_in_at_duos_page_in_each_form() {
    crate::of_another_host!();
    let issuer = Issuer::new();
    let resources = Resources::of_chart("istio-universal-values.yaml");
    signs_in(&istio(&resources, &issuer, IstioPlugin::Applied), &issuer, 403);
    let resources = Resources::of_chart("envoy-gateway-universal-values.yaml");
    signs_in(&envoy_gateway(&resources, &issuer, "mfa", "mfa-api"), &issuer, 401);
    let resources = Resources::of_chart("standalone-universal-values.yaml");
    signs_in(&standalone(&envoy_of(&resources), &issuer), &issuer, 401);
}

#[test]
fn chart_without_an_integration_key_signs_in_browsers_and_refuses_programs() {
    crate::of_another_host!();
    let issuer = Issuer::new();
    let resources = Resources::of_chart("standalone-browsers-only-values.yaml");
    let stack = standalone(&envoy_of(&resources), &issuer);
    signs_in(&stack, &issuer, 401);
    let program = Request::get("/").bearer(&issuer.token("RS256", "two@example.com"));
    stack.denied(&program).assert_problem(403, "mfa_required");
    assert_eq!((stack.sim.calls("preauth"), stack.sim.calls("check")), (0, 0));
}

/// Signs in. A callback without the cookie of the first factor, as if it were `SameSite=Strict`, is
/// refused with `status` and does not use the code.
fn signs_in(stack: &Stack, issuer: &Issuer, status: u16) {
    approves(&stack.sim, "alice");
    let mut alice = Browser::of("alice");
    let token = issuer.token("RS256", "alice@example.com");
    alice.jar.insert("id_token".to_owned(), token);
    let callback = alice.is_approved(stack, "/reports");
    let nameless = denied(stack, "no first factor", || stack.send(&back(&callback)));
    assert_eq!(nameless.status, status, "{nameless:?} {}", nameless.text());
    assert_eq!(stack.sim.calls("token"), 0);
    alice.signs_in_at_duo(stack, "/reports");
    let seen = alice.is_admitted(stack, "/reports");
    assert_eq!(seen.values("x-duo-mfa-user"), ["alice"]);
    let log = stack.envoy.log().to_lowercase();
    assert_nothing_deprecated(&log);
}
