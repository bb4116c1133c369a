//! Duo through an egress proxy, by the cluster of docs/deploy/envoy.md.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

use crate::message::Request;
use crate::resources::root;
use crate::setup::{API_HOST, Setup};
use crate::stack::{APPROVAL, Parts, Stack};

/// A proxy that answers CONNECT, and notes for which addresses it was asked.
struct Proxy {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// `is_open` is whether it connects; otherwise it refuses, as for an address that is not on its list.
    fn start(is_open: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&asked);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let notes = Arc::clone(&notes);
                thread::spawn(move || serve(client, is_open, &notes));
            }
        });
        Self { address, asked }
    }
}

fn serve(mut client: TcpStream, is_open: bool, asked: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte)?;
        head.extend(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let target = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()).unwrap();
    asked.lock().unwrap().push(target.to_owned());
    if !is_open {
        return client.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
    }
    let server = TcpStream::connect(target)?;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    let (from_client, to_server) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || pass_on(from_client, to_server));
    pass_on(server, client);
    Ok(())
}

/// Copies until one side ends.
fn pass_on(mut from: TcpStream, mut to: TcpStream) {
    drop(io::copy(&mut from, &mut to));
    drop(to.shutdown(Shutdown::Write));
}

/// The cluster of the guide, led to the simulator.
fn cluster(parts: &Parts<'_>, proxy: SocketAddr) -> Value {
    let guide = std::fs::read_to_string(root().join("docs/deploy/envoy.md")).unwrap();
    let mut blocks = guide.split("```yaml file=egress-proxy\n").skip(1);
    let block = blocks.next().and_then(|rest| rest.split("```").next());
    let text = block.expect("the block").replace("api-xxxxxxxx.duosecurity.com", API_HOST);
    let mut clusters: Value = serde_saphyr::from_str(&text).unwrap();
    let mut cluster = clusters["clusters"][0].take();
    let socket = |of: SocketAddr| json!({"address": of.ip(), "port_value": of.port()});
    let endpoint = &mut cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0];
    endpoint["endpoint"]["address"]["socket_address"] = socket(parts.duo.address);
    let key = "envoy.http11_proxy_transport_socket.proxy_address";
    let through = &mut endpoint["metadata"]["typed_filter_metadata"][key]["socket_address"];
    assert_eq!(*through, json!({"address": "192.0.2.10", "port_value": 3128}));
    *through = socket(proxy);
    let tls = &mut cluster["transport_socket"]["typed_config"]["transport_socket"]["typed_config"];
    tls["common_tls_context"]["validation_context"]["trusted_ca"] =
        json!({"filename": parts.duo.authority});
    cluster
}

fn start(proxy: &Proxy) -> Stack {
    let setup = Setup::default();
    Stack::start_as(setup.clone(), |parts| {
        let mut envoy = setup.envoy(parts.module, parts.app, parts.duo);
        let clusters = envoy["static_resources"]["clusters"].as_array_mut().unwrap();
        let duo = clusters.iter_mut().find(|it| it["name"] == "duo_api").unwrap();
        *duo = cluster(parts, proxy.address);
        envoy
    })
}

#[test]
fn duo_is_reached_through_the_proxy_of_the_guide() {
    let proxy = Proxy::start(true);
    let stack = start(&proxy);
    let request = Request::get("/reports").user("alice");
    let reply = stack.answered_push(request, "alice", "approve");
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(reply.set_cookie(APPROVAL).is_some());
    // Envoy resolves the name itself, so the proxy has to allow addresses.
    let duo = stack.sim.end.address.to_string();
    let asked = proxy.asked.lock().unwrap().clone();
    assert!(!asked.is_empty() && asked.iter().all(|target| *target == duo), "{asked:?} {duo}");
    println!("egress_proxy: connections={} pushes={}", asked.len(), stack.sim.pushes());
}

#[test]
fn proxy_that_refuses_admits_nobody() {
    let proxy = Proxy::start(false);
    let stack = start(&proxy);
    let reply = stack.denied(&Request::get("/reports").user("alice"));
    reply.assert_problem(503, "duo_unavailable");
    assert!(!proxy.asked.lock().unwrap().is_empty());
}
