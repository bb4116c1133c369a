//! Lets one request pass by its approval cookie again and again, for a program that counts
//! instructions: `make instructions` runs it under valgrind with two counts, and divides the
//! difference.
//!
//! Usage: `instructions PASSES [rules]`; with `rules` the configuration has two rules by path.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a program that is run by hand"
)]

use duo_mfa::clock::UnixTime;
use duo_mfa::config::Config;
use duo_mfa::factor::Factor;
use duo_mfa::gate::{Decision, End, Gate, HostFacts, Opening};
use duo_mfa::http::{HeaderMap, RequestHead};
use duo_mfa::identity::Attributes;
use duo_mfa::session::{ApprovedBy, NewApproval, Subject, Verified};
use serde_json::json;
use std::env;
use std::time::Duration;

const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);

fn config(has_rules: bool) -> Config {
    let mut config = json!({
        "version": 1,
        "duo": {
            "api_host": "api-xxxxxxxx.duosecurity.com",
            "integration_key": "DIXXXXXXXXXXXXXXXXXX",
            "secret_key": {"env": "SECRET_KEY"},
            "cluster": "duo_api",
        },
        "identity": {"source": "header", "header": "x-basic-user"},
        "session": {"keys": [{"env": "COOKIE_KEY"}]},
    });
    if has_rules {
        config["access_control"] = json!({"rules": [
            {"paths": ["/public/*"], "policy": "bypass"},
            {"paths": ["/admin/*"], "policy": "deny"},
        ]});
    }
    let variable = |name: &str| match name {
        "SECRET_KEY" => Some("Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep".to_owned()),
        "COOKIE_KEY" => Some("pMzo0uFM2P5cPIGe6jbvvQnC8gXH1V3rC5wfVTdXPcw=".to_owned()),
        _ => None,
    };
    Config::parse(config.to_string().as_bytes(), &variable).expect("a configuration")
}

/// A request of a browser with 13 headers, three cookies among them.
fn request(config: &Config) -> Vec<u8> {
    let approval = NewApproval {
        factor: ApprovedBy::Factor(Factor::Push),
        authenticated: NOW,
        lifetime: None,
    };
    let user = Subject { source: "header", user: "alice", bound: b"" };
    let line = config.applications.main.sessions.issue(&approval, &user, NOW, [7; 16]);
    let line = str::from_utf8(line.as_bytes()).expect("text");
    let pair = line.split(';').next().unwrap_or_default();
    let cookie = format!("theme=dark-contrast; {pair}; session_hint=MDEyMzQ1Njc4OWFi");
    let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
    let headers = [
        (":method", "GET"),
        (":authority", "app.example.com"),
        (":path", "/account/orders?page=3"),
        (":scheme", "https"),
        ("user-agent", agent),
        ("accept", "text/html,application/xhtml+xml"),
        ("accept-language", "en-US,en;q=0.5"),
        ("accept-encoding", "gzip, br"),
        ("x-basic-user", "alice"),
        ("x-request-id", "f0a1b2c3-0000-4000-8000-0123456789ab"),
        ("x-forwarded-for", "192.0.2.7"),
        ("x-forwarded-proto", "https"),
        ("cookie", &cookie),
    ];
    HeaderMap::serialize(&headers.map(|(name, value)| (name.as_bytes(), value.as_bytes())))
}

fn main() {
    let mut arguments = env::args().skip(1).filter(|argument| argument != "--bench");
    let passes = arguments.next().and_then(|passes| passes.parse().ok()).unwrap_or(1_000);
    let config = config(arguments.next().is_some());
    let buffer = request(&config);
    let gate = Gate::new(config);
    let facts = HostFacts {
        now: NOW.plus(Duration::from_secs(5)),
        attributes: Attributes::default(),
        address: Some([192, 0, 2, 7].into()),
        bound: &[],
        has_body: false,
    };
    let mut verified = Verified::default();
    for _ in 0..passes {
        let head = RequestHead::read(&buffer).expect("a head");
        let opening = gate.open(&head, &facts, &mut verified);
        let is_forwarded =
            matches!(opening, Opening::Decided(Decision { end: End::Forward(_), .. }));
        assert!(is_forwarded, "the approval is not accepted");
    }
}
