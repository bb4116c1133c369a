//! A configuration that is not JSON: `check` quotes the line of the file and names the mistake.

use crate::files::{File, in_envoy, plugin};
use crate::run::duo_mfa;

/// The configuration, a member a line.
const TEXT: &str = r#"{
  "version": 1,
  "duo": {
    "api_host": "api-1a2b3c4d.duosecurity.com",
    "integration_key": "DIWJ8X6AEYOR5OMC6TQ1",
    "secret_key": {"env": "DUO_SECRET_KEY"}
  },
  "identity": {"source": "header", "header": "x-basic-user"},
  "session": {"keys": [{"env": "DUO_MFA_COOKIE_KEY"}]}
}
"#;

/// A replacement in the text, the line at fault, what it shows, and the mistake.
type Row = (&'static str, &'static str, usize, &'static str, &'static str);

const ROWS: [Row; 9] = [
    (
        "\"DUO_SECRET_KEY\"}\n",
        "\"DUO_SECRET_KEY\"},\n",
        7,
        "},",
        "remove the comma before the bracket",
    ),
    ("OMC6TQ1\",", "OMC6TQ1\"", 6, "\"secret_key\"", "write a comma after the value before"),
    ("  \"duo\": {", "  // Duo\n  \"duo\": {", 3, "// …", "remove the comment"),
    ("  \"duo\": {", "  # Duo\n  \"duo\": {", 3, "# …", "remove the comment"),
    ("\"identity\":", "identity:", 8, "identity: {", "write the key in double quotes"),
    ("\"header\", ", "'header', ", 8, "\"source\": '…', ", "write \" instead of '"),
    ("\"x-basic-user\"", "“x-basic-user”", 8, "“…”", "typographic quotes"),
    ("\"x-basic-user\"", "\"x-basic-user\", \"required\": True", 8, "True", "in lower case"),
    ("]}\n}\n", "]}\n", 9, "\"session\"", "the text ends here"),
];

#[test]
fn a_mistake_in_envoys_file_is_quoted_with_its_line() {
    for (from, to, line, shown, mistake) in ROWS {
        let text = TEXT.replacen(from, to, 1);
        assert_ne!(text, TEXT, "{from}");
        let (file, before) = in_envoy(&text);
        let ran = duo_mfa(&["check", File::new("envoy.yaml", &file).path()]);
        assert_eq!((ran.status, ran.faults()), (1, vec!["malformed_configuration"]), "{ran:?}");
        let quoted = format!("\n    line {} of the file: ", before + line);
        let (_, rest) = ran.output.split_once(&quoted).unwrap_or_else(|| panic!("{to}: {ran:?}"));
        let mut lines = rest.lines();
        assert!(lines.next().unwrap().contains(shown), "{to}: {}", ran.output);
        assert!(lines.next().unwrap().contains(mistake), "{to}: {}", ran.output);
    }
}

#[test]
fn a_mistake_in_a_separate_file_is_quoted() {
    for (text, line, mistake) in [
        (
            TEXT.replacen("\"DUO_SECRET_KEY\"}\n", "\"DUO_SECRET_KEY\"},\n", 1),
            7,
            "remove the comma",
        ),
        (format!("\u{feff}{TEXT}"), 1, "byte order mark"),
    ] {
        let ran = duo_mfa(&["check", File::new("plugin.json", &text).path()]);
        assert_eq!(ran.faults(), ["malformed_configuration"], "{ran:?}");
        assert!(ran.output.contains(&format!("\n    line {line} of the file: ")), "{}", ran.output);
        assert!(ran.output.contains(mistake), "{}", ran.output);
    }
}

#[test]
fn yaml_in_place_of_json_is_recognized() {
    let (file, _) = in_envoy("version: 1\nduo:\n  api_host: api-1a2b3c4d.duosecurity.com\n");
    let ran = duo_mfa(&["check", File::new("envoy.yaml", &file).path()]);
    assert_eq!(ran.faults(), ["malformed_configuration"], "{ran:?}");
    assert!(ran.output.contains("this looks like YAML"), "{}", ran.output);
}

#[test]
fn placeholders_are_noted_and_real_values_are_not() {
    let ran = duo_mfa(&["check", File::of(&plugin()).path()]);
    let note = "\n  note placeholder_left at duo.integration_key: DIXXXXXXXXXXXXXXXXXX is a \
                placeholder of the examples; write your value";
    assert!(ran.status == 0 && ran.output.contains(note), "{ran:?}");
    let ran = duo_mfa(&["check", File::new("plugin.json", TEXT).path()]);
    assert!(ran.status == 0 && !ran.output.contains("note "), "{ran:?}");
}

#[test]
fn a_secret_key_of_another_length_is_warned_of() {
    let file = File::new("plugin.json", TEXT);
    for (secret, expected) in [
        ("Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep", &[][..]),
        ("Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4E", &["secret_key_length"]),
        ("Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Epp", &["secret_key_length"]),
    ] {
        let variables = File::new("envoy.env", &format!("DUO_SECRET_KEY={secret}\n"));
        let ran = duo_mfa(&["check", file.path(), "--env-file", variables.path()]);
        assert_eq!(ran.warnings(), expected, "{ran:?}");
        assert!(!ran.output.contains(secret), "{ran:?}");
    }
    // A key that is not set here is not judged.
    assert_eq!(duo_mfa(&["check", file.path()]).warnings(), Vec::<&str>::new());
}
