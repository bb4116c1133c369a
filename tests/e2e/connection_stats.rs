//! The table of docs/monitoring.md that tells faults of the connection to Duo apart: a real Envoy meets each fault, and the statistic of
//! its row counts.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use serde_json::{Value, json};

use crate::envoy::Envoy;
use crate::http1::Connection;
use crate::message::Request;
use crate::setup::{API_HOST, Setup};
use crate::sim::{Sim, eventually};
use crate::stack::{Directory, write_authority};

const HEAD: &str = "| fault | statistic that counts | what to do |";

/// A fault as the page names it, and the cluster that meets it.
struct Row {
    fault: &'static str,
    address: SocketAddr,
    authority: String,
    name: &'static str,
}

#[test]
fn each_fault_of_the_connection_has_its_statistic() {
    crate::of_another_host!();
    let directory = Directory::new();
    let sim = Sim::start(&directory.0);
    let other = directory.0.join("other.pem");
    write_authority(&other);
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = {
        let gone = TcpListener::bind("127.0.0.1:0").unwrap();
        gone.local_addr().unwrap()
    };
    let own = sim.end.authority.display().to_string();
    let row = |fault, address| Row { fault, address, authority: own.clone(), name: API_HOST };
    let faults = [
        row("refused connection", closed),
        row("dropped packets", silent.local_addr().unwrap()),
        row("no TLS", sim.api),
        Row { authority: other.display().to_string(), ..row("unknown authority", sim.end.address) },
        Row { name: "api-other.duosecurity.com", ..row("other name", sim.end.address) },
    ];
    let setup = Setup::default();
    let envoy = Envoy::start(&directory.0, &configuration(&faults), &setup);
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/monitoring.md"));
    let page = page.unwrap();
    let rows: Vec<Vec<&str>> = page
        .lines()
        .skip_while(|line| *line != HEAD)
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    // The statistics of a fault exclude each other, but that a failed connection is also counted as one.
    let all: Vec<&str> = rows.iter().map(|row| row[2].trim_matches('`')).collect();
    for (number, row) in faults.iter().enumerate() {
        let documented = rows.iter().find(|cells| cells[1].starts_with(row.fault));
        let statistic = documented.unwrap_or_else(|| panic!("no row {}", row.fault))[2];
        let request = Request::get(format!("/{number}/"));
        let reply = Connection::open(envoy.listener).exchange(&request).unwrap();
        assert_eq!(reply.status, 503, "{}", row.fault);
        let counts = |name: &str| envoy.stat(&format!("cluster.duo_{number}.{name}"));
        eventually(row.fault, || (counts(statistic.trim_matches('`')) > 0).then_some(()));
        let others = all.iter().filter(|name| {
            !statistic.contains(**name) && **name != "upstream_cx_connect_fail" && counts(name) > 0
        });
        assert_eq!(others.count(), 0, "{}: {all:?}", row.fault);
    }
}

fn configuration(rows: &[Row]) -> Value {
    let cluster = |(number, row): (usize, &Row)| {
        let name = format!("duo_{number}");
        let address = json!({"socket_address": {
            "address": row.address.ip().to_string(), "port_value": row.address.port(),
        }});
        json!({
            "name": name,
            "connect_timeout": "1s",
            "load_assignment": {"cluster_name": name, "endpoints": [
                {"lb_endpoints": [{"endpoint": {"address": address}}]},
            ]},
            "transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
                "sni": row.name,
                "common_tls_context": {"validation_context": {
                    "trusted_ca": {"filename": row.authority},
                    "match_typed_subject_alt_names": [
                        {"san_type": "DNS", "matcher": {"exact": row.name}},
                    ],
                }},
            }},
        })
    };
    let route = |number: usize| {
        json!({
            "match": {"prefix": format!("/{number}/")},
            "route": {"cluster": format!("duo_{number}")},
        })
    };
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "e2e",
        "route_config": {"virtual_hosts": [{
            "name": "duo", "domains": ["*"],
            "routes": (0..rows.len()).map(route).collect::<Vec<_>>(),
        }]},
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
        }}],
    });
    let anywhere = json!({"socket_address": {"address": "127.0.0.1", "port_value": 0}});
    json!({
        "admin": {"address": anywhere},
        "static_resources": {
            "listeners": [{"address": anywhere, "filter_chains": [{"filters": [
                {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager},
            ]}]}],
            "clusters": rows.iter().enumerate().map(cluster).collect::<Vec<_>>(),
        },
    })
}
