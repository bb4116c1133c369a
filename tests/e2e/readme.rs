//! Puts the fragments of Envoy's configuration in README.md and docs/identity.md together and has Envoy check them.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::envoy;
use crate::hosts::{of_this_host, plugin_of};
use crate::setup::Setup;
use crate::stack::{Directory, write_authority};

#[test]
fn fragments_make_a_configuration_that_envoy_takes() {
    let directory = Directory::new();
    let authority = directory.0.join("authority.pem");
    write_authority(&authority);
    // The files that README names do not exist here.
    let here = |text: String| {
        of_this_host(&text, &envoy::module())
            .replace("/etc/ssl/certs/ca-certificates.crt", authority.to_str().unwrap())
    };
    let fragment = |fence: &str| -> Vec<Value> {
        serde_saphyr::from_str(&here(block(fence))).unwrap_or_else(|error| panic!("{error}"))
    };
    let header_identity = fragment("yaml file=envoy-filter");
    let claim: Value = serde_json::from_str(&here(block("json file=identity-jwt"))).unwrap();
    for filter in [header_identity.clone(), with_identity(&header_identity, &claim)] {
        let router = json!({
            "name": "envoy.filters.http.router",
            "typed_config": {"@type":
                "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
        });
        let filters = [fragment("yaml file=envoy-strip"), filter, vec![router]].concat();
        let configuration = bootstrap(&filters, &fragment("yaml file=envoy-cluster"));
        let (status, output) = envoy::validate(&directory.0, &configuration, &Setup::default());
        assert_eq!(status.code(), Some(0), "{output}");
        envoy::assert_nothing_deprecated(&output);
    }
}

/// The part of docs/deploy/envoy.md that has Envoy fetch the module.
#[test]
fn module_from_a_server_is_a_configuration_that_envoy_takes() {
    crate::of_another_host!();
    let directory = Directory::new();
    let authority = directory.0.join("authority.pem");
    write_authority(&authority);
    let here = |text: String| {
        let path = authority.to_str().unwrap();
        serde_saphyr::from_str::<Value>(&text.replace("/etc/ssl/certs/ca-certificates.crt", path))
            .unwrap_or_else(|error| panic!("{error}"))
    };
    let list = |value: Value| value.as_array().unwrap().clone();
    let mut filters = list(here(block("yaml file=envoy-filter")));
    filters[0]["typed_config"]["config"]["vm_config"]["code"] =
        here(block("yaml file=remote-module"))["code"].clone();
    filters.push(json!({
        "name": "envoy.filters.http.router",
        "typed_config":
            {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
    }));
    let mut clusters = list(here(block("yaml file=envoy-cluster")));
    clusters.push(json!({"name": "modules", "load_assignment": {"cluster_name": "modules"}}));
    let configuration = bootstrap(&filters, &clusters);
    let (status, output) = envoy::validate(&directory.0, &configuration, &Setup::default());
    assert_eq!(status.code(), Some(0), "{output}");
}

fn bootstrap(filters: &[Value], clusters: &[Value]) -> Value {
    let manager = "type.googleapis.com/envoy.extensions.filters.network\
                   .http_connection_manager.v3.HttpConnectionManager";
    json!({"static_resources": {
        "listeners": [{
            "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
            "filter_chains": [{"filters": [{
                "name": "envoy.filters.network.http_connection_manager",
                "typed_config": {
                    "@type": manager,
                    "stat_prefix": "readme",
                    "use_remote_address": true,
                    "http_filters": filters,
                    "route_config": {"virtual_hosts": [{
                        "name": "app", "domains": ["*"],
                        "routes": [{"match": {"prefix": "/"}, "direct_response": {"status": 200}}],
                    }]},
                },
            }]}],
        }],
        "clusters": clusters,
    }})
}

/// The same filter, with another identity in its plugin configuration.
fn with_identity(filter: &[Value], identity: &Value) -> Vec<Value> {
    let mut filter = filter.to_vec();
    let text = plugin_of(&mut filter[0]);
    let mut plugin: Value = serde_json::from_str(text.as_str().unwrap()).unwrap();
    plugin["identity"] = identity.clone();
    *text = plugin.to_string().into();
    filter
}

fn block(fence: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages =
        ["README.md", "docs/identity.md", "docs/deploy/envoy.md"].map(|page| root.join(page));
    let text = pages.map(|page| fs::read_to_string(page).unwrap()).concat();
    let (_, rest) = text.split_once(&format!("```{fence}\n")).unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}
