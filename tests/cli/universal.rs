//! Traps of Duo's Universal Prompt around the filter.

use crate::files::{File, example, extension_policy, to_duos_page};
use crate::run::duo_mfa;
use crate::warnings::{filters, manager, warned};
use serde_json::{Value, json};

/// A change of the shipped example, and the warnings that it gets.
type Row = (fn(&mut Value), &'static [&'static str]);

fn listener(bootstrap: &mut Value) -> &mut Value {
    &mut bootstrap["static_resources"]["listeners"][0]
}

fn domains(bootstrap: &mut Value, names: &Value) {
    manager(bootstrap)["route_config"]["virtual_hosts"][0]["domains"] = names.clone();
}

fn oauth2(same_site: &str) -> Value {
    json!({
        "name": "envoy.filters.http.oauth2",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.oauth2.v3.OAuth2",
            "config": {"cookie_configs": {"bearer_token_cookie_config": {"same_site": same_site}}}
        }
    })
}

const ROWS: &[Row] = &[
    (|_| {}, &[]),
    (|it| domains(it, &json!(["app.example.com:443"])), &[]),
    (|it| domains(it, &json!(["*.EXAMPLE.com"])), &[]),
    (|it| domains(it, &json!(["wiki.example.com"])), &["callback_host_not_served"]),
    (
        |it| {
            domains(it, &json!(["wiki.example.com"]));
            manager(it)["rds"] = json!({"route_config_name": "main"});
        },
        &[],
    ),
    (|it| filters(it).insert(2, oauth2("STRICT")), &["first_factor_cookie_strict"]),
    (|it| filters(it).insert(2, oauth2("LAX")), &[]),
    // A filter behind this one is no first factor.
    (|it| filters(it).insert(3, oauth2("STRICT")), &[]),
];

#[test]
fn traps_in_envoys_file_are_warned_of() {
    for (change, codes) in ROWS {
        let mut bootstrap = example("universal-prompt");
        change(&mut bootstrap);
        warned(&[bootstrap], codes);
    }
}

#[test]
fn strict_cookie_of_oauth2_proxy_is_found_in_its_files() {
    let container = |member: &str, value: &Value| json!({"kind": "Deployment", "spec": {"template": {"spec": {"containers": [{member: value}]}}}});
    let variable = |value: &str| json!([{"name": "OAUTH2_PROXY_COOKIE_SAMESITE", "value": value}]);
    let file = |value: &str| {
        let text = format!("upstreams = \"static://200\"\ncookie_samesite = \"{value}\"\n");
        json!({"kind": "ConfigMap", "data": {"oauth2-proxy.cfg": text}})
    };
    for (document, is_strict) in [
        (container("args", &json!(["--http-address=:4180", "--cookie-samesite=strict"])), true),
        (container("args", &json!(["--cookie-samesite", "strict"])), true),
        (container("args", &json!(["--cookie-samesite=lax", "strict"])), false),
        (container("env", &variable("Strict")), true),
        (container("env", &variable("lax")), false),
        (file("strict"), true),
        (file("lax"), false),
        (
            json!({"services": {"p": {"environment": ["OAUTH2_PROXY_COOKIE_SAMESITE=strict"]}}}),
            true,
        ),
        (
            json!({"services": {"p": {"environment": {"OAUTH2_PROXY_COOKIE_SAMESITE": "strict"}}}}),
            true,
        ),
    ] {
        let codes = if is_strict { &["first_factor_cookie_strict"][..] } else { &[] };
        warned(&[example("universal-prompt"), document.clone()], codes);
        // It is no trap where browsers get the filter's own page.
        warned(&[example("oauth2-proxy"), document], &[]);
    }
}

#[test]
fn cookie_of_envoy_gateways_oidc_is_strict_unless_it_is_lax() {
    let mut plugin = crate::files::plugin();
    to_duos_page(&mut plugin, "DIWEBSDKWEBSDKWEBSDK");
    let policy = |oidc: Value| json!({"kind": "SecurityPolicy", "spec": {"oidc": oidc}});
    for (oidc, is_strict) in [
        (json!({"clientID": "x"}), true),
        (json!({"cookieConfig": {"sameSite": "Strict"}}), true),
        (json!({"cookieConfig": {"sameSite": "Lax"}}), false),
    ] {
        let files = [extension_policy(&plugin), policy(oidc)].map(|file| File::of(&file));
        let ran = duo_mfa(&["check", files[0].path(), files[1].path()]);
        let has = ran.warnings().contains(&"first_factor_cookie_strict");
        assert_eq!(has, is_strict, "{ran:?}");
    }
}

fn notes(change: impl FnOnce(&mut Value)) -> Vec<&'static str> {
    let mut bootstrap = example("universal-prompt");
    change(&mut bootstrap);
    let ran = duo_mfa(&["check", File::of(&bootstrap).path(), "--strict"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    let known = ["callback_without_tls", "query_logged"];
    known.into_iter().filter(|code| ran.output.contains(&format!("  note {code}"))).collect()
}

#[test]
fn listener_without_tls_is_noted() {
    assert_eq!(notes(|_| {}), ["callback_without_tls"]);
    let tls = json!({"name": "envoy.transport_sockets.tls"});
    let changes: [fn(&mut Value); 4] = [
        |it| manager(it)["xff_num_trusted_hops"] = json!(1),
        |it| listener(it)["address"]["socket_address"]["address"] = json!("127.0.0.1"),
        |it| {
            let filter = json!([{"name": "envoy.filters.listener.proxy_protocol"}]);
            listener(it)["listener_filters"] = filter;
        },
        |it| {
            crate::files::configure(it, |plugin| {
                plugin["duo"]["universal"]["hosts"] = json!(["localhost"]);
            });
        },
    ];
    for change in changes {
        assert_eq!(notes(change), [""; 0]);
    }
    assert_eq!(notes(|it| listener(it)["filter_chains"][0]["transport_socket"] = tls), [""; 0]);
}

#[test]
fn access_log_with_the_query_is_noted() {
    let logs = |logger: &Value| {
        let logger = logger.clone();
        let noted = notes(|it| {
            listener(it)["filter_chains"][0]["transport_socket"] = json!({"name": "tls"});
            let config = &mut manager(it)["access_log"][0]["typed_config"];
            config.as_object_mut().unwrap().remove("log_format");
            config.as_object_mut().unwrap().extend(logger.as_object().unwrap().clone());
        });
        noted == ["query_logged"]
    };
    assert!(logs(&json!({})), "Envoy's default has the query");
    let line = |text: &str| json!({"log_format": {"text_format_source": {"inline_string": text}}});
    assert!(logs(&line("%START_TIME% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%\n")));
    assert!(!logs(&line("%START_TIME% %REQ_WITHOUT_QUERY(:PATH)%\n")));
    assert!(logs(&json!({"log_format": {"json_format": {"path": "%REQ(:PATH)%"}}})));
    assert!(!logs(&json!({"log_format": {"json_format": {"path": "%PATH(NQ:PATH)%"}}})));
}
