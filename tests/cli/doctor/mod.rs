//! `duo-mfa doctor` against the simulator of Duo and small servers: each fault on the way has its
//! verdict, exit status and fix.

mod documents;
mod servers;
mod sim;
mod universal;

use crate::files::{File, configure, plugin};
use crate::run::{Ran, duo_mfa};
use serde_json::{Value, json};
use servers::Shown;
use sim::{API_HOST, Sim, codes, doctor};

/// Exit statuses.
const FINE: i32 = 0;
const FAULTY: i32 = 1;
const UNREADABLE: i32 = 2;
const REFUSED: i32 = 3;
const UNREACHED: i32 = 4;

#[track_caller]
fn found(ran: &Ran, status: i32, expected: &[&str]) {
    assert_eq!((ran.status, codes(ran).as_slice()), (status, expected), "{ran:?}");
}

/// A user at Duo, and the exit status and findings for them.
const USERS: [(&str, i32, &[&str]); 7] = [
    ("alice", FINE, &[]),
    ("bob", FINE, &[]),
    ("nobody", REFUSED, &["user_not_enrolled"]),
    ("dave", REFUSED, &["user_not_enrolled"]),
    ("mallory", REFUSED, &["user_denied"]),
    ("bella", FINE, &["user_bypasses"]),
    ("a,b", FAULTY, &["user_name_invalid"]),
];

#[test]
fn each_answer_about_a_user_has_its_verdict() {
    let sim = Sim::start(&[]);
    for (user, status, expected) in USERS {
        found(&doctor(&sim.envoy(), &["--user", user]), status, expected);
    }
    let mut few = sim.envoy();
    configure(&mut few, |plugin| plugin["duo"]["factors"] = json!(["push"]));
    found(&doctor(&few, &["--user", "tom"]), REFUSED, &["no_usable_factor"]);
    sim.fault(&json!({"kind": "fail", "code": 40002, "detail": "username", "endpoint": "preauth"}));
    found(&doctor(&sim.envoy(), &["--user", "alice"]), REFUSED, &["user_name_refused"]);
}

#[test]
fn a_user_is_asked_about_by_the_name_that_duo_is_called_with() {
    let sim = Sim::start(&[]);
    let mut envoy = sim.envoy();
    configure(&mut envoy, |plugin| {
        plugin["identity"]["normalize"] = json!(["lowercase"]);
        plugin["identity"]["map"] = json!([{"user": "a.adams", "username": "alice"}]);
    });
    let ran = doctor(&envoy, &["--user", "A.Adams"]);
    found(&ran, FINE, &[]);
    assert!(ran.output.contains("ok user name: A.Adams is alice at Duo"), "{}", ran.output);
}

#[test]
fn each_end_of_a_push_has_its_verdict() {
    let sim = Sim::start(&["--push-timeout", "1", "--max-hold", "1"]);
    for (answer, status, expected) in [
        ("approve", FINE, &[][..]),
        ("deny", REFUSED, &["push_denied"]),
        ("fraud", REFUSED, &["push_reported"]),
        ("timeout", REFUSED, &["push_unanswered"]),
    ] {
        sim.answers("alice", answer);
        let ran = doctor(&sim.envoy(), &["--user", "alice", "--push"]);
        found(&ran, status, expected);
        assert!(
            ran.errors.contains("push sent to alice: approve it on the phone, within 60 s"),
            "{ran:?}"
        );
        assert_eq!(ran.output.contains("ok push: approved after "), status == FINE, "{ran:?}");
    }
    sim.answers("bob", "approve");
    let ran = doctor(&sim.envoy(), &["--user", "bob", "--push"]);
    found(&ran, FINE, &[]);
    assert!(ran.errors.contains("with the code "), "{ran:?}");
    found(&doctor(&sim.envoy(), &["--user", "tom", "--push"]), REFUSED, &["push_impossible"]);
}

/// A fault of the simulator, the setting of the filter that goes with it, and the verdict.
fn of_duo() -> Vec<(Value, &'static str, i32, &'static [&'static str])> {
    let html = "<html>Please log in to the hotel's network</html>";
    vec![
        (Value::Null, "10s", FINE, &[]),
        (
            json!({"kind": "raw", "status": 404, "body": "not here"}),
            "10s",
            UNREACHED,
            &["wrong_host"],
        ),
        (json!({"kind": "raw", "status": 200, "body": html}), "10s", UNREACHED, &["not_duo"]),
        (json!({"kind": "raw", "status": 302, "body": ""}), "10s", UNREACHED, &["not_duo"]),
        (json!({"kind": "status", "status": 503}), "10s", UNREACHED, &["duo_failing"]),
        (json!({"kind": "fail", "code": 50001}), "10s", UNREACHED, &["duo_failing"]),
        (json!({"kind": "refuse"}), "10s", UNREACHED, &["no_response"]),
        (json!({"kind": "truncated"}), "10s", UNREACHED, &["no_response"]),
        (json!({"kind": "hang"}), "1s", UNREACHED, &["response_timeout"]),
        (json!({"kind": "latency", "ms": 1500, "endpoint": "ping"}), "10s", FINE, &["slow"]),
        (json!({"kind": "latency", "ms": 1500}), "1s", UNREACHED, &["slower_than_timeout"]),
        (json!({"kind": "skew", "seconds": 900}), "10s", FINE, &["clock_off"]),
        (json!({"kind": "skew", "seconds": -900}), "10s", FINE, &["clock_off"]),
        (
            json!({"kind": "fail", "code": 40105, "endpoint": "check"}),
            "10s",
            REFUSED,
            &["date_refused"],
        ),
        (json!({"kind": "rate_limit"}), "10s", REFUSED, &["rate_limited"]),
        (
            json!({"kind": "fail", "code": 40301, "endpoint": "check"}),
            "10s",
            REFUSED,
            &["wrong_application_type"],
        ),
        (
            json!({"kind": "fail", "code": 40101, "endpoint": "check"}),
            "10s",
            REFUSED,
            &["headers_removed"],
        ),
        (
            json!({"kind": "fail", "code": 40001, "endpoint": "check"}),
            "10s",
            REFUSED,
            &["call_refused"],
        ),
    ]
}

#[test]
fn each_answer_of_duo_has_its_verdict() {
    let sim = Sim::start(&[]);
    for (fault, timeout, status, expected) in of_duo() {
        sim.fault(&fault);
        let mut envoy = sim.envoy();
        configure(&mut envoy, |plugin| plugin["duo"]["timeout"] = json!(timeout));
        found(&doctor(&envoy, &[]), status, expected);
    }
}

#[test]
fn wrong_and_missing_keys_have_their_verdicts() {
    let sim = Sim::start(&[]);
    let mut other = sim.envoy();
    configure(&mut other, |plugin| {
        plugin["duo"]["integration_key"] = json!("DIAAAAAAAAAAAAAAAAAA");
    });
    found(&doctor(&other, &[]), REFUSED, &["wrong_integration_key"]);
    let secret = "Ah5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep";
    found(&sim::with_secret(&sim.envoy(), secret, &[]), REFUSED, &["wrong_secret_key"]);
    let file = File::of(&sim.envoy());
    let ran = duo_mfa(&["doctor", file.path(), "--user", "alice"]);
    found(&ran, UNREADABLE, &["secret_missing"]);
    assert!(ran.output.contains("the variable DUO_SECRET_KEY"), "{}", ran.output);
    assert!(ran.output.contains("  ok ping: "), "{}", ran.output);
}

#[test]
fn a_file_that_cannot_reach_duo_has_its_verdict() {
    let sim = Sim::start(&[]);
    let mut elsewhere = sim.envoy();
    configure(&mut elsewhere, |plugin| plugin["duo"]["cluster"] = json!("duo"));
    found(&doctor(&elsewhere, &[]), FAULTY, &["cluster_missing"]);
    let mut plain = sim.envoy();
    sim::cluster(&mut plain).as_object_mut().unwrap().remove("transport_socket");
    found(&doctor(&plain, &[]), FAULTY, &["cluster_without_tls"]);
    let mut unreadable = sim.envoy();
    let validation = &mut sim::tls(&mut unreadable)["common_tls_context"]["validation_context"];
    validation["trusted_ca"]["filename"] = json!("/nonexistent/ca.pem");
    found(&doctor(&unreadable, &[]), UNREADABLE, &["authorities_unreadable"]);
    found(&doctor(&unreadable, &["--ca", &sim.ca]), FINE, &[]);

    let mut unknown = sim.envoy();
    let endpoint = &mut sim::cluster(&mut unknown)["load_assignment"]["endpoints"][0];
    let address = &mut endpoint["lb_endpoints"][0]["endpoint"]["address"]["socket_address"];
    address["address"] = json!("api-none.invalid");
    found(&doctor(&unknown, &[]), UNREACHED, &["name_not_resolved"]);
    let mut closed = sim.envoy();
    sim::at(&mut closed, servers::closed());
    found(&doctor(&closed, &[]), UNREACHED, &["connection_refused"]);
    let mut http = sim.envoy();
    sim::at(&mut http, sim.http);
    found(&doctor(&http, &[]), UNREACHED, &["not_tls"]);

    let mut faulty = sim.envoy();
    configure(&mut faulty, |plugin| plugin["sesion"] = json!({}));
    let ran = doctor(&faulty, &[]);
    assert_eq!(ran.status, FAULTY, "{ran:?}");
    assert!(ran.errors.contains("unknown_key"), "{ran:?}");
    let other = File::new("other.yaml", "kind: Service\n");
    assert_eq!(duo_mfa(&["doctor", other.path()]).status, UNREADABLE);
}

#[test]
fn each_fault_of_a_certificate_has_its_verdict() {
    let sim = Sim::start(&[]);
    let other = "api-other.duo.test";
    for (shown, is_trusted, expected) in [
        (Shown { name: API_HOST, years: None, authority: None }, false, "certificate_not_trusted"),
        (
            Shown { name: API_HOST, years: None, authority: Some("Example Inspection CA") },
            false,
            "inspected_connection",
        ),
        (
            Shown { name: other, years: None, authority: Some("Example CA") },
            true,
            "certificate_of_other_name",
        ),
        (
            Shown { name: API_HOST, years: Some((2019, 2020)), authority: Some("Example CA") },
            true,
            "certificate_expired",
        ),
        (
            Shown { name: API_HOST, years: Some((2090, 2091)), authority: Some("Example CA") },
            true,
            "certificate_not_yet_valid",
        ),
    ] {
        let (address, authority) = servers::tls(&shown);
        let authority = File::new("ca.pem", &authority);
        let ca = if is_trusted { authority.path() } else { &sim.ca };
        let ran = doctor(&sim::envoy(address, ca), &[]);
        found(&ran, UNREACHED, &[expected]);
        assert!(ran.output.contains(shown.name), "{}", ran.output);
    }
}

#[test]
fn an_egress_proxy_is_used_and_its_refusals_have_verdicts() {
    let sim = Sim::start(&[]);
    // By --proxy the proxy resolves the name.
    let through = servers::proxy(format!("{API_HOST}:443"), sim.https);
    let mut envoy = sim.envoy();
    let endpoint = &mut sim::cluster(&mut envoy)["load_assignment"]["endpoints"][0];
    endpoint["lb_endpoints"][0]["endpoint"]["address"]["socket_address"] =
        json!({"address": API_HOST, "port_value": 443});
    let ran = doctor(&envoy, &["--proxy", &format!("http://{through}"), "--user", "alice"]);
    found(&ran, FINE, &[]);
    assert!(ran.output.contains("skipped dns: the proxy looks"), "{}", ran.output);

    // Envoy's http_11_proxy asks for the address.
    let through = servers::proxy(sim.https.to_string(), sim.https);
    let mut envoy = sim.envoy();
    let cluster = sim::cluster(&mut envoy);
    let inner = cluster["transport_socket"].take();
    cluster["transport_socket"] = json!({"name": "envoy.transport_sockets.http_11_proxy",
    "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.http_11_proxy.v3.Http11ProxyUpstreamTransport",
        "transport_socket": inner}});
    cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["metadata"] = json!({"typed_filter_metadata": {"envoy.http11_proxy_transport_socket.proxy_address": {
            "@type": "type.googleapis.com/envoy.config.core.v3.Address",
            "socket_address":
                {"address": through.ip().to_string(), "port_value": through.port()}}}});
    let ran = doctor(&envoy, &[]);
    found(&ran, FINE, &[]);
    assert!(ran.output.contains(&format!("ok proxy: connects to {}", sim.https)), "{}", ran.output);
    // `check` sees the TLS inside.
    let checked = duo_mfa(&["check", File::of(&envoy).path()]);
    assert_eq!(checked.warnings(), Vec::<&str>::new(), "{}", checked.output);

    for (proxy, expected, told) in [
        (servers::closed(), "proxy_not_reached", "does not accept the connection"),
        (
            servers::refusing_proxy("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"),
            "proxy_refused",
            "requires a password",
        ),
        (
            servers::refusing_proxy("HTTP/1.1 403 Forbidden\r\n\r\n"),
            "proxy_refused",
            "does not allow",
        ),
        (servers::refusing_proxy("SSH-2.0\r\n\r\n"), "proxy_refused", "is not HTTP"),
    ] {
        let ran = doctor(&sim.envoy(), &["--proxy", &proxy.to_string()]);
        found(&ran, UNREACHED, &[expected]);
        assert!(ran.output.contains(told), "{}", ran.output);
    }
}

#[test]
fn every_application_is_tested() {
    let sim = Sim::start(&[]);
    let mut envoy = sim.envoy();
    configure(&mut envoy, |plugin| {
        plugin["applications"] = json!({"payments": {"duo": {
            "api_host": API_HOST,
            "integration_key": "DIAAAAAAAAAAAAAAAAAA",
            "secret_key": {"env": "DUO_SECRET_KEY"}
        }}});
        plugin["access_control"]["rules"] =
            json!([{"paths": ["/pay/*"], "policy": "two_factor", "application": "payments"}]);
    });
    let ran = doctor(&envoy, &[]);
    found(&ran, REFUSED, &["wrong_integration_key"]);
    assert!(ran.output.contains(", application payments: api-sim.duo.test"), "{}", ran.output);
    assert_eq!(ran.output.matches("ok ping").count(), 2, "{}", ran.output);
    found(&doctor(&envoy, &["--application", "payments"]), REFUSED, &["wrong_integration_key"]);
    assert_eq!(doctor(&envoy, &["--application", "other"]).status, UNREADABLE);
}

#[test]
fn a_report_in_json_has_the_same_findings() {
    let sim = Sim::start(&[]);
    let ran = doctor(&sim.envoy(), &["--user", "mallory", "--json"]);
    let report: Value = serde_json::from_str(&ran.output).unwrap();
    assert_eq!((ran.status, &report["status"]), (REFUSED, &json!(REFUSED)), "{report}");
    let steps = report["tests"][0]["steps"].as_array().unwrap();
    let named: Vec<_> = steps.iter().map(|step| step["step"].as_str().unwrap()).collect();
    let expected =
        ["cluster", "authorities", "dns", "tcp", "tls", "ping", "check", "user name", "preauth"];
    assert_eq!(named, expected);
    let last = steps.last().unwrap();
    assert_eq!(last["code"], "user_denied", "{last}");
    for member in ["text", "fix", "at_fault"] {
        assert!(!last[member].as_str().unwrap().is_empty(), "{last}");
    }
}

#[test]
fn keys_are_tested_without_a_file() {
    let sim = Sim::start(&[]);
    let through = servers::proxy(format!("{API_HOST}:443"), sim.https);
    let variables = File::new("envoy.env", &format!("DUO_SECRET_KEY={}\n", sim::SECRET_KEY));
    let ran = duo_mfa(&[
        "doctor",
        "--api-host",
        API_HOST,
        "--integration-key",
        sim::INTEGRATION_KEY,
        "--env-file",
        variables.path(),
        "--ca",
        &sim.ca,
        "--proxy",
        &through.to_string(),
        "--user",
        "alice",
    ]);
    found(&ran, FINE, &[]);
    assert_eq!(duo_mfa(&["doctor"]).status, UNREADABLE);
}

#[test]
fn a_report_in_json_names_the_configuration_that_is_refused() {
    let mut faulty = plugin();
    faulty["sesion"] = json!({});
    let file = File::of(&faulty);
    let ran = duo_mfa(&["doctor", "--json", file.path()]);
    let report: Value = serde_json::from_str(&ran.output).unwrap();
    assert_eq!((ran.status, &report["status"]), (FAULTY, &json!(FAULTY)), "{report}");
    let refused = &report["refused"][0];
    assert_eq!(refused["title"], file.path());
    assert!(
        refused["error"].as_str().unwrap().contains("sesion: unknown_key: is not a known key"),
        "{refused}"
    );
}
