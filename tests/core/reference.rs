//! Every entry of the configuration's reference, shown to the reader: its names, default, bounds,
//! words, texts and example. The schema must agree with the reader about each of these values.

mod base;
mod probe;

use crate::config_faults::document::environment;
use crate::schema;
use base::{base, concrete, put, remove};
use duo_mfa::config::reference::{Key, Kind, ROOT, Section, Usual};
use duo_mfa::config::{Code, Config, ConfigFaults};
use probe::Probe;
use serde_json::{Value, json};

/// Keys below these are those of `duo`, in a named application.
const REPEATED: &str = "applications.NAME.duo.";

/// All keys with their paths.
fn keys() -> Vec<(String, &'static Key)> {
    let mut keys = Vec::new();
    collect("", &ROOT, &mut keys);
    keys.retain(|(path, _)| !path.starts_with(REPEATED));
    assert!(keys.len() > 85, "{}", keys.len());
    keys
}

fn collect(before: &str, section: &'static Section, keys: &mut Vec<(String, &'static Key)>) {
    for key in section.keys {
        let path = format!("{before}{}", key.name);
        keys.push((path.clone(), key));
        if let Some((between, section)) = key.kind.below() {
            collect(&format!("{path}{between}"), section, keys);
        }
    }
}

fn parse(document: &Value) -> Result<Config, ConfigFaults> {
    let environment = |name: &str| match name {
        "DUO_MFA_LIMITS_KEY" => environment("OTHER_COOKIE_KEY"),
        "DUO_SECRET_KEY_PAYMENTS" => environment("PAYMENTS_SECRET_KEY"),
        name => environment(name),
    };
    Config::parse(document.to_string().as_bytes(), &environment)
}

/// The settings of a configuration, as text. Its hash is of the document, in which equal settings may be written differently.
fn settings(mut config: Config) -> String {
    config.hash.clear();
    format!("{config:?}")
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The configuration that a document gives, as text. The schema must accept the document too.
#[track_caller]
fn accepted(path: &str, document: &Value) -> String {
    take(path, document).unwrap_or_else(|fault| panic!("{fault}"))
}

fn take(path: &str, document: &Value) -> Result<String, String> {
    let hint = "Is the entry in src/config/reference right? If the value needs other keys too, add \
                them to tests/core/reference/base.rs";
    let config =
        parse(document).map_err(|faults| format!("{path}: {faults}\n{document}\n{hint}"))?;
    schema::agrees(document, None)?;
    Ok(settings(config))
}

/// The reader must refuse a document for a fault at the path or below, and the schema refuse it too.
fn refuse(path: &str, document: &Value) -> Result<(), String> {
    let Err(faults) = parse(document) else { return Err(format!("{path} is taken: {document}")) };
    let at = concrete(path);
    if !faults.iter().any(|fault| fault.path.starts_with(&at)) {
        return Err(format!("{path}: {faults}\n{document}"));
    }
    schema::agrees(document, Some(&faults))
}

#[test]
fn examples_are_accepted() {
    for (path, key) in keys() {
        let example = read(key.example);
        accepted(&path, &put(base(&path, &example), &path, &example));
    }
}

#[test]
fn aliases_are_read_as_the_key() {
    let mut aliases = 0;
    for (path, key) in keys() {
        let example = read(key.example);
        let document = put(base(&path, &example), &path, &example);
        let expected = accepted(&path, &document);
        for alias in key.aliases {
            let other = path.strip_suffix(key.name).unwrap().to_owned() + alias;
            let document = put(remove(document.clone(), &path), &other, &example);
            assert_eq!(accepted(&other, &document), expected, "{other}");
            aliases += 1;
        }
    }
    assert!(aliases >= 8, "{aliases}");
}

#[test]
fn defaults_are_those_of_the_reader() {
    for (path, key) in keys() {
        let Usual::Value(value) = key.usual else { continue };
        let value = read(value);
        let document = put(base(&path, &value), &path, &value);
        let without = remove(document.clone(), &path);
        assert_eq!(accepted(&path, &document), accepted(&path, &without), "{path}: {value}");
    }
}

/// Otherwise a default that is wrong would go unnoticed: another value gives another configuration.
#[test]
fn other_values_than_the_default_are_seen() {
    // The configuration does not keep them.
    let unseen = ["version", "allow_inline_secrets", "applications", "limits.key"];
    for (path, key) in keys() {
        let Usual::Value(value) = key.usual else { continue };
        let [value, example] = [value, key.example].map(read);
        if unseen.contains(&path.as_str()) || value == example {
            continue;
        }
        let with = |value: &Value| put(base(&path, &example), &path, value);
        let other = accepted(&path, &with(&example));
        let usual = parse(&remove(with(&example), &path)).map(settings);
        assert_ne!(Some(other), usual.ok(), "{path}: the example is the same as the default");
    }
}

#[test]
fn required_keys_are_required() {
    let mut required = 0;
    for (path, key) in keys() {
        if key.usual == Usual::Required {
            let example = read(key.example);
            let document = remove(put(base(&path, &example), &path, &example), &path);
            refuse(&path, &document).unwrap();
            let faults = parse(&document).unwrap_err();
            assert!(faults.iter().any(|fault| fault.code == Code::MissingKey), "{path}: {faults}");
            required += 1;
        }
    }
    assert!(required > 15, "{required}");
}

#[test]
fn keys_of_later_releases_are_accepted_only_if_they_turn_on_nothing() {
    for (path, _) in keys().into_iter().filter(|(_, key)| matches!(key.kind, Kind::Later)) {
        for off in [json!(false), json!(""), json!("off"), json!([]), json!({})] {
            accepted(&path, &put(base(&path, &off), &path, &off));
        }
        for on in [json!(true), json!("x"), json!(["x"]), json!(null), json!(0)] {
            refuse(&path, &put(base(&path, &on), &path, &on)).unwrap();
        }
    }
}

/// At a bound a value is accepted, one beyond it is refused. Each word is accepted, another one is
/// refused. Values of another type are refused.
#[test]
fn bounds_and_words_are_those_of_the_reader() {
    let (mut values, mut wrong) = (0, Vec::new());
    for (path, key) in keys() {
        for Probe { value, is_good } in probe::values(&path, &key.kind) {
            let document = put(base(&path, &value), &path, &value);
            let judged =
                if is_good { take(&path, &document).map(|_| ()) } else { refuse(&path, &document) };
            wrong.extend(judged.err());
            values += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(values > 500, "{values}");
}

#[test]
fn keys_are_of_this_release_or_an_earlier_one() {
    let parts =
        |text: &str| text.split('.').map(|part| part.parse::<u32>()).collect::<Result<Vec<_>, _>>();
    let this = parts(env!("CARGO_PKG_VERSION")).unwrap();
    for (path, key) in keys() {
        let since = parts(key.since).unwrap_or_else(|_| panic!("{path}: {}", key.since));
        assert!(since.len() == 3 && since <= this, "{path}: {}", key.since);
    }
}
