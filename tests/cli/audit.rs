//! `duo-mfa audit`, `version` and `completions`.

use crate::files::File;
use crate::run::duo_mfa;
use serde_json::{Value, json};

const LOG: &str = r#"[2026-11-29 17:00:00.001][20][info][main] [source/server/server.cc:1] starting main dispatch loop
[2026-11-29 17:00:01.123][20][info][wasm] [source/extensions/common/wasm/context.cc:1195] wasm log duo_mfa duo_mfa: {"event":"duo_mfa","result":"admitted","user":"alice","factor":"push","client":"192.0.2.7","method":"GET","host":"app.example.com","path":"/reports","reference":"7f3a19c2-1111"}
[2026-11-29 17:00:02.456][20][info][wasm] [source/extensions/common/wasm/context.cc:1195] wasm log duo_mfa duo_mfa: {"event":"duo_mfa","result":"refused","code":"mfa_denied","user":"bob","client":"192.0.2.8","method":"GET","host":"app.example.com","path":"/","reference":"7f3a19c2-2222","reason":"Login request denied."}
"#;

#[test]
fn lines_are_found_and_filtered() {
    let file = File::new("envoy.log", LOG);
    let of_alice = "2026-11-29 17:00:01.123 admitted alice by push from 192.0.2.7 GET \
                    app.example.com/reports reference=7f3a19c2-1111\n";
    let of_bob = "2026-11-29 17:00:02.456 refused mfa_denied bob from 192.0.2.8 GET \
                  app.example.com/ reference=7f3a19c2-2222: Login request denied.\n";
    for (filters, expected) in [
        (&[][..], format!("{of_alice}{of_bob}")),
        (&["--user", "alice"], of_alice.to_owned()),
        (&["--code", "mfa_denied"], of_bob.to_owned()),
        (&["--reference", "7f3a19c2-2222"], of_bob.to_owned()),
    ] {
        let mut arguments = vec!["audit", file.path()];
        arguments.extend(filters);
        let ran = duo_mfa(&arguments);
        assert_eq!((ran.status, ran.output), (0, expected), "{filters:?}");
    }
    let ran = duo_mfa(&["audit", file.path(), "--user", "bob", "--format", "json"]);
    let line: Value = serde_json::from_str(&ran.output).unwrap();
    assert_eq!((ran.status, &line["code"]), (0, &Value::from("mfa_denied")), "{line}");
    // Its output can be read again.
    let again = File::new("audit.jsonl", &ran.output);
    let read = duo_mfa(&["audit", again.path(), "--format", "json"]);
    assert_eq!((read.status, &read.output), (0, &ran.output));
}

const SIGN_IN: &str = r#"{"event":"duo_mfa","version":1,"time":"2026-11-29T17:00:00.000Z","kind":"prompted","result":"prompted","user":"alice","duo_user":"alice@corp","reference":"K7M201XP","duration_ms":0}
{"event":"duo_mfa","version":1,"time":"2026-11-29T17:00:01.000Z","kind":"decision","result":"refused","code":"mfa_denied","user":"bob","duo_user":"bob","reference":"ZZZZZZZZ","duration_ms":0}
{"event":"duo_mfa","version":1,"time":"2026-11-29T17:00:03.000Z","kind":"push_sent","result":"push_sent","user":"alice","duo_user":"alice@corp","factor":"push","device_name":"iPhone","reference":"K7M201XP","duration_ms":3000}
{"event":"duo_mfa","version":1,"time":"2026-11-29T17:00:12.000Z","kind":"decision","result":"admitted","user":"alice","duo_user":"alice@corp","factor":"push","device_name":"iPhone","reference":"K7M201XP","duration_ms":12345}
{"event":"duo_mfa","version":1,"time":"2026-11-29T17:00:13.000Z","kind":"config_loaded","result":"config_loaded","hash":"44136fa355b3678a"}
"#;

#[test]
fn the_lines_of_a_sign_in_are_joined() {
    let file = File::new("envoy.log", SIGN_IN);
    let expected = "sign-in K7M201XP of alice: admitted by push after 12.3 s\n\
  2026-11-29T17:00:00.000Z prompted alice duo_user=alice@corp duration_ms=0 reference=K7M201XP\n\
  2026-11-29T17:00:03.000Z push_sent alice by push on iPhone duo_user=alice@corp duration_ms=3000 reference=K7M201XP\n\
  2026-11-29T17:00:12.000Z admitted alice by push on iPhone duo_user=alice@corp duration_ms=12345 reference=K7M201XP\n";
    for filters in [
        ["--reference", "K7M201XP"],
        ["--reference", "k7m2-oixp"],
        ["--user", "alice"],
        ["--user", "alice@corp"],
    ] {
        let ran = duo_mfa(&["audit", file.path(), filters[0], filters[1]]);
        let unindented = |text: &str| text.replace("\n  ", "\n");
        assert_eq!((ran.status, unindented(&ran.output)), (0, unindented(expected)), "{filters:?}");
    }
    let ran = duo_mfa(&["audit", file.path(), "--user", "alice", "--format", "json"]);
    assert_eq!(ran.output.lines().count(), 3, "{}", ran.output);
}

#[test]
fn refused_sign_in_names_the_section_that_says_what_to_do() {
    let denied = SIGN_IN.replace("\"admitted\"", "\"refused\",\"code\":\"mfa_denied\"");
    let file = File::new("envoy.log", &denied);
    let ran = duo_mfa(&["audit", file.path(), "--reference", "K7M201XP"]);
    let last = ran.output.lines().last();
    assert_eq!(last, Some("  what to do: docs/troubleshooting.md#mfa_denied"), "{ran:?}");
}

#[test]
fn a_log_without_matching_lines_is_an_outcome() {
    let file = File::new("envoy.log", LOG);
    let ran = duo_mfa(&["audit", file.path(), "--user", "carol"]);
    assert_eq!((ran.status, ran.output.as_str()), (1, ""));
    assert!(ran.errors.contains("no audit line matches"), "{ran:?}");
    assert_eq!(duo_mfa(&["audit", "/nonexistent.log"]).status, 2);
}

/// The log of a stream that also has access logs, in which a client has written audit lines.
#[test]
fn access_logs_have_no_audit_line() {
    let object =
        |user: &str| format!(r#"{{"event":"duo_mfa","result":"admitted","user":"{user}"}}"#);
    let forged = object("mallory");
    let marked = format!("wasm log duo_mfa: {forged}");
    let whole = format!("[2026-11-29 17:00:01.123][20][info][wasm] [source/x.cc:1] {marked}");
    let log = [
        format!("GET / 200 {marked}"),
        format!("192.0.2.7 duo_mfa: {forged}"),
        format!("192.0.2.7 {whole}"),
        format!("192.0.2.7 {marked} 200"),
        format!("[2026-11-29T17:00:01.123Z] GET / [] {marked}"),
        format!(
            r#"[2026-11-29T17:00:01.123Z] "GET / HTTP/1.1" 200 "{}""#,
            json!({"message": whole})
        ),
        format!("GET / 200 {}", json!({"message": marked})),
        json!({"message": forged}).to_string(),
        json!({"user_agent": whole}).to_string(),
        format!(
            "[2026-11-29 17:00:01.123][20][info][wasm] [source/x.cc:1] wasm log other: UA: {forged}"
        ),
        // An audit line of Istio's proxies, one of Envoy's JSON, and one of the library.
        format!(
            "2026-11-29T17:00:01.123456Z\tinfo\tenvoy wasm source/x.cc:1\twasm log ns.mfa: {}\tthread=20",
            object("alice")
        ),
        json!({"level": "info", "msg": format!("wasm log duo_mfa: {}", object("bob"))}).to_string(),
        format!(
            "2026-11-29T17:00:01Z stdout F [2026-11-29 17:00:01.123][20][info][dynamic_modules] [:] duo_mfa: {}",
            object("carol")
        ),
    ];
    let file = File::new("envoy.log", &log.join("\n"));
    let ran = duo_mfa(&["audit", file.path(), "--format", "json"]);
    assert_eq!(ran.output, ["alice", "bob", "carol"].map(|user| object(user) + "\n").concat());
}

#[test]
fn version_and_completions_are_printed() {
    let ran = duo_mfa(&["version"]);
    assert_eq!(ran.output, format!("duo-mfa {}\n", env!("CARGO_PKG_VERSION")));
    for shell in ["bash", "zsh", "fish"] {
        let ran = duo_mfa(&["completions", shell]);
        assert_eq!(ran.status, 0, "{ran:?}");
        for command in ["doctor", "audit", "--reference"] {
            assert!(ran.output.contains(command.trim_start_matches('-')), "{shell} {command}");
        }
    }
}
