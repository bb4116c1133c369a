//! One case with its stack: plays it, does for it what a browser cannot, and judges what reached
//! the application.

use libtest_mimic::Failed;
use serde_json::{Value, json};

use crate::envoy::Envoy;
use crate::front::Front;
use crate::message::PASSWORD;
use crate::runner::{Case, Run, Runner, Word};
use crate::setup::{API_HOST, FirstFactor, INTEGRATION_KEY, SECRET_KEY, Setup};
use crate::stack::Stack;
use crate::tally::Verdict;

struct Stage {
    stack: Stack,
    front: Front,
    /// Envoys besides the stack's own.
    others: Vec<Envoy>,
}

/// Plays a case.
///
/// # Errors
///
/// What the case says that went wrong.
pub(crate) fn play(case: &Case, runner: &Runner) -> Result<(), Failed> {
    let stack = Stack::start(setup(case));
    let front = Front::start(stack.envoy.listener);
    let mut stage = Stage { stack, front, others: Vec::new() };
    let run = runner.play(case, &stage.addresses());
    let failure = stage.serve(&run);
    let reached = stage.stack.app.count();
    // Of a case that broke off, what it had to see and did not is no news.
    let admits = if failure.is_some() { case.admits.min(reached) } else { case.admits };
    stage.stack.settle(Verdict::Admitted(admits), &case.name);
    for envoy in &mut stage.others {
        assert_eq!(envoy.damage(), None);
    }
    failure.map_or(Ok(()), |failure| Err(failure.into()))
}

fn setup(case: &Case) -> Setup {
    let mut setup = Setup::default();
    if case.plugin.is_object() {
        setup = setup.plugin(case.plugin.clone());
    }
    if case.is_anonymous {
        setup.first_factor = FirstFactor::Absent;
    }
    setup.stops_at_headers = case.stops_at_headers;
    setup
}

impl Stage {
    fn addresses(&self) -> Value {
        json!({
            "site": format!("http://{}", self.front.address),
            "control": format!("http://{}", self.stack.sim.control),
            "api": {
                "address": format!("http://{}", self.stack.sim.api),
                "host": API_HOST,
                "integration_key": INTEGRATION_KEY,
                "secret_key": SECRET_KEY,
            },
            "password": PASSWORD,
        })
    }

    /// Answers the case until it ends; gives its failure.
    fn serve(&mut self, run: &Run<'_>) -> Option<String> {
        loop {
            match run.next() {
                Word::Admitted => run.answer(&self.admitted()),
                Word::Restart => {
                    self.stack.envoy = self.stack.another_envoy();
                    self.front.lead_to(self.stack.envoy.listener);
                    run.answer(&Value::Null);
                }
                Word::Switch => {
                    let other = self.stack.another_envoy();
                    self.front.lead_to(other.listener);
                    self.others.push(other);
                    run.answer(&Value::Null);
                }
                Word::Done { failure } => return failure,
            }
        }
    }

    /// How many requests reached the application, and the last of them.
    fn admitted(&self) -> Value {
        let app = &self.stack.app;
        let count = app.count();
        if count == 0 {
            return json!({"count": 0});
        }
        let last = app.last();
        let only = |name| last.values(name).first().cloned();
        json!({
            "count": count,
            "method": last.method,
            "target": last.target,
            "user": only("x-duo-mfa-user"),
            "factor": only("x-duo-mfa-factor"),
            "cookie": only("cookie"),
        })
    }
}
