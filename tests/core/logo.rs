//! The account's logo from Duo: when the filter fetches it, and the response until then.

use std::time::Duration;

use duo_mfa::clock::UnixTime;
use duo_mfa::duo::{self, Endpoint};
use duo_mfa::gate::{Breaker, Event, Health, Standing, Unanswered};
use duo_mfa::signal::Signal;
use serde_json::json;

use crate::rig::{Response, Rig, get};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nand so on";
const HOUR: Duration = Duration::from_secs(60 * 60);
const WELL: Health = Health {
    standing: Standing::Well,
    offset: duo_mfa::clock::ClockOffset::from_seconds(0),
    checked: crate::rig::NOON,
    unreached: UnixTime::from_seconds(0),
    heard: UnixTime::from_seconds(0),
    busy: UnixTime::from_seconds(0),
    breaker: Breaker::CLOSED,
};

fn rig() -> Rig {
    Rig::with(json!({"branding": {"name": "Example", "logo": "duo"}}))
}

/// Requests the picture without an identity, a cookie or any mark of a browser.
fn asked(rig: &mut Rig) -> Response {
    rig.send(&get("/.duo-mfa/logo").without("x-basic-user"), &[]).answered()
}

fn learn(rig: &mut Rig, status: u16, body: &[u8]) -> Option<Signal> {
    let Rig { logo, gate, now, .. } = rig;
    let Some(call) = logo.fetch(gate, &WELL, *now) else { panic!("there are keys to fetch it") };
    assert_eq!(call.signed.endpoint, Endpoint::Logo);
    assert_eq!((call.signed.method, call.signed.path.as_str()), ("GET", "/auth/v2/logo"));
    rig.logo.learn(Event::Answered(duo::Response { status, retry_after: None, body }))
}

#[test]
fn picture_is_served_to_everybody_as_duo_gave_it() {
    let mut rig = rig();
    assert_eq!(learn(&mut rig, 200, PNG), None);
    let served = asked(&mut rig);
    assert_eq!((served.0.status, served.0.details.as_str()), (200, "duo_mfa_logo"));
    assert_eq!(served.0.body, PNG);
    for (name, value) in [
        ("content-type", "image/png"),
        ("cache-control", "private, max-age=3600"),
        ("x-content-type-options", "nosniff"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(served.header(name).as_deref(), Some(value));
    }
    assert_eq!(served.header("vary"), None);
    assert_eq!(rig.calls.len(), 0, "a request for the picture makes no call");
    let posted = rig.send(&get("/.duo-mfa/logo").without(":method").with(":method", "POST"), &[]);
    assert_eq!(posted.refused().header("allow").as_deref(), Some("GET, HEAD"));
}

#[test]
fn there_is_none_before_it_was_fetched() {
    let absent = asked(&mut rig());
    assert_eq!((absent.0.status, absent.code().as_str()), (404, "not_found"));
    assert_eq!(absent.header("cache-control").as_deref(), Some("private, max-age=60"));
}

#[test]
fn nothing_is_served_or_fetched_unless_it_is_configured() {
    for branding in [json!({}), json!({"logo": "data:image/png;base64,AAAA"})] {
        let mut rig = Rig::with(json!({"branding": branding}));
        assert!(!rig.logo.is_due(&rig.gate, &WELL, rig.now));
        let absent = asked(&mut rig);
        assert_eq!((absent.0.status, absent.code().as_str()), (404, "not_found"));
        assert_eq!(absent.header("cache-control").as_deref(), Some("no-store"));
    }
}

#[test]
fn what_is_no_png_is_never_served() {
    let long = [PNG, &[0; duo::Response::MAX_BODY_BYTES]].concat();
    let none = br#"{"stat":"FAIL","code":40401,"message":"Resource not found"}"#;
    let faults: [(u16, &[u8]); 5] =
        [(200, b"<svg/>"), (200, b""), (200, &long), (404, none), (500, PNG)];
    for (status, body) in faults {
        let mut rig = rig();
        let said = learn(&mut rig, status, body).expect("a log line");
        assert!(format!("{said:?}").contains("branding.logo: "), "{said:?}");
        assert_eq!(asked(&mut rig).0.status, 404);
        assert_eq!(learn(&mut rig, status, body), None, "the fault is logged once");
        assert_eq!(learn(&mut rig, 200, PNG), None);
        assert_eq!(asked(&mut rig).0.body, PNG);
        learn(&mut rig, status, body).expect("a log line");
        assert_eq!(asked(&mut rig).0.body, PNG, "the picture from before stays");
    }
}

#[test]
fn it_is_fetched_once_an_hour_and_sooner_where_that_failed() {
    let mut rig = rig();
    let start = rig.now;
    for standing in [Standing::Unknown, Standing::Unavailable, Standing::Misconfigured] {
        assert!(!rig.logo.is_due(&rig.gate, &Health { standing, ..WELL }, start));
    }
    assert!(rig.logo.is_due(&rig.gate, &WELL, start));
    let _call = rig.logo.fetch(&rig.gate, &WELL, start);
    assert!(!rig.logo.is_due(&rig.gate, &WELL, start), "a call is out");
    assert!(rig.logo.learn(Event::Failed(Unanswered::Cut)).is_some());
    let again = start.plus(Duration::from_secs(300));
    assert!(!rig.logo.is_due(&rig.gate, &WELL, start.plus(Duration::from_secs(299))));
    assert!(rig.logo.is_due(&rig.gate, &WELL, again));
    rig.now = again;
    assert_eq!(learn(&mut rig, 200, PNG), None);
    assert!(!rig.logo.is_due(&rig.gate, &WELL, again.plus(HOUR - Duration::from_secs(1))));
    assert!(rig.logo.is_due(&rig.gate, &WELL, again.plus(HOUR)));
    assert!(rig.logo.is_due(&rig.gate, &WELL, again.minus(HOUR)), "the clock was set back");
}

#[test]
fn page_shows_it_and_says_the_name_in_its_place() {
    let page = rig().send(
        &get("/")
            .with("accept", "text/html")
            .with("sec-fetch-mode", "navigate")
            .with("sec-fetch-dest", "document"),
        &[],
    );
    let page = page.refused().text();
    assert!(page.contains(r#"<img class="logo" src="/.duo-mfa/logo" alt="Example">"#), "{page}");
}
