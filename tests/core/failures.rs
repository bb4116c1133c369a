//! `docs/failures.md` lists the outcome of each fault at each call. This test drives the core and compares.
//!
//! `BLESS=1 cargo test --test core failures` rewrites the page. The tests with a real Envoy compare Envoy with
//! the same page.

mod universal;

use crate::rig::{
    Outcome, Response, Rig, Scripted, fail, forwarded_header, get, ok, one_phone, says, started,
    status,
};
use duo_mfa::duo::{Endpoint, SignedCall};
use duo_mfa::gate::{Standing, Unanswered};
use serde_json::json;
use std::fmt::Write;
use std::fs;
use std::path::Path;

const HEAD: &str = "\
# What each fault leads to

This page lists what the filter does on each fault of Duo, at each call. A request with an approval cookie that meets its rule passes,
whatever state Duo is in, and is in none of the tables: [Fail mode](errors.md#fail-mode).

*Once* is a fault that one call meets and the next does not. *Lasting* is one that stays, under `fail_mode: secure` and
`safe`; the background check has met it too. Until the check has failed, requests under `safe` end as under `secure`:
a client can make its own calls fail, by sending more than Duo's cluster takes at once, but not the check. A request
that cannot reach Duo makes the check due at once. *Calls* counts the calls of that name while it lasts. *Passes* means
that Duo approved the user. *Passes unverified* means that Duo did not; such a pass is valid for at most five minutes.

`BLESS=1 cargo test --test core failures` writes this page by driving the filter's core through every cell; the same
test fails where the page is not what it finds. `make e2e` holds a real Envoy to it, and says to how many of its cells:
by the simulator's faults at every call; by a cluster that leads nowhere at `check` and `preauth`; and
by a host that moves away or loses its name, and a cluster that is taken out, while a request waits, at `auth` and
`auth_status`.

## The outage breaker

The tables show single requests. Where many meet a fault, each would wait for `duo.timeout`. So after five calls in a row
that failed within ten seconds, new requests no longer call Duo: they get at once what the tables have for the fault, 503
`duo_unavailable` or a pass unverified. A call fails if Duo is not reached, answers 5xx, or its answer is not one. A refusal, a 4xx, a
429, a full circuit breaker and a poll without news are no failures. All workers of an Envoy count together, and each pair of keys has its own
breaker: the Auth API's, and the Web SDK application's for `health_check` and `token`.

Every ten seconds one request tries Duo. Its answer closes the breaker; without one, the breaker stays open. The
background check tries eleven seconds after the last failure, if no request has begun a try in the last five: clients that
leave before the answer do not keep the breaker open. Sign-ins under way go on: they poll until their own end, and a browser that
returns from Duo's page has its code checked.

The log says when it opens and closes, `duo_mfa_breaker_open` is 1 meanwhile, and `readyz` lists its keys under `breaker_open`. They
do not make `readyz` 503, since anyone who can make Duo fail for a request of theirs could.

## Retry-After

After a 5xx with `Retry-After`, no call of a request with the same keys is sent until then, for five minutes at most. Requests get
503 `duo_unavailable` with the time that is left; held requests poll again afterwards. The background check still goes on, since only it
may open `fail_mode: safe`, until it is asked to wait itself.

After a 429 with `Retry-After`, no call for the same user is sent by that worker. Duo does not say whether a limit is the user's or the
account's. So the background check comes at once, and if it gets a 429 too, all wait.
";

const CHECK: &str = "
## check

In the background, after a `ping`; each worker's requests learn Duo's clock from it. It sets `/.duo-mfa/readyz` and
decides about no request, so that fail modes do not apply.
";

const PREAUTH: &str = "
## preauth

What may this user do? `safe` differs only here and at `health_check`: nothing has been asked of the user, and Duo
said nothing.
";

const AUTH: &str = "
## auth

Starts the push or the call. It is never sent twice, since two pushes would ring, except after a refused date, on which
Duo has not acted. Duo answered `preauth` a moment ago, so the first three faults mean that it went away in between; the
cluster itself cannot, since `auth` is sent from where that answer is read.
";

const STATUS: &str = "
## auth_status

What has the user answered? A look that fails is repeated, at most once a second, until the time for an answer is up:
the push on the phone is none the worse for it. No answer within the call's time is the usual case of a user who has not
answered. A cluster is unknown where it was taken out of Envoy's configuration meanwhile.
";

/// A fault, as the filter sees it.
#[derive(Clone)]
struct Case {
    name: &'static str,
    /// The part of the response that arrives.
    seen: &'static str,
    answer: Scripted,
}

fn cases() -> Vec<Case> {
    let case = |name, seen, answer| Case { name, seen, answer };
    let overflow = || Scripted::Fails(Unanswered::Overflow);
    let cut = || Scripted::Fails(Unanswered::Cut);
    vec![
        case("connection refused", "503 of Envoy", says(503, "upstream connect error")),
        case("no address in DNS", "503 of Envoy", says(503, "no healthy upstream")),
        case("TLS failure", "503 of Envoy", says(503, "upstream connect error: TLS_error")),
        case(UNKNOWN_CLUSTER, "the call is not sent", Scripted::Fails(Unanswered::NotSent)),
        case("connection closed", "503 of Envoy", says(503, "disconnect/reset before headers")),
        case("answer cut off", "no answer", cut()),
        case("timeout", "504 of Envoy", says(504, "upstream request timeout")),
        case("5xx", "500 and a page", says(500, "<h1>Oops</h1>")),
        case("5xx of Duo's", "code 50001", fail(50_001, "Internal server error", "")),
        case("not JSON", "200 and other text", says(200, "<html>")),
        case(MALFORMED, "200, an unknown reply", ok(&json!({"result": "perhaps"}))),
        case("400", "code 40002", fail(40_002, "Invalid request parameters", "factor")),
        case("429", "code 42901", fail(42_901, "Too many requests", "").retry_after("7")),
        case("401", "code 40103", fail(40_103, "Invalid signature in request credentials", "")),
        case("403", "code 40301", fail(40_301, "Access forbidden", "")),
        case(SKEW, "code 40105", fail(40_105, "Bad request timestamp", "")),
        case("full circuit breaker", "the call is not sent", overflow()),
        case("full breaker of an egress Envoy", "503 of that Envoy", says(503, OVERFLOWED)),
    ]
}

/// As Envoy 1.40 writes it.
const OVERFLOWED: &str =
    "upstream connect error or disconnect/reset before headers. reset reason: overflow";

const UNKNOWN_CLUSTER: &str = "unknown cluster";
const MALFORMED: &str = "malformed";
const SKEW: &str = "clock skew";

const HEAD_OF_TABLE: &str = "
| fault | arrives as | once | calls | lasting, secure | lasting, safe |
|---|---|---|---|---|---|
";

#[test]
fn page_of_failures_is_what_the_core_does() {
    let found = page();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/failures.md");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&file, &found).unwrap();
    }
    let committed = fs::read_to_string(&file).expect("docs/failures.md");
    for (line, (committed, found)) in committed.lines().zip(found.lines()).enumerate() {
        assert_eq!(committed, found, "docs/failures.md:{}: run with BLESS=1", line + 1);
    }
    assert_eq!(committed.len(), found.len(), "docs/failures.md: run with BLESS=1");
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    page.push_str(CHECK);
    page.push_str("\n| fault | arrives as | lasting |\n|---|---|---|\n");
    for Case { name, seen, answer } in cases() {
        let standing = check(&answer);
        writeln!(page, "| {name} | {seen} | {standing} |").unwrap();
    }
    for (text, endpoint) in
        [(PREAUTH, Endpoint::Preauth), (AUTH, Endpoint::Auth), (STATUS, Endpoint::AuthStatus)]
    {
        page.push_str(text);
        page.push_str(HEAD_OF_TABLE);
        for case in cases() {
            writeln!(page, "{}", row(endpoint, &case)).unwrap();
        }
    }
    page.push_str(&universal::sections(&cases()));
    page
}

fn row(endpoint: Endpoint, Case { name, seen, answer }: &Case) -> String {
    if *name == UNKNOWN_CLUSTER && endpoint == Endpoint::Auth {
        return format!("| {name} | {seen} | cannot occur | 0 | cannot occur | cannot occur |");
    }
    let (once, _) = request("secure", endpoint, answer, 1);
    let (secure, calls) = request("secure", endpoint, answer, usize::MAX);
    let (safe, _) = request("safe", endpoint, answer, usize::MAX);
    let calls = if calls > 2 { "until the time is up".to_owned() } else { calls.to_string() };
    format!("| {name} | {seen} | {once} | {calls} | {secure} | {safe} |")
}

/// Sends a request whose call to `faulty` meets the fault `times` times. Returns the outcome in the
/// page's words, and the number of those calls.
fn request(fail_mode: &str, faulty: Endpoint, fault: &Scripted, times: usize) -> (String, usize) {
    let mut rig = Rig::with(json!({"duo": {"fail_mode": fail_mode}}));
    if times == usize::MAX {
        rig.check_meets(fault);
    }
    let mut met = 0;
    let outcome = rig.drive(&get("/"), |call| {
        if call.endpoint == faulty && met < times {
            met += 1;
            return Some(fault.clone());
        }
        Some(well(call))
    });
    let calls = rig.called().iter().filter(|name| **name == faulty.name()).count();
    (in_words(outcome), calls)
}

/// Responses of Duo without a fault, for a user who approves.
fn well(call: &SignedCall) -> Scripted {
    match call.endpoint {
        Endpoint::Ping | Endpoint::Check => ok(&json!({"time": 1_800_000_000})),
        Endpoint::Preauth => one_phone(),
        Endpoint::Auth => started(),
        Endpoint::AuthStatus => status("allow", "allow"),
        Endpoint::Logo
        | Endpoint::Enroll
        | Endpoint::EnrollStatus
        | Endpoint::HealthCheck
        | Endpoint::Token => panic!("{call:?}"),
    }
}

fn in_words(outcome: Outcome) -> String {
    match outcome {
        Outcome::Forwarded(forward) => {
            match forwarded_header(&forward, "x-duo-mfa-factor").as_deref() {
                Some("push") => "passes".to_owned(),
                Some("fail_safe") => "passes unverified".to_owned(),
                other => panic!("by which factor? {other:?}"),
            }
        }
        Outcome::Replied(_) => {
            let refused = outcome.refused();
            assert_eq!(refused.0.details, format!("duo_mfa_{}", refused.code()));
            in_words_of_reply(&refused)
        }
    }
}

/// A refusal by a document or a page.
fn in_words_of_reply(refused: &Response) -> String {
    let wait = refused.header("retry-after");
    let wait = wait.map(|seconds| format!(", again in {seconds} s")).unwrap_or_default();
    format!("{} `{}`{wait}", refused.0.status, refused.0.details.trim_start_matches("duo_mfa_"))
}

/// The readiness after a background check, each call of which meets the fault if that call can have it.
fn check(fault: &Scripted) -> &'static str {
    let standing = Rig::new().check_meets(fault).standing;
    assert_ne!(standing, Standing::Well, "{fault:?} goes unseen");
    standing_in_words(standing)
}

const fn standing_in_words(standing: Standing) -> &'static str {
    match standing {
        Standing::Well => "ready",
        Standing::Unavailable => "not ready: Duo is unavailable",
        Standing::Misconfigured => "not ready: misconfigured",
        Standing::Unknown => "as before: it says nothing of Duo",
    }
}
