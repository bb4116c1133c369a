//! The module as shipped: as an OCI image, and fetched by Envoy over HTTP.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use duo_mfa::hex::hex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::envoy;
use crate::message::Request;
use crate::setup::Setup;
use crate::stack::{Directory, Parts, Stack};

const FILTERS: &str = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config\
                       /http_filters";

#[test]
fn image_has_one_digest_and_skopeo_finds_the_module_in_it() {
    crate::of_another_host!();
    let directory = Directory::new();
    let [first, second] = ["first", "second"].map(|name| directory.0.join(name));
    let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/oci.py");
    let [once, twice] = [&first, &second].map(|out| {
        let said = output(Command::new(&pack).arg(envoy::module()).arg(out));
        String::from_utf8(said).unwrap().trim().rsplit_once('@').unwrap().1.to_owned()
    });
    assert_eq!(once, twice);
    let [once, twice] = [&first, &second].map(|out| fs::read(out.with_extension("tar")).unwrap());
    assert!(once == twice, "the same bytes");

    // skopeo checks every digest as it copies.
    let (image, copy) = (format!("oci:{}", first.display()), directory.0.join("copy"));
    let seen = json_of(Command::new("skopeo").args(["inspect", &image]));
    let layers = seen["Layers"].as_array().unwrap();
    assert_eq!(layers.len(), 1, "{seen}");
    output(Command::new("skopeo").args(["copy", &image, &format!("dir:{}", copy.display())]));
    let manifest: Value =
        serde_json::from_slice(&fs::read(copy.join("manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["annotations"]["module.wasm.image/variant"], "compat");
    let kind = "application/vnd.oci.image.layer.v1.tar+gzip";
    assert_eq!(manifest["layers"][0]["mediaType"], kind);
    let layer = copy.join(layers[0].as_str().unwrap().strip_prefix("sha256:").unwrap());
    let names = output(Command::new("tar").arg("-tzf").arg(&layer));
    assert_eq!(names, b"plugin.wasm\n");
    let module = output(Command::new("tar").arg("-xzOf").arg(&layer));
    assert!(module == fs::read(envoy::module()).unwrap(), "the module, byte for byte");
}

#[test]
fn module_that_envoy_fetches_signs_in() {
    crate::of_another_host!();
    let module = fs::read(envoy::module()).unwrap();
    let server = serve(module.clone());
    let stack = Stack::start_as(Setup::default(), |parts| fetching(parts, server, &module));
    let cookie = stack.signed_in("alice");
    stack.admitted(&Request::get("/again").user("alice").cookie(&cookie));
}

#[test]
fn module_of_another_digest_admits_nobody() {
    crate::of_another_host!();
    let module = fs::read(envoy::module()).unwrap();
    let server = serve(module);
    let stack = Stack::start_as(Setup::default(), |parts| fetching(parts, server, b"another"));
    for request in [Request::get("/"), Request::get("/").header("x-duo-mfa-passcode", "123456")] {
        let reply = stack.denied(&request.user("alice"));
        assert_eq!(reply.status, 503, "{reply:?} {}", reply.text());
    }
    let log = stack.envoy.log();
    assert!(log.contains("Plugin duo_mfa failed to load"), "{log}");
}

/// A configuration with which Envoy fetches the module and expects the digest of this content.
fn fetching(parts: &Parts<'_>, server: SocketAddr, content: &[u8]) -> Value {
    let mut envoy = Setup::default().envoy(parts.module, parts.app, parts.duo);
    let filters = envoy.pointer_mut(FILTERS).unwrap().as_array_mut().unwrap();
    let filter = filters.iter_mut().find(|filter| filter["name"] == "duo_mfa").unwrap();
    filter["typed_config"]["config"]["vm_config"]["code"] = json!({"remote": {
        "http_uri": {
            "uri": format!("http://{server}/duo_mfa.wasm"),
            "cluster": "modules",
            "timeout": "10s",
        },
        "sha256": hex(&Sha256::digest(content)),
    }});
    let address = json!({"address": server.ip(), "port_value": server.port()});
    envoy["static_resources"]["clusters"].as_array_mut().unwrap().push(json!({
        "name": "modules",
        "type": "STATIC",
        "load_assignment": {"cluster_name": "modules", "endpoints": [{"lb_endpoints": [
            {"endpoint": {"address": {"socket_address": address}}},
        ]}]},
    }));
    envoy
}

/// Starts a server that answers every request with this file.
fn serve(file: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for connection in listener.incoming() {
            connection.and_then(|connection| answer(connection, &file)).ok();
        }
    });
    address
}

fn answer(mut connection: TcpStream, file: &[u8]) -> std::io::Result<()> {
    let mut reader = BufReader::new(connection.try_clone()?);
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        line.clear();
    }
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", file.len());
    connection.write_all(head.as_bytes())?;
    connection.write_all(file)
}

fn output(command: &mut Command) -> Vec<u8> {
    let run = command.stdin(Stdio::null()).output();
    let run = run.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(run.status.success(), "{command:?}: {}", String::from_utf8_lossy(&run.stderr));
    run.stdout
}

fn json_of(command: &mut Command) -> Value {
    serde_json::from_slice(&output(command)).unwrap()
}
