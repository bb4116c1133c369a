//! The first factor by client certificates, over real TLS.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};

use crate::http1::{PATIENCE, encode};
use crate::message::Request;
use crate::setup::{FirstFactor, Setup};
use crate::stack::Stack;
use crate::tally::Verdict;

const SERVER: &str = "app.example.com";

/// A certificate authority.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pub(crate) pem: String,
}

/// A certificate and its key.
pub(crate) struct Pair {
    chain: Vec<CertificateDer<'static>>,
    pub(crate) pem: String,
    pub(crate) key: KeyPair,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "authority of clients");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).unwrap();
        let (der, pem) = (certificate.der().clone(), certificate.pem());
        Self { issuer: Issuer::new(params, key), certificate: der, pem }
    }

    /// The certificate of the listener.
    pub(crate) fn server(&self) -> Pair {
        self.sign(&[(DnType::CommonName, SERVER)], vec![dns(SERVER)])
    }

    pub(crate) fn sign(&self, names: &[(DnType, &str)], alternatives: Vec<SanType>) -> Pair {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        for (kind, name) in names {
            params.distinguished_name.push(kind.clone(), *name);
        }
        params.subject_alt_names = alternatives;
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Pair { chain: vec![certificate.der().clone()], pem: certificate.pem(), key }
    }
}

fn uri(text: &str) -> SanType {
    SanType::URI(text.to_owned().try_into().unwrap())
}

fn dns(text: &str) -> SanType {
    SanType::DnsName(text.to_owned().try_into().unwrap())
}

/// A listener that requests a client certificate and rejects those that it cannot verify.
pub(crate) fn listening(authority: &Authority, plugin: &Value) -> Stack {
    let server = authority.server();
    let socket = json!({
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "require_client_certificate": false,
            "common_tls_context": {
                "tls_certificates": [{
                    "certificate_chain": {"inline_string": server.pem},
                    "private_key": {"inline_string": server.key.serialize_pem()},
                }],
                "validation_context": {"trusted_ca": {"inline_string": authority.pem}},
            },
        },
    });
    let setup = Setup::default().plugin(plugin.clone());
    let first_factor = FirstFactor::Absent;
    Stack::start(Setup { first_factor, transport_socket: Some(socket), ..setup })
}

/// Sends a request over TLS. Returns the status and the body; `None` if the handshake fails.
pub(crate) fn exchange(
    to: SocketAddr,
    authority: &Authority,
    client: Option<&Pair>,
    request: &Request,
) -> Option<(u16, String)> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match client {
        Some(pair) => {
            let key = PrivateKeyDer::Pkcs8(pair.key.serialize_der().into());
            config.with_client_auth_cert(pair.chain.clone(), key).unwrap()
        }
        None => config.with_no_client_auth(),
    };
    let name = ServerName::try_from(SERVER).unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let socket = TcpStream::connect(to).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut stream = StreamOwned::new(connection, socket);
    let request = request.clone().header("connection", "close");
    stream.write_all(&encode(&request)).ok()?;
    let mut answer = Vec::new();
    // Envoy ends without a TLS close, which reads as a fault behind the answer.
    let _ = stream.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text.split(' ').nth(1)?.parse().ok()?;
    Some((status, text))
}

fn by(certificate: &str) -> Value {
    json!({"source": "mtls", "header": null, "certificate": certificate})
}

#[test]
fn name_in_a_verified_certificate_signs_in() {
    let authority = Authority::new();
    let alternatives = || vec![uri("spiffe://corp.example/ns/ci"), dns("ci.corp.example")];
    let organization = (DnType::OrganizationName, "Example\\,CN=admin");
    let client = authority.sign(&[organization, (DnType::CommonName, "alice")], alternatives());
    for (certificate, user) in [
        ("subject", "alice"),
        ("san_uri", "spiffe://corp.example/ns/ci"),
        ("san_dns", "ci.corp.example"),
    ] {
        let rules = json!([{"users": [user], "paths": ["/known"], "policy": "bypass"}]);
        let plugin = json!({
            "identity": by(certificate), "access_control": {"rules": rules},
        });
        let stack = listening(&authority, &plugin);
        let phone = json!({
            "platform": "Apple iOS", "number": "XXX-XXX-0000", "capabilities": ["auto", "push"],
        });
        stack.sim.put_user(&json!({"username": user, "devices": [phone]}));
        stack.sim.always(&user.replace('/', "%2F"), "approve");
        for path in ["/known", "/"] {
            let request = Request::get(path).header("x-basic-user", "bob");
            let (status, text) = stack.judged(Verdict::Admitted(1), path, || {
                exchange(stack.envoy.listener, &authority, Some(&client), &request).unwrap()
            });
            assert_eq!(status, 200, "{certificate} {text}");
        }
        assert_eq!(stack.app.last().values("x-duo-mfa-user"), [user]);
        assert_eq!(stack.sim.only_call("auth")["params"]["username"], user);
    }
}

#[test]
fn nobody_is_named_without_a_verified_certificate() {
    let authority = Authority::new();
    let stranger = Authority::new().sign(&[(DnType::CommonName, "alice")], vec![dns("alice.x")]);
    let nameless = authority.sign(&[(DnType::OrganizationName, "Example")], vec![]);
    let twofold = authority
        .sign(&[(DnType::CommonName, "alice"), (DnType::from_oid(&[2, 5, 4, 3]), "bob")], vec![]);
    let plugin = json!({"identity": by("subject"), "api": {"mode": "refuse"}});
    let stack = listening(&authority, &plugin);
    let send = |client: Option<&Pair>| {
        let request = Request::get("/")
            .header("x-basic-user", "alice")
            .header("x-forwarded-client-cert", "Subject=\"CN=alice\";URI=spiffe://x/alice");
        stack.judged(Verdict::Denied, "without a verified certificate", || {
            exchange(stack.envoy.listener, &authority, client, &request)
        })
    };
    for client in [None, Some(&nameless)] {
        let (status, text) = send(client).expect("an answer");
        assert_eq!(status, 403, "{text}");
        assert!(text.contains("identity_missing"), "{text}");
    }
    assert_eq!(send(Some(&stranger)), None);
    let (status, text) = send(Some(&twofold)).expect("an answer");
    assert!(matches!(status, 400 | 403), "{text}");
    assert_eq!(stack.sim.user_calls(), 0);
}
