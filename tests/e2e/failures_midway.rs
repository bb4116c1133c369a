//! Rows of `docs/failures.md` in which Duo becomes unreachable after a first response: between `preauth` and
//! `auth`, and between `auth` and `auth_status`. The cluster's host moves, or its name disappears, while a
//! request waits. A call under way ends normally, and the next call meets the fault.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use crate::discovery::{self, CLUSTER, ENDPOINTS};
use crate::failures::{Row, assert_cell, row};
use crate::message::Request;
use crate::names::NameServer;
use crate::setup::{API_HOST, Setup};
use crate::sim::{Sim, eventually};
use crate::stack::{Directory, Protocol, Stack};
use crate::tally::Verdict;

/// Duo's delay for `preauth`, in which its host can move.
const PREAUTH: Duration = Duration::from_millis(2_500);

/// A stack whose Duo can become unreachable.
struct Midway {
    stack: Stack,
    /// The fault's name on the page.
    fault: &'static str,
    fail_mode: &'static str,
    host: Host,
}

/// The source of the address of Duo's host.
enum Host {
    /// The file of the cluster's endpoints, with the addresses without and with the fault.
    Listed { file: PathBuf, well: SocketAddr, faulty: SocketAddr },
    /// The server that knows the host's name.
    Named(NameServer),
    /// The file of Envoy's clusters, and the one that leads there.
    Clustered { file: PathBuf, cluster: Value },
}

fn setup(fail_mode: &str) -> Setup {
    Setup::default().plugin(json!({
        "duo": {
            "fail_mode": fail_mode,
            "timeout": "5s", "status_timeout": "1s", "push_timeout": "8s",
        },
        "api": {"hold_timeout": "8s"},
    }))
}

fn write_endpoints(file: &Path, at: SocketAddr) {
    let address = json!({"socket_address": {"address": at.ip(), "port_value": at.port()}});
    let endpoints = json!({
        "cluster_name": "duo_api",
        "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
    });
    discovery::write(file, ENDPOINTS, &[endpoints]);
}

fn duo_cluster(configuration: &mut Value) -> &mut Value {
    let cluster = &mut configuration["static_resources"]["clusters"][1];
    assert_eq!(cluster["name"], "duo_api");
    cluster
}

/// Has Envoy read Duo's cluster from a file. Returns the cluster.
pub(crate) fn cluster_from_file(configuration: &mut Value, file: &Path) -> Value {
    let cluster = duo_cluster(configuration).take();
    configuration["static_resources"]["clusters"].as_array_mut().unwrap().truncate(1);
    discovery::write(file, CLUSTER, std::slice::from_ref(&cluster));
    discovery::subscribe(configuration, "cds_config", file);
    cluster
}

impl Midway {
    /// A Duo that moves to `faulty`.
    fn listed(fault: &'static str, fail_mode: &'static str, faulty: SocketAddr) -> Self {
        let (setup, mut host) = (setup(fail_mode), None);
        let given = setup.clone();
        let stack = Stack::start_as(setup, |parts| {
            let (file, well) = (parts.directory.join("endpoints.json"), parts.duo.address);
            write_endpoints(&file, well);
            let mut configuration = given.envoy(parts.module, parts.app, parts.duo);
            configuration["node"] = json!({"id": "e2e", "cluster": "e2e"});
            let cluster = duo_cluster(&mut configuration);
            cluster.as_object_mut().unwrap().remove("load_assignment");
            cluster["type"] = json!("EDS");
            cluster["eds_cluster_config"] = json!({"eds_config": discovery::source(&file)});
            host = Some(Host::Listed { file, well, faulty });
            configuration
        });
        Self { stack, fault, fail_mode, host: host.unwrap() }
    }

    /// A Duo whose name is lost.
    fn named(fault: &'static str, fail_mode: &'static str) -> Self {
        let (setup, names) = (setup(fail_mode), NameServer::start());
        let given = setup.clone();
        let stack = Stack::start_as(setup, |parts| {
            let mut configuration = given.envoy(parts.module, parts.app, parts.duo);
            let cluster = duo_cluster(&mut configuration);
            let port = |of: SocketAddr, host: &str| json!({"socket_address": {"address": host, "port_value": of.port()}});
            cluster["type"] = json!("STRICT_DNS");
            cluster["dns_lookup_family"] = json!("V4_ONLY");
            cluster["dns_refresh_rate"] = json!("0.2s");
            let rate = json!({"base_interval": "0.2s", "max_interval": "0.2s"});
            cluster["dns_failure_refresh_rate"] = rate;
            cluster["typed_dns_resolver_config"] = json!({
                "name": "envoy.network.dns_resolver.cares",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig",
                    "resolvers": [port(names.address, "127.0.0.1")],
                    "dns_resolver_options": {"no_default_search_domain": true},
                },
            });
            let endpoint =
                &mut cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"];
            endpoint["address"] = port(parts.duo.address, API_HOST);
            configuration
        });
        Self { stack, fault, fail_mode, host: Host::Named(names) }
    }

    /// A Duo whose cluster is taken out.
    fn clustered(fault: &'static str, fail_mode: &'static str) -> Self {
        let (setup, mut host) = (setup(fail_mode), None);
        let given = setup.clone();
        let stack = Stack::start_as(setup, |parts| {
            let file = parts.directory.join("clusters.json");
            let mut configuration = given.envoy(parts.module, parts.app, parts.duo);
            let cluster = cluster_from_file(&mut configuration, &file);
            host = Some(Host::Clustered { file, cluster });
            configuration
        });
        Self { stack, fault, fail_mode, host: host.unwrap() }
    }

    /// Makes Duo unreachable, or reachable again, and waits until every worker has the change.
    fn move_duo(&self, is_well: bool) {
        let changes = || match (&self.host, is_well) {
            (Host::Listed { .. } | Host::Named(_), _) => {
                self.stack.envoy.stat("cluster.duo_api.membership_change")
            }
            (Host::Clustered { .. }, true) => {
                self.stack.envoy.stat("cluster_manager.cluster_added")
            }
            (Host::Clustered { .. }, false) => {
                self.stack.envoy.stat("cluster_manager.cluster_removed")
            }
        };
        let before = changes();
        match &self.host {
            Host::Listed { file, well, faulty } => {
                write_endpoints(file, if is_well { *well } else { *faulty });
            }
            Host::Named(names) => names.know(is_well),
            Host::Clustered { file, cluster } if is_well => {
                discovery::write(file, CLUSTER, std::slice::from_ref(cluster))
            }
            Host::Clustered { file, .. } => discovery::write(file, CLUSTER, &[]),
        }
        eventually("another host", || (changes() != before).then_some(()));
        sleep(Duration::from_millis(100));
    }

    /// How often Envoy has met the fault.
    fn met(&self) -> u64 {
        let counted = match self.fault {
            "connection refused" => "upstream_cx_connect_fail",
            "TLS failure" => "ssl.fail_verify_error",
            "no address in DNS" => "upstream_cx_none_healthy",
            "unknown cluster" => {
                let told = |line: &&str| line.contains("Envoy has no cluster");
                return self.stack.envoy.log().lines().filter(told).count().try_into().unwrap();
            }
            other => panic!("{other}"),
        };
        self.stack.envoy.stat(&format!("cluster.duo_api.{counted}"))
    }

    fn calls(&self, endpoint: &str) -> u64 {
        self.stack.envoy.stat(&format!("wasmcustom.duo_mfa_duo_calls.endpoint.{endpoint}"))
    }

    /// Duo answers `preauth`, and cannot be reached when `auth` is sent.
    fn assert_auth(&self, user: usize) {
        let Self { stack, fault, fail_mode, .. } = self;
        let Row { once, lasting, calls } = row("auth", fault, fail_mode);
        assert_eq!(once, lasting, "there is one call, so that it is all the same");
        let user = stack.sim.guest(user);
        let ms = u64::try_from(PREAUTH.as_millis()).unwrap();
        stack.sim.fault(&json!({"endpoint": "preauth", "kind": "latency", "ms": ms}));
        let (asked, met) = (stack.sim.calls("preauth"), self.met());
        let occasion = format!("{fault} at auth, {fail_mode}");
        let reply = stack.judged(Verdict::Denied, &occasion, || {
            let held = stack.hold(Request::get("/").user(&user), Protocol::Http1);
            eventually("preauth", || (stack.sim.calls("preauth") > asked).then_some(()));
            self.move_duo(false);
            assert!(!held.is_answered(), "Duo went away too late: {occasion}");
            held.reply()
        });
        for times in ["once", "lasting"] {
            assert_cell(stack, &reply, &lasting, &format!("{fault} at auth, {times}, {fail_mode}"));
        }
        assert!(self.met() > met, "{occasion} is not what was met");
        eventually("the count", || (self.calls("auth") > 0).then_some(()));
        assert_eq!(self.calls("auth").to_string(), calls, "{occasion}");
        assert_eq!(stack.sim.calls("auth"), 0, "{occasion}");
        stack.sim.clear_faults();
        self.move_duo(true);
    }

    /// Duo has sent a push, and cannot be reached when `auth_status` is sent.
    fn assert_auth_status(&self, user: usize, comes_back: bool) {
        let Self { stack, fault, fail_mode, .. } = self;
        let Row { once, lasting, .. } = row("auth_status", fault, fail_mode);
        let (times, cell) = if comes_back { ("once", once) } else { ("lasting", lasting) };
        let user = stack.sim.guest(user);
        let occasion = format!("{fault} at auth_status, {times}, {fail_mode}");
        let held = stack.held_push(Request::get("/").user(&user), Protocol::Http1, &user);
        let met = self.met();
        self.move_duo(false);
        eventually("a look that fails", || (self.met() > met).then_some(()));
        assert!(!held.is_answered(), "a look that fails ends nothing: {occasion}");
        let verdict = if comes_back { Verdict::Admitted(1) } else { Verdict::Denied };
        let reply = stack.judged(verdict, &occasion, || {
            if comes_back {
                self.move_duo(true);
                stack.sim.answer(&user, "approve");
            }
            held.reply()
        });
        assert_cell(stack, &reply, &cell, &occasion);
        if !comes_back {
            self.move_duo(true);
        }
    }

    fn assert_leads_where_the_page_says(&self) {
        self.assert_auth(0);
        self.assert_auth_status(1, true);
        self.assert_auth_status(2, false);
    }
}

/// A port of this machine where nobody listens.
fn assert_refused(fail_mode: &'static str) {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let closed = socket.local_addr().unwrap();
    let midway = Midway::listed("connection refused", fail_mode, closed);
    midway.assert_leads_where_the_page_says();
    assert_eq!(midway.stack.envoy.stat("cluster.duo_api.ssl.connection_error"), 0);
}

/// A Duo whose certificate is signed by nobody that Envoy trusts.
fn assert_failed_handshakes(fail_mode: &'static str) {
    let directory = Directory::new();
    let impostor = Sim::start(&directory.0);
    let midway = Midway::listed("TLS failure", fail_mode, impostor.end.address);
    midway.assert_leads_where_the_page_says();
    assert_eq!(impostor.journal().len(), 0, "an impostor gets no request");
}

fn assert_lost_names(fail_mode: &'static str) {
    Midway::named("no address in DNS", fail_mode).assert_leads_where_the_page_says();
}

#[test]
fn refused_connections_midway_lead_where_the_page_says_under_secure() {
    assert_refused("secure");
}

#[test]
fn refused_connections_midway_lead_where_the_page_says_under_safe() {
    assert_refused("safe");
}

#[test]
fn failed_handshakes_midway_lead_where_the_page_says_under_secure() {
    assert_failed_handshakes("secure");
}

#[test]
fn failed_handshakes_midway_lead_where_the_page_says_under_safe() {
    assert_failed_handshakes("safe");
}

#[test]
fn lost_names_midway_lead_where_the_page_says_under_secure() {
    assert_lost_names("secure");
}

#[test]
fn lost_names_midway_lead_where_the_page_says_under_safe() {
    assert_lost_names("safe");
}

/// There is no moment between `preauth` and `auth` at which a cluster could be taken out.
fn assert_clusters_taken_out(fail_mode: &'static str) {
    let midway = Midway::clustered("unknown cluster", fail_mode);
    midway.assert_auth_status(1, true);
    midway.assert_auth_status(2, false);
}

#[test]
fn clusters_taken_out_midway_lead_where_the_page_says_under_secure() {
    assert_clusters_taken_out("secure");
}

#[test]
fn clusters_taken_out_midway_lead_where_the_page_says_under_safe() {
    assert_clusters_taken_out("safe");
}
