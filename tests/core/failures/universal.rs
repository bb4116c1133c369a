//! The tables of the two calls for Duo's Universal Prompt.

use super::{Case, HEAD_OF_TABLE, MALFORMED, SKEW, in_words_of_reply, standing_in_words};
use crate::browser::Browser;
use crate::rig::{NOON, Outcome, Request, Response, Rig, Scripted, fail, ok, says};
use crate::universal_flow::duo::{assertion_of, healthy_at, invalid_client};
use crate::universal_flow::{back, by_push, rig_with, start_at, starts};
use duo_mfa::clock::{ClockOffset, UnixTime};
use duo_mfa::duo::{Endpoint, SignedCall};
use duo_mfa::gate::{Api, KeyPair};
use serde_json::json;
use std::fmt::Write;

const BACKGROUND: &str = "
## health_check in the background

For `duo.prompt: universal`. It checks the Web SDK application as `check` does the Auth API's, and sets `readyz` too. After
`invalid_client` it asks the Auth API whether the keys are its own, for the line of the log.
";

const START: &str = "
## health_check

Called when a user presses the button, before the browser leaves for Duo's page. *Passes* means here that the browser may leave.
*Passes unverified* needs a background check of the Web SDK application that failed too. Under a lasting clock skew one call is
enough, since the background check has learned Duo's clock.
";

const TOKEN: &str = "
## token

Who was confirmed at Duo's page? A code works once, and the first of two calls may have used it, so the call is never repeated. No fail
mode applies, since Duo may have refused the user. So the outcome is the same for a fault that lasts. By then Duo's clock is known from
`health_check`. A cluster is unknown where it was taken out of Envoy's configuration meanwhile.
";

/// How far the clock of a skewed Duo is ahead.
const AHEAD: ClockOffset = ClockOffset::from_seconds(600);

pub(super) fn sections(cases: &[Case]) -> String {
    let mut page = BACKGROUND.to_owned();
    page.push_str("\n| fault | arrives as | lasting |\n|---|---|---|\n");
    for case in &of_health_check(cases) {
        let standing = standing_in_words(Fault(case).background(&mut rig("secure")));
        writeln!(page, "| {} | {} | {standing} |", case.name, case.seen).unwrap();
    }
    page.push_str(START);
    page.push_str(HEAD_OF_TABLE);
    for case in &of_health_check(cases) {
        let (once, _) = start("secure", case, 1);
        let (secure, calls) = start("secure", case, usize::MAX);
        let (safe, _) = start("safe", case, usize::MAX);
        let Case { name, seen, .. } = case;
        writeln!(page, "| {name} | {seen} | {once} | {calls} | {secure} | {safe} |").unwrap();
    }
    page.push_str(TOKEN);
    page.push_str("\n| fault | arrives as | outcome |\n|---|---|---|\n");
    for case in &of_token(cases) {
        let (outcome, calls) = exchange("secure", case, 1);
        assert_eq!(calls, 1, "{}", case.name);
        for fail_mode in ["secure", "safe"] {
            let lasting = exchange(fail_mode, case, usize::MAX);
            assert_eq!(lasting, (outcome.clone(), 1), "{}", case.name);
        }
        writeln!(page, "| {} | {} | {outcome} |", case.name, case.seen).unwrap();
    }
    page
}

fn of_health_check(cases: &[Case]) -> Vec<Case> {
    let mut cases = of_both(cases);
    let skew = cases.iter_mut().find(|case| case.name == SKEW).unwrap();
    skew.seen = "`invalid_client` and Duo's time";
    cases.push(Case {
        name: "wrong client secret",
        seen: "`invalid_client`",
        answer: invalid_client(NOON),
    });
    cases
}

fn of_token(cases: &[Case]) -> Vec<Case> {
    let error = |word| says(400, json!({"error": word, "error_description": ""}).to_string());
    let token = json!({"id_token": "e30.e30.e30", "token_type": "Bearer"});
    let mut cases = of_both(cases);
    cases.retain(|case| case.name != SKEW);
    let case = |name, seen, answer| Case { name, seen, answer };
    cases.extend([
        case("wrong client secret", "`invalid_client`", error("invalid_client")),
        case("used or expired code", "`invalid_grant`", error("invalid_grant")),
        case("id_token of somebody else", "200, a wrong MAC", says(200, token.to_string())),
    ]);
    cases
}

/// The faults of the Auth API's calls, which these calls can have too.
fn of_both(cases: &[Case]) -> Vec<Case> {
    let mut cases = cases.to_vec();
    let malformed = cases.iter_mut().find(|case| case.name == MALFORMED).unwrap();
    (malformed.seen, malformed.answer) =
        ("200, an unknown `stat`", says(200, r#"{"stat":"PERHAPS"}"#));
    cases
}

fn rig(fail_mode: &str) -> Rig {
    rig_with(json!({"duo": {"fail_mode": fail_mode}}))
}

/// Duo, or what answers in its place.
struct Fault<'a>(&'a Case);

impl Fault<'_> {
    /// The response to `health_check`, or to a call that a refusal of it leads to.
    fn answer(&self, call: &SignedCall) -> Scripted {
        let theirs = if self.is_skew() { NOON.shifted(AHEAD) } else { NOON };
        if call.endpoint == Endpoint::Ping {
            return ok(&json!({"time": theirs.seconds()}));
        }
        if call.endpoint == Endpoint::Check {
            return fail(40_102, "Invalid integration key in request credentials", "");
        }
        if self.is_skew() { at(theirs, call) } else { self.0.answer.clone() }
    }

    fn is_skew(&self) -> bool {
        self.0.name == SKEW
    }

    /// Runs the background check; the rig learns its result.
    fn background(&self, rig: &mut Rig) -> duo_mfa::gate::Standing {
        let keys = KeyPair { application: 0, api: Api::WebSdk };
        let checked = rig.check(keys, |call| self.answer(call));
        rig.offsets[0] = checked.offset.unwrap_or_default();
        rig.health.standing
    }
}

/// Duo's answer to a health check at this time of its clock.
fn at(now: UnixTime, call: &SignedCall) -> Scripted {
    let is_valid = assertion_of(call)["exp"].as_u64().unwrap() > now.seconds();
    if is_valid { healthy_at(now) } else { invalid_client(now) }
}

/// Presses the button while `health_check` meets the fault `times` times.
fn start(fail_mode: &str, case: &Case, times: usize) -> (String, usize) {
    let (mut rig, fault) = (rig(fail_mode), Fault(case));
    if times == usize::MAX {
        fault.background(&mut rig);
    }
    let press = Browser::of("alice").posts(&start_at("/reports"));
    run(&mut rig, &press, Endpoint::HealthCheck, times, |call, is_met| {
        let is_other = call.endpoint != Endpoint::HealthCheck;
        if is_met || is_other { fault.answer(call) } else { ok(&json!({})) }
    })
}

/// Comes back from Duo's page while `token` meets the fault.
fn exchange(fail_mode: &str, case: &Case, times: usize) -> (String, usize) {
    let mut rig = rig(fail_mode);
    let mut alice = Browser::of("alice");
    let asked = starts(&mut rig, &mut alice, "/reports");
    if times == usize::MAX {
        Fault(case).background(&mut rig);
    }
    let (request, approves) = (back(&alice, asked.state()), by_push(&asked, &rig));
    run(&mut rig, &request, Endpoint::Token, times, |_, is_met| {
        if is_met { case.answer.clone() } else { approves.clone() }
    })
}

/// Sends a request. Returns the outcome in the page's words, and the number of calls to `faulty`.
fn run(
    rig: &mut Rig,
    request: &Request,
    faulty: Endpoint,
    times: usize,
    duo: impl Fn(&SignedCall, bool) -> Scripted,
) -> (String, usize) {
    let mut made = 0;
    let outcome = rig.drive(request, |call| {
        made += usize::from(call.endpoint == faulty);
        Some(duo(call, made <= times))
    });
    let Outcome::Replied(reply) = outcome else { panic!("an own endpoint is never forwarded") };
    let reply = Response(reply);
    let is_approved = reply.cookies().iter().any(|line| line.starts_with("__Host-duo_mfa="));
    let words = match (is_approved, faulty) {
        (true, Endpoint::Token) => "passes".to_owned(),
        (true, _) => "passes unverified".to_owned(),
        (false, Endpoint::HealthCheck) if reply.0.status == 200 => "passes".to_owned(),
        (false, _) => in_words_of_reply(&reply),
    };
    (words, made)
}
