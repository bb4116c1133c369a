//! The settings of a test's stack, and the Envoy configuration for them.
//!
//! The chain of filters: one removes the client's `x-basic-user`, the first factor sets it, the module decides,
//! and the router forwards.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use base64::{
    Engine as _, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD,
};
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use crate::discovery::{self, LISTENER};
use crate::filter::filter;
use crate::message::PASSWORD;

/// The API host that the module calls. The simulator's certificate names it.
pub(crate) const API_HOST: &str = "api-sim.duosecurity.test";
pub(crate) const INTEGRATION_KEY: &str = "DISIM4E2E7TESTS2KEYX";
pub(crate) const SECRET_KEY: &str = "Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep";
/// The default Web SDK application of the simulator.
pub(crate) const CLIENT_ID: &str = "DISIMULATEDWEBSDK001";
pub(crate) const CLIENT_SECRET: &str = "SimulatedWebSdkSecretSimulatedWebSdk0001";
/// The secret key of another account at Duo.
pub(crate) const OTHER_SECRET_KEY: &str = "bq9XkT2mVz7LcN4wRy1HsF8jPd5GtU3eAo6ZxKiQ";
pub(crate) const COOKIE_KEY: &str = "b1c7Yk2mUeN0h3xkq8rW5tVz6aD9sGfJ4pLwQ1eRoHc=";
/// The key that signs the tokens of the first factor.
pub(crate) const JWT_KEY: &[u8] = b"an octet key of the first factor, 32+ bytes";

/// The simulator's built-in users, and nora, who is unknown to it.
const USERS: &[&str] = &[
    "alice", "bob", "carol", "peter", "tom", "dave", "nora", "mallory", "eve", "bella", "two",
    "rita",
];

/// How many other users the first factor knows. [`guest`] names them.
const GUESTS: usize = 1000;

/// The name of a user. A test has to add them to the simulator.
pub(crate) fn guest(number: usize) -> String {
    assert!(number < GUESTS);
    format!("guest{number}")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FirstFactor {
    BasicAuth,
    Jwt,
    /// basic_auth, whose user goes into dynamic metadata.
    Metadata,
    /// No filter sets or removes an identity.
    Absent,
}

/// The destination of Duo's cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DuoLink {
    Simulator,
    /// To the simulator, but Envoy does not trust the authority that signed its certificate.
    Impostor,
    /// To a port where nobody listens.
    ClosedPort,
    /// Nowhere: there is no such cluster.
    NoCluster,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PluginForm {
    JsonText,
    Struct,
}

#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) workers: u32,
    pub(crate) first_factor: FirstFactor,
    pub(crate) duo_link: DuoLink,
    /// `allow_on_headers_stop_iteration`
    pub(crate) stops_at_headers: bool,
    /// `per_connection_buffer_limit_bytes`
    pub(crate) buffer_limit: u32,
    /// Overrides members of the connection manager.
    pub(crate) manager: Value,
    /// The file from which Envoy reads its listener, again after each change; `None` for a static listener.
    pub(crate) listener_file: Option<PathBuf>,
    /// How long requests of a replaced listener may go on.
    pub(crate) drain_seconds: u32,
    /// The listener's TLS; `None` for plain text.
    pub(crate) transport_socket: Option<Value>,
    pub(crate) plugin: Value,
    pub(crate) plugin_form: PluginForm,
    /// Envoy's `--component-log-level`
    pub(crate) log: &'static str,
    /// Environment of the Envoy process.
    pub(crate) environment: Vec<(&'static str, String)>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            workers: 2,
            first_factor: FirstFactor::BasicAuth,
            duo_link: DuoLink::Simulator,
            stops_at_headers: false,
            buffer_limit: 1 << 20,
            manager: json!({}),
            listener_file: None,
            drain_seconds: 600,
            transport_socket: None,
            plugin: plugin(),
            plugin_form: PluginForm::JsonText,
            log: "wasm:debug",
            environment: vec![
                ("DUO_SECRET_KEY", SECRET_KEY.to_owned()),
                ("DUO_MFA_COOKIE_KEY", COOKIE_KEY.to_owned()),
            ],
        }
    }
}

/// The plugin configuration that the tests start from.
fn plugin() -> Value {
    json!({
        "version": 1,
        "duo": {
            "api_host": API_HOST,
            "integration_key": INTEGRATION_KEY,
            "secret_key": {"env": "DUO_SECRET_KEY"},
            "cluster": "duo_api",
            "timeout": "5s",
        },
        "identity": {"source": "header", "header": "x-basic-user"},
        "session": {"keys": [{"env": "DUO_MFA_COOKIE_KEY"}]},
    })
}

impl Setup {
    /// Overrides members of the plugin configuration (RFC 7396: `null` removes one).
    pub(crate) fn plugin(mut self, patch: Value) -> Self {
        merge(&mut self.plugin, patch);
        self
    }

    /// Sets an environment variable of the Envoy process, or sets it anew.
    pub(crate) fn set_variable(&mut self, name: &'static str, value: &str) {
        self.environment.retain(|(known, _)| *known != name);
        self.environment.push((name, value.to_owned()));
    }

    /// Lets the module read bodies, with a limit on the listener's buffer.
    pub(crate) fn stopping_at_headers(mut self, buffer_limit: u32) -> Self {
        self.stops_at_headers = true;
        self.buffer_limit = buffer_limit;
        self
    }

    /// Resolves relative paths in this directory.
    pub(crate) fn with_files_in(mut self, directory: &Path) -> Self {
        self.listener_file = self.listener_file.map(|file| directory.join(file));
        self
    }

    /// The whole Envoy configuration, as JSON.
    pub(crate) fn envoy(&self, module: &Path, app: SocketAddr, duo: &DuoEnd) -> Value {
        let mut clusters = vec![app_cluster(app)];
        if self.duo_link != DuoLink::NoCluster {
            clusters.push(duo_cluster(duo));
        }
        let mut envoy = json!({
            "admin": {"address": any_port()},
            "static_resources": {"listeners": [], "clusters": clusters},
        });
        match &self.listener_file {
            None => envoy["static_resources"]["listeners"] = json!([self.listener(module)]),
            Some(file) => {
                self.write_listener(file, module);
                discovery::subscribe(&mut envoy, "lds_config", file);
            }
        }
        envoy
    }

    /// Replaces the listener in its file. Envoy loads it at once.
    pub(crate) fn write_listener(&self, file: &Path, module: &Path) {
        discovery::write(file, LISTENER, &[self.listener(module)]);
    }

    /// The listener of this configuration.
    pub(crate) fn listener(&self, module: &Path) -> Value {
        let mut filters = Vec::new();
        match self.first_factor {
            FirstFactor::BasicAuth => filters.extend([strip(), basic_auth()]),
            FirstFactor::Jwt => filters.push(jwt_authn()),
            FirstFactor::Metadata => filters.extend([strip(), basic_auth(), to_metadata()]),
            FirstFactor::Absent => {}
        }
        filters.extend([filter(self, module), router()]);
        // Without `use_remote_address` Envoy takes the peer's address from the client's X-Forwarded-For, and Duo
        // would get that one.
        let mut manager = json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "e2e",
            "use_remote_address": true,
            "stream_idle_timeout": "120s",
            "upgrade_configs": [{"upgrade_type": "websocket"}, {"upgrade_type": "CONNECT"}],
            "http_filters": filters,
            "route_config": {"virtual_hosts": [{
                "name": "app",
                "domains": ["*"],
                "routes": [
                    {"match": {"prefix": "/"}, "route": {"cluster": "app", "timeout": "60s"}},
                    {"match": {"connect_matcher": {}}, "route": {"cluster": "app"}},
                ],
            }]},
        });
        merge(&mut manager, self.manager.clone());
        let mut chain = json!({"filters": [
            {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager},
        ]});
        if let Some(socket) = &self.transport_socket {
            chain["transport_socket"] = socket.clone();
        }
        json!({
            "name": "main",
            "address": any_port(),
            "per_connection_buffer_limit_bytes": self.buffer_limit,
            "filter_chains": [chain],
        })
    }
}

fn merge(target: &mut Value, patch: Value) {
    let Value::Object(members) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (name, value) in members {
        if value.is_null() {
            target.as_object_mut().unwrap().remove(&name);
        } else {
            merge(&mut target[name], value);
        }
    }
}

/// The address of a listener whose port the system chooses.
pub(crate) fn any_port() -> Value {
    address("127.0.0.1:0".parse().unwrap())
}

fn address(of: SocketAddr) -> Value {
    json!({"socket_address": {"address": of.ip(), "port_value": of.port()}})
}

fn strip() -> Value {
    json!({
        "name": "strip",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
            "mutations": {"request_mutations": [{"remove": "x-basic-user"}]},
        },
    })
}

fn basic_auth() -> Value {
    let password = STANDARD.encode(Sha1::digest(PASSWORD));
    let names = USERS.iter().map(|user| (*user).to_owned()).chain((0..GUESTS).map(guest));
    let users: Vec<_> = names.map(|user| format!("{user}:{{SHA}}{password}")).collect();
    json!({
        "name": "basic_auth",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.basic_auth.v3.BasicAuth",
            "users": {"inline_string": users.join("\n")},
            "forward_username_header": "x-basic-user",
        },
    })
}

fn to_metadata() -> Value {
    let rule = json!({
        "header": "x-basic-user",
        "on_header_present": {"metadata_namespace": "first_factor", "key": "user"},
        "remove": true,
    });
    json!({
        "name": "to_metadata",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.header_to_metadata.v3.Config",
            "request_rules": [rule],
        },
    })
}

fn jwt_authn() -> Value {
    let key = json!({
        "kty": "oct", "alg": "HS256", "kid": "e2e", "k": URL_SAFE_NO_PAD.encode(JWT_KEY),
    });
    json!({
        "name": "envoy.filters.http.jwt_authn",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
            "providers": {"first": {
                "issuer": "https://first.example",
                "local_jwks": {"inline_string": json!({"keys": [key]}).to_string()},
                "forward": true,
                "payload_in_metadata": "jwt_payload",
                "claim_to_headers": [{"header_name": "x-jwt-email", "claim_name": "email"}],
            }},
            "rules": [{"match": {"prefix": "/"}, "requires": {"requires_any": {"requirements": [
                {"provider_name": "first"}, {"allow_missing": {}},
            ]}}}],
        },
    })
}

fn router() -> Value {
    json!({
        "name": "envoy.filters.http.router",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
        },
    })
}

/// The address of Duo, and the authority that signed its certificate.
#[derive(Clone, Debug)]
pub(crate) struct DuoEnd {
    pub(crate) address: SocketAddr,
    /// A PEM file.
    pub(crate) authority: PathBuf,
}

const HTTP_OPTIONS: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

fn app_cluster(app: SocketAddr) -> Value {
    json!({
        "name": "app",
        "type": "STATIC",
        "load_assignment": assignment("app", app),
        "typed_extension_protocol_options": {HTTP_OPTIONS: {
            "@type": format!("type.googleapis.com/{HTTP_OPTIONS}"),
            "use_downstream_protocol_config": {
                "http_protocol_options": {}, "http2_protocol_options": {},
            },
        }},
    })
}

fn duo_cluster(duo: &DuoEnd) -> Value {
    json!({
        "name": "duo_api",
        "type": "STATIC",
        // TLS too: a thousand handshakes take a loaded machine some seconds.
        "connect_timeout": "15s",
        "load_assignment": assignment("duo_api", duo.address),
        "transport_socket": {
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
                "sni": API_HOST,
                "common_tls_context": {"validation_context": {
                    "trusted_ca": {"filename": duo.authority},
                    "match_typed_subject_alt_names": [
                        {"san_type": "DNS", "matcher": {"exact": API_HOST}},
                    ],
                }},
            },
        },
    })
}

fn assignment(name: &str, to: SocketAddr) -> Value {
    json!({
        "cluster_name": name,
        "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(to)}}]}],
    })
}
