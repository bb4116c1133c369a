//! The allocations of a pass by cookie.

mod counter;

use crate::exchange::{Exchange, config, returning, signed_in, turn};
use crate::host::Host;
use counter::{Count, counted};
use serde_json::json;

#[test]
fn pass_allocates_little() {
    let _turn = turn();
    let host = Host::start(&config(&json!({})));
    let (user, cookie) = signed_in(&host);
    let cookies = format!("theme=dark-contrast; {cookie}; session_hint=MDEyMzQ1Njc4OWFi");
    let mut headers = returning(user, &cookies);
    headers.extend([
        ("accept-language", "en-US,en;q=0.5"),
        ("accept-encoding", "gzip, br"),
        ("x-request-id", "f0a1b2c3-0000-4000-8000-0123456789ab"),
        ("x-forwarded-for", "192.0.2.7"),
        ("x-forwarded-proto", "https"),
    ]);
    // The first one of a cookie verifies it, and the buffer for headers grows.
    let counts: Vec<_> = (0..4).map(|_| pass(&host, &headers)).collect();
    println!("{counts:?}");
    for count in &counts[1..] {
        assert!(count.allocations <= 4 && count.bytes <= 500, "{counts:?}");
    }
}

/// A whole exchange: the stream begins, its request passes, its response comes, it ends.
fn pass(host: &Host, headers: &[(&str, &str)]) -> Count {
    counted(|| {
        let pass = Exchange::of(host, headers);
        assert!(pass.outcome.upstream.borrow().is_some());
        pass.respond(&[(":status", "200")]);
    })
}
