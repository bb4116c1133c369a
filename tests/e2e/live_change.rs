//! The commands of docs/operations.md that change the configuration of a running Envoy, word for word.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::envoy;
use crate::guide::{Shell, steps};
use crate::resources::root;
use crate::setup::{COOKIE_KEY, SECRET_KEY};
use crate::stack::{Directory, write_authority};

const PAGE: &str = "docs/operations.md";

#[test]
fn documented_change_of_a_running_envoy_works() {
    crate::of_another_host!();
    let directory = Directory::new();
    let folder = directory.0.join("etc");
    fs::create_dir_all(folder.join("lds")).unwrap();
    let authority = folder.join("authority.pem");
    write_authority(&authority);
    fs::write(folder.join("users.htpasswd"), "alice:{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk=\n").unwrap();
    let port = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap().port()
    };
    let page = fs::read_to_string(root().join(PAGE)).unwrap();
    let here = |text: &str| {
        text.replace("/etc/envoy/duo_mfa.wasm", envoy::module().to_str().unwrap())
            .replace("/etc/envoy", folder.to_str().unwrap())
            .replace("/etc/ssl/certs/ca-certificates.crt", authority.to_str().unwrap())
            .replace("127.0.0.1:9901", &format!("127.0.0.1:{port}"))
            .replace("port_value: 9901", &format!("port_value: {port}"))
    };
    // The page's part of the bootstrap, in place of the listener of an example.
    let example = fs::read_to_string(root().join("examples/basic-auth/envoy.yaml")).unwrap();
    let mut envoy: Value = serde_saphyr::from_str(&here(&example)).unwrap();
    let mut listener = envoy["static_resources"]["listeners"].take()[0].take();
    envoy["static_resources"]["listeners"] = json!([]);
    let (_, part) = page.split_once("```yaml file=lds\n").unwrap();
    let part: Value = serde_saphyr::from_str(&here(part.split_once("```").unwrap().0)).unwrap();
    envoy.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
    listener["@type"] = json!("type.googleapis.com/envoy.config.listener.v3.Listener");
    listener["address"]["socket_address"] = json!({"address": "127.0.0.1", "port_value": 0});
    let write = |name: &str, listener: &Value| {
        let text = json!({"resources": [listener]}).to_string();
        fs::write(folder.join("lds").join(name), text).unwrap();
    };
    write("listeners.yaml", &listener);
    fs::write(folder.join("envoy.yaml"), envoy.to_string()).unwrap();
    fs::write(
        folder.join("duo-mfa.env"),
        format!("DUO_SECRET_KEY={SECRET_KEY}\nDUO_MFA_COOKIE_KEY={COOKIE_KEY}\n"),
    )
    .unwrap();

    let mut shell = started(&folder, port);

    // The reader's edit of the copy.
    let plugin = "/filter_chains/0/filters/0/typed_config/http_filters/2/typed_config/config/configuration/value";
    let text = listener.pointer_mut(plugin).unwrap();
    let mut edited: Value = serde_json::from_str(text.as_str().unwrap()).unwrap();
    edited["mode"] = json!("report_only");
    *text = edited.to_string().into();

    let mut steps = steps(PAGE, "console live");
    assert!(steps.len() > 4, "{steps:#?}");
    for step in &mut steps {
        step.command = here(&step.command);
        step.shown = step.shown.iter().map(|line| here(line)).collect();
    }
    let (copy, rest) = steps.split_first().unwrap();
    shell.follow(std::slice::from_ref(copy), &HashMap::new());
    write("listeners.next.yaml", &listener);
    shell.follow(rest, &HashMap::new());
    let log = fs::read_to_string(folder.join("envoy.log")).unwrap();
    assert_eq!(log.matches("\"kind\":\"config_loaded\"").count(), 2, "{log}");
    assert!(log.contains("mode is report_only"), "{log}");

    let told = "duo-mfa check lds/listeners.yaml --format json | jq -r '.configurations[].hash'";
    let (told, _) = shell.run(told, None);
    let (_, last) = log.rsplit_once("\"hash\":\"").unwrap();
    assert_eq!(told, [&last[..16]], "{log}");
}

/// A shell in whose folder Envoy runs.
fn started(folder: &Path, port: u16) -> Shell {
    let programs = [envoy::program(), env!("CARGO_BIN_EXE_duo-mfa").into()];
    let places = programs.map(|program| program.parent().unwrap().display().to_string());
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", places.join(":"));
    let home = folder.display().to_string();
    let variables = [("PATH", path), ("HOME", home), ("EDITOR", "true".to_owned())];
    let mut shell = Shell::start(folder, &variables);
    let (printed, status) = shell.run(
        "set -a; . ./duo-mfa.env; set +a; envoy -c envoy.yaml --use-dynamic-base-id >envoy.log 2>&1 &",
        None,
    );
    assert_eq!(status, 0, "{printed:?}");
    let ready = format!(
        "timeout 120 sh -c 'until curl -sf http://127.0.0.1:{port}/ready && grep -q config_loaded \
         envoy.log; do sleep 0.2; done'"
    );
    let (_, status) = shell.run(&ready, None);
    assert_eq!(status, 0, "{:?}", shell.run("tail -n 5 envoy.log", None));
    shell
}
