//! Envoy's configuration: one listener a variant, alike but for its filter.

use crate::Fault;
use crate::credential::{ISSUER, Keys, USER_HEADER};
use crate::server::{AUTHORIZE, ECHO, Servers};
use crate::setup::Setup;
use crate::variant::Variant;
use serde_json::{Value, json};
use std::path::Path;

const FILTERS: &str = "type.googleapis.com/envoy.extensions.filters";

pub(crate) fn render(
    setup: &Setup,
    keys: &Keys,
    servers: &Servers,
    listeners: &[(Variant, u16)],
) -> Result<Value, Fault> {
    let mut rendered = Vec::new();
    for &(variant, port) in listeners {
        rendered.push(listener(&variant.to_string(), port, filter(variant, setup, keys, servers)?));
    }
    Ok(json!({
        "static_resources": {
            "listeners": rendered,
            "clusters": [
                cluster("servers", servers.port),
                // Nobody listens there: a request that passes by its cookie never asks Duo.
                cluster("duo_api", 9),
            ],
        },
    }))
}

fn listener(name: &str, port: u16, filter: Option<Value>) -> Value {
    let router = json!({
        "name": "router",
        "typed_config": {"@type": format!("{FILTERS}.http.router.v3.Router")},
    });
    let filters: Vec<Value> = filter.into_iter().chain([router]).collect();
    json!({
        "name": name,
        "address": address(port),
        "filter_chains": [{"filters": [{
            "name": "http",
            "typed_config": {
                "@type": format!(
                    "{FILTERS}.network.http_connection_manager.v3.HttpConnectionManager"
                ),
                "stat_prefix": name,
                "http_filters": filters,
                "route_config": {"virtual_hosts": [{
                    "name": "all",
                    "domains": ["*"],
                    "routes": [
                        {"match": {"path": ECHO}, "route": {"cluster": "servers"}},
                        {
                            "match": {"prefix": "/"},
                            "direct_response": {"status": 200, "body": {"inline_string": "ok"}},
                        },
                    ],
                }]},
            },
        }]}],
    })
}

fn filter(
    variant: Variant,
    setup: &Setup,
    keys: &Keys,
    servers: &Servers,
) -> Result<Option<Value>, Fault> {
    Ok(match variant {
        Variant::NoFilter => None,
        Variant::Noop => Some(wasm("noop", &setup.noop, &json!({}))?),
        Variant::DuoMfa => Some(wasm("duo_mfa", &setup.module, &plugin(keys))?),
        Variant::OtherBuild(number) => {
            let module = setup.other.get(number).ok_or("there is no such build")?;
            Some(wasm(&format!("other_{number}"), module, &plugin(keys))?)
        }
        Variant::JwtAuthn => Some(jwt_authn(keys)),
        Variant::ExtAuthz => Some(ext_authz(servers)),
    })
}

/// A wasm filter in a separate VM.
fn wasm(name: &str, module: &Path, configuration: &Value) -> Result<Value, Fault> {
    if !module.is_file() {
        return Err(format!("{} is not there: run make bench", module.display()).into());
    }
    Ok(json!({
        "name": name,
        "typed_config": {
            "@type": format!("{FILTERS}.http.wasm.v3.Wasm"),
            "config": {
                "name": name,
                "root_id": name,
                "failure_policy": "FAIL_CLOSED",
                "vm_config": {
                    "vm_id": name,
                    "runtime": "envoy.wasm.runtime.v8",
                    "code": {"local": {"filename": module}},
                },
                "configuration": {
                    "@type": "type.googleapis.com/google.protobuf.StringValue",
                    "value": configuration.to_string(),
                },
            },
        },
    }))
}

fn plugin(keys: &Keys) -> Value {
    json!({
        "version": 1,
        "allow_inline_secrets": true,
        "duo": {
            "api_host": "api-bench.duosecurity.com",
            "integration_key": "DIBENCHBENCHBENCHBEN",
            "secret_key": "b9e0c3f1a27d4856b9e0c3f1a27d4856b9e0c3f1",
            "check_interval": "1h",
        },
        "identity": {"source": "header", "header": USER_HEADER},
        "session": {"keys": [keys.cookie]},
        "api": {"mode": "refuse"},
    })
}

fn jwt_authn(keys: &Keys) -> Value {
    let key_set = json!({"keys": [{"kty": "oct", "alg": "HS256", "k": keys.token}]});
    json!({
        "name": "jwt_authn",
        "typed_config": {
            "@type": format!("{FILTERS}.http.jwt_authn.v3.JwtAuthentication"),
            "providers": {"login": {
                "issuer": ISSUER,
                "local_jwks": {"inline_string": key_set.to_string()},
                "claim_to_headers": [{"header_name": "x-duo-mfa-user", "claim_name": "sub"}],
            }},
            "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "login"}}],
        },
    })
}

fn ext_authz(servers: &Servers) -> Value {
    let names = |names: &[&str]| {
        let patterns: Vec<Value> = names.iter().map(|name| json!({"exact": name})).collect();
        json!({"patterns": patterns})
    };
    json!({
        "name": "ext_authz",
        "typed_config": {
            "@type": format!("{FILTERS}.http.ext_authz.v3.ExtAuthz"),
            "allowed_headers": names(&["cookie", USER_HEADER]),
            "http_service": {
                "server_uri": {
                    "uri": format!("http://127.0.0.1:{}", servers.port),
                    "cluster": "servers",
                    "timeout": "5s",
                },
                "path_prefix": AUTHORIZE,
                "authorization_response": {"allowed_upstream_headers": names(&["x-duo-mfa-user"])},
            },
        },
    })
}

fn cluster(name: &str, port: u16) -> Value {
    json!({
        "name": name,
        "type": "STATIC",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(port)}}]}],
        },
    })
}

fn address(port: u16) -> Value {
    json!({"socket_address": {"address": "127.0.0.1", "port_value": port}})
}
