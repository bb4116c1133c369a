//! Faults planted around a configuration, in copies of shipped files: each is reported at its line, and
//! nothing else is.

use crate::files::File;
use crate::run::duo_mfa;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// A shipped file, replacements in it, the code of the finding and a text on its line.
type Row = (&'static str, &'static [(&'static str, &'static str)], &'static str, &'static str);

const STRIP: &str = "          - name: strip
            typed_config:
              \"@type\": type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation
              mutations: {request_mutations: [{remove: x-basic-user}]}
";
const BASIC_AUTH: &str = "          - name: envoy.filters.http.basic_auth
            typed_config:
              \"@type\": type.googleapis.com/envoy.extensions.filters.http.basic_auth.v3.BasicAuth
              forward_username_header: x-basic-user
              users: {filename: /etc/envoy/users.htpasswd}
";
const ROUTER: &str = "          - name: envoy.filters.http.router\n";
const SECOND: &str = "          # The second factor.\n";
const BASIC: &str = "examples/basic-auth/envoy.yaml";
const PRODUCTION: &str = "envoy/production.yaml";
const GATEWAY: &str = "envoy/istio/gateway.yaml";
const SIDECAR: &str = "envoy/istio/sidecar.yaml";
const WAYPOINT: &str = "envoy/istio/waypoint.yaml";
const SESSION: &str = "    session: {keys: [{env: DUO_MFA_COOKIE_KEY}]}\n";
const NETWORKS: &str = "    session: {keys: [{env: DUO_MFA_COOKIE_KEY}]}
    access_control:
      rules:
      - {networks: [10.0.0.0/8], policy: bypass}
";

const ROWS: &[Row] = &[
    // The order of the filters.
    (
        BASIC,
        &[(BASIC_AUTH, ""), (ROUTER, "BASIC_AUTH")],
        "runs_before_first_factor",
        "- name: envoy.filters.http.basic_auth",
    ),
    (BASIC, &[(STRIP, ""), (SECOND, "STRIP")], "first_factor_removed", "- name: strip"),
    (
        "envoy/istio/envoyfilter.yaml",
        &[("operation: INSERT_BEFORE  ", "operation: INSERT_FIRST  ")],
        "runs_before_first_factor",
        "- applyTo: HTTP_FILTER",
    ),
    // Headers of the filter, where it is off.
    (
        PRODUCTION,
        &[("{remove: x-duo-mfa-user}, ", "")],
        "own_headers_not_stripped",
        "- match: {path: /robots.txt}",
    ),
    (
        PRODUCTION,
        &[(", {remove: x-duo-mfa-time}", "")],
        "own_headers_not_stripped",
        "- match: {path: /robots.txt}",
    ),
    (
        "envoy/per-route.yaml",
        &[("                - remove: x-duo-mfa-factor\n", "")],
        "own_headers_not_stripped",
        "- match: {path: /robots.txt}",
    ),
    // Routes.
    (
        PRODUCTION,
        &[(
            "- match: {prefix: /}\n                route: {cluster: app}",
            "- match: {prefix: /}\n                route: {cluster: app, internal_redirect_policy: {}}",
        )],
        "redirects_followed",
        "- match: {prefix: /}",
    ),
    // The listener.
    (
        PRODUCTION,
        &[("          use_remote_address: true ", "          use_remote_address: false ")],
        "address_not_trusted",
        "        typed_config:\n          \"@type\": type.googleapis.com/envoy.extensions.filters.network.http",
    ),
    // Duo's cluster.
    (
        PRODUCTION,
        &[("        sni: api-xxxxxxxx.duosecurity.com ", "        ")],
        "cluster_without_sni",
        "- name: duo_api\n    type",
    ),
    (
        PRODUCTION,
        &[("            trusted_ca: {filename: /etc/ssl/certs/ca-certificates.crt}\n", "")],
        "cluster_not_verified",
        "- name: duo_api\n    type",
    ),
    (
        PRODUCTION,
        &[(
            "            match_typed_subject_alt_names: [{san_type: DNS, matcher: {exact: api-xxxxxxxx.duosecurity.com}}] ",
            "",
        )],
        "cluster_name_not_verified",
        "- name: duo_api\n    type",
    ),
    (
        PRODUCTION,
        &[("        sni: api-xxxxxxxx", "        sni: api-yyyyyyyy")],
        "cluster_of_other_host",
        "- name: duo_api\n    type",
    ),
    (
        PRODUCTION,
        &[("thresholds: [{max_connections: 4096", "thresholds: [{max_connections: 100")],
        "cluster_too_narrow",
        "- name: duo_api\n    type",
    ),
    // Istio: workloads and addresses.
    (
        SIDECAR,
        &[(
            "kind: WasmPlugin\nmetadata: {name: duo-mfa, namespace: app}\nspec:\n  selector: {matchLabels: {app: app}} ",
            "kind: WasmPlugin\nmetadata: {name: duo-mfa, namespace: app}\nspec:\n  selector: {matchLabels: {app: web}} ",
        )],
        "selector_matches_nothing",
        "selector: {matchLabels: {app: web}}",
    ),
    (
        SIDECAR,
        &[(
            "kind: RequestAuthentication\nmetadata: {name: idp, namespace: app}\nspec:\n  selector: {matchLabels: {app: app}} ",
            "kind: RequestAuthentication\nmetadata: {name: idp, namespace: app}\nspec:\n  selector: {matchLabels: {app: web}} ",
        )],
        "selector_matches_nothing",
        "selector: {matchLabels: {app: web}}",
    ),
    (SIDECAR, &[(SESSION, NETWORKS)], "address_not_trusted", "- {networks: [10.0.0.0/8]"),
    (
        SIDECAR,
        &[(SESSION, NETWORKS), ("match: [{mode: SERVER}]", "priority: 1")],
        "address_not_trusted",
        "- {networks: [10.0.0.0/8]",
    ),
    (WAYPOINT, &[(SESSION, NETWORKS)], "address_not_trusted", "- {networks: [10.0.0.0/8]"),
    (
        WAYPOINT,
        &[
            (SESSION, NETWORKS),
            (
                "targetRefs: [{group: \"\", kind: Service, name: app}]                   # change; a",
                "targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: waypoint}] # a",
            ),
        ],
        "address_not_trusted",
        "- {networks: [10.0.0.0/8]",
    ),
];

/// Sound changes, which look like some of the faults.
const SOUND: &[(&str, &[(&str, &str)])] = &[
    // A gateway's address is the client's; a workload in another namespace is of no concern.
    (
        GATEWAY,
        &[
            (SESSION, NETWORKS),
            (
                "    access_control:\n      rules:\n      - {paths: [/robots.txt], policy: bypass}\n",
                "",
            ),
        ],
    ),
    (
        SIDECAR,
        &[(
            "metadata: {name: app, namespace: app}\nspec:\n  selector: {matchLabels: {app: app}}\n  template:\n    metadata:\n      labels: {app: app,",
            "metadata: {name: app, namespace: web}\nspec:\n  selector: {matchLabels: {app: app}}\n  template:\n    metadata:\n      labels: {app: web,",
        )],
    ),
    // The route removes the headers itself, answers itself, or leaves the filter on.
    (
        PRODUCTION,
        &[
            ("{remove: x-duo-mfa-user}, ", ""),
            (
                "- match: {path: /robots.txt}\n                route: {cluster: app}",
                "- match: {path: /robots.txt}\n                route: {cluster: app}\n                request_headers_to_remove: [X-Duo-Mfa-User]",
            ),
        ],
    ),
    (
        PRODUCTION,
        &[
            ("{remove: x-duo-mfa-user}, ", ""),
            (
                "- match: {path: /robots.txt}\n                route: {cluster: app}",
                "- match: {path: /robots.txt}\n                direct_response: {status: 404}",
            ),
        ],
    ),
    (
        PRODUCTION,
        &[
            ("{remove: x-duo-mfa-user}, ", ""),
            ("                    disabled: true\n", "                    config: {}\n"),
        ],
    ),
    (
        PRODUCTION,
        &[(
            "{remove: x-duo-mfa-user}, {remove: x-duo-mfa-result}, {remove: x-duo-mfa-factor}, {remove: x-duo-mfa-time}, {remove: x-duo-mfa-approved-by}, {remove: x-duo-mfa-assertion}",
            "{remove_on_match: {key_matcher: {prefix: x-duo-mfa-}}}",
        )],
    ),
];

fn changed(path: &str, changes: &[(&str, &str)]) -> String {
    let mut text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    for (from, to) in changes {
        assert_eq!(text.matches(from).count(), 1, "{path}: {from}");
        let to = match *to {
            "BASIC_AUTH" => format!("{BASIC_AUTH}{from}"),
            "STRIP" => format!("{STRIP}{from}"),
            to => to.to_owned(),
        };
        text = text.replacen(from, &to, 1);
    }
    text
}

/// The findings except notes: code and line.
fn found(text: &str) -> Vec<(String, Option<u64>)> {
    let file = File::new("around.yaml", text);
    let ran = duo_mfa(&["check", "--format", "json", file.path()]);
    let report: Value = serde_json::from_str(&ran.output).unwrap();
    let configurations = report["configurations"].as_array().unwrap();
    let findings = configurations.iter().flat_map(|it| it["findings"].as_array().unwrap());
    let findings = findings.filter(|finding| finding["level"] != "note");
    findings.map(|it| (it["code"].as_str().unwrap().to_owned(), it["line"].as_u64())).collect()
}

#[test]
fn each_fault_around_a_configuration_is_reported_at_its_line() {
    for (path, changes, code, at) in ROWS {
        let text = changed(path, changes);
        let place = text.find(at).unwrap_or_else(|| panic!("{path}: {at}"));
        let line = text.get(..place).unwrap().matches('\n').count() + 1;
        let expected = ((*code).to_owned(), u64::try_from(line).ok());
        assert_eq!(found(&text), [expected], "{path} {changes:?}");
    }
}

#[test]
fn sound_changes_are_not_reported() {
    for (path, changes) in SOUND {
        assert_eq!(found(&changed(path, changes)), [], "{path} {changes:?}");
    }
}

#[test]
fn a_filter_that_strips_too_late_is_named() {
    let text = changed(BASIC, &[(BASIC_AUTH, ""), (STRIP, ""), (ROUTER, "STRIP")]);
    let ran = duo_mfa(&["check", File::new("late.yaml", &text).path()]);
    assert_eq!(ran.found(), ["header_not_stripped"], "{ran:?}");
    let fix = "move strip, which removes it behind this filter, before the filter that sets it";
    assert!(ran.output.contains(fix), "{ran:?}");
}

#[test]
fn a_header_that_istio_sets_later_is_reported() {
    let changes = [
        ("phase: AUTHZ ", "phase: AUTHN "),
        (
            "      source: jwt\n      metadata: [envoy.filters.http.jwt_authn, payload, email]          # change: the claim that names a user\n",
            "      source: header\n      header: x-email\n",
        ),
        (
            "    fromCookies: [id_token]\n",
            "    outputClaimToHeaders: [{header: x-email, claim: email}]\n",
        ),
    ];
    let codes: Vec<_> =
        found(&changed(GATEWAY, &changes)).into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, ["runs_before_first_factor"]);
}

#[test]
fn a_listener_without_tls_is_noted_unless_tls_may_end_before() {
    for (path, changes, is_noted) in [
        (BASIC, &[][..], true),
        (PRODUCTION, &[], false),
        ("envoy/kubernetes/base/envoy.yaml", &[], false),
        (
            BASIC,
            &[("address: 0.0.0.0, port_value: 10000", "address: 127.0.0.1, port_value: 10000")],
            false,
        ),
        (
            BASIC,
            &[(
                "          use_remote_address: true ",
                "          xff_num_trusted_hops: 1\n          use_remote_address: true ",
            )],
            false,
        ),
    ] {
        let text = changed(path, changes);
        let ran = duo_mfa(&["check", File::new("listener.yaml", &text).path()]);
        assert_eq!(ran.status, 0, "{ran:?}");
        assert_eq!(
            ran.output.contains("note listener_without_tls at line 6: "),
            is_noted,
            "{path} {ran:?}"
        );
    }
}
