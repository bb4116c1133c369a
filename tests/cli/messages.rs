//! The messages that were hard to understand once: the whole text, as an operator reads it. Each says
//! what is wrong, where, and what to write instead.

use crate::files::{File, MANAGER, example, filter_config};
use crate::run::duo_mfa;
use serde_json::json;

/// A configuration, a member a line.
const TEXT: &str = r#"{
  "version": 1,
  "mode": "enforce",
  "duo": {
    "api_host": "api-1a2b3c4d.duosecurity.com",
    "integration_key": "DIWJ8X6AEYOR5OMC6TQ1",
    "secret_key": {"env": "DUO_SECRET_KEY"},
    "timeout": "10s"
  },
  "identity": {"source": "header", "header": "x-basic-user"},
  "session": {"keys": [{"env": "DUO_MFA_COOKIE_KEY"}]},
  "access_control": {
    "rules": [
      {"paths": ["/healthz"], "policy": "bypass"},
      {"paths": ["/admin/*"], "policy": "two_factor", "max_age": "5m"}
    ]
  },
  "limits": {"pushes": 3}
}
"#;

/// A replacement in the text, and the finding with its lines.
type Row = (&'static str, &'static str, &'static str);

const NOT_JSON: &str =
    "; write one JSON object, as a google.protobuf.StringValue or a google.protobuf.Struct";

const OF_JSON: [Row; 8] = [
    (
        "\"10s\"\n",
        "\"10s\",\n",
        "the text is not JSON (line 9, column 3)¶\n    line 9 of the file: },\n    remove the comma before the \
         bracket",
    ),
    (
        "\"x-basic-user\"",
        "“x-basic-user”",
        "the text is not JSON (line 10, column 46)¶\n    line 10 of the file: \"identity\": {\"source\": \
         \"…\", \"header\": “…”},\n    the line has typographic quotes: write \" instead",
    ),
    (
        "\"x-basic-user\"",
        "'x-basic-user'",
        "the text is not JSON (line 10, column 46)¶\n    line 10 of the file: \"identity\": {\"source\": \
         \"…\", \"header\": '…'},\n    write \" instead of '",
    ),
    (
        "  \"duo\": {\n",
        "  // The account.\n  \"duo\": {\n",
        "the text is not JSON (line 4, column 3)¶\n    line 4 of the file: // … …\n    remove the \
         comment: JSON has none",
    ),
    (
        "  \"duo\": {\n",
        "  # The account.\n  \"duo\": {\n",
        "the text is not JSON (line 4, column 3)¶\n    line 4 of the file: # … …\n    remove the \
         comment: JSON has none",
    ),
    (
        "OMC6TQ1\",\n",
        "OMC6TQ1\"\n",
        "the text is not JSON (line 7, column 5)¶\n    line 7 of the file: \"secret_key\": {\"env\": \
         \"…\"},\n    write a comma after the value before this one",
    ),
    (
        "\"pushes\": 3",
        "\"pushes\": None",
        "the text is not JSON (line 18, column 24)¶\n    line 18 of the file: \"limits\": {\"pushes\": \
         None}\n    write true, false or null in lower case",
    ),
    (
        "\"pushes\": 3}\n}\n",
        "\"pushes\": 3}\n",
        "the text ends too early¶\n    line 18 of the file: \"limits\": {\"pushes\": \
         …}\n    the text ends here: close all brackets and quotes",
    ),
];

const OF_VALUES: [Row; 21] = [
    (
        "\"enforce\"",
        "true",
        "wrong_type at mode, line 3: must be a text, not true or false; write enforce, report_only, off",
    ),
    (
        "\"enforce\"",
        "\"enforced\"",
        "unknown_value at mode, line 3: \"enforced\" is not known; did you mean \"enforce\"?",
    ),
    (
        "\"enforce\"",
        "\"strict\"",
        "unknown_value at mode, line 3: \"strict\" is not known; allowed values: enforce, report_only, off",
    ),
    (
        "\"timeout\"",
        "\"tiemout\"",
        "unknown_key at duo.tiemout, line 8: is not a known key; did you mean \"timeout\"?",
    ),
    (
        "\"limits\"",
        "\"expiration\": \"8h\",\n  \"limits\"",
        "unknown_key at expiration, line 18: is not a known key; write it as session.expiration",
    ),
    (
        "\"mode\": \"enforce\",",
        "\"mode\": \"enforce\",\n  \"mode\": \"off\",",
        "duplicate_key at mode, line 4: is in its object more than once; keep one of them",
    ),
    (
        "\"10s\"",
        "\"10\"",
        "invalid_duration at duo.timeout, line 8: \"10\" is not a whole number with a unit; write it as in \
         \"10s\", \"5m\" or \"8h\"",
    ),
    (
        "\"10s\"",
        "10",
        "wrong_type at duo.timeout, line 8: must be a text, not a number; write it with a unit, as in \"10s\", \
         \"5m\" or \"8h\"",
    ),
    (
        "\"10s\"",
        "\"2m\"",
        "invalid_duration at duo.timeout, line 8: \"2m\" is out of bounds; write 1s to 1m",
    ),
    (
        "\"pushes\": 3",
        "\"pushes\": \"3\"",
        "wrong_type at limits.pushes, line 18: must be a whole number, zero or more, not a text; write it in \
         digits and without quotes, as in 3",
    ),
    (
        "\"timeout\": \"10s\"",
        "\"timeout\": null",
        "wrong_type at duo.timeout, line 8: must be a text, not null; write it with a unit, as in \"10s\", \
         \"5m\" or \"8h\"",
    ),
    (
        "[\"/healthz\"]",
        "\"/healthz\"",
        "wrong_type at access_control.rules[0].paths, line 14: must be a list, not a text; write it as a \
         list: [...]",
    ),
    (
        "\"/healthz\"",
        "\"healthz\"",
        "invalid_pattern at access_control.rules[0].paths[0], line 14: \"healthz\" is neither a path that a \
         request can have, nor one with \"/*\" at its end; write it as in \"/healthz\" or \"/public/*\", and \
         escape other characters as in \"%20\"",
    ),
    (
        "\"paths\": [\"/healthz\"]",
        "\"networks\": [\"10.0.0.0/33\"]",
        "invalid_pattern at access_control.rules[0].networks[0], line 14: \"10.0.0.0/33\" is neither an IP \
         address nor a network; write it as in \"10.0.0.0/8\" or \"2001:db8::/32\"",
    ),
    (
        "\"paths\": [\"/healthz\"]",
        "\"networks\": [\"10.0.0.5/8\"]",
        "invalid_pattern at access_control.rules[0].networks[0], line 14: \"10.0.0.5/8\" is not the first \
         address of its network; use \"10.0.0.0/8\"",
    ),
    (
        "\"paths\": [\"/healthz\"], ",
        "",
        "no_condition at access_control.rules[0], line 14: matches every request, so no later rule can \
         decide; name methods, paths, hosts, networks, users or groups; or set default_policy",
    ),
    (
        "\"policy\": \"two_factor\"",
        "\"policy\": \"deny\"",
        "conflicting_keys at access_control.rules[1].max_age, line 15: has no effect, since the rule's policy \
         is not two_factor; remove it",
    ),
    (
        "\"api-1a2b3c4d.duosecurity.com\"",
        "\"https://api-1a2b3c4d.duosecurity.com/\"",
        "invalid_api_host at duo.api_host, line 5: \"https://api-1a2b3c4d.duosecurity.com/\" must be a bare host \
         name; use \"api-1a2b3c4d.duosecurity.com\"",
    ),
    (
        "{\"env\": \"DUO_SECRET_KEY\"}",
        "\"Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep\"",
        "inline_secret at duo.secret_key, line 7: is a secret in plain text, which Envoy's /config_dump shows; \
         name an environment variable, as in {\"env\": \"DUO_SECRET_KEY\"}, and list it in the plugin's \
         host_env_keys (for a demo only: \"allow_inline_secrets\": true)",
    ),
    (
        "\"x-basic-user\"",
        "\"X-Basic-User\"",
        "invalid_header at identity.header, line 10: \"X-Basic-User\" must be in lower case; use \
         \"x-basic-user\"",
    ),
    (
        "\"source\": \"header\", ",
        "",
        "missing_key at identity.source, line 10: is missing; write header, jwt, mtls or metadata, depending on \
         what the first factor sets",
    ),
];

/// The first fault that `check` prints, with the lines below it.
fn first_fault(text: &str) -> String {
    let file = File::new("plugin.json", text);
    let ran = duo_mfa(&["check", file.path()]);
    assert_eq!(ran.status, 1, "{ran:?}");
    let (_, rest) = ran.output.split_once("\n  fault ").unwrap_or_else(|| panic!("{ran:?}"));
    let lines: Vec<_> = rest.lines().collect();
    let below = lines.iter().skip(1).take_while(|line| line.starts_with("    "));
    std::iter::once(&lines[0]).chain(below).copied().collect::<Vec<_>>().join("\n")
}

#[test]
fn a_text_that_is_not_json_is_quoted_with_the_likely_mistake() {
    for (from, to, expected) in OF_JSON {
        assert_eq!(TEXT.matches(from).count(), 1, "{from}");
        let expected = format!("malformed_configuration: {}", expected.replace('¶', NOT_JSON));
        assert_eq!(first_fault(&TEXT.replacen(from, to, 1)), expected, "{to}");
    }
}

#[test]
fn a_wrong_value_is_named_with_its_line_and_the_right_one() {
    for (from, to, expected) in OF_VALUES {
        assert_eq!(TEXT.matches(from).count(), 1, "{from}");
        assert_eq!(first_fault(&TEXT.replacen(from, to, 1)), expected, "{to}");
    }
}

#[test]
fn yaml_in_the_place_of_json_is_recognized() {
    let mut bootstrap = example("basic-auth");
    let yaml = "version: 1\nduo:\n  api_host: api-1a2b3c4d.duosecurity.com\n";
    filter_config(&mut bootstrap)["configuration"]["value"] = json!(yaml);
    assert_eq!(
        first_fault(&bootstrap.to_string()),
        format!(
            "malformed_configuration: the text is not JSON (line 1, column 1){NOT_JSON}\n    line 1 of the \
             text: version: …\n    this looks like YAML: the text must be JSON. In Istio and Envoy Gateway write \
             the object itself instead of a text"
        )
    );
}

#[test]
fn secrets_of_the_wrong_form_are_not_repeated() {
    let file = File::new("plugin.json", TEXT);
    for (variables, expected) in [
        (
            "DUO_MFA_COOKIE_KEY=c2hvcnQ=",
            "invalid_cookie_key at session.keys[0], line 11: has 5 bytes; it needs at least 32; make one: \
             openssl rand -base64 32",
        ),
        (
            "DUO_MFA_COOKIE_KEY=geheim",
            "invalid_cookie_key at session.keys[0], line 11: is not base64; make one: openssl rand -base64 32",
        ),
        (
            "DUO_SECRET_KEY=",
            "missing_variable at duo.secret_key, line 7: the environment variable \"DUO_SECRET_KEY\" is \
             empty; set it where Envoy runs, and list it in the plugin's host_env_keys",
        ),
        (
            "DUO_SECRET_KEY=kurz",
            "invalid_secret_key at duo.secret_key, line 7: is too short or too long; copy \"Secret key\", of 40 \
             characters, from the application's page at Duo",
        ),
    ] {
        let file_of_variables = File::new("envoy.env", variables);
        let ran = duo_mfa(&["check", file.path(), "--env-file", file_of_variables.path()]);
        assert!(ran.output.contains(&format!("\n  fault {expected}\n")), "{ran:?}");
        let (_, secret) = variables.split_once('=').unwrap();
        assert!(secret.is_empty() || !ran.output.contains(secret), "{ran:?}");
    }
}

#[test]
fn what_is_around_the_configuration_is_named_with_what_to_write() {
    let mut bootstrap = example("jwt");
    filter_config(&mut bootstrap)["vm_config"]["environment_variables"]["host_env_keys"] =
        json!(["DUO_SECRET_KEY"]);
    assert_eq!(
        first_fault(&bootstrap.to_string()),
        "variable_not_passed: the module cannot see DUO_MFA_COOKIE_KEY, and will refuse the configuration; list \
         it in vm_config.environment_variables.host_env_keys"
    );
    let mut bootstrap = example("jwt");
    let clusters = bootstrap["static_resources"]["clusters"].as_array_mut().unwrap();
    clusters.retain(|cluster| cluster["name"] != "duo_api");
    assert_eq!(
        first_fault(&bootstrap.to_string()),
        "cluster_missing: there is no cluster duo_api: the filter cannot call Duo; add it to \
         static_resources.clusters, or name another cluster in duo.cluster"
    );
    let mut bootstrap = example("jwt");
    bootstrap.pointer_mut(MANAGER).unwrap()["http_filters"].as_array_mut().unwrap().rotate_left(1);
    assert_eq!(
        first_fault(&bootstrap.to_string()),
        "runs_before_first_factor: the filter runs before envoy.filters.http.jwt_authn, which names the user: \
         every request is refused; move envoy.filters.http.jwt_authn before this filter"
    );
}
