//! The Envoy that Istio or Envoy Gateway would make of the resources in `envoy/`: with their order and names of filters, with
//! their encoding of the plugin configuration, and with their name of Duo's cluster.

mod clusters;

use std::fs;

use serde_json::{Value, json};

use crate::discovery;
use crate::examples::{Issuer, OLDER_KEY};
use crate::resources::{Resources, list, text};
use crate::setup::Setup;
use crate::sim::eventually;
use crate::stack::{Parts, Stack};
use crate::universal;
use clusters::{app_cluster, duo_cluster, lead_to, lead_to_simulator, socket, trust};

const WASM: &str = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";

/// Starts the Envoy of an Istio gateway.
///
/// strip (an EnvoyFilter) -> RequestAuthentication -> the module -> AuthorizationPolicy -> router
pub(crate) fn istio(resources: &Resources, issuer: &Issuer, plugin: IstioPlugin) -> Stack {
    let mut setup = setup();
    if let IstioPlugin::WithoutSecrets = plugin {
        setup.environment.clear();
    }
    let stack = Stack::start_as(setup, |parts| {
        let mut filters = vec![istio_jwt(resources.one("RequestAuthentication", "idp"), issuer)];
        let patches = resources.all().filter(|it| it["kind"] == "EnvoyFilter");
        for change in patches.flat_map(|it| list(&it["spec"]["configPatches"])) {
            if change["patch"]["operation"] == "INSERT_FIRST" {
                filters.insert(0, change["patch"]["value"].clone());
            }
        }
        match plugin {
            IstioPlugin::Applied | IstioPlugin::WithoutSecrets => {
                filters.push(istio_module(resources, parts));
            }
            IstioPlugin::Deleted => {}
        }
        filters.extend(resources.find("AuthorizationPolicy").map(istio_rbac));
        let rule = resources.one("DestinationRule", "duo-api");
        let tls = &rule["spec"]["trafficPolicy"]["tls"];
        let cluster = format!("outbound|443||{}", text(&rule["spec"]["host"]));
        let duo = duo_cluster(&cluster, &tls["sni"], &tls["subjectAltNames"][0], parts);
        envoy(filters, json!({}), vec![app_cluster(parts), duo])
    });
    if let IstioPlugin::Applied = plugin {
        let stat = "extension_config_discovery.http_filter.*.config_reload$";
        eventually("the extension", || {
            stack.envoy.admin(&format!("/stats?filter={stat}")).contains(": 1").then_some(())
        });
    }
    stack
}

/// A setup with the environment variables that the files name.
fn setup() -> Setup {
    let mut setup = Setup::default();
    setup.environment.push(("DUO_MFA_COOKIE_KEY_BEFORE", OLDER_KEY.to_owned()));
    setup.environment.push(("DUO_CLIENT_SECRET", universal::CLIENT_SECRET.to_owned()));
    setup
}

#[derive(Clone, Copy)]
pub(crate) enum IstioPlugin {
    Applied,
    /// The gateway's environment lacks the secrets.
    WithoutSecrets,
    /// The WasmPlugin is deleted, and the rest remains.
    Deleted,
}

/// Starts the Envoy of an Istio gateway with an EnvoyFilter that adds the module and the cluster.
pub(crate) fn istio_with_patches(resources: &Resources, issuer: &Issuer) -> Stack {
    Stack::start_as(setup(), |parts| {
        let mut filters = vec![istio_jwt(resources.one("RequestAuthentication", "idp"), issuer)];
        let mut clusters = vec![app_cluster(parts)];
        for change in list(&resources.one("EnvoyFilter", "duo-mfa")["spec"]["configPatches"]) {
            let mut value = change["patch"]["value"].clone();
            match text(&change["applyTo"]) {
                "CLUSTER" => {
                    lead_to_simulator(&mut value, parts);
                    clusters.push(value);
                }
                "HTTP_FILTER" => {
                    let vm = &mut value["typed_config"]["config"]["vm_config"];
                    vm["code"] = local_code(parts);
                    filters.push(value);
                }
                other => panic!("{other}"),
            }
        }
        envoy(filters, json!({}), clusters)
    })
}

/// Starts the Envoy of an Envoy Gateway.
///
/// SecurityPolicy -> the module, switched off but on the route -> router
pub(crate) fn envoy_gateway(
    resources: &Resources,
    issuer: &Issuer,
    policy: &str,
    duo: &str,
) -> Stack {
    Stack::start_as(setup(), |parts| {
        let resource = resources.one("EnvoyExtensionPolicy", policy);
        let module = &resource["spec"]["wasm"][0];
        assert_eq!(module["failOpen"], false);
        let name = format!("envoy.filters.http.wasm/envoyextensionpolicy/default/{policy}/wasm/0");
        let filter = json!({
            "name": name,
            "disabled": true,
            "typed_config": {"@type": WASM, "config": {
                "name": module["name"],
                "root_id": module["rootID"],
                "fail_open": false,
                "vm_config": {
                    "vm_id": name,
                    "runtime": "envoy.wasm.runtime.v8",
                    "code": local_code(parts),
                    "environment_variables": {"host_env_keys": module["env"]["hostKeys"]},
                },
                "configuration": as_text(&module["config"]),
            }},
        });
        let on = json!({name: {
            "@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "config": {},
        }});
        let target = resource["spec"]["targetRefs"][0]["name"].clone();
        let security = resources.all().find(|known| {
            known["kind"] == "SecurityPolicy" && known["spec"]["targetRefs"][0]["name"] == target
        });
        let jwt = gateway_jwt(security.expect("a first factor of the route"), issuer);
        let tls = resources.one("BackendTLSPolicy", duo);
        let hostname = &tls["spec"]["validation"]["hostname"];
        let route = resources.one("HTTPRoute", duo);
        let cluster = format!("httproute/{}/{duo}/rule/0", Resources::namespace(route));
        let duo = duo_cluster(&cluster, hostname, hostname, parts);
        envoy(vec![jwt, filter], on, vec![app_cluster(parts), duo])
    })
}

/// Starts the Envoy whose whole configuration is a file of a ConfigMap.
pub(crate) fn standalone(configuration: &str, issuer: &Issuer) -> Stack {
    Stack::start_as(setup(), |parts| {
        let mut envoy: Value = serde_saphyr::from_str(configuration).unwrap();
        let resources = &mut envoy["static_resources"];
        for cluster in resources["clusters"].as_array_mut().unwrap() {
            match text(&cluster["name"]) {
                "app" => *cluster = app_cluster(parts),
                "duo_api" => lead_to_simulator(cluster, parts),
                "idp" | "admin" => {
                    let nowhere = "127.0.0.1:9".parse().unwrap();
                    lead_to(cluster, nowhere);
                    trust(cluster, parts);
                }
                other => panic!("{other}"),
            }
        }
        resources["listeners"].as_array_mut().unwrap().truncate(1);
        let listener = &mut resources["listeners"][0];
        listener["address"]["socket_address"] = json!({"address": "127.0.0.1", "port_value": 0});
        let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
        for filter in manager["http_filters"].as_array_mut().unwrap() {
            let name = text(&filter["name"]).to_owned();
            let config = &mut filter["typed_config"];
            match name.as_str() {
                "duo_mfa" => config["config"]["vm_config"]["code"] = local_code(parts),
                "envoy.filters.http.jwt_authn" => {
                    let provider = config["providers"]["idp"].as_object_mut().unwrap();
                    provider.remove("remote_jwks").expect("keys by HTTPS");
                    provider.insert("local_jwks".to_owned(), issuer.local_keys());
                }
                _ => {}
            }
        }
        envoy["admin"] = json!({"address": socket("127.0.0.1:0".parse().unwrap())});
        envoy
    })
}

/// The configuration in a ConfigMap that a chart renders.
pub(crate) fn envoy_of(resources: &Resources) -> String {
    text(&resources.one("ConfigMap", "mfa")["data"]["envoy.yaml"]).to_owned()
}

/// The Envoy filter that Istio makes of a RequestAuthentication. It lets a request without a token pass.
fn istio_jwt(resource: &Value, issuer: &Issuer) -> Value {
    let rule = &resource["spec"]["jwtRules"][0];
    let provider = json!({
        "issuer": rule["issuer"],
        "audiences": rule["audiences"],
        "local_jwks": issuer.local_keys(),
        "from_headers": headers(&rule["fromHeaders"], "prefix"),
        "from_cookies": rule["fromCookies"],
        "payload_in_metadata": "payload",
    });
    let any = json!([{"provider_name": "origins-0"}, {"allow_missing": {}}]);
    jwt_authn("origins-0", provider, json!({"requires_any": {"requirements": any}}))
}

fn gateway_jwt(resource: &Value, issuer: &Issuer) -> Value {
    let given = &resource["spec"]["jwt"]["providers"][0];
    let from = &given["extractFrom"];
    let provider = json!({
        "issuer": given["issuer"],
        "audiences": given["audiences"],
        "local_jwks": issuer.local_keys(),
        "from_headers": headers(&from["headers"], "valuePrefix"),
        "from_cookies": from["cookies"],
        "payload_in_metadata": given["name"],
        "forward": true,
    });
    jwt_authn("idp", provider, json!({"provider_name": "idp"}))
}

/// The headers that carry a token. `prefix` is the product's name for the member with the text before it.
fn headers(given: &Value, prefix: &str) -> Vec<Value> {
    let header = |it: &Value| json!({"name": it["name"], "value_prefix": it[prefix]});
    list(given).iter().map(header).collect()
}

fn jwt_authn(name: &str, provider: Value, requirement: Value) -> Value {
    json!({
        "name": "envoy.filters.http.jwt_authn",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
            "providers": {name: provider},
            "rules": [{"match": {"prefix": "/"}, "requires": requirement}],
        },
    })
}

/// The extension, for Envoy to discover, that Istio makes of a WasmPlugin or a TrafficExtension.
fn istio_module(resources: &Resources, parts: &Parts<'_>) -> Value {
    let resource = resources.find("WasmPlugin").or_else(|| resources.find("TrafficExtension"));
    let resource = resource.expect("a module");
    let spec = resource["spec"].get("wasm").unwrap_or_else(|| &resource["spec"]);
    let variables = list(&spec["vmConfig"]["env"]);
    assert!(variables.iter().all(|variable| variable["valueFrom"] == "HOST"));
    let host: Vec<&Value> = variables.iter().map(|variable| &variable["name"]).collect();
    let name =
        format!("{}.{}", Resources::namespace(resource), text(&resource["metadata"]["name"]));
    let config = json!({
        "name": name,
        "root_id": spec["pluginName"],
        "failure_policy": spec["failStrategy"],
        "vm_config": {
            "runtime": "envoy.wasm.runtime.v8",
            "code": local_code(parts),
            "environment_variables": {
                "host_env_keys": host,
                "key_values": {"ISTIO_META_WASM_PLUGIN_RESOURCE_VERSION": "4711"},
            },
        },
        "configuration": as_text(&spec["pluginConfig"]),
    });
    let discovered = json!({"resources": [{
        "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
        "name": name,
        "typed_config": {"@type": WASM, "config": config},
    }]});
    let file = parts.directory.join("extension.json");
    fs::write(&file, discovered.to_string()).unwrap();
    json!({"name": name, "config_discovery": {
        "config_source": discovery::source(&file),
        "type_urls": [WASM],
    }})
}

/// The Envoy filter that Istio makes of an AuthorizationPolicy with the only form of rule in our files: DENY, unless a header
/// has one of the values.
pub(crate) fn istio_rbac(resource: &Value) -> Value {
    let (spec, rule) = (&resource["spec"], &resource["spec"]["rules"][0]);
    assert_eq!((&spec["action"], list(&spec["rules"]).len()), (&json!("DENY"), 1));
    let when = &rule["when"][0];
    let key = text(&when["key"]);
    let header = key.strip_prefix("request.headers[").and_then(|key| key.strip_suffix(']'));
    let header = header.unwrap();
    let paths: Vec<Value> = rule["to"]
        .get(0)
        .map_or(&[][..], |to| list(&to["operation"]["notPaths"]))
        .iter()
        .map(|path| json!({"not_rule": {"url_path": {"path": {"exact": path}}}}))
        .collect();
    let permission = if paths.is_empty() {
        json!({"any": true})
    } else {
        json!({"and_rules": {"rules": paths}})
    };
    let has = |value: &Value| match value.as_str() {
        Some("*") => json!({"header": {"name": header, "present_match": true}}),
        _ => json!({"header": {"name": header, "string_match": {"exact": value}}}),
    };
    let values: Vec<_> = list(&when["notValues"]).iter().map(has).collect();
    let has_none = json!({"not_id": {"or_ids": {"ids": values}}});
    let policy = json!({"permissions": [permission], "principals": [has_none]});
    json!({
        "name": "envoy.filters.http.rbac",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
            "rules": {"action": "DENY", "policies": {"duo-mfa": policy}},
        },
    })
}

/// The encoding of both products: JSON in a StringValue, without `allow_on_headers_stop_iteration`.
fn as_text(configuration: &Value) -> Value {
    json!({
        "@type": "type.googleapis.com/google.protobuf.StringValue",
        "value": configuration.to_string(),
    })
}

fn envoy(mut filters: Vec<Value>, of_route: Value, clusters: Vec<Value>) -> Value {
    filters.push(json!({
        "name": "envoy.filters.http.router",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
        },
    }));
    let route = json!({
        "match": {"prefix": "/"},
        "route": {"cluster": "app", "timeout": "60s"},
        "typed_per_filter_config": of_route,
    });
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "product",
        "use_remote_address": true,
        "normalize_path": true,
        "http_filters": filters,
        "route_config": {"virtual_hosts": [
            {"name": "app", "domains": ["*"], "routes": [route]},
        ]},
    });
    json!({
        "admin": {"address": socket("127.0.0.1:0".parse().unwrap())},
        "node": {"id": "e2e", "cluster": "e2e"},
        "static_resources": {
            "listeners": [{
                "name": "main",
                "address": socket("127.0.0.1:0".parse().unwrap()),
                "filter_chains": [{"filters": [{
                    "name": "envoy.filters.network.http_connection_manager",
                    "typed_config": manager,
                }]}],
            }],
            "clusters": clusters,
        },
    })
}

fn local_code(parts: &Parts<'_>) -> Value {
    json!({"local": {"filename": parts.module}})
}
