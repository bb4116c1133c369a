//! A simulator of Duo, and an Envoy file whose cluster leads to it.

use crate::files::{File, configure, example};
use crate::run::{Ran, duo_mfa};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

pub(crate) const API_HOST: &str = "api-sim.duo.test";
pub(crate) const INTEGRATION_KEY: &str = "DIWJ8X6AEYOR5OMC6TQ1";
pub(crate) const SECRET_KEY: &str = "Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep";

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A running simulator. It ends with its standard input.
pub(crate) struct Sim {
    child: Child,
    pub(crate) http: SocketAddr,
    pub(crate) https: SocketAddr,
    control: SocketAddr,
    pub(crate) ca: String,
    state: PathBuf,
}

impl Sim {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let state = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("doctor-sim-{}-{number}", std::process::id()));
        let mut child = Command::new(env!("CARGO_BIN_EXE_duo-sim"))
            .arg("--exit-with-stdin")
            .arg("--state-dir")
            .arg(&state)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).unwrap();
        let address = |name: &str| told[name].as_str().unwrap().parse().unwrap();
        Self {
            http: address("http"),
            https: address("https"),
            control: address("control"),
            ca: told["ca"].as_str().unwrap().to_owned(),
            child,
            state,
        }
    }

    /// A request to the control interface.
    pub(crate) fn tell(&self, method: &str, path: &str, body: &Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut stream = TcpStream::connect(self.control).unwrap();
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: sim\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{method} {path}: {answer}");
    }

    /// Switches a fault on, in place of the one before.
    pub(crate) fn fault(&self, fault: &Value) {
        self.tell("DELETE", "/sim/faults", &Value::Null);
        if !fault.is_null() {
            self.tell("POST", "/sim/faults", fault);
        }
    }

    /// Has a user answer each push so.
    pub(crate) fn answers(&self, user: &str, answer: &str) {
        let auto = json!({"answer": answer, "after_ms": 50});
        self.tell("PUT", &format!("/sim/users/{user}/auto"), &auto);
    }

    /// Envoy's file for this simulator.
    pub(crate) fn envoy(&self) -> Value {
        envoy(self.https, &self.ca)
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.state);
    }
}

/// Envoy's file with Duo's cluster at an address, verified by an authority.
pub(crate) fn envoy(address: SocketAddr, ca: &str) -> Value {
    let mut bootstrap = example("basic-auth");
    configure(&mut bootstrap, |plugin| {
        plugin["duo"]["api_host"] = json!(API_HOST);
        plugin["duo"]["integration_key"] = json!(INTEGRATION_KEY);
    });
    at(&mut bootstrap, address);
    let tls = tls(&mut bootstrap);
    tls["sni"] = json!(API_HOST);
    let validation = &mut tls["common_tls_context"]["validation_context"];
    validation["trusted_ca"] = json!({"filename": ca});
    validation["match_typed_subject_alt_names"][0]["matcher"]["exact"] = json!(API_HOST);
    bootstrap
}

pub(crate) fn cluster(bootstrap: &mut Value) -> &mut Value {
    let clusters = bootstrap["static_resources"]["clusters"].as_array_mut().unwrap();
    clusters.iter_mut().find(|cluster| cluster["name"] == "duo_api").unwrap()
}

pub(crate) fn tls(bootstrap: &mut Value) -> &mut Value {
    &mut cluster(bootstrap)["transport_socket"]["typed_config"]
}

/// Leads the cluster to an address.
pub(crate) fn at(bootstrap: &mut Value, address: SocketAddr) {
    let endpoint = &mut cluster(bootstrap)["load_assignment"]["endpoints"][0]["lb_endpoints"][0];
    endpoint["endpoint"]["address"]["socket_address"] =
        json!({"address": address.ip().to_string(), "port_value": address.port()});
}

/// Runs doctor on an Envoy file, with the simulator's secret key.
pub(crate) fn doctor(bootstrap: &Value, more: &[&str]) -> Ran {
    with_secret(bootstrap, SECRET_KEY, more)
}

pub(crate) fn with_secret(bootstrap: &Value, secret: &str, more: &[&str]) -> Ran {
    let file = File::of(bootstrap);
    let variables = File::new("envoy.env", &format!("DUO_SECRET_KEY={secret}\n"));
    let mut arguments = vec!["doctor", file.path(), "--env-file", variables.path()];
    arguments.extend(more);
    let ran = duo_mfa(&arguments);
    assert!(!ran.output.contains(secret) && !ran.errors.contains(secret), "{ran:?}");
    ran
}

/// The codes of the findings, in their order. Each has a fix.
pub(crate) fn codes(ran: &Ran) -> Vec<&str> {
    let mut codes = Vec::new();
    let mut lines = ran.output.lines();
    while let Some(line) = lines.next() {
        let Some((_, finding)) = line
            .strip_prefix("  fault ")
            .or_else(|| line.strip_prefix("  warning "))
            .and_then(|it| it.split_once(": "))
        else {
            continue;
        };
        codes.push(finding.split(':').next().unwrap());
        let fix = lines.next().unwrap().strip_prefix("    fix: ").unwrap();
        let party = lines.next().unwrap().strip_prefix("    at fault: ").unwrap();
        assert!(fix.len() > 20 && !party.is_empty(), "{ran:?}");
    }
    codes
}
