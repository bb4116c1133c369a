//! Rules: the one that decides about each request, and its policy.

mod denials;
mod overrides;
mod readers;
mod table;
mod views;

use crate::rig::{Outcome, Request, Rig, get};
use serde_json::{Value, json};
use table::{CASES, Case};

/// The policy and the rule that a row expects: `bypass 0`, `two_factor -`, or the code of a refusal.
fn expected(words: &str) -> (&str, Option<usize>) {
    let (policy, rule) = words.split_once(' ').unwrap_or((words, "-"));
    (policy, rule.parse().ok())
}

/// `POST app.example.com/path from 10.0.0.5:1 as alice in ops,dev`. `as -` means no user, `from -` a pipe.
struct Line<'a> {
    method: &'a str,
    host: &'a str,
    path: &'a str,
    words: Vec<(&'a str, &'a str)>,
}

impl<'a> Line<'a> {
    fn read(line: &'a str) -> Self {
        let mut words = line.split(' ');
        let method = words.next().unwrap();
        let target = words.next().unwrap();
        let (host, path) = target.split_at(target.find(['/', '*']).unwrap());
        let rest: Vec<_> = words.collect();
        let words = rest.chunks(2).map(|pair| (pair[0], pair[1])).collect();
        Self { method, host, path, words }
    }

    fn word(&self, name: &str) -> Option<&'a str> {
        self.words.iter().find(|(n, _)| *n == name).map(|(_, value)| *value)
    }

    fn request(&self) -> Request {
        let request = get(self.path).without(":method").without(":authority");
        let request = request.with(":method", self.method).with(":authority", self.host);
        let request = request.of(self.word("as").unwrap_or("alice"));
        let request = match self.word("in") {
            Some(groups) => request.with("x-groups", groups),
            None => request,
        };
        if self.word("as") == Some("-") { request.without("x-basic-user") } else { request }
    }
}

/// A rig with these rules. It refuses requests without an approval at once.
fn rig(access_control: &Value) -> Rig {
    Rig::with(json!({
        "access_control": access_control,
        "api": {"mode": "refuse"},
        "identity": {"groups": {"header": "x-groups"}},
    }))
}

#[test]
fn each_request_is_decided_by_the_rule_that_is_meant() {
    let mut rows = 0;
    for Case { access_control, requests } in CASES {
        let access_control: Value = serde_json::from_str(access_control).unwrap();
        for (line, words) in *requests {
            rows += 1;
            let (policy, rule) = expected(words);
            let (outcome, decided_by) = send(&access_control, line);
            let code = match outcome {
                Outcome::Forwarded(_) => "bypass".to_owned(),
                refused @ Outcome::Replied(_) => refused.refused().code(),
            };
            let became = match code.as_str() {
                "mfa_required" => "two_factor",
                "access_denied"
                    if decided_by.is_some() || access_control["default_policy"] == "deny" =>
                {
                    "deny"
                }
                code => code,
            };
            assert_eq!((became, decided_by), (policy, rule), "{line} under {access_control}");
        }
    }
    assert!(rows >= 120, "{rows} rows");
}

fn send(access_control: &Value, line: &str) -> (Outcome, Option<usize>) {
    let line = Line::read(line);
    let mut rig = rig(access_control);
    rig.peer = match line.word("from") {
        Some("-") => None,
        Some(address) => Some(address.to_owned().into_bytes().leak()),
        None => rig.peer,
    };
    let request = line.request();
    let rule = rig.rule(&request);
    (rig.send(&request, &[]), rule)
}

#[test]
fn nobody_unnamed_is_let_through_by_a_rule_on_users() {
    let rules = json!({"rules": [{"users": ["svc-*"], "policy": "bypass"}]});
    for (user, code) in [
        ("", "identity_missing"),
        ("svc-a,svc-b", "identity_invalid"),
        ("svc-a@b@c", "identity_invalid"),
        ("alice", "mfa_required"),
        ("xsvc-a", "mfa_required"),
    ] {
        let refused = rig(&rules).send(&get("/").of(user), &[]).refused();
        assert_eq!(refused.code(), code, "{user:?}");
    }
    let twice = get("/").of("svc-a").with("x_basic_user", "svc-a");
    assert_eq!(rig(&rules).send(&twice, &[]).refused().code(), "identity_invalid");
    rig(&rules).send(&get("/").of("svc-a"), &[]).admitted();
}

#[test]
fn groups_that_cannot_be_read_are_no_groups() {
    let rules = json!({"rules": [{"groups": ["ops"], "policy": "bypass"}]});
    let with = |groups: &[u8]| get("/").with("x-groups", groups);
    for request in [
        with(b"ops").with("x-groups", "dev"),
        with(b"ops").with("x_groups", "ops"),
        with(b"ops\xff"),
        with(b"ops,\x00"),
        with(&[b'o'; 20_000]),
    ] {
        assert_eq!(rig(&rules).send(&request, &[]).refused().code(), "identity_invalid");
    }
    for groups in ["", ",", "opsx", "Ops", "ops;dev", "ops dev", "o,ps"] {
        let refused = rig(&rules).send(&with(groups.as_bytes()), &[]).refused();
        assert_eq!(refused.code(), "mfa_required", "{groups}");
    }
    for groups in ["ops", "dev,ops", " dev , ops ", "ops,ops", "ops,,dev"] {
        rig(&rules).send(&with(groups.as_bytes()), &[]).admitted();
    }
    let nameless = with(b"ops").without("x-basic-user");
    assert_eq!(rig(&rules).send(&nameless, &[]).refused().code(), "identity_missing");
}

#[test]
fn headers_that_only_claim_a_path_are_not_looked_at() {
    let rules = json!({"rules": [{"paths": ["/public/*"], "hosts": ["pub.example.com"], "policy": "bypass"}]});
    for header in [
        "x-forwarded-uri",
        "x-forwarded-path",
        "x-forwarded-prefix",
        "x-original-uri",
        "x-envoy-original-path",
    ] {
        let request =
            get("/admin").with(header, "/public/x").with("x-forwarded-host", "pub.example.com");
        assert_eq!(rig(&rules).send(&request, &[]).refused().code(), "mfa_required", "{header}");
    }
    let rules = json!({"rules": [{"networks": ["10.0.0.0/8"], "policy": "bypass"}]});
    let request = get("/").with("x-forwarded-for", "10.0.0.5").with("x-real-ip", "10.0.0.5");
    assert_eq!(rig(&rules).send(&request, &[]).refused().code(), "mfa_required");
}

#[test]
fn own_addresses_come_before_all_rules() {
    let rules = json!({"rules": [{"paths": ["/*"], "policy": "deny"}]});
    for path in ["/.duo-mfa/x", "/.duo-mfa//healthz", "/.duo-mfa/../a"] {
        assert_eq!(rig(&rules).send(&get(path), &[]).refused().code(), "not_found", "{path}");
    }
}
