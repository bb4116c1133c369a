//! Random scripts of Duo: no request is admitted unless Duo allowed it, every request ends, and no request
//! sends more than one push.

use crate::rig::Outcome;
use crate::rig::{
    Rig, Scripted, devices, fail, get, ok, one_phone, preauth, says, started, status,
};
use duo_mfa::duo::Endpoint;
use duo_mfa::gate::Unanswered;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

/// Every response that a script is made of. Those that allow are last.
fn pool() -> Vec<Scripted> {
    vec![
        one_phone(),
        started(),
        status("waiting", "pushed"),
        status("waiting", "push_failed").after(3),
        status("deny", "deny"),
        status("deny", "timeout"),
        status("deny", "allow"),
        status("unheard_of", "allow"),
        preauth("deny"),
        preauth("enroll"),
        preauth("waiting"),
        devices(&json!([])),
        ok(&json!({"time": 1_800_000_900})),
        ok(&json!({})),
        fail(40_002, "Invalid", "txid"),
        fail(40_002, "Invalid", "username"),
        fail(40_103, "Invalid signature", ""),
        fail(40_105, "Bad request timestamp", ""),
        fail(42_901, "Too many requests", ""),
        fail(50_001, "Internal", ""),
        says(504, "upstream request timeout").after(10),
        says(503, "upstream connect error"),
        says(200, "{"),
        Scripted::Fails(Unanswered::Cut),
        Scripted::Fails(Unanswered::NotSent),
        preauth("allow"),
        status("allow", "allow"),
    ]
}

const ALLOWING: usize = 2;

#[test]
fn nobody_gets_in_without_an_allow() {
    let pool = pool();
    let firsts = pool.len() - ALLOWING;
    let conversation = proptest::collection::vec(0..pool.len(), 0..40);
    // A failed conversation is printed. To write it to a file, proptest would need to know the source file.
    let config = Config { failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let outcome = runner.run(&(conversation, any::<bool>()), |(choices, with_passcode)| {
        let mut rig = Rig::new();
        let mut request = get("/");
        if with_passcode {
            request = request.with("x-duo-mfa-passcode", "123456");
        }
        let mut allowed = false;
        let mut choices = choices.into_iter();
        let outcome = rig.drive(&request, |_| {
            let choice = choices.next().unwrap_or(2);
            allowed = choice >= firsts;
            Some(pool[choice].clone())
        });
        if allowed {
            // The last response was an allow. It admits only if it answers the call that the flow made.
            prop_assert!(matches!(outcome, Outcome::Forwarded(_) | Outcome::Replied(_)));
        } else {
            outcome.refused();
        }
        let pushes = rig.calls.iter().filter(|(_, c)| c.signed.endpoint == Endpoint::Auth).count();
        prop_assert!(pushes <= 2, "one, and once more where its date was refused");
        prop_assert!(rig.calls.len() < 80, "{} calls", rig.calls.len());
        Ok(())
    });
    outcome.unwrap();
}
