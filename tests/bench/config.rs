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
            "secrets": [
                secret("oauth_hmac", &keys.oauth),
                secret("oauth_token", "a secret of the client"),
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
        Variant::DynamicNoop => Some(dynamic("noop", &setup.dynamic_noop, &json!({}))?),
        Variant::DuoMfa => Some(wasm("duo_mfa", &setup.module, &plugin(keys))?),
        Variant::Native => Some(dynamic("duo_mfa", &setup.native, &plugin(keys))?),
        Variant::OtherBuild(number) => {
            let module = setup.other.get(number).ok_or("there is no such build")?;
            if module.extension().is_some_and(|it| it == "so") {
                return Ok(Some(dynamic("duo_mfa", module, &plugin(keys))?));
            }
            Some(wasm(&format!("other_{number}"), module, &plugin(keys))?)
        }
        Variant::Oauth2 => Some(oauth2()),
        Variant::JwtAuthn => Some(jwt_authn(keys)),
        Variant::ExtAuthz => Some(ext_authz(servers)),
    })
}

/// A wasm filter in a separate VM.
fn wasm(name: &str, module: &Path, configuration: &Value) -> Result<Value, Fault> {
    check_exists(module)?;
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
                "configuration": text(configuration),
            },
        },
    }))
}

/// A native dynamic module.
fn dynamic(name: &str, library: &Path, configuration: &Value) -> Result<Value, Fault> {
    check_exists(library)?;
    Ok(json!({
        "name": format!("{name}_native"),
        "typed_config": {
            "@type": format!("{FILTERS}.http.dynamic_modules.v3.DynamicModuleFilter"),
            "dynamic_module_config": {"module": {"local": {"filename": library}}},
            "filter_name": name,
            "filter_config": text(configuration),
        },
    }))
}

fn check_exists(module: &Path) -> Result<(), Fault> {
    if module.is_file() {
        Ok(())
    } else {
        Err(format!("{} is not there: run make bench", module.display()).into())
    }
}

fn text(configuration: &Value) -> Value {
    json!({
        "@type": "type.googleapis.com/google.protobuf.StringValue",
        "value": configuration.to_string(),
    })
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

/// The same job as the product's: the cookies of a user who has signed in are checked by an HMAC. The
/// token is not encrypted, since that would cost the filter more.
fn oauth2() -> Value {
    let path = |path: &str| json!({"path": {"exact": path}});
    json!({
        "name": "oauth2",
        "typed_config": {
            "@type": format!("{FILTERS}.http.oauth2.v3.OAuth2"),
            "config": {
                "token_endpoint": {
                    "cluster": "duo_api", "uri": "http://127.0.0.1:9/token", "timeout": "5s",
                },
                "authorization_endpoint": "https://login.example.com/authorize",
                "redirect_uri": "https://app.example.com/callback",
                "redirect_path_matcher": path("/callback"),
                "signout_path": path("/signout"),
                "credentials": {
                    "client_id": "bench",
                    "token_secret": {"name": "oauth_token"},
                    "hmac_secret": {"name": "oauth_hmac"},
                },
                "disable_token_encryption": true,
                // Refused with 401, and not sent to the identity provider.
                "deny_redirect_matcher": [
                    {"name": ":path", "string_match": {"prefix": "/"}},
                ],
            },
        },
    })
}

fn secret(name: &str, value: &str) -> Value {
    json!({"name": name, "generic_secret": {"secret": {"inline_string": value}}})
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
