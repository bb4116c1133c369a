//! `duo-mfa cookie`: a cookie that the filter's own code has made, as operators read it.

use crate::files::{File, plugin};
use crate::run::{Ran, duo_mfa};
use duo_mfa::clock::UnixTime;
use duo_mfa::config::Config;
use duo_mfa::factor::Factor;
use duo_mfa::session::{ApprovedBy, NewApproval, Subject};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime};

const KEY: &str = "3q2+7/r5Qm0aZcTkX8uRj1hNwYb4E6pVsLdGfIi9oKo=";
const NEW_KEY: &str = "/zIZ+7SndFAi4W1d9lAJciiwY1NaTPj+nEi/2USy0Bo=";
const SECRET_KEY: &str = "Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep";

fn environment(name: &str) -> Option<String> {
    let value = match name {
        "DUO_SECRET_KEY" => SECRET_KEY,
        "DUO_MFA_COOKIE_KEY" => KEY,
        "DUO_MFA_NEW_COOKIE_KEY" => NEW_KEY,
        _ => return None,
    };
    Some(value.to_owned())
}

/// The value of a cookie of Alice, who passed a push so long ago.
fn cookie(plugin: &Value, ago: Duration) -> String {
    let config = Config::parse(plugin.to_string().as_bytes(), &environment).unwrap();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let then = UnixTime::from_seconds(now.saturating_sub(ago).as_secs());
    let factor = ApprovedBy::Factor(Factor::Push);
    let approval = NewApproval { factor, authenticated: then, lifetime: None };
    let alice = Subject { source: "header", user: "alice", bound: &[] };
    let set = config.applications.main.sessions.issue(&approval, &alice, then, [7; 16]);
    let text = String::from_utf8(set.as_bytes().to_vec()).unwrap();
    text.split(';').next().unwrap().to_owned()
}

fn read(value: &str, plugin: &Value, more: &[&str]) -> Ran {
    let keys = format!("DUO_MFA_COOKIE_KEY={KEY}\nDUO_MFA_NEW_COOKIE_KEY={NEW_KEY}\n");
    let variables = File::new("envoy.env", &keys);
    let file = File::of(plugin);
    let mut arguments = vec!["cookie", value, file.path(), "--env-file", variables.path()];
    arguments.extend(more);
    let ran = duo_mfa(&arguments);
    assert!(!ran.output.contains(KEY) && !ran.output.contains(SECRET_KEY), "{ran:?}");
    ran
}

#[track_caller]
fn told(ran: &Ran, status: i32, lines: &[&str]) {
    assert_eq!(ran.status, status, "{ran:?}");
    for line in lines {
        assert!(ran.output.contains(&format!("\n  {line}")), "{line}: {}", ran.output);
    }
}

#[test]
fn a_valid_cookie_shows_its_key_factor_and_times() {
    let plugin = plugin();
    let pair = cookie(&plugin, Duration::from_secs(300));
    let lines = ["key: session.keys[0], which signs new cookies", "factor: push", "valid"];
    // With its name, as in a Cookie header, and without.
    for value in [pair.as_str(), pair.split_once('=').unwrap().1] {
        let ran = read(value, &plugin, &["--user", "alice"]);
        told(&ran, 0, &lines);
        told(&ran, 0, &["user: alice"]);
        assert!(ran.output.contains(", 5 min ago\n  expires: "), "{}", ran.output);
    }
    told(&read(&pair, &plugin, &[]), 0, &["user: not compared; give --user"]);

    let mut rotated = plugin;
    rotated["session"]["keys"] =
        json!([{"env": "DUO_MFA_NEW_COOKIE_KEY"}, {"env": "DUO_MFA_COOKIE_KEY"}]);
    told(&read(&pair, &rotated, &[]), 0, &["key: session.keys[1], which is being replaced"]);
}

#[test]
fn a_refused_cookie_says_why() {
    let plugin = plugin();
    let pair = cookie(&plugin, Duration::from_secs(300));
    told(&read(&pair, &plugin, &["--user", "bob"]), 1, &["user: not bob", "refused: other_user: "]);
    let idle = cookie(&plugin, Duration::from_secs(3600));
    told(&read(&idle, &plugin, &["--user", "alice"]), 1, &["refused: idle: ", "factor: push"]);
    let expired = cookie(&plugin, Duration::from_secs(9 * 3600));
    told(&read(&expired, &plugin, &[]), 1, &["refused: expired: "]);
    told(&read("abc", &plugin, &[]), 1, &["refused: length: "]);

    let mut other = plugin.clone();
    other["session"]["keys"] = json!([{"env": "DUO_MFA_NEW_COOKIE_KEY"}]);
    told(&read(&pair, &other, &[]), 1, &["refused: unknown_key: "]);
    let mut named = plugin.clone();
    named["session"]["application"] = json!("wiki");
    told(&read(&pair, &named, &[]), 1, &["refused: other_application: "]);
    let mut void = plugin.clone();
    void["session"]["not_before"] = json!(4_000_000_000_u64);
    told(&read(&pair, &void, &[]), 1, &["refused: void: "]);

    let file = File::of(&plugin);
    let ran = duo_mfa(&["cookie", &pair, file.path()]);
    told(&ran, 2, &["refused: unknown_key: ", "not set here"]);
    assert!(ran.output.contains("DUO_MFA_COOKIE_KEY"), "{ran:?}");
    assert_eq!(duo_mfa(&["cookie", &pair, "/nonexistent.json"]).status, 2);
}
