//! One case with its stack: plays it, does for it what a browser cannot, and judges what reached
//! the application.

use std::sync::Mutex;

use libtest_mimic::Failed;
use serde_json::{Value, json};

use crate::envoy::Envoy;
use crate::front::Front;
use crate::message::PASSWORD;
use crate::runner::{Case, Run, Runner, Word};
use crate::setup::{
    API_HOST, CLIENT_ID, CLIENT_SECRET, FirstFactor, INTEGRATION_KEY, SECRET_KEY, Setup,
};
use crate::stack::Stack;
use crate::tally::{self, Verdict};

/// Has an inline icon, so that the browser requests none.
const APPLICATION: &str = "<!doctype html><html lang=en><title>Application</title>\
                           <link rel=icon href='data:,'><p>application";

pub(crate) struct Stage {
    stack: Stack,
    front: Front,
    /// Envoys besides the stack's own.
    others: Vec<Envoy>,
    /// How many users have played here. Envoy remembers the pushes sent to a user, so each case has
    /// a new one.
    guests: usize,
    is_universal: bool,
    is_altered: bool,
}

/// Stages on which nothing is left of the cases before, for cases that want nothing special: most
/// of the time that a case takes is Envoy's start.
#[derive(Default)]
pub(crate) struct Stages(Mutex<Vec<Stage>>);

impl Stages {
    /// Plays a case.
    ///
    /// # Errors
    ///
    /// What the case says that went wrong.
    pub(crate) fn play(&self, case: &Case, runner: &Runner) -> Result<(), Failed> {
        let mut stage = self.free(case).unwrap_or_else(|| Stage::set(case));
        let run = runner.play(case, &stage.addresses());
        let failure = stage.serve(&run);
        stage.settle(case, failure.is_none());
        if let Some(failure) = failure {
            return Err(failure.into());
        }
        if case.is_plain() && !stage.is_altered && !stage.remembers_an_outage() {
            stage.stack.sim.reset();
            self.0.lock().unwrap().push(stage);
        }
        Ok(())
    }

    fn free(&self, case: &Case) -> Option<Stage> {
        let mut stages = self.0.lock().unwrap();
        let fits = |stage: &Stage| case.is_plain() && stage.is_universal == case.is_universal;
        let place = stages.iter().position(fits)?;
        Some(stages.swap_remove(place))
    }
}

fn setup(case: &Case) -> Setup {
    let mut setup = Setup::default();
    if case.is_universal {
        setup = setup.plugin(universal());
        setup.stops_at_headers = true;
        setup.environment.push(("DUO_CLIENT_SECRET", CLIENT_SECRET.to_owned()));
    }
    if case.plugin.is_object() {
        setup = setup.plugin(case.plugin.clone());
    }
    if case.is_anonymous {
        setup.first_factor = FirstFactor::Absent;
    }
    setup.stops_at_headers |= case.stops_at_headers;
    setup
}

/// Browsers are sent to Duo's page, `/vault/*` needs a security key, and `/saml/acs` takes forms of
/// other sites.
fn universal() -> Value {
    json!({
        "allow_inline_secrets": true,
        "request_bodies": true,
        "cross_site_forms": ["/saml/acs"],
        "duo": {"prompt": "universal", "universal": {
            "client_id": CLIENT_ID,
            "client_secret": {"env": "DUO_CLIENT_SECRET"},
            "hosts": ["127.0.0.1"],
        }},
        "access_control": {"rules": [
            {"paths": ["/vault/*"], "policy": "two_factor", "factors": ["webauthn"]},
        ]},
    })
}

impl Stage {
    fn set(case: &Case) -> Self {
        let setup = setup(case);
        let given = setup.clone();
        let stack = Stack::start_as(setup, |parts| {
            let mut given = given;
            if case.is_universal {
                let origin = json!({"browser_origin": parts.duo_origin});
                given = given.plugin(json!({"duo": {"universal": origin}}));
            }
            given.with_files_in(parts.directory).envoy(parts.module, parts.app, parts.duo)
        });
        stack.app.answer_page(APPLICATION);
        if case.is_universal {
            let cookie = "app_session=strict; SameSite=Strict; HttpOnly; Path=/";
            stack.app.answer_with("set-cookie", cookie);
            // Going back asks again, and the application sees it.
            stack.app.answer_with("cache-control", "no-store");
        }
        let front = Front::start(stack.envoy.listener);
        let is_universal = case.is_universal;
        Self { stack, front, others: Vec::new(), guests: 0, is_universal, is_altered: false }
    }

    /// Whether calls to Duo have failed. For some seconds after a few of them Envoy refuses calls.
    fn remembers_an_outage(&self) -> bool {
        let failures = self.stack.envoy.admin("/stats?filter=duo_mfa_duo_failures");
        failures.lines().any(|line| !line.ends_with(": 0"))
    }

    fn addresses(&self) -> Value {
        json!({
            "site": format!("http://{}", self.front.address),
            "control": format!("http://{}", self.stack.sim.control),
            "duo": self.is_universal.then(|| self.stack.sim.browser_origin()),
            "api": {
                "address": format!("http://{}", self.stack.sim.api),
                "host": API_HOST,
                "integration_key": INTEGRATION_KEY,
                "secret_key": SECRET_KEY,
            },
            "password": PASSWORD,
            "guests": self.guests,
        })
    }

    /// Answers the case until it ends; gives its failure.
    fn serve(&mut self, run: &Run<'_>) -> Option<String> {
        loop {
            match run.next() {
                Word::Admitted => run.answer(&self.admitted()),
                Word::Restart => {
                    self.is_altered = true;
                    self.stack.envoy = self.stack.another_envoy();
                    self.front.lead_to(self.stack.envoy.listener);
                    run.answer(&Value::Null);
                }
                Word::Switch => {
                    self.is_altered = true;
                    let other = self.stack.another_envoy();
                    self.front.lead_to(other.listener);
                    self.others.push(other);
                    run.answer(&Value::Null);
                }
                Word::Done { failure, guests } => {
                    self.guests = guests;
                    return failure;
                }
            }
        }
    }

    /// Judges what reached the application, and that no VM trapped.
    fn settle(&mut self, case: &Case, is_whole: bool) {
        tally::pushes(self.stack.sim.pushes());
        let reached = self.reached();
        // Of a case that broke off, what it had to see and did not is no news.
        let admits = if is_whole { case.admits } else { case.admits.min(reached) };
        self.stack.settle(Verdict::Admitted(admits), &case.name);
        let envoys = self.others.iter_mut().chain([&mut self.stack.envoy]);
        let damage: Vec<_> = envoys.filter_map(Envoy::damage).collect();
        assert!(damage.is_empty(), "{damage:?}");
    }

    /// How many requests of this case reached the application.
    fn reached(&self) -> usize {
        self.stack.unjudged()
    }

    /// How many requests reached the application, and the last of them.
    fn admitted(&self) -> Value {
        let count = self.reached();
        if count == 0 {
            return json!({"count": 0});
        }
        let last = self.stack.app.last();
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
