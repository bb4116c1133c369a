//! A corpus of broken files: each has one fault, which `check` reports at its line, and no other.
//!
//! A row replaces a text of a sound file. The mark `¶` in the new text shows the line at fault, and
//! is not written.

use crate::files::{File, in_envoy, in_native_envoy};
use crate::run::duo_mfa;
use serde_json::Value;

/// The text to replace, the text in its place, and the code of the fault.
type Row = (&'static str, &'static str, &'static str);

/// A configuration as text, a member a line.
const TEXT: &str = r##"{
  "version": 1,
  "mode": "enforce",
  "path_prefix": "/.duo-mfa",
  "duo": {
    "api_host": "api-1a2b3c4d.duosecurity.com",
    "integration_key": "DIWJ8X6AEYOR5OMC6TQ1",
    "secret_key": {"env": "DUO_SECRET_KEY"},
    "cluster": "duo_api",
    "timeout": "10s",
    "fail_mode": "secure",
    "factors": [
      "push",
      "phone"
    ]
  },
  "identity": {
    "source": "header",
    "header": "x-basic-user",
    "normalize": [
      "trim",
      "lowercase"
    ]
  },
  "session": {
    "keys": [
      {"env": "DUO_MFA_COOKIE_KEY"},
      {"env": "DUO_MFA_COOKIE_KEY_OLD"}
    ],
    "expiration": "8h",
    "inactivity": "1h",
    "bind": [
      "ip_prefix"
    ]
  },
  "access_control": {
    "default_policy": "two_factor",
    "rules": [
      {
        "paths": ["/healthz"],
        "policy": "bypass"
      },
      {
        "paths": ["/admin/*"],
        "methods": ["POST"],
        "policy": "two_factor",
        "max_age": "5m"
      }
    ]
  },
  "api": {"mode": "hold", "hold_timeout": "60s"},
  "push": {
    "title": "Sign-in",
    "info": {"service": "payments"}
  },
  "limits": {
    "pushes": 3,
    "window": "10m",
    "passcode_tries": 5
  },
  "branding": {
    "name": "Example",
    "accent": "#0b5fff",
    "help_url": "https://help.example.com/"
  }
}
"##;

const OF_TEXT: [Row; 76] = [
    // Keys that are misspelt, missing, or there twice.
    ("\"mode\": \"enforce\"", "¶\"moed\": \"enforce\"", "unknown_key"),
    (
        "\"integration_key\"",
        "¶\"intergration_key2\": \"x\",\n    \"integration_key\"",
        "unknown_key",
    ),
    ("\"cluster\": \"duo_api\"", "¶\"clutser\": \"duo_api\"", "unknown_key"),
    ("\"expiration\": \"8h\"", "¶\"expires\": \"8h\"", "unknown_key"),
    ("\"methods\"", "¶\"method\"", "unknown_key"),
    ("\"pushes\": 3", "¶\"push\": 3", "unknown_key"),
    ("\"accent\"", "¶\"color\"", "unknown_key"),
    ("\"title\"", "¶\"tilte\"", "unknown_key"),
    ("\"hold_timeout\"", "¶\"timeout\"", "unknown_key"),
    (
        "\"duo\": {\n    \"api_host\": \"api-1a2b3c4d.duosecurity.com\",",
        "¶\"duo\": {",
        "missing_key",
    ),
    ("    \"secret_key\": {\"env\": \"DUO_SECRET_KEY\"},\n", "", "missing_key"),
    ("\"secret_key\": {\"env\": \"DUO_SECRET_KEY\"}", "¶\"secret_key\": {}", "missing_key"),
    ("    \"source\": \"header\",\n", "", "missing_key"),
    ("    \"header\": \"x-basic-user\",\n", "", "missing_key"),
    ("\"policy\": \"bypass\"", "\"hosts\": [\"a.example.com\"]", "missing_key"),
    ("\"mode\": \"enforce\",", "\"mode\": \"enforce\",\n  ¶\"mode\": \"off\",", "duplicate_key"),
    ("\"timeout\": \"10s\",", "\"timeout\": \"10s\",\n    ¶\"timeout\": \"9s\",", "duplicate_key"),
    ("\"window\": \"10m\",", "\"window\": \"10m\",\n    ¶\"window\": \"9m\",", "duplicate_key"),
    ("\"cluster\"", "¶\"host\": \"api-9.duosecurity.com\",\n    \"cluster\"", "conflicting_keys"),
    // Values of the wrong type.
    ("\"version\": 1", "¶\"version\": \"1\"", "wrong_type"),
    ("\"mode\": \"enforce\"", "¶\"mode\": true", "wrong_type"),
    ("\"timeout\": \"10s\"", "¶\"timeout\": 10", "wrong_type"),
    ("\"duo_api\"", "¶7", "wrong_type"),
    ("      \"push\",\n      \"phone\"", "      ¶7,\n      \"phone\"", "wrong_type"),
    ("      \"lowercase\"", "      ¶1", "wrong_type"),
    ("      \"ip_prefix\"", "      ¶24", "wrong_type"),
    ("[\"/healthz\"]", "¶\"/healthz\"", "wrong_type"),
    ("\"pushes\": 3", "¶\"pushes\": \"3\"", "wrong_type"),
    ("\"pushes\": 3", "¶\"pushes\": 2.5", "wrong_type"),
    ("\"name\": \"Example\"", "¶\"name\": null", "wrong_type"),
    ("{\"service\": \"payments\"}", "¶[\"payments\"]", "wrong_type"),
    // Values that are unknown.
    ("\"version\": 1", "¶\"version\": 2", "unknown_version"),
    ("\"enforce\"", "¶\"enforced\"", "unknown_value"),
    ("\"secure\"", "¶\"open\"", "unknown_value"),
    ("      \"phone\"", "      ¶\"pass\"", "unknown_value"),
    ("\"source\": \"header\"", "¶\"source\": \"cookie\"", "unknown_value"),
    ("      \"lowercase\"", "      ¶\"upper\"", "unknown_value"),
    ("      \"ip_prefix\"", "      ¶\"ip\"", "unknown_value"),
    ("\"default_policy\": \"two_factor\"", "¶\"default_policy\": \"one_factor\"", "unknown_value"),
    ("\"policy\": \"bypass\"", "¶\"policy\": \"allow\"", "unknown_value"),
    ("\"mode\": \"hold\"", "¶\"mode\": \"wait\"", "unknown_value"),
    // Values out of bounds.
    ("\"10s\"", "¶\"10\"", "invalid_duration"),
    ("\"10s\"", "¶\"2m\"", "invalid_duration"),
    ("\"8h\"", "¶\"25h\"", "invalid_duration"),
    ("\"1h\"", "¶\"9h\"", "invalid_duration"),
    ("\"5m\"", "¶\"25h\"", "invalid_duration"),
    ("\"60s\"", "¶\"60\"", "invalid_duration"),
    ("\"10m\"", "¶\"0s\"", "invalid_duration"),
    ("\"pushes\": 3", "¶\"pushes\": 0", "invalid_number"),
    ("\"passcode_tries\": 5", "¶\"passcode_tries\": 10", "invalid_number"),
    // Values that are malformed.
    ("\"/.duo-mfa\"", "¶\"duo-mfa/\"", "invalid_path_prefix"),
    (
        "\"api-1a2b3c4d.duosecurity.com\"",
        "¶\"https://api-1a2b3c4d.duosecurity.com\"",
        "invalid_api_host",
    ),
    ("\"api-1a2b3c4d.duosecurity.com\"", "¶\"\"", "invalid_api_host"),
    ("\"DIWJ8X6AEYOR5OMC6TQ1\"", "¶\"diwj8x6aeyor5omc6tq1\"", "invalid_integration_key"),
    ("\"DIWJ8X6AEYOR5OMC6TQ1\"", "¶\"\"", "invalid_integration_key"),
    ("\"duo_api\"", "¶\"\"", "invalid_cluster"),
    (
        "{\"env\": \"DUO_SECRET_KEY\"}",
        "¶\"Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep\"",
        "inline_secret",
    ),
    ("{\"env\": \"DUO_MFA_COOKIE_KEY_OLD\"}", "¶\"c2hvcnQ=\"", "inline_secret"),
    ("{\"env\": \"DUO_SECRET_KEY\"}", "¶{\"env\": \"DUO SECRET KEY\"}", "invalid_variable"),
    ("{\"env\": \"DUO_MFA_COOKIE_KEY_OLD\"}", "¶{\"env\": \"\"}", "invalid_variable"),
    ("\"x-basic-user\"", "¶\"X-Basic-User\"", "invalid_header"),
    ("\"x-basic-user\"", "¶\"authorization\"", "invalid_header"),
    ("      \"lowercase\"", "      ¶{\"strip_domain\": [\"@example.com\"]}", "invalid_domain"),
    ("\"/healthz\"", "¶\"healthz\"", "invalid_pattern"),
    ("\"/admin/*\"", "¶\"/admin/*/users\"", "invalid_pattern"),
    ("\"POST\"", "¶\"post\"", "invalid_pattern"),
    ("\"#0b5fff\"", "¶\"blue\"", "invalid_accent"),
    ("\"https://help.example.com/\"", "¶\"http://help.example.com/\"", "invalid_link"),
    ("\"name\": \"Example\"", "¶\"name\": \"\"", "invalid_text"),
    // Lists, and things that belong together.
    ("[\"/healthz\"]", "¶[]", "empty_list"),
    ("      \"push\",\n      \"phone\"", "      \"push\",\n      ¶\"push\"", "duplicate_entry"),
    (
        "{\"env\": \"DUO_MFA_COOKIE_KEY_OLD\"}",
        "¶{\"env\": \"DUO_MFA_COOKIE_KEY\"}",
        "duplicate_entry",
    ),
    ("{\"env\": \"DUO_MFA_COOKIE_KEY_OLD\"}", "¶{\"env\": \"DUO_SECRET_KEY\"}", "reused_key"),
    ("[\"/admin/*\"]", "¶[\"!/admin/*\"]", "only_negations"),
    ("        \"policy\": \"two_factor\",", "        \"policy\": \"deny\",", "conflicting_keys"),
    ("  \"api\":", "  ¶\"audit\": \"all\",\n  \"api\":", "not_supported"),
];

/// Rows whose fault is on a line that the row does not change: a missing key is reported at the
/// object that lacks it, a conflict at the later key.
const ELSEWHERE: [(&str, &str); 5] = [
    ("    \"secret_key\": {\"env\": \"DUO_SECRET_KEY\"},\n", "  \"duo\": {"),
    ("    \"source\": \"header\",\n", "  \"identity\": {"),
    ("    \"header\": \"x-basic-user\",\n", "  \"identity\": {"),
    ("\"policy\": \"bypass\"", "      {\n        \"paths\": [\"/healthz\"]"),
    ("        \"policy\": \"two_factor\",", "        \"max_age\": \"5m\""),
];

/// Istio's WasmPlugin, with the configuration as an object.
const WASM_PLUGIN: &str = r#"# The second factor.
apiVersion: v1
kind: Service
metadata:
  name: app
---
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata:
  name: second-factor
spec:
  url: oci://registry.example.com/duo_mfa:1
  phase: AUTHZ
  failStrategy: FAIL_RELOAD
  pluginConfig:
    version: 1
    duo:
      api_host: api-1a2b3c4d.duosecurity.com
      integration_key: DIWJ8X6AEYOR5OMC6TQ1
      secret_key:
        env: DUO_SECRET_KEY
      cluster: outbound|443||api-1a2b3c4d.duosecurity.com
    identity:
      source: header
      header: x-user
    session:
      keys:
        - env: DUO_MFA_COOKIE_KEY
    access_control:
      rules:
        - paths: [/healthz]
          policy: bypass
        # Administration.
        - paths:
            - /admin/*
            - /root/*
          policy: two_factor
          max_age: 5m
  vmConfig:
    env:
      - name: DUO_SECRET_KEY
        valueFrom: HOST
      - name: DUO_MFA_COOKIE_KEY
        valueFrom: HOST
"#;

const OF_WASM_PLUGIN: [Row; 15] = [
    ("version: 1\n    duo", "¶version: 2\n    duo", "unknown_version"),
    ("cluster:", "¶clutser:", "unknown_key"),
    ("header: x-user", "¶header: X-User", "invalid_header"),
    ("header: x-user", "header: x-user\n      ¶normalise: [trim]", "unknown_key"),
    ("source: header", "¶source: saml", "unknown_value"),
    ("api_host: api-1a2b3c4d", "¶api_host: https://api-1a2b3c4d", "invalid_api_host"),
    ("DIWJ8X6AEYOR5OMC6TQ1", "¶1234567890", "wrong_type"),
    ("env: DUO_SECRET_KEY\n      c", "¶env: 5\n      c", "wrong_type"),
    ("- env: DUO_MFA_COOKIE_KEY", "¶- c2hvcnQ=", "inline_secret"),
    ("policy: bypass", "¶policy: skip", "unknown_value"),
    ("[/healthz]", "¶[healthz]", "invalid_pattern"),
    ("- /root/*", "¶- /root/**", "invalid_pattern"),
    ("- /root/*", "¶- 7", "wrong_type"),
    ("max_age: 5m", "¶max_age: 5", "wrong_type"),
    ("max_age: 5m", "max_age: 5m\n          ¶factor: [push]", "unknown_key"),
];

/// A broken file: its text without the mark, and the line at fault.
fn broken(sound: &str, from: &str, to: &str) -> (String, Option<usize>) {
    assert_eq!(sound.matches(from).count(), 1, "{from}");
    let marked = sound.replacen(from, to, 1);
    let line = marked.find('¶').map(|at| line_at(&marked, at));
    (marked.replacen('¶', "", 1), line)
}

/// The number of the line, from 1, that a byte is on.
fn line_at(text: &str, byte: usize) -> usize {
    text.bytes().take(byte).filter(|byte| *byte == b'\n').count().saturating_add(1)
}

/// The plugin configurations of the corpus, each with the code of its fault.
pub(crate) fn texts() -> impl Iterator<Item = (String, &'static str)> {
    OF_TEXT.into_iter().map(|(from, to, code)| (broken(TEXT, from, to).0, code))
}

/// The resources of the corpus, each with the code of its fault.
pub(crate) fn wasm_plugins() -> impl Iterator<Item = (String, &'static str)> {
    OF_WASM_PLUGIN.into_iter().map(|(from, to, code)| (broken(WASM_PLUGIN, from, to).0, code))
}

/// The faults that `check` reports about a file: their codes and lines.
fn faults(name: &str, text: &str) -> Vec<(String, Option<u64>)> {
    let file = File::new(name, text);
    let ran = duo_mfa(&["check", "--format", "json", file.path()]);
    let report: Value = serde_json::from_str(&ran.output).unwrap();
    let findings = report["configurations"][0]["findings"].as_array().unwrap();
    let faults = findings.iter().filter(|finding| finding["level"] == "fault");
    faults.map(|it| (it["code"].as_str().unwrap().to_owned(), it["line"].as_u64())).collect()
}

#[test]
fn each_fault_of_the_corpus_is_reported_at_its_line() {
    let mut files = Vec::new();
    for (from, to, code) in OF_TEXT {
        let (text, line) = broken(TEXT, from, to);
        let line = line.unwrap_or_else(|| {
            let (_, at) = ELSEWHERE.iter().find(|(row, _)| *row == from).unwrap();
            line_at(&text, text.find(at).unwrap())
        });
        for (envoy, before) in [in_envoy(&text), in_native_envoy(&text)] {
            files.push(("envoy.yaml", envoy, before.saturating_add(line), code, to));
        }
        files.push(("plugin.json", text, line, code, to));
    }
    for (from, to, code) in OF_WASM_PLUGIN {
        let (text, line) = broken(WASM_PLUGIN, from, to);
        files.push(("plugin.yaml", text, line.unwrap(), code, to));
    }

    println!("corpus: {} broken files", files.len());
    for (name, text, line, code, to) in files {
        let expected = (code.to_owned(), u64::try_from(line).ok());
        assert_eq!(faults(name, &text), [expected], "{name} {to}");
    }
}

#[test]
fn the_sound_files_of_the_corpus_have_no_fault() {
    let files = [
        File::new("plugin.json", TEXT),
        File::new("envoy.yaml", &in_envoy(TEXT).0),
        File::new("native.yaml", &in_native_envoy(TEXT).0),
        File::new("plugin.yaml", WASM_PLUGIN),
    ];
    for file in &files {
        let ran = duo_mfa(&["check", file.path()]);
        assert_eq!((ran.status, ran.faults()), (0, vec![]), "{ran:?}");
    }
}
