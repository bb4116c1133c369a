//! `explain --all`: each rule, and what clients and the application get. The results are those of the
//! state machine itself, so a row per outcome is enough.

use crate::files::{File, for_browsers_alone, plugin, to_duos_page};
use crate::run::duo_mfa;
use serde_json::{Value, json};

fn ruled() -> Value {
    let mut plugin = plugin();
    plugin["identity"]["groups"] = json!({"header": "x-groups"});
    plugin["identity"]["username"] = json!("{user}@corp");
    plugin["access_control"] = json!({
        "default_policy": "deny",
        "rules": [
            {"name": "health", "paths": ["/healthz"], "methods": ["GET"], "policy": "bypass"},
            {"networks": ["10.0.0.0/8"], "hosts": ["*.example.com"], "policy": "bypass"},
            {"paths": ["/pay/*", "!/pay/help"], "users": ["carol"], "policy": "two_factor",
             "approval": "per_request"},
            {"paths": ["/batch"], "policy": "two_factor", "api_mode": "refuse", "factors": ["phone"]},
            {"groups": ["staff"], "policy": "two_factor"},
        ]
    });
    plugin
}

fn explain(plugin: &Value, more: &[&str]) -> (i32, String) {
    let file = File::of(plugin);
    let mut line = vec!["explain", file.path(), "--all"];
    line.extend(more);
    let ran = duo_mfa(&line);
    (ran.status, ran.output)
}

/// The only configuration of the answer for programs.
fn object(plugin: &Value, more: &[&str]) -> Value {
    let (_, output) = explain(plugin, &[&["--json", "--address", "192.0.2.1"], more].concat());
    let answer: Value = serde_json::from_str(&output).unwrap();
    assert_eq!(answer["version"], 1);
    answer["configurations"][0].clone()
}

const WHOLE: &str = "\
rules:
  rules[0] (health), bypass: miss: methods has GET, and the request has POST
  rules[1], bypass: miss: hosts has *.example.com, and the request has localhost
  rules[2], two_factor: miss: paths excepts !/pay/help, and the request has /pay/help
  rules[3], two_factor: miss: paths has /batch, and the request has /pay/help
  rules[4], two_factor: hit
rule: 4, access_control.rules[4]
policy: two_factor
factors: push, passcode, phone, sms
max_age: none
fail_mode: secure
a browser gets: 403, a page (mfa_required)
curl gets: held: Duo is asked about carol@corp, a push on the phone; then the application's response
the application gets the request:
  without the filter's cookies
  x-duo-mfa-result: passed
  x-duo-mfa-user: carol
  x-duo-mfa-factor: push
";

#[test]
fn each_rule_has_its_reason_and_each_client_its_answer() {
    let request = ["--path", "/pay/help?x=/pay", "--method", "POST", "--user", "carol"];
    let more = [&request[..], &["--group", "staff", "--address", "192.0.2.1"]].concat();
    let (status, output) = explain(&ruled(), &more);
    assert_eq!(status, 0, "{output}");
    // A browser's form gets no prompt page that could send it again.
    let (before, of_browser) = WHOLE.split_once("a browser gets: ").unwrap();
    let (_, after) = of_browser.split_once('\n').unwrap();
    assert!(output.starts_with(before), "{output}");
    assert!(output.contains(after), "{output}");
}

#[test]
fn rules_behind_the_deciding_one_are_not_reached() {
    let found = object(&ruled(), &["--path", "/healthz"]);
    let of = |key: &str| {
        found["rules"].as_array().unwrap().iter().map(|it| it[key].clone()).collect::<Vec<_>>()
    };
    assert_eq!(of("result"), ["hit", "miss", "miss", "miss", "open"]);
    assert_eq!(of("reached"), [true, false, false, false, false]);
    assert_eq!(
        of("saw")[1..],
        [json!("localhost"), json!("/healthz"), json!("/healthz"), json!("not known")]
    );
    assert_eq!(found["decision"], json!({"rule": 0, "policy": "bypass"}));
    for client in ["browser", "curl"] {
        assert_eq!(found[client], json!({"end": "forwarded", "held": []}));
    }
}

/// A change of the configuration, the request, and the outcomes for a browser and for curl: the status
/// and code of a reply, the last question before the request is forwarded, or nothing.
type Row = (fn(&mut Value), &'static [&'static str], &'static str, &'static str);

const ROWS: &[Row] = &[
    (
        |_| {},
        &["--path", "/x", "--user", "bob", "--group", "staff"],
        "403 mfa_required",
        "a push on the phone",
    ),
    (|_| {}, &["--path", "/x", "--user", "bob"], "403 access_denied", "403 access_denied"),
    (|_| {}, &["--path", "/pay/1", "--user", "carol"], "403 mfa_required", "a push on the phone"),
    (|_| {}, &["--path", "/batch", "--user", "bob"], "403 mfa_required", "403 mfa_required"),
    (|_| {}, &["--path", "/a/../b", "--user", "bob"], "400 path_ambiguous", "400 path_ambiguous"),
    (|it| it["mode"] = json!("report_only"), &["--path", "/x", "--user", "bob"], "", ""),
    (|it| it["mode"] = json!("off"), &["--path", "/x", "--user", "bob"], "", ""),
    (
        |it| it["duo"]["factors"] = json!(["phone"]),
        &["--path", "/x", "--user", "bob", "--group", "staff"],
        "403 mfa_required",
        "a call to the phone",
    ),
    (
        |it| it["session"]["bind"] = json!(["certificate", "ip_prefix"]),
        &["--path", "/x", "--user", "bob", "--group", "staff"],
        "403 mfa_required",
        "a push on the phone",
    ),
];

fn end(client: &Value) -> String {
    match client["end"].as_str().unwrap() {
        "replied" => format!("{} {}", client["status"], client["code"].as_str().unwrap()),
        "forwarded" => {
            let held = client["held"].as_array().unwrap();
            held.last().map(|it| it.as_str().unwrap().to_owned()).unwrap_or_default()
        }
        other => panic!("{other}"),
    }
}

#[test]
fn clients_get_what_the_filter_gives_them() {
    for (change, request, browser, curl) in ROWS {
        let mut plugin = ruled();
        change(&mut plugin);
        let found = object(&plugin, request);
        assert_eq!(
            (&*end(&found["browser"]), &*end(&found["curl"])),
            (*browser, *curl),
            "{found:#}"
        );
        // An approval that no rule accepts would change nothing.
        let is_denied = *curl == "403 access_denied" || curl.starts_with("400");
        assert_eq!(found["headers"].is_null(), is_denied, "{found:#}");
    }
}

#[test]
fn headers_of_the_client_that_only_the_filter_may_set_are_removed() {
    let request =
        ["--path", "/x", "--user", "bob", "--group", "staff", "--header", "x-duo-mfa-user: eve"];
    let headers = object(&ruled(), &request)["headers"].clone();
    let names: Vec<_> = headers
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["change"].as_str().unwrap(), it["name"].as_str().unwrap()))
        .collect();
    assert!(names.contains(&("remove", "x-duo-mfa-user")), "{headers}");
    assert!(names.contains(&("add", "x-duo-mfa-user")), "{headers}");
}

#[test]
fn a_header_of_the_command_line_replaces_that_of_the_client() {
    let request =
        ["--path", "/x", "--user", "bob", "--group", "staff", "--header", "sec-fetch-dest: image"];
    assert_eq!(end(&object(&ruled(), &request)["browser"]), "403 mfa_required");
    let request = [&request[..], &["--header", "content-type: application/grpc"]].concat();
    assert_eq!(object(&ruled(), &request)["curl"]["kind"], "status");
}

#[test]
fn an_application_for_browsers_alone_holds_nobody() {
    let mut plugin = plugin();
    to_duos_page(&mut plugin, "DIWEBSDKWEBSDKWEBSDK");
    for_browsers_alone(&mut plugin);
    let found = object(&plugin, &["--path", "/"]);
    assert_eq!(end(&found["curl"]), "403 mfa_required", "{found:#}");
    assert!(!found["headers"].is_null(), "{found:#}");
}

#[test]
fn names_of_certificates_are_taken_as_they_are() {
    let mut plugin = plugin();
    plugin["identity"] = json!({"source": "mtls", "certificate": "san_uri"});
    let found = object(&plugin, &["--path", "/", "--user", "spiffe://corp/ns/a/sa/b"]);
    assert_eq!(end(&found["curl"]), "a push on the phone", "{found:#}");
}

#[test]
fn a_rule_that_needs_to_know_more_says_so() {
    let (status, output) = explain(&ruled(), &["--path", "/x", "--address", "192.0.2.1"]);
    assert_eq!(status, 2, "{output}");
    assert!(output.contains("rules[4], two_factor: open: groups has staff"), "{output}");
    assert!(!output.contains("gets"), "{output}");
    let (status, output) = explain(&ruled(), &["--path", "/x"]);
    assert_eq!((status, &*output), (2, "\n"));
    let own = object(&ruled(), &["--path", "/.duo-mfa/"]);
    assert_eq!((&own["own_address"], &own["headers"]), (&json!(true), &Value::Null));
}

/// The assertion would be for a user who has passed nothing.
#[test]
fn assertion_is_named_and_not_made() {
    let mut plugin = plugin();
    plugin["assertion"] = json!({
        "key": {"env": "DUO_MFA_ASSERTION_KEY"}, "issuer": "https://a.test", "audience": "wiki",
    });
    let file = File::of(&plugin);
    let explained = |more: &[&str]| {
        let arguments = ["explain", file.path(), "--all", "--path", "/x", "--user", "alice"];
        let ran = duo_mfa(&[&arguments[..], more].concat());
        assert_eq!((ran.status, ran.errors.as_str()), (0, ""));
        ran.output
    };
    for output in [explained(&[]), explained(&["--json"])] {
        assert!(output.contains("x-duo-mfa-assertion"), "{output}");
        assert!(output.contains("(a signed assertion)") && !output.contains("eyJ"), "{output}");
    }
}
