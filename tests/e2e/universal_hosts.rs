//! The host to which a browser comes back from Duo's page: nobody but the operator chooses it.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use crate::browser::Browser;
use crate::http1::Connection;
use crate::message::Request;
use crate::sim::eventually;
use crate::stack::{Protocol, Stack};
use crate::tally::Verdict;
use crate::universal::{
    BROWSER, CALLBACK, PAGE, approved_at_duo, approves, assert_arrived, assert_refused, at_duo,
    back, denied, parameter, press, press_anywhere, settled_checks, start, target,
};

const LOST: &str = "sign_in_lost";

/// Authorities that are not those of the configuration, whatever parser reads them.
const FOREIGN: [&str; 25] = [
    "evil.test",
    "app.example.com@evil.test",
    "evil.test@app.example.com",
    "app.example.com:443@evil.test",
    "app.example.com, evil.test",
    "app.example.com evil.test",
    "app.example.com/evil",
    "app.example.com?x",
    "app.example.com#evil.test",
    "app.example.com\\evil.test",
    "app.example.com%00.evil.test",
    "app.example.com:443:80",
    "app.example.com:+443",
    "app.example.com:99999",
    ".app.example.com",
    "app.example.com..",
    "app\u{3002}example.com",
    "xn--app-.example.com",
    "one.apps.example.com.evil.test",
    "one..apps.example.com",
    "*.apps.example.com",
    "-.apps.example.com",
    "a/.apps.example.com",
    "[::1]",
    "",
];

/// Presses the button with a changed request. If it leads to Duo, the way back is to a listed host.
fn assert_ours(stack: &Stack, protocol: Protocol, change: &dyn Fn(Request) -> Request) {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    // A user each, since starts are limited.
    let user = stack.sim.guest(NUMBER.fetch_add(1, SeqCst));
    approves(&stack.sim, &user);
    let request = change(press_anywhere(PAGE).user(&user));
    let what = request.summary();
    let to = stack.envoy.listener;
    let outcome = stack.judged(Verdict::Denied, &what, || match protocol {
        Protocol::Http1 => Connection::open(to).exchange(&request),
        Protocol::Http2 => crate::http2::exchange(to, &request),
    });
    // Envoy may refuse such a request by closing the connection.
    let Ok(reply) = outcome else { return };
    assert!(matches!(reply.status, 303 | 400..=404), "{what}: {reply:?}");
    let Some(location) = reply.header("location") else { return };
    let came = at_duo(&stack.sim, location);
    let uri = url::Url::parse(came.header("location").unwrap_or_default()).unwrap();
    let host = uri.host_str().unwrap();
    let is_listed = host == "app.example.com" || host.ends_with(".apps.example.com");
    assert!(is_listed && uri.scheme() == "https" && uri.path() == CALLBACK, "{what}: {uri}");
    assert!(uri.username().is_empty(), "{what}: {uri}");
}

#[test]
fn host_in_a_header_beside_the_authority_is_no_redirect_uri() {
    let stack = start();
    for (name, value) in [
        ("x-forwarded-host", "evil.test"),
        ("x-original-host", "evil.test"),
        ("forwarded", "host=evil.test"),
        ("x-host", "evil.test"),
        ("x-forwarded-server", "evil.test"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-port", "31337"),
        ("x-forwarded-prefix", "//evil.test"),
        ("x-http-host-override", "evil.test"),
    ] {
        for protocol in [Protocol::Http1, Protocol::Http2] {
            assert_ours(&stack, protocol, &|request| request.header(name, value));
        }
    }
}

#[test]
fn authority_in_no_list_is_no_redirect_uri() {
    let stack = start();
    let ours = "app.example.com";
    for host in FOREIGN {
        assert_ours(&stack, Protocol::Http1, &|request| request.header("host", host));
        // The authority stays the listed host, and the header names another.
        assert_ours(&stack, Protocol::Http2, &|request| request.header("host", host));
        let absolute = |request: Request| {
            let path = String::from_utf8(request.target.clone()).unwrap();
            Request { target: format!("https://{host}{path}").into_bytes(), ..request }
        };
        assert_ours(&stack, Protocol::Http1, &absolute);
        assert_ours(&stack, Protocol::Http1, &|request| absolute(request).header("host", ours));
    }
    for pair in [[ours, "evil.test"], ["evil.test", ours]] {
        let both = |request: Request| pair.iter().fold(request, |all, one| all.header("host", one));
        assert_ours(&stack, Protocol::Http1, &both);
    }
    stack.assert_alive();
}

#[test]
fn callback_belongs_to_the_port_where_it_began() {
    let stack = start();
    let at = |host: &str, request: Request| request.header("host", host);
    for (began, ended, is_same) in [
        ("app.example.com:8443", "app.example.com", false),
        ("app.example.com", "app.example.com:8443", false),
        ("app.example.com:8443", "app.example.com:9443", false),
        ("one.apps.example.com", "two.apps.example.com", false),
        ("app.example.com", "app.example.com:443", true),
        ("APP.example.com:443", "app.Example.com", true),
    ] {
        let mut alice = Browser::of("alice");
        let reply = alice.ask(&stack, at(began, press_anywhere(PAGE)));
        let target = approved_at_duo(&stack.sim, reply.header("location").unwrap());
        let before = stack.sim.calls("token");
        let reply = alice.ask(&stack, at(ended, back(&target)));
        if is_same {
            assert_arrived(&reply, PAGE);
        } else {
            assert_refused(&reply, 403, LOST);
        }
        assert_eq!(stack.sim.calls("token") - before, usize::from(is_same), "{began} {ended}");
    }
}

#[test]
fn longest_names_of_all_kinds_go_together_or_are_refused() {
    let mut setup = crate::universal::setup();
    setup.first_factor = crate::setup::FirstFactor::Absent;
    let stack = Stack::start(setup);
    let label = "h".repeat(63);
    let host = |length: usize| {
        let name = format!("{label}.{label}.{label}.{label}.apps.example.com");
        name[name.len() - length..].to_owned()
    };
    let user = "n".repeat(256);
    approves(&stack.sim, &user);
    for (host, path) in [
        (host(253), format!("/{}", "p".repeat(639))),
        (format!("{}:65535", host(253)), format!("/{}", "p".repeat(640))),
        (format!("{}:65535", host(253)), format!("/{}", "p".repeat(2_047))),
    ] {
        let request =
            |request: Request| request.header("host", &host).header("x-basic-user", &user);
        let reply = stack.denied(&request(press_anywhere(&path)));
        assert_eq!(reply.status, 303, "{}: {}", host.len(), reply.text());
        let target = approved_at_duo(&stack.sim, reply.header("location").unwrap());
        assert!(parameter(&target, "state").len() <= 1_024);
        let cookie = reply.set_cookie(BROWSER).unwrap().to_owned();
        let reply = stack.send(&request(back(&target)).cookie(&cookie));
        assert_arrived(&reply, &path);
    }
    // Longer than any name of the DNS with a port.
    let pressed = press_anywhere("/").header("host", host(268));
    let reply = stack.denied(&pressed.header("x-basic-user", &user));
    assert!(matches!(reply.status, 400 | 403), "{reply:?}");
}

#[test]
fn way_back_is_below_the_configured_prefix() {
    let stack = crate::universal::start_with(serde_json::json!({"path_prefix": "/sign-in/second"}));
    let mut alice = Browser::of("alice");
    let mut request = press(PAGE);
    let rest = request.target.split_off("/.duo-mfa".len());
    request.target = [b"/sign-in/second", rest.as_slice()].concat();
    let reply = alice.ask(&stack, request);
    let came = at_duo(&stack.sim, reply.header("location").unwrap());
    let address = came.header("location").unwrap();
    assert!(address.starts_with("https://app.example.com/sign-in/second/callback?"), "{address}");
    assert_arrived(&alice.returns(&stack, target(address)), PAGE);
    alice.is_admitted(&stack, PAGE);
    // The default prefix belongs to the application now.
    assert_eq!(stack.denied(&back(CALLBACK).user("alice")).status, 403);
}

/// A head of HTTP/2 with these fields as they are, on a new connection. Nothing is compressed.
fn head_of(fields: &[(&str, &str)]) -> Vec<u8> {
    let text = |text: &str| {
        let length = u8::try_from(text.len()).unwrap();
        // Lengths from 127 on need a second byte (RFC 7541, 5.1).
        let mut bytes = if length < 127 { vec![length] } else { vec![127, length - 127] };
        bytes.extend_from_slice(text.as_bytes());
        bytes
    };
    let block: Vec<u8> = fields
        .iter()
        .flat_map(|(name, value)| [vec![0], text(name), text(value)].concat())
        .collect();
    let length = u32::try_from(block.len()).unwrap().to_be_bytes();
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    // HEADERS with END_HEADERS and END_STREAM, on stream 1.
    bytes.extend_from_slice(&[length[1], length[2], length[3], 1, 5, 0, 0, 0, 1]);
    bytes.extend_from_slice(&block);
    bytes
}

#[test]
fn heads_with_pseudo_headers_out_of_order_start_nothing() {
    let stack = start();
    let before = settled_checks(&stack);
    let credentials = "Basic YWxpY2U6Zmlyc3QtZmFjdG9y";
    let start = "/.duo-mfa/start?return_to=%2Fx";
    let ours = (":authority", "app.example.com");
    let evil = (":authority", "evil.test");
    let (method, scheme, path) = ((":method", "POST"), (":scheme", "http"), (":path", start));
    let rest = [
        ("authorization", credentials),
        ("accept", "text/html"),
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-mode", "navigate"),
        ("content-length", "0"),
    ];
    let heads: &[&[(&str, &str)]] = &[
        &[method, scheme, path, ours, evil],
        &[method, scheme, path, evil, ours],
        &[method, scheme, path, ours, ours],
        &[method, scheme, path, ("host", "app.example.com"), evil],
        &[method, scheme, path, ("x", "y"), ours],
        &[method, method, scheme, path, ours],
        &[(":method", "GET"), method, scheme, path, ours],
        &[method, scheme, path, (":path", "/"), ours],
        &[method, scheme, (":path", "/"), path, ours],
        &[method, scheme, scheme, path, ours],
        &[method, scheme, path, ours, (":status", "200")],
        &[method, scheme, path, ours, (":unknown", "x")],
        &[method, scheme, path, ours, ("Host", "evil.test")],
        &[method, scheme, path, ours, ("connection", "keep-alive")],
        &[method, scheme, path, (":authority", "app.example.com\r\nx-evil: 1")],
        &[method, scheme, path, (":authority", "evil.test\0app.example.com")],
        &[method, scheme, (":path", "https://app.example.com/.duo-mfa/start"), evil],
        &[method, scheme, path, evil],
    ];
    for head in heads {
        denied(&stack, "a strange head", || {
            let mut connection = stack.connect();
            connection.send_part(&head_of(&[*head, &rest].concat()));
            // The server resets the stream, closes the connection, or answers.
            std::thread::sleep(std::time::Duration::from_millis(150));
            connection.leave();
        });
    }
    assert_eq!(stack.sim.calls("health_check"), before, "nothing began");
    // The same bytes with a head in order do start.
    denied(&stack, "a head in order", || {
        let mut connection = stack.connect();
        connection.send_part(&head_of(&[&[method, scheme, path, ours][..], &rest].concat()));
        eventually("the health check", || (stack.sim.calls("health_check") > before).then_some(()));
        connection.leave();
    });
    stack.assert_alive();
}
