//! Envoy's jwt_authn as the verifier: `examples/assertion/envoy.yaml`, in front of the application.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::cases::{Case, Check, HEADER, OLD, REPORTS};
use super::{Chain, Counts, genuine, shipped};
use crate::discovery::{self, ENDPOINTS};
use crate::envoy::Envoy;
use crate::http1::Connection;
use crate::message::{Reply, Request};
use crate::setup::Setup;
use crate::sim::eventually;
use crate::stack::Stack;
use crate::tally::Verdict;

const FETCHES: &str = "http.main.jwt_authn.jwks_fetch_success";

/// An Envoy without the filter. It gets the address of the keys after its start, since the Envoy that has them starts later.
pub(super) struct Sidecar {
    pub(super) envoy: Envoy,
    keys: PathBuf,
}

impl Sidecar {
    pub(super) fn start(directory: &Path, mut configuration: Value) -> Self {
        let directory = directory.join("sidecar");
        fs::create_dir(&directory).unwrap();
        let keys = directory.join("keys.json");
        write_endpoints(&keys, None);
        for cluster in configuration["static_resources"]["clusters"].as_array_mut().unwrap() {
            if cluster["name"] == "duo_mfa_keys" {
                cluster["type"] = json!("EDS");
                cluster["eds_cluster_config"] = json!({"eds_config": discovery::source(&keys)});
                let members = cluster.as_object_mut().unwrap();
                members.remove("load_assignment").expect("an address");
                members.remove("transport_socket").expect("TLS");
            }
        }
        let envoy = Envoy::start(&directory, &configuration, &Setup::default());
        Self { envoy, keys }
    }

    /// Fetches the public keys from this Envoy from here on.
    pub(super) fn lead_to(&self, keys: SocketAddr) {
        write_endpoints(&self.keys, Some(keys));
    }

    /// Waits until the public keys were fetched anew, so that none are left from before.
    pub(super) fn await_keys(&self) {
        let before = self.envoy.stat(FETCHES);
        // One of them may have begun before.
        let wanted = if before == 0 { 1 } else { before + 2 };
        eventually("the public keys", || (self.envoy.stat(FETCHES) >= wanted).then_some(()));
    }

    /// Sends a request around the first Envoy, as somebody inside the network can.
    pub(super) fn send(&self, request: &Request) -> Reply {
        Connection::open(self.envoy.listener).exchange(request).expect("an answer")
    }

    /// Asserts that a session's assertion is accepted.
    pub(super) fn accepts(&self, stack: &Stack, assertion: &str) {
        let request = REPORTS.request().header(HEADER, assertion);
        let reply = stack.judged(Verdict::Admitted(1), "a genuine one", || self.send(&request));
        assert_eq!(reply.status, 200, "{}", reply.text());
    }

    /// Asserts that each genuine assertion of `cases` reaches the application, and no forged one that `checks` includes.
    pub(super) fn judge(&self, stack: &Stack, cases: &[Case], checks: &[Check]) -> Counts {
        let mut counts = Counts::default();
        for Case { name, refused_by, assertion, received, .. } in cases {
            let request = received.request().header(HEADER, assertion);
            match refused_by {
                None => {
                    let reply = stack.judged(Verdict::Admitted(1), name, || self.send(&request));
                    assert_eq!(reply.status, 200, "{name}: {}", reply.text());
                    counts.accepted += 1;
                }
                Some(check) if checks.contains(check) => {
                    let reply = stack.judged(Verdict::Denied, name, || self.send(&request));
                    assert!(matches!(reply.status, 401 | 403), "{name}: {reply:?}");
                    counts.refused += 1;
                }
                Some(_) => counts.not_checked.push(name),
            }
        }
        counts
    }
}

/// Writes the endpoints of the cluster for the keys.
fn write_endpoints(file: &Path, to: Option<SocketAddr>) {
    let endpoints: Vec<_> =
        to.iter().map(|to| json!({"endpoint": {"address": socket(*to)}})).collect();
    let resource = json!({
        "cluster_name": "duo_mfa_keys",
        "endpoints": [{"lb_endpoints": endpoints}],
    });
    discovery::write(file, ENDPOINTS, &[resource]);
}

fn socket(of: SocketAddr) -> Value {
    json!({"socket_address": {"address": of.ip(), "port_value": of.port()}})
}

/// The shipped configuration, for this application. It keeps the keys for a second, and not for five minutes.
pub(super) fn example(app: SocketAddr) -> Value {
    let text = shipped("envoy.yaml");
    let places = [
        ("cache_duration: 300s", "cache_duration: 1s".to_owned()),
        ("/etc/ssl/certs/ca-certificates.crt", String::new()),
        (
            "{address: app.internal, port_value: 8080}",
            format!("{{address: {}, port_value: {}}}", app.ip(), app.port()),
        ),
        ("{address: 0.0.0.0, port_value: 10000}", "{address: 127.0.0.1, port_value: 0}".to_owned()),
    ];
    let text = places.iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    });
    let mut envoy: Value = serde_saphyr::from_str(&text).unwrap();
    envoy["admin"] = json!({"address": socket("127.0.0.1:0".parse().unwrap())});
    envoy["node"] = json!({"id": "e2e", "cluster": "e2e"});
    envoy
}

/// The HTTP filters of a configuration.
pub(super) fn filters(envoy: &mut Value) -> &mut Value {
    let listener = &mut envoy["static_resources"]["listeners"][0];
    &mut listener["filter_chains"][0]["filters"][0]["typed_config"]["http_filters"]
}

#[test]
fn jwt_authn_accepts_what_the_filter_signed_and_refuses_forgeries() {
    let Chain { mut stack, sidecar } = Chain::start(&[&OLD]);
    let genuine =
        genuine(&mut stack, |stack, first| sidecar.accepts(stack, first), || sidecar.await_keys());
    let cases = genuine.cases();
    let checks =
        [Check::Assertion, Check::Clock, Check::Type, Check::Age, Check::Operation, Check::Query];
    let counts = sidecar.judge(&stack, &cases, &checks);

    // A genuine one beside a forged one, and none at all.
    let two = REPORTS.request().header(HEADER, &genuine.session).header(HEADER, "a.b.c");
    for request in [two, REPORTS.request()] {
        let reply = stack.judged(Verdict::Denied, "not one assertion", || sidecar.send(&request));
        assert_eq!(reply.status, 401, "{}", reply.text());
    }
    counts.print("jwt_authn (Envoy)");
}
