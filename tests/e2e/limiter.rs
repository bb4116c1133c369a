//! A rate limit service. Most tests have their own, which counts in this process. `make fleet` names a program
//! instead, Limitador behind tonic (`tests/limiter`), by `DUO_MFA_LIMITER`. Under `DUO_MFA_STORE=redis` the program
//! counts in a Redis.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener as Listener, TcpStream as Stream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use hyper::body::Bytes;
use prost::Message;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

use crate::rate_limit::RateLimitRequest;
use crate::setup::Setup;
use crate::sim::eventually;
use crate::stack::Stack;

/// The domain of the filter's limits.
const DOMAIN: &str = "duo_mfa";
/// The wait that the service names, in seconds.
pub(crate) const WAIT: i64 = 77;
const OK: i32 = 1;
const OVER_LIMIT: i32 = 2;

#[derive(Clone, PartialEq, Message)]
struct Answer {
    #[prost(int32, tag = "1")]
    overall_code: i32,
    #[prost(message, repeated, tag = "2")]
    statuses: Vec<Status>,
}

#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(message, optional, tag = "4")]
    duration_until_reset: Option<Time>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct Time {
    #[prost(int64, tag = "1")]
    seconds: i64,
}

/// The prompts of each name and user.
type Counts = Arc<Mutex<BTreeMap<(String, String), usize>>>;

/// A service that allows each user so many prompts, ever.
pub(crate) struct Limiter {
    pub(crate) address: SocketAddr,
    most: usize,
    counts: Counts,
    running: Running,
}

enum Running {
    Here(Option<Runtime>),
    Program { child: Child, store: Option<Redis> },
}

/// A Redis that writes nothing to disk.
struct Redis {
    child: Child,
    url: String,
}

impl Redis {
    fn start() -> Self {
        let address = free_address();
        let mut command = Command::new("redis-server");
        let port = address.port().to_string();
        command.args([
            "--bind",
            "127.0.0.1",
            "--port",
            &port,
            "--save",
            "",
            "--loglevel",
            "warning",
        ]);
        // Its log and its warnings are on standard output.
        let child = command.stdout(Stdio::null()).spawn();
        let child = child.expect("redis-server runs (Debian's package redis-server)");
        eventually("Redis", || Stream::connect(address).ok());
        Self { child, url: format!("redis://{address}") }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn free_address() -> SocketAddr {
    Listener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

impl Limiter {
    pub(crate) fn start(most: usize) -> Self {
        let counts = Counts::default();
        let (address, running) = match std::env::var_os("DUO_MFA_LIMITER") {
            None => here(most, &counts),
            Some(_) => {
                let is_in_redis =
                    std::env::var("DUO_MFA_STORE").is_ok_and(|store| store == "redis");
                let store = is_in_redis.then(Redis::start);
                let address = free_address();
                let child = program(address, most, store.as_ref());
                (address, Running::Program { child, store })
            }
        };
        Self { address, most, counts, running }
    }

    /// Kills the program and starts it at the same address, with the same Redis.
    pub(crate) fn restart(&mut self) {
        let Running::Program { child, store: Some(store) } = &mut self.running else {
            panic!("a service loses its counts unless they are in Redis");
        };
        child.kill().unwrap();
        child.wait().unwrap();
        *child = program(self.address, self.most, Some(store));
    }

    /// The names and tags that users are counted under. Empty if a program counts.
    pub(crate) fn users(&self) -> Vec<(String, String)> {
        self.counts.lock().unwrap().keys().cloned().collect()
    }
}

impl Drop for Limiter {
    fn drop(&mut self) {
        match &mut self.running {
            Running::Here(runtime) => {
                runtime.take().into_iter().for_each(Runtime::shutdown_background);
            }
            Running::Program { child, .. } => {
                child.kill().ok();
                child.wait().ok();
            }
        }
    }
}

fn program(address: SocketAddr, most: usize, store: Option<&Redis>) -> Child {
    let program = std::env::var_os("DUO_MFA_LIMITER").expect("DUO_MFA_LIMITER names the limiter");
    let mut command = Command::new(program);
    command.args([&address.to_string(), DOMAIN, &most.to_string(), "3600"]);
    command.args(store.map(|redis| &redis.url));
    let child = command.spawn().expect("the limiter runs");
    eventually("the limiter", || Stream::connect(address).ok());
    child
}

fn here(most: usize, counts: &Counts) -> (SocketAddr, Running) {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let counts = Arc::clone(counts);
    runtime.spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(serve(socket, most, Arc::clone(&counts)));
        }
    });
    (address, Running::Here(Some(runtime)))
}

async fn serve(socket: TcpStream, most: usize, counts: Counts) {
    let Ok(mut connection) = h2::server::handshake(socket).await else { return };
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        let counts = Arc::clone(&counts);
        tokio::spawn(async move {
            let path = "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit";
            assert_eq!((request.method().as_str(), request.uri().path()), ("POST", path));
            assert_eq!(request.headers()["content-type"], "application/grpc");
            assert_eq!(request.headers()["te"], "trailers");
            let (mut body, mut bytes) = (request.into_body(), Vec::new());
            while let Some(chunk) = body.data().await {
                bytes.extend(chunk.unwrap());
            }
            let question = RateLimitRequest::decode(&bytes[5..]).unwrap();
            let answer = framed(&answer(question, most, &counts).encode_to_vec());
            let response = http::Response::builder().header("content-type", "application/grpc");
            let response = response.body(()).unwrap();
            // The client may have left.
            let Ok(mut stream) = respond.send_response(response, false) else { return };
            stream.send_data(Bytes::from(answer), false).ok();
            let trailers = [(http::HeaderName::from_static("grpc-status"), "0".parse().unwrap())];
            stream.send_trailers(trailers.into_iter().collect()).ok();
        });
    }
}

fn answer(question: RateLimitRequest, most: usize, counts: &Counts) -> Answer {
    assert_eq!((question.domain.as_str(), question.descriptors.len()), (DOMAIN, 1));
    let entry = question.descriptors[0].entries[0].clone();
    let mut counts = counts.lock().unwrap();
    let count = counts.entry((entry.key, entry.value)).or_default();
    *count += 1;
    let is_over = *count > most;
    let code = if is_over { OVER_LIMIT } else { OK };
    let duration_until_reset = is_over.then_some(Time { seconds: WAIT });
    Answer { overall_code: code, statuses: vec![Status { code, duration_until_reset }] }
}

fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0], &length[..], message].concat()
}

/// Starts a stack whose plugin asks a service at this address, over HTTP/2.
pub(crate) fn limited_by(service: SocketAddr, on_error: &str, setup: Setup) -> Stack {
    let setup = setup.plugin(json!({"limits": {"rate_limit_service": {
        "cluster": "rate_limit", "domain": DOMAIN, "on_error": on_error, "timeout": "2000ms",
    }}}));
    let given = setup.clone();
    Stack::start_as(setup, |parts| {
        let given = given.with_files_in(parts.directory);
        let mut envoy = given.envoy(parts.module, parts.app, parts.duo);
        let clusters = envoy["static_resources"]["clusters"].as_array_mut().unwrap();
        clusters.push(cluster(service));
        envoy
    })
}

fn cluster(service: SocketAddr) -> Value {
    let kind = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    let address = json!({"socket_address": {
        "address": service.ip(), "port_value": service.port(),
    }});
    json!({
        "name": "rate_limit",
        "type": "STATIC",
        "connect_timeout": "1s",
        "typed_extension_protocol_options": {kind: {
            "@type": format!("type.googleapis.com/{kind}"),
            "explicit_http_config": {"http2_protocol_options": {}},
        }},
        "load_assignment": {"cluster_name": "rate_limit", "endpoints": [
            {"lb_endpoints": [{"endpoint": {"address": address}}]},
        ]},
    })
}
