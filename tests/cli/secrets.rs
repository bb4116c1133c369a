//! No secret of a file is printed, whatever is wrong with the file.

use crate::files::{File, plugin, wasm_plugin};
use crate::run::duo_mfa;

const SECRET: &str = "Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep";

/// Files that cannot be read, with a secret on or beside the line at fault.
fn files() -> Vec<(&'static str, String)> {
    let configuration = "{\n\"version\": 1,\n\"duo\": {\"api_host\": \"api-1a2b3c4d.duosecurity.com\"},\n\"LINE\n}\n";
    let lines = [
        format!("secret_key\": {{\"value\": \"{SECRET}\",}}"),
        format!("secret_key\": '{SECRET}'"),
        format!("secret_key\": “{SECRET}”"),
        format!("secret_key\": {SECRET}"),
        format!("secret_key\": \"{SECRET}"),
        format!("x\": 1, # {SECRET}"),
        format!("x\": 1, {SECRET}: 1"),
    ];
    let mut files: Vec<_> =
        lines.iter().map(|line| ("plugin.json", configuration.replace("LINE", line))).collect();
    let object = wasm_plugin(&plugin());
    for secret in [
        format!("  DUO_SECRET_KEY: {SECRET}\n  DUO_SECRET_KEY: {SECRET}\n"),
        format!("  DUO_SECRET_KEY: {SECRET}\n  X: \"a\" b\n"),
        format!("  DUO_SECRET_KEY: {SECRET}: {SECRET}\n"),
        format!("  DUO_SECRET_KEY: *{SECRET}\n"),
    ] {
        let text = format!("kind: Secret\nstringData:\n{secret}---\n{object}\n");
        files.push(("stream.yaml", text));
    }
    files
}

#[test]
fn a_file_at_fault_shows_no_secret() {
    for (name, text) in files() {
        let file = File::new(name, &text);
        let path = file.path();
        let runs: [&[&str]; 7] = [
            &["check", path],
            &["check", "--format", "json", path],
            &["check", "--format", "github", path],
            &["check", "--format", "sarif", path],
            &["explain", path, "--path", "/"],
            &["doctor", path],
            &["cookie", "x", path],
        ];
        for arguments in runs {
            let ran = duo_mfa(arguments);
            assert_ne!(ran.status, 0, "{arguments:?} {text}: {ran:?}");
            let printed = format!("{}{}", ran.output, ran.errors);
            assert!(!printed.contains("Zh5eGm"), "{arguments:?} {text}: {printed}");
        }
    }
}
