//! Each host call of each flow is refused or answered oddly, one at a time. No entry may end the virtual machine, no request
//! may be forwarded that is not forwarded otherwise, and none may wait for nothing.

use crate::flows::{self, Flow, Script};
use crate::host::{Recorded, odds};
use crate::tally;

/// Failures that are printed of one flow.
const MOST: usize = 5;

fn each_call_fails(flow: Flow, is_running: bool) {
    let flow = (flow, is_running);
    let (calls, admitted) = Script::play(flow, Recorded::default(), |world| {
        let calls = world.recorded().calls;
        assert_eq!(world.broken(true), <[String; 0]>::default(), "without a fault");
        (calls, world.forwarded.clone())
    });
    assert!(calls.len() > 3, "{calls:?}");
    let mut failures = Vec::new();
    for (number, call) in calls.iter().enumerate() {
        for odd in odds(call) {
            let recorded = Recorded::with(number, odd);
            let (mut broken, log) = Script::play(flow, recorded, |world| {
                tally::INJECTED.add(world.recorded().injected);
                let mut broken = world.broken(!odd.is_an_end(call));
                if let Some(id) = world.forwarded.iter().find(|id| !admitted.contains(id)) {
                    tally::WRONGLY_ADMITTED.add(1);
                    broken.push(format!("only this run forwards stream {}", id.1));
                }
                (broken, world.process.borrow().log.clone())
            });
            if !broken.is_empty() && failures.len() < MOST {
                broken.extend(log);
                failures.push(format!(
                    "call {number} of {}, {call}: {odd:?}: {broken:#?}",
                    calls.len()
                ));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

macro_rules! flows {
    ($($name:ident $is_running:literal)*) => {
        $(
            #[test]
            fn $name() {
                each_call_fails(flows::$name, $is_running);
            }
        )*
    };
}

flows! {
    auth true
    bypass_at_duo true
    enroll true
    expired true
    form true
    form_in_half true
    form_refused true
    health true
    hold true
    hold_denied true
    hold_unanswered true
    hold_with_body true
    outage true
    page true
    pass true
    passcode true
    per_client true
    per_client_at_once true
    per_request true
    per_request_with_body true
    rules true
    sign_out true
    start false
    status true
    status_denied true
}
