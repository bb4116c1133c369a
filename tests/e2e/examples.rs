//! The folders of `examples/`, and `envoy/production.yaml`. Each configuration is started unchanged, except for the places that
//! its README says to change. A sign-in works, and no client can choose its user.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;

use base64::{
    Engine as _, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD,
};
use rcgen::DnType;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use crate::certificates::{self, Authority};
use crate::envoy::assert_nothing_deprecated;
use crate::hosts::of_this_host;
use crate::message::{PASSWORD, Request};
use crate::resources::of_simulator;
use crate::setup::{OTHER_SECRET_KEY, Setup};
use crate::sim::eventually;
use crate::stack::{Parts, Stack};
use crate::tally::Verdict;
use crate::universal;

pub(crate) const OLDER_KEY: &str = "qPq3uFz7u0n2m9b4c8d1e6f5g7h3j2k1l0MNBVCXZas=";

/// Every header that names a user in some example or in common practice.
pub(crate) const FORGED: [(&str, &str); 6] = [
    ("x-basic-user", "alice"),
    ("x-auth-request-user", "alice"),
    ("x-auth-request-email", "alice@example.com"),
    ("x-forwarded-user", "alice"),
    ("x-forwarded-client-cert", "Subject=\"CN=alice\""),
    ("x-duo-mfa-user", "alice"),
];

#[test]
fn basic_auth_signs_in_and_no_client_chooses_its_user() {
    let stack = started("examples/basic-auth/envoy.yaml", with_users);
    signs_in(&stack, &|request| request.user("alice"));
    assert_refused(&stack, Request::get("/").all(&FORGED), 401);
    assert_asked_as(&stack, "bob", Request::get("/").user("bob").all(&FORGED));
}

#[test]
fn jwt_signs_in_and_no_client_chooses_its_user() {
    let issuer = Issuer::new();
    let stack = started("examples/jwt/envoy.yaml", |directory, text| {
        let keys = written(directory, "jwks.json", &issuer.keys().to_string());
        text.replace("/etc/envoy/jwks.json", &keys)
    });
    let alice = issuer.token("RS256", "alice@example.com");
    signs_in(&stack, &|request| request.bearer(&alice));
    assert_refused(&stack, Request::get("/").all(&FORGED), 401);
    let (head, signature) = alice.rsplit_once('.').unwrap();
    let bob = issuer.token("RS256", "bob@example.com");
    let mixed = format!("{}.{signature}", bob.rsplit_once('.').unwrap().0);
    let unsigned = issuer.token("none", "alice@example.com");
    for token in [mixed, unsigned, format!("{head}.")] {
        assert_refused(&stack, Request::get("/").bearer(&token), 401);
    }
    let foreign = issuer.token("RS256", "alice@example.org");
    assert_refused(&stack, Request::get("/").bearer(&foreign), 400);
    assert_asked_as(&stack, "bob", Request::get("/").bearer(&bob).all(&FORGED));
}

#[test]
fn oauth2_proxy_signs_in_and_no_client_chooses_its_user() {
    signs_in_through_ext_authz("examples/oauth2-proxy/envoy.yaml");
}

#[test]
fn metadata_signs_in_and_no_client_chooses_its_user() {
    signs_in_through_ext_authz("examples/metadata/envoy.yaml");
}

fn signs_in_through_ext_authz(file: &str) {
    let stack = started(file, |_, text| with_oauth2_proxy(&text));
    signs_in(&stack, &|request| request.header("cookie", "_oauth2_proxy=alice"));
    assert_refused(&stack, Request::get("/").all(&FORGED), 302);
    // Signed in, but oauth2-proxy does not name the user.
    let nameless = Request::get("/").header("cookie", "_oauth2_proxy=nameless").all(&FORGED);
    assert_refused(&stack, nameless, 403);
    // A filter that removes a header by its name does not remove this spelling.
    let spelled = Request::get("/").header("cookie", "_oauth2_proxy=nameless");
    let status = if file.contains("oauth2-proxy") { 400 } else { 403 };
    assert_refused(&stack, spelled.header("x_auth_request_email", "alice@example.com"), status);
    let bob = Request::get("/").header("cookie", "_oauth2_proxy=bob").all(&FORGED);
    assert_asked_as(&stack, "bob", bob);
}

#[test]
fn mtls_signs_in_and_no_client_chooses_its_user() {
    let (clients, servers) = (Authority::new(), Authority::new());
    let stack = started("examples/mtls/envoy.yaml", |directory, text| {
        let authority = written(directory, "clients-ca.pem", &clients.pem);
        with_server(directory, &servers, text).replace("/etc/envoy/clients-ca.pem", &authority)
    });
    let to = stack.envoy.listener;
    let alice = clients.sign(&[(DnType::CommonName, "alice")], Vec::new());
    let passcode = Request::get("/mtls").header("x-duo-mfa-passcode", "123456");
    let admitted = stack.judged(Verdict::Admitted(1), "a passcode of alice's", || {
        certificates::exchange(to, &servers, Some(&alice), &passcode)
    });
    assert_eq!(admitted.map(|(status, _)| status), Some(200));
    assert_eq!(stack.app.last().values("x-duo-mfa-user"), ["alice"]);

    let forger = servers.sign(&[(DnType::CommonName, "alice")], Vec::new());
    let mallory = clients.sign(&[(DnType::CommonName, "mallory")], Vec::new());
    for (certificate, expected) in
        [(None, None), (Some(&forger), None), (Some(&mallory), Some(403))]
    {
        let request = Request::get("/").all(&FORGED);
        let refused = stack.judged(Verdict::Denied, "a forged name", || {
            certificates::exchange(to, &servers, certificate, &request)
        });
        assert_eq!(refused.map(|(status, _)| status), expected);
    }
}

#[test]
fn production_signs_in_over_tls_and_routes_may_do_without() {
    let (issuer, servers) = (Issuer::new(), Authority::new());
    let mut file = PathBuf::new();
    let stack = started("envoy/production.yaml", |directory, text| {
        let keys = written(directory, "jwks.json", &issuer.keys().to_string());
        file = directory.join("access.log");
        let to_file = format!("FileAccessLog\n              path: {}\n", file.display());
        with_server(directory, &servers, text)
            .replace("/etc/envoy/jwks.json", &keys)
            .replace("stream.v3.StdoutAccessLog\n", &format!("file.v3.{to_file}"))
    });
    let to = stack.envoy.listener;
    let exchanged = |verdict, request: Request| {
        let occasion = request.summary();
        let exchange = || certificates::exchange(to, &servers, None, &request);
        stack.judged(verdict, &occasion, exchange).map(|(status, _)| status)
    };
    let alice = issuer.token("RS256", "alice@example.com");
    let passcode = Request::get("/reports").bearer(&alice).header("x-duo-mfa-passcode", "123456");
    assert_eq!(exchanged(Verdict::Admitted(1), passcode), Some(200));
    let seen = stack.app.last();
    assert_eq!(seen.values("x-duo-mfa-user"), ["alice"]);
    let by_cookie = Request::get("/robots.txt").header("cookie", format!("id_token={alice}"));
    assert_eq!(exchanged(Verdict::Admitted(1), by_cookie), Some(200), "the route does without");
    assert_eq!(exchanged(Verdict::Denied, Request::get("/robots.txt")), Some(401));
    let page = Request::get("/reports").bearer(&alice).navigation();
    assert_eq!(exchanged(Verdict::Denied, page), Some(403));
    let underscored = Request::get("/").bearer(&alice).header("x_duo_mfa_user", "alice");
    assert_eq!(exchanged(Verdict::Denied, underscored), Some(400));
    let results = eventually("the access log", || {
        let text = fs::read_to_string(&file).ok()?;
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let results = lines.map(|line| (line["result"].clone(), line["factor"].clone()));
        let results: Vec<_> = results.collect();
        (results.len() == 5).then_some(results)
    });
    let of_the_filter = [(json!("admitted"), json!("passcode")), (json!("prompted"), Value::Null)];
    assert_eq!([&results[0], &results[3]], [&of_the_filter[0], &of_the_filter[1]], "{results:?}");
    assert_nothing_deprecated(&stack.envoy.log());
}

/// Signs in by push, then passes by cookie. `first_factor` adds its credentials to both requests.
pub(crate) fn signs_in(stack: &Stack, first_factor: &dyn Fn(Request) -> Request) {
    let reply = stack.answered_push(first_factor(Request::get("/sign-in")), "alice", "approve");
    assert_eq!(reply.status, 200, "{reply:?} {}", reply.text());
    assert_eq!(stack.app.last().values("x-duo-mfa-user"), ["alice"]);
    let cookie = reply.set_cookie(crate::stack::APPROVAL).expect("an approval").to_owned();
    let pushes = stack.sim.pushes();
    let request = first_factor(Request::get("/again")).cookie(&cookie);
    let (_, seen) = stack.admitted(&joined_cookies(request));
    assert_eq!(seen.values("x-duo-mfa-factor"), ["push"]);
    assert_eq!(stack.sim.pushes(), pushes, "the cookie is enough");
}

/// HTTP/1.1 clients send one `Cookie` line.
fn joined_cookies(mut request: Request) -> Request {
    let (cookies, rest): (Vec<_>, Vec<_>) =
        request.headers.into_iter().partition(|(name, _)| name == b"cookie");
    request.headers = rest;
    let line = cookies.into_iter().map(|(_, value)| value).collect::<Vec<_>>().join(&b"; "[..]);
    request.header("cookie", line)
}

pub(crate) fn assert_refused(stack: &Stack, request: Request, status: u16) {
    let pushes = stack.sim.pushes();
    let reply = stack.denied(&request);
    assert_eq!(reply.status, status, "{reply:?} {}", reply.text());
    assert_eq!(stack.sim.pushes(), pushes, "nobody is asked");
}

/// Asserts that the request counts as this user's, whatever its headers say. Bob has a verified push, for
/// which a held request is refused.
fn assert_asked_as(stack: &Stack, user: &str, request: Request) {
    assert_refused(stack, request, 403);
    let log = stack.envoy.log();
    let line = log.lines().rfind(|line| line.contains("\"event\":\"duo_mfa\"")).unwrap();
    assert!(line.contains(&format!("\"user\":\"{user}\"")), "{line}");
}

/// The users of an example with basic_auth.
pub(crate) fn with_users(directory: &Path, text: String) -> String {
    let users = directory.join("users.htpasswd");
    let password = STANDARD.encode(Sha1::digest(PASSWORD));
    let line = |user| format!("{user}:{{SHA}}{password}\n");
    fs::write(&users, ["alice", "bob", "two"].map(line).concat()).unwrap();
    text.replace("/etc/envoy/users.htpasswd", users.to_str().unwrap())
}

/// Starts the example's Envoy with this test's files and ports in the places that the README names.
pub(crate) fn started(file: &str, adapted: impl FnOnce(&Path, String) -> String) -> Stack {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    let mut setup = Setup::default();
    setup.environment.push(("DUO_MFA_COOKIE_KEY_BEFORE", OLDER_KEY.to_owned()));
    setup.environment.push(("DUO_SECRET_KEY_PAYMENTS", OTHER_SECRET_KEY.to_owned()));
    setup.environment.push(("DUO_CLIENT_SECRET", universal::CLIENT_SECRET.to_owned()));
    Stack::start_as(setup, |parts: &Parts<'_>| {
        let Parts { directory, module, app, duo, .. } = parts;
        let text = of_this_host(&adapted(directory, text), module)
            .replace("/etc/ssl/certs/ca-certificates.crt", duo.authority.to_str().unwrap())
            .replace(
                "{address: app.internal, port_value: 8080}",
                &format!("{{address: {}, port_value: {}}}", app.ip(), app.port()),
            )
            .replace(
                "{address: api-xxxxxxxx.duosecurity.com, port_value: 443}",
                &format!("{{address: {}, port_value: {}}}", duo.address.ip(), duo.address.port()),
            );
        let mut envoy: Value = serde_saphyr::from_str(&of_simulator(text)).unwrap();
        let listener = &mut envoy["static_resources"]["listeners"][0];
        listener["address"]["socket_address"] = json!({"address": "127.0.0.1", "port_value": 0});
        envoy["admin"] =
            json!({"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}});
        envoy
    })
}

/// Writes a file and returns its path.
fn written(directory: &Path, name: &str, content: &str) -> String {
    let path = directory.join(name);
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Replaces the listener's certificate.
fn with_server(directory: &Path, authority: &Authority, text: String) -> String {
    let server = authority.server();
    text.replace("/etc/envoy/server.pem", &written(directory, "server.pem", &server.pem)).replace(
        "/etc/envoy/server.key",
        &written(directory, "server.key", &server.key.serialize_pem()),
    )
}

/// The text with a new stand-in for oauth2-proxy.
pub(crate) fn with_oauth2_proxy(text: &str) -> String {
    let proxy = oauth2_proxy();
    text.replace(
        "{address: oauth2-proxy.internal, port_value: 4180}",
        &format!("{{address: {}, port_value: {}}}", proxy.ip(), proxy.port()),
    )
}

/// Starts a stand-in for oauth2-proxy. A request with its cookie is signed in.
fn oauth2_proxy() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for connection in listener.incoming() {
            thread::spawn(move || connection.and_then(answer_checks).ok());
        }
    });
    address
}

fn answer_checks(connection: TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(connection.try_clone()?);
    let mut writer = connection;
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head)? == 0 {
                return Ok(());
            }
        }
        let user = head.split("_oauth2_proxy=").nth(1).map(|rest| {
            rest.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default()
        });
        let answer = match user {
            Some("nameless") => "200 OK\r\n".to_owned(),
            Some(user) => format!(
                "200 OK\r\nx-auth-request-user: {user}\r\nx-auth-request-email: {user}@example.com\r\n"
            ),
            None => "302 Found\r\nlocation: https://idp.example.com/authorize\r\n".to_owned(),
        };
        writer.write_all(format!("HTTP/1.1 {answer}content-length: 0\r\n\r\n").as_bytes())?;
    }
}

/// An identity provider.
pub(crate) struct Issuer(RsaKeyPair);

impl Issuer {
    pub(crate) fn new() -> Self {
        Self(RsaKeyPair::from_pkcs8(include_bytes!("../data/first-factor-rsa.der")).unwrap())
    }

    /// Its JWKS.
    pub(crate) fn keys(&self) -> Value {
        let public = PublicKeyComponents::<Vec<u8>>::from(self.0.public());
        let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({"keys": [{
            "kty": "RSA", "alg": "RS256", "use": "sig", "kid": "1",
            "n": number(&public.n), "e": number(&public.e),
        }]})
    }

    /// Its JWKS as a `local_jwks` of jwt_authn.
    pub(crate) fn local_keys(&self) -> Value {
        json!({"inline_string": self.keys().to_string()})
    }

    pub(crate) fn token(&self, algorithm: &str, email: &str) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let claims = json!({
            "iss": "https://idp.example.com", "aud": "app", "email": email, "exp": 4_102_444_800_u64,
            "groups": ["staff", "ops"],
        });
        let signed = format!("{}.{}", part(&json!({"alg": algorithm, "kid": "1"})), part(&claims));
        let mut signature = vec![0; self.0.public().modulus_len()];
        let random = SystemRandom::new();
        self.0.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}
