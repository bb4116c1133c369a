//! Runs, parses or compares with the code the statements of README.md and of the pages in docs. `make smoke` runs others.

use std::collections::BTreeSet;

use duo_mfa::config::Config;
use duo_mfa::signal::Code;
use serde_json::{Value, json};

use crate::docs::{pages_in, read};
use crate::rig::{Rig, get};
use crate::schema;

/// The fence of every block, which decides about its check. `examples/demo/smoke.py` runs `session=…`, `tests/cli/readme.rs`
/// runs `cli` and `explain`, `tests/cli/init.rs` runs `init`, `tests/e2e/first_application.rs` runs `guide`, `tests/e2e/live_change.rs` runs
/// `live`, and `tests/core/monitoring.rs` reads `audit`. A `mermaid` block is a picture. No
/// test reads LogQL.
const CHECKED: [&str; 32] = [
    "console",
    "console audit",
    "console cli",
    "console demo",
    "console doctor",
    "console explain",
    "console guide",
    "console init",
    "console live",
    "console session=demo",
    "console session=key",
    "yaml file=envoy-filter",
    "yaml file=envoy-cluster",
    "yaml file=envoy-strip",
    "yaml file=lds",
    "yaml file=rate-limit-cluster",
    "yaml file=limits-of-ratelimit",
    "yaml file=limits-of-limitador",
    "yaml file=schema",
    "json file=identity-jwt",
    "json file=identity-map",
    "json file=access-control",
    "json file=applications",
    "json file=assertion",
    "json file=applications-universal",
    "json file=browsers-only",
    "json recipe",
    "json file=per-client",
    "json file=universal",
    "mermaid",
    "logql",
    "yaml capabilities",
];

/// The pages that document configuration keys.
const KEYS: [&str; 5] = [
    "docs/configuration.md",
    "docs/identity.md",
    "docs/rules.md",
    "docs/applications.md",
    "docs/approval-per-client.md",
];

/// The pages that document every key, code and endpoint. Operators run the commands of
/// `operations.md` on their own machines.
fn guide() -> Vec<String> {
    let pages = pages_in("docs").into_iter().filter(|page| page != "docs/operations.md");
    ["README.md".to_owned()].into_iter().chain(pages).collect()
}

#[test]
fn every_block_is_of_a_kind_that_is_checked() {
    for block in blocks() {
        assert!(CHECKED.contains(&block.fence.as_str()), "nobody checks ```{}", block.fence);
    }
}

#[test]
fn sessions_are_commands_that_somebody_runs() {
    let is_session = |block: &&Block| block.fence == "console" || block.fence.contains("session=");
    for block in blocks().iter().filter(is_session) {
        for line in block.text.lines() {
            let command = line.strip_prefix("$ ").unwrap_or_else(|| panic!("no command: {line}"));
            // `make smoke` runs a session. `tests/cli/documents` runs the others, with a stand-in for `make`.
            let by_smoke = block.fence.contains("session=");
            assert!(!(by_smoke && command.starts_with("make ")), "{command}");
        }
    }
}

#[test]
fn envoy_fragments_fit_together() {
    let filter = yaml("yaml file=envoy-filter");
    let cluster = yaml("yaml file=envoy-cluster");
    let plugin = plugin_configuration();

    assert_eq!(cluster[0]["name"], plugin["duo"]["cluster"]);
    assert_eq!(cluster[0]["transport_socket"]["typed_config"]["sni"], plugin["duo"]["api_host"]);
    let exported =
        &filter[0]["typed_config"]["config"]["vm_config"]["environment_variables"]["host_env_keys"];
    assert_eq!(exported[0], plugin["duo"]["secret_key"]["env"]);
    assert_eq!(exported[1], plugin["session"]["keys"][0]["env"]);
    let stripped = &yaml("yaml file=envoy-strip")[0]["typed_config"]["mutations"]["request_mutations"]
        [0]["remove"];
    assert_eq!(stripped, &plugin["identity"]["header"]);
}

#[test]
fn plugin_configuration_is_accepted() {
    accepted(&plugin_configuration());
}

#[test]
fn rules_are_accepted() {
    let mut plugin = plugin_configuration();
    plugin["access_control"] = serde_json::from_str(&block("json file=access-control")).unwrap();
    accepted(&plugin);
}

#[test]
fn applications_are_accepted() {
    let mut plugin = plugin_configuration();
    plugin["applications"] = serde_json::from_str(&block("json file=applications")).unwrap();
    let page = read("docs/applications.md");
    let rule = page.split("- A rule names the application that it asks: `").nth(1).unwrap();
    let rule: Value = serde_json::from_str(rule.split('`').next().unwrap()).unwrap();
    plugin["access_control"] = json!({"rules": [rule]});
    accepted(&plugin);
    plugin["applications"] =
        serde_json::from_str(&block("json file=applications-universal")).unwrap();
    accepted(&plugin);
}

#[test]
fn browsers_only_is_accepted() {
    let mut plugin = plugin_configuration();
    let example: Value = serde_json::from_str(&block("json file=browsers-only")).unwrap();
    plugin.as_object_mut().unwrap().extend(example.as_object().unwrap().clone());
    accepted(&plugin);
}

#[test]
fn approval_per_client_is_accepted() {
    let mut plugin = plugin_configuration();
    let example: Value = serde_json::from_str(&block("json file=per-client")).unwrap();
    plugin["session"]["bind"] = example["session"]["bind"].clone();
    plugin["access_control"] = example["access_control"].clone();
    accepted(&plugin);
}

/// The limits of a rate limit service on the page are those of the example, and its cluster speaks HTTP/2.
#[test]
fn assertion_is_accepted() {
    let mut plugin = plugin_configuration();
    let example: Value = serde_json::from_str(&block("json file=assertion")).unwrap();
    plugin["assertion"] = example["assertion"].clone();
    accepted(&plugin);
}

#[test]
fn limits_of_several_envoys_are_those_of_the_example() {
    for (name, key, fence) in [
        ("ratelimit", "config.yaml", "yaml file=limits-of-ratelimit"),
        ("limitador", "limits.yaml", "yaml file=limits-of-limitador"),
    ] {
        let file = read(&format!("examples/rate-limit/{name}.yaml"));
        let config = file.split("\n---\n").next().unwrap();
        let config: Value = serde_saphyr::from_str(config).unwrap();
        let shipped: Value = serde_saphyr::from_str(config["data"][key].as_str().unwrap()).unwrap();
        assert_eq!(yaml(fence), shipped, "{name}");
    }
    let cluster = &yaml("yaml file=rate-limit-cluster")[0];
    let options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    let http = &cluster["typed_extension_protocol_options"][options]["explicit_http_config"];
    assert!(http["http2_protocol_options"].is_object(), "{cluster}");
}

#[test]
fn recipes_are_accepted() {
    let recipes = blocks().into_iter().filter(|block| block.fence == "json recipe");
    let mut accepted_ones = 0;
    for recipe in recipes {
        let mut plugin = plugin_configuration();
        merge(&mut plugin, serde_json::from_str(&recipe.text).unwrap());
        accepted(&plugin);
        accepted_ones += 1;
    }
    assert!(accepted_ones > 8, "{accepted_ones}");
}

/// Puts the members of objects together.
fn merge(into: &mut Value, part: Value) {
    match (into, part) {
        (Value::Object(into), Value::Object(part)) => {
            for (key, value) in part {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, part) => *into = part,
    }
}

#[test]
fn universal_prompt_is_accepted() {
    let mut plugin = plugin_configuration();
    let example: Value = serde_json::from_str(&block("json file=universal")).unwrap();
    plugin["duo"].as_object_mut().unwrap().extend(example.as_object().unwrap().clone());
    accepted(&plugin);
}

#[test]
fn identity_by_jwt_is_accepted() {
    let mut plugin = plugin_configuration();
    plugin["identity"] = serde_json::from_str(&block("json file=identity-jwt")).unwrap();
    plugin["identity"]["map"] = serde_json::from_str(&block("json file=identity-map")).unwrap();
    accepted(&plugin);
}

#[test]
fn hint_for_editors_names_a_schema() {
    let hint = block("yaml file=schema");
    let path = hint.trim().strip_prefix("# yaml-language-server: $schema=").unwrap();
    assert!(read(path).starts_with("{\n  \"$schema\": "), "{path}");
}

#[test]
fn every_key_is_documented() {
    let source = read("src/config/keys.rs");
    let pages = KEYS.map(read).concat();
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words: BTreeSet<_> = pages.split(|c| !is_word(c)).collect();
    let of_this_release = |line: &&str| !line.trim_start().starts_with("later(");
    let (lists, _) = source.split_once("pub(super) fn home(").unwrap();
    let mut keys = 0;
    for line in lists.lines().filter(of_this_release) {
        for key in line.split('"').skip(1).step_by(2) {
            assert!(words.contains(key), "{key}");
            keys += 1;
        }
    }
    assert!(keys > 70, "{keys}");
}

#[test]
fn every_refusal_is_documented_with_its_status() {
    let source = read("src/signal.rs");
    let coded = source.split("=> (\"").skip(1).map(|row| {
        let (name, rest) = row.split_once("\", ").unwrap();
        (name.to_owned(), rest.split(',').next().unwrap().to_owned())
    });
    let coded: BTreeSet<_> = coded.collect();
    let rows = table("| code | status |");
    let documented: BTreeSet<_> = rows.iter().map(|row| (row[0].clone(), row[1].clone())).collect();

    assert!(coded.contains(&(Code::MfaDenied.name().to_owned(), "403".to_owned())));
    assert_eq!(documented, coded);
}

struct Block {
    fence: String,
    text: String,
}

fn blocks() -> Vec<Block> {
    guide().iter().flat_map(|page| blocks_of(&read(page), page)).collect()
}

fn blocks_of(text: &str, page: &str) -> Vec<Block> {
    let parts: Vec<_> = text.split("\n```").collect();
    assert!(parts.len() % 2 == 1, "{page}: a fence is not closed");
    let fenced = parts.into_iter().skip(1).step_by(2);
    fenced
        .map(|part| {
            let (fence, text) = part.split_once('\n').unwrap();
            Block { fence: fence.to_owned(), text: text.to_owned() }
        })
        .collect()
}

fn block(fence: &str) -> String {
    let mut found: Vec<_> = blocks().into_iter().filter(|block| block.fence == fence).collect();
    assert_eq!(found.len(), 1, "{fence}");
    found.remove(0).text
}

fn yaml(fence: &str) -> Value {
    serde_saphyr::from_str(&block(fence)).unwrap()
}

fn plugin_configuration() -> Value {
    serde_json::from_str(&plugin_text()).unwrap()
}

fn plugin_text() -> String {
    let filter = yaml("yaml file=envoy-filter");
    filter[0]["typed_config"]["config"]["configuration"]["value"].as_str().unwrap().to_owned()
}

fn accepted(plugin: &Value) {
    if let Err(faults) = Config::parse(plugin.to_string().as_bytes(), &environment) {
        panic!("{plugin}: {faults}");
    }
    schema::agrees(plugin, None).unwrap();
}

fn environment(name: &str) -> Option<String> {
    let value = match name {
        "DUO_SECRET_KEY_PAYMENTS" => "bq9XkT2mVz7LcN4wRy1HsF8jPd5GtU3eAo6ZxKiQ",
        "DUO_SECRET_KEY" => "Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep",
        "DUO_CLIENT_SECRET" => "w3Kx8ZpQ1nLtR6vYbH2mJcF9sDgE5uAo7iTkXqWz",
        "DUO_CLIENT_SECRET_PAYMENTS" => "q7Nz4WcR2kVtX9bLhJ5mPfD8sGyE3uAo6iTxKqZw",
        "DUO_MFA_ASSERTION_KEY" => "d6Zk0rXo3mVqT8yHcL1sBfJ5uWgN9aEi2pKxQ7tRvYM=",
        "DUO_MFA_COOKIE_KEY" => "b1c7Yk2mUeN0h3xkq8rW5tVz6aD9sGfJ4pLwQ1eRoHc=",
        _ => return None,
    };
    Some(value.to_owned())
}

/// The rows of the only table that begins with `head`. Cells lose their back quotes.
fn table(head: &str) -> Vec<Vec<String>> {
    let texts: Vec<_> = guide().iter().map(|page| read(page)).collect();
    let mut found = texts.iter().filter(|text| text.contains(&format!("\n{head}")));
    let page = found.next().unwrap_or_else(|| panic!("no table {head}"));
    assert!(found.next().is_none(), "two pages have a table {head}");
    let lines = page.lines().skip_while(|line| !line.starts_with(head)).skip(2);
    let rows = lines.take_while(|line| line.starts_with('|'));
    let cells = |row: &str| {
        row.split('|').skip(1).map(|cell| cell.trim().trim_matches('`').to_owned()).collect()
    };
    rows.map(cells).collect()
}

/// Uses a method that no endpoint serves, so that each response lists the right ones.
#[test]
fn documented_endpoints_are_served_by_their_methods() {
    let keys = json!([{"env": "DUO_MFA_ASSERTION_KEY"}]);
    let assertion = json!({"keys": keys, "issuer": "https://app.example.com", "audience": "a"});
    let shown = json!({"assertion": assertion, "duo": {"enrollment": "inline"}, "branding": {"logo": "duo"}});
    let universal = |id: &str| {
        json!({
            "client_id": id, "client_secret": {"env": "DUO_CLIENT_SECRET"},
            "hosts": ["app.example.com"],
        })
    };
    let payments = json!({
        "api_host": "api-xxxxxxxx.duosecurity.com",
        "integration_key": "DIPAYMENTSXXXXXXXXXX",
        "secret_key": {"env": "OTHER_SECRET_KEY"},
        "universal": universal("DIUNIVERSALTEST00002"),
    });
    let at_duo = json!({
        "duo": {"prompt": "universal", "universal": universal("DIUNIVERSALTEST00001")},
        "applications": {"payments": {"duo": payments}},
        "access_control": {"rules": [
            {"paths": ["/pay/*"], "policy": "two_factor", "application": "payments"},
        ]},
    });
    let mut rigs = [shown, at_duo].map(Rig::with);
    let rows = table("| endpoint | what it answers |");
    let named = rows.iter().flat_map(|row| row[0].split(", "));
    let endpoints: Vec<_> = named.map(|cell| cell.trim_matches('`')).collect();
    assert!(endpoints.len() > 10, "{endpoints:?}");
    for endpoint in endpoints {
        let (method, path) = endpoint.split_once(' ').unwrap();
        let request = get(&format!("/.duo-mfa{path}")).without(":method").with(":method", "PUT");
        let answers = rigs.each_mut().map(|rig| rig.send(&request, &[]).answered());
        let refused = answers.iter().find(|answer| answer.code() == "method_not_allowed");
        let refused = refused.unwrap_or_else(|| panic!("{endpoint} is not served"));
        let allowed = refused.header("allow").unwrap();
        assert!(allowed.split(", ").any(|it| it == method), "{endpoint}: {allowed}");
    }
}
