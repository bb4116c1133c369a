//! The formats of `check` for programs: JSON, GitHub's workflow commands, SARIF.

use crate::files::{File, plugin};
use crate::run::duo_mfa;
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::Command;

/// A file with a fault on its third line and a placeholder on its fourth.
fn faulty() -> File {
    let mut plugin = plugin();
    plugin["duo"]["integration_key"] = json!("DIWJ8X6AEYOR5OMC6TQ1");
    let text = plugin.to_string().replacen("{", "{\n\"mode\": \"off\",\n\"a,b: %\": 1,\n", 1);
    File::new("x:y,z.json", &text)
}

fn printed(format: &str, files: &[&str]) -> (i32, String) {
    let ran = duo_mfa(&[&["check", "--format", format], files].concat());
    (ran.status, ran.output)
}

#[test]
fn json_has_every_finding_with_its_line() {
    let (faulty, unreadable) = (faulty(), File::new("broken.yaml", "a: [1, 2\nb: 3"));
    let (status, output) = printed("json", &[faulty.path(), unreadable.path()]);
    assert_eq!(status, 2, "{output}");
    let report: Value = serde_json::from_str(&output).unwrap();
    assert_eq!(report["version"], 1);
    let configurations = report["configurations"].as_array().unwrap();
    assert_eq!(configurations[0]["file"], unreadable.path());
    assert!(configurations[0]["error"].as_str().unwrap().starts_with("is not YAML"));
    let findings = configurations[1]["findings"].as_array().unwrap();
    let of_fault = &findings[0];
    assert_eq!((&of_fault["level"], &of_fault["code"]), (&json!("fault"), &json!("unknown_key")));
    assert_eq!(of_fault["line"], 3, "{of_fault}");
    let codes: Vec<_> = findings.iter().map(|it| &it["code"]).collect();
    assert!(codes.contains(&&json!("placeholder_left")), "{codes:?}");
    assert_eq!(configurations[1]["not_set"], json!(["DUO_MFA_COOKIE_KEY", "DUO_SECRET_KEY"]));
    // The filter would refuse it.
    assert_eq!(configurations[1]["hash"], Value::Null);
}

#[test]
fn workflow_commands_name_file_line_and_code() {
    let file = faulty();
    let (status, output) = printed("github", &[file.path()]);
    assert_eq!(status, 1, "{output}");
    let name = file.path().replace(':', "%3A").replace(',', "%2C");
    let start = format!("::error file={name},line=3,title=unknown_key::[\"a,b: %25\"]: is not a ");
    assert!(output.starts_with(&start), "{start} {output}");
    assert!(output.contains("\n::notice file="), "{output}");
    assert!(output.lines().all(|line| line.starts_with("::")), "{output}");
    // Nothing to say is nothing printed.
    let mut sound = plugin();
    sound["duo"]["api_host"] = json!("api-1a2b3c4d.duosecurity.com");
    sound["duo"]["integration_key"] = json!("DIWJ8X6AEYOR5OMC6TQ1");
    assert_eq!(printed("github", &[File::of(&sound).path()]), (0, "\n".to_owned()));
}

#[test]
fn sarif_has_rules_results_and_what_could_not_be_read() {
    let (faulty, unreadable) = (faulty(), File::new("broken.yaml", "a: [1, 2\nb: 3"));
    let (_, output) = printed("sarif", &[faulty.path(), unreadable.path()]);
    let sarif: Value = serde_json::from_str(&output).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    let rules: Vec<_> =
        run["tool"]["driver"]["rules"].as_array().unwrap().iter().map(|it| &it["id"]).collect();
    let results = run["results"].as_array().unwrap();
    assert!(!results.is_empty());
    for result in results {
        assert!(rules.contains(&&result["ruleId"]), "{result}");
        assert!(["error", "warning", "note"].iter().any(|it| result["level"] == *it), "{result}");
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
    }
    let place = &results[0]["locations"][0]["physicalLocation"];
    let uri = faulty.path().replace(':', "%3A").replace(',', "%2C");
    assert_eq!(place["artifactLocation"]["uri"], uri);
    assert_eq!(place["region"]["startLine"], 3);
    let invocation = &run["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let unread = invocation["toolExecutionNotifications"][0]["message"]["text"].as_str().unwrap();
    assert!(unread.contains("broken.yaml: is not YAML"), "{unread}");
}

#[test]
fn the_text_names_the_line_of_a_part() {
    let file = faulty();
    let (_, output) = printed("text", &[file.path()]);
    assert!(output.contains("\n  fault unknown_key at [\"a,b: %\"], line 3: "), "{output}");
}

/// A path has bytes, and a URI has ASCII.
#[test]
fn any_name_of_a_file_is_printed() {
    let folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("names-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    for (name, uri) in [
        (&b"a b.json"[..], "a%20b.json"),
        (b"100%#?.json", "100%25%23%3F.json"),
        ("é.json".as_bytes(), "%C3%A9.json"),
        (b"\xff.json", "%FF.json"),
        (b"c:d.json", "c%3Ad.json"),
    ] {
        let name = OsStr::from_bytes(name);
        fs::write(folder.join(name), "{\"version\": 1, \"duo\": {\"api_host\": 1}}").unwrap();
        for format in ["text", "json", "github", "sarif"] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_duo-mfa"));
            command.current_dir(&folder).args(["check", "--format", format]).arg(name);
            let output = command.output().unwrap();
            assert_eq!(output.status.code(), Some(1), "{name:?} {format} {output:?}");
            if format == "sarif" {
                let sarif: Value = serde_json::from_slice(&output.stdout).unwrap();
                let place = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
                assert_eq!(place["artifactLocation"]["uri"], uri);
            }
        }
    }
    fs::remove_dir_all(&folder).unwrap();
}
