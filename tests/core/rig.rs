//! Drives the core as Envoy would: a request in, scripted answers of Duo, the outcome out.

use duo_mfa::clock::{ClockOffset, UnixTime};
use duo_mfa::config::Config;
use duo_mfa::duo::{Answer, SignedCall};
use duo_mfa::gate::{
    Call, Effect, Env, Event, Flow, Forward, Gate, Health, Moment, NewCookie, Opening, Step,
    Unanswered,
};
use duo_mfa::http::{Edit, HeaderMap, Reply, RequestHead};
use duo_mfa::session::Verified;
use duo_mfa::signal::Signal;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

pub(crate) const SECRET_KEY: &str = "Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep";
pub(crate) const COOKIE_KEY: &str = "pMzo0uFM2P5cPIGe6jbvvQnC8gXH1V3rC5wfVTdXPcw=";
pub(crate) const NOON: UnixTime = UnixTime::from_seconds(1_800_000_000);
const PEER: &[u8] = b"192.0.2.7:51000";

static SENT: AtomicUsize = AtomicUsize::new(0);
static ANSWERED: AtomicUsize = AtomicUsize::new(0);
static WRONGLY_ADMITTED: AtomicUsize = AtomicUsize::new(0);

pub(crate) fn counts() -> String {
    let [wrongly_admitted, sent, answered] =
        [&WRONGLY_ADMITTED, &SENT, &ANSWERED].map(|count| count.load(Ordering::Relaxed));
    format!("wrongly_admitted={wrongly_admitted} sent={sent} answered={answered}")
}

pub(crate) fn nobody_was_wrongly_admitted() -> bool {
    WRONGLY_ADMITTED.load(Ordering::Relaxed) == 0
}

/// What the script lets come of a call.
#[derive(Clone, Debug)]
pub(crate) enum Scripted {
    Says { status: u16, retry_after: Option<&'static str>, body: String, after: Duration },
    Fails(Unanswered),
}

/// Duo's envelope around a response, at once.
pub(crate) fn ok(response: &Value) -> Scripted {
    says(200, json!({"stat": "OK", "response": response}).to_string())
}

/// Duo's envelope around an error, at once.
pub(crate) fn fail(code: u32, message: &str, detail: &str) -> Scripted {
    let body = json!({"stat": "FAIL", "code": code, "message": message, "message_detail": detail});
    says(u16::try_from(code / 100).unwrap(), body.to_string())
}

pub(crate) fn says(status: u16, body: impl Into<String>) -> Scripted {
    Scripted::Says { status, retry_after: None, body: body.into(), after: Duration::ZERO }
}

impl Scripted {
    pub(crate) fn after(self, seconds: u64) -> Self {
        match self {
            Self::Says { status, retry_after, body, .. } => {
                Self::Says { status, retry_after, body, after: Duration::from_secs(seconds) }
            }
            Self::Fails(why) => Self::Fails(why),
        }
    }

    pub(crate) fn retry_after(self, value: &'static str) -> Self {
        match self {
            Self::Says { status, body, after, .. } => {
                Self::Says { status, retry_after: Some(value), body, after }
            }
            Self::Fails(why) => Self::Fails(why),
        }
    }
}

/// Preauth's answer for a user with one telephone that can do everything.
pub(crate) fn one_phone() -> Scripted {
    devices(&json!([{
        "device": "DPFZRS9FB0D46QFTM891", "type": "phone", "name": "", "number": "XXX-XXX-0100",
        "display_name": "iOS (XXX-XXX-0100)",
        "capabilities": ["auto", "push", "sms", "phone", "mobile_otp"],
    }]))
}

pub(crate) fn devices(devices: &Value) -> Scripted {
    ok(&json!({"result": "auth", "status_msg": "Account is active", "devices": devices}))
}

pub(crate) fn started() -> Scripted {
    ok(&json!({"txid": "45f7c92b-f45f-4862-8545-e0f58e78075a"}))
}

pub(crate) fn status(result: &str, status: &str) -> Scripted {
    ok(&json!({"result": result, "status": status, "status_msg": "Words of Duo."}))
}

pub(crate) fn preauth(result: &str) -> Scripted {
    ok(&json!({"result": result, "status_msg": "Words of Duo."}))
}

/// A request as Envoy hands it over.
#[derive(Clone, Debug)]
pub(crate) struct Request(Vec<(String, Vec<u8>)>);

/// A script's request of alice, without a mark of a browser.
pub(crate) fn get(path: &str) -> Request {
    Request(Vec::new())
        .with(":method", "GET")
        .with(":path", path)
        .with(":authority", "app.example.com")
        .with("x-request-id", "7f3a19c2-1111-4222-8333-444444444444")
        .with("x-basic-user", "alice")
}

impl Request {
    pub(crate) fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.0.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(n, _)| n != name);
        self
    }

    pub(crate) fn of(self, user: &str) -> Self {
        self.without("x-basic-user").with("x-basic-user", user)
    }

    fn serialized(&self) -> Vec<u8> {
        let pairs: Vec<(&[u8], &[u8])> =
            self.0.iter().map(|(n, v)| (n.as_bytes(), v.as_slice())).collect();
        HeaderMap::serialize(&pairs)
    }
}

/// What became of a request.
#[derive(Debug)]
pub(crate) enum Outcome {
    Forwarded(Forward),
    Replied(Reply),
}

/// One gate with its clock, and the calls that it made.
pub(crate) struct Rig {
    gate: Gate,
    verified: Verified,
    pub(crate) now: UnixTime,
    pub(crate) offset: ClockOffset,
    pub(crate) health: Health,
    pub(crate) random: Option<[u8; 16]>,
    pub(crate) calls: Vec<(UnixTime, Call)>,
    pub(crate) signals: Vec<Signal>,
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::with(json!({}))
    }

    /// A rig whose minimal configuration is overlaid with `changes`.
    pub(crate) fn with(changes: Value) -> Self {
        let mut config = json!({
            "version": 1,
            "duo": {
                "api_host": "api-xxxxxxxx.duosecurity.com",
                "integration_key": "DIWJ8X6AEYOR5OMC6TQ1",
                "secret_key": {"env": "DUO_SECRET_KEY"},
                "cluster": "duo_api",
            },
            "identity": {"source": "header", "header": "x-basic-user"},
            "session": {"keys": [{"env": "DUO_MFA_COOKIE_KEY"}]},
        });
        overlay(&mut config, changes);
        let environment = |name: &str| match name {
            "DUO_SECRET_KEY" => Some(SECRET_KEY.to_owned()),
            "DUO_MFA_COOKIE_KEY" => Some(COOKIE_KEY.to_owned()),
            _ => None,
        };
        let config = Config::parse(config.to_string().as_bytes(), &environment);
        Self {
            gate: Gate::new(config.unwrap_or_else(|faults| panic!("{faults}"))),
            verified: Verified::new(),
            now: NOON,
            offset: ClockOffset::default(),
            health: Health::default(),
            random: Some([7; 16]),
            calls: Vec::new(),
            signals: Vec::new(),
        }
    }

    /// Sends a request; Duo answers by the script, and the whole script must be used up.
    pub(crate) fn send(&mut self, request: &Request, script: &[Scripted]) -> Outcome {
        let mut script = script.iter();
        let outcome = self.drive(request, |_| script.next().cloned());
        assert_eq!(script.count(), 0, "scripted answers were not asked for");
        outcome
    }

    /// Sends a request; each call is answered by `duo`.
    pub(crate) fn drive(
        &mut self,
        request: &Request,
        mut duo: impl FnMut(&SignedCall) -> Option<Scripted>,
    ) -> Outcome {
        SENT.fetch_add(1, Ordering::Relaxed);
        let mut step = self.begin(request);
        loop {
            self.signals.append(&mut step.signals);
            if let Some(offset) = step.offset {
                self.offset = offset;
            }
            let (call, flow) = match step.effect {
                Effect::Forward(forward) => return answered(Outcome::Forwarded(forward)),
                Effect::Reply(reply) => return answered(Outcome::Replied(reply)),
                Effect::Call { call, then } => (*call, *then),
            };
            self.now = self.now.max(call.due);
            let scripted = duo(&call.signed);
            let scripted = scripted.unwrap_or_else(|| panic!("unscripted: {:?}", call.signed));
            self.calls.push((self.now, call));
            step = self.answer(flow, &scripted);
        }
    }

    fn begin(&mut self, request: &Request) -> Step {
        let buffer = request.serialized();
        let head = match RequestHead::read(&buffer) {
            Ok(head) => head,
            Err(fault) => return self.gate.malformed(fault),
        };
        let moment = Moment { now: self.now, attribute: None, health: self.health };
        match self.gate.open(&head, &moment, &mut self.verified) {
            Opening::Decided(step) => step,
            Opening::Unproven(unproven) => self.gate.ask(&head, unproven, Some(PEER), &self.env()),
        }
    }

    fn answer(&mut self, flow: Flow, scripted: &Scripted) -> Step {
        match scripted {
            Scripted::Says { status, retry_after, body, after } => {
                self.now = self.now.plus(*after);
                let retry_after = retry_after.map(str::as_bytes);
                let answer = Answer { status: *status, retry_after, body: body.as_bytes() };
                flow.handle(Event::Answered(answer), &self.env())
            }
            Scripted::Fails(why) => flow.handle(Event::Failed(*why), &self.env()),
        }
    }

    fn env(&self) -> Env<'_> {
        Env { gate: &self.gate, now: self.now, offset: self.offset, random: self.random }
    }

    /// The endpoints called, in order.
    pub(crate) fn called(&self) -> Vec<&'static str> {
        self.calls.iter().map(|(_, call)| call.signed.endpoint.name()).collect()
    }

    /// The JSON body of the n-th call.
    pub(crate) fn body(&self, call: usize) -> Value {
        serde_json::from_slice(&self.calls[call].1.signed.body).unwrap()
    }
}

fn answered(outcome: Outcome) -> Outcome {
    ANSWERED.fetch_add(1, Ordering::Relaxed);
    outcome
}

impl Outcome {
    /// The request was let through.
    #[track_caller]
    pub(crate) fn admitted(self) -> Forward {
        match self {
            Self::Forwarded(forward) => forward,
            Self::Replied(reply) => {
                panic!("refused: {} {}", reply.status, String::from_utf8_lossy(&reply.body))
            }
        }
    }

    /// The request was refused; the problem's code.
    #[track_caller]
    pub(crate) fn refused(self) -> Refused {
        match self {
            Self::Replied(reply) => Refused(reply),
            Self::Forwarded(forward) => {
                WRONGLY_ADMITTED.fetch_add(1, Ordering::Relaxed);
                panic!("wrongly admitted: {forward:?}")
            }
        }
    }
}

pub(crate) struct Refused(pub(crate) Reply);

impl Refused {
    pub(crate) fn problem(&self) -> Value {
        serde_json::from_slice(&self.0.body).unwrap()
    }

    pub(crate) fn code(&self) -> String {
        let code = self.problem()["code"].as_str().unwrap().to_owned();
        assert_eq!(self.0.details, format!("duo_mfa_{code}"));
        code
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let found = self.0.headers.iter().find(|(n, _)| *n == name);
        found.map(|(_, value)| String::from_utf8(value.as_bytes().to_vec()).unwrap())
    }
}

/// The value that a forwarded request has for a header of ours.
pub(crate) fn told(forward: &Forward, name: &str) -> Option<String> {
    forward.request.iter().find_map(|edit| match edit {
        Edit::Set(n, value) if *n == name => {
            Some(String::from_utf8(value.as_bytes().to_vec()).unwrap())
        }
        Edit::Set(..) | Edit::Append(..) | Edit::Remove(_) => None,
    })
}

/// The `Set-Cookie` line of an approval.
pub(crate) fn approval(forward: &Forward) -> String {
    match &forward.cookie {
        Some(NewCookie::Approval(line)) => String::from_utf8(line.as_bytes().to_vec()).unwrap(),
        other => panic!("no approval: {other:?}"),
    }
}

/// The pair of name and value that a client sends back.
pub(crate) fn pair(line: &str) -> &str {
    line.split(';').next().unwrap()
}

fn overlay(base: &mut Value, changes: Value) {
    match (base, changes) {
        (Value::Object(base), Value::Object(changes)) => {
            for (key, value) in changes {
                overlay(base.entry(key).or_insert(Value::Null), value);
            }
        }
        (base, changes) => *base = changes,
    }
}
