//! The outcome for clients and for the application. The filter's own state machine is given the request, as a
//! host gives it, and its calls are answered as Duo answers for a user who approves.

use super::Request;
use crate::now;
use duo_mfa::clock::UnixTime;
use duo_mfa::config::Config;
use duo_mfa::duo;
use duo_mfa::factor::Factor;
use duo_mfa::gate::limit::{Granted, Verdict};
use duo_mfa::gate::{Body, Effect, End, Env, Event, Gate, HostFacts, Opening, Step};
use duo_mfa::http::{Edit, HeaderMap, RequestHead};
use duo_mfa::identity::{Attributes, CertificateField, Groups, Source};
use duo_mfa::policy::{Decision, Policy, Ruled};
use duo_mfa::session::{ApprovedBy, NewApproval, Subject, Verified};
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr};

/// More steps than any request takes.
const MOST_STEPS: usize = 40;
/// A value for properties that approvals are bound to.
const BOUND: &[u8] = b"value";
/// The answer of the rate limit service that no limit is reached, in its frame.
const RATE_LIMIT_OK: &[u8] = &[0, 0, 0, 0, 2, 8, 1];
/// The user's name, if the command line has none.
const SOMEBODY: &str = "user";
/// The address of a request that names none.
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

type Pairs = &'static [(&'static str, &'static str)];

/// A browser that navigates.
pub(super) const BROWSER: Pairs = &[
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-dest", "document"),
    ("sec-fetch-site", "none"),
];
/// curl without options.
pub(super) const CURL: Pairs = &[("user-agent", "curl/8.5.0"), ("accept", "*/*")];

/// The outcome for a client.
#[derive(Debug)]
pub(super) struct Outcome {
    /// The calls to Duo before it, in words.
    asked: Vec<String>,
    end: Ended,
}

#[derive(Debug)]
enum Ended {
    Forwarded(Vec<Edit>),
    Replied {
        status: u16,
        kind: &'static str,
        code: String,
        location: Option<String>,
    },
    /// Something that needs the host.
    Open(&'static str),
}

/// Takes users' names as they are given, since they are canonical already.
///
/// # Errors
///
/// The reason why no source can have this name.
pub(super) fn with_canonical_names(config: Config, user: Option<&str>) -> Result<Config, String> {
    let user = user.unwrap_or(SOMEBODY);
    let path = |last: &str| ["explain".to_owned(), last.to_owned()];
    let fault = |error: &dyn std::fmt::Display| format!("--user {user}: {error}");
    let of_metadata = |last| Source::metadata(&path(last)).map_err(|error| fault(&error));
    // Only certificates may have names with the characters of a URI.
    let sources = [
        of_metadata("user")?,
        Source::certificate(CertificateField::SanUri),
        Source::certificate(CertificateField::SanDns),
    ];
    let mut first = None;
    for source in sources {
        let groups = Groups::new(of_metadata("groups")?, ',');
        let identity = config.identity.clone().of_canonical(source, Some(groups));
        match identity.identify(user.as_bytes()) {
            Ok(_) => return Ok(Config { identity, ..config }),
            Err(error) => first = first.or_else(|| Some(fault(&error))),
        }
    }
    Err(first.unwrap_or_default())
}

pub(super) struct Walk<'a> {
    gate: &'a Gate,
    request: &'a Request<'a>,
    address: IpAddr,
    groups: Vec<u8>,
    bound: Vec<Option<Vec<u8>>>,
    now: UnixTime,
}

impl<'a> Walk<'a> {
    pub(super) fn new(gate: &'a Gate, request: &'a Request<'a>) -> Self {
        let groups: Vec<(&[u8], &[u8])> =
            request.groups.iter().map(|group| (group.as_bytes(), &b""[..])).collect();
        Self {
            gate,
            request,
            address: request.address.unwrap_or(ELSEWHERE).to_canonical(),
            groups: HeaderMap::serialize(&groups),
            bound: gate.bound_properties().iter().map(|_| Some(BOUND.to_vec())).collect(),
            now: now(),
        }
    }

    /// The outcome for a client with these headers.
    pub(super) fn outcome(&self, client: Pairs) -> Outcome {
        self.with(client, None)
    }

    /// The changes of the headers that the application gets from a user with an approval: by a
    /// cookie, or for this one request.
    pub(super) fn headers(&self) -> Option<Vec<Edit>> {
        let with_cookie = self.approval().map(|cookie| self.with(BROWSER, Some(&cookie)));
        with_cookie.into_iter().chain([self.outcome(CURL)]).find_map(|outcome| match outcome.end {
            Ended::Forwarded(edits) => Some(edits),
            Ended::Replied { .. } | Ended::Open(_) => None,
        })
    }

    /// The cookie of an approval that every rule for this request accepts, if it is recent.
    fn approval(&self) -> Option<String> {
        let config = self.gate.config();
        let head = self.fields(BROWSER, None);
        let head = RequestHead::read(&head).ok()?;
        let person = self.request.person();
        let view = config.policies.view(&head, self.request.address).ok()?;
        let decision = config.policies.decide_request(&head, false, &view, person.as_ref());
        if !matches!(decision, Decision::Ruled(Ruled { policy: Policy::TwoFactor, .. })) {
            return None;
        }
        let terms = decision.terms();
        let application = config.applications.under(terms);
        let accepted = terms.factors.as_ref().or(application.duo.accepted.as_ref());
        let factor = accepted.and_then(|it| it.factors.first().copied()).unwrap_or(Factor::Push);
        let bound = config.bindings.resolve(&self.bound, Some(self.address)).ok()?;
        let user = self.user();
        let identity = config.identity.identify(user.as_bytes()).ok()?;
        let subject =
            Subject { source: identity.source, user: &identity.user, bound: bound.as_bytes() };
        let approval = NewApproval {
            factor: ApprovedBy::Factor(factor),
            authenticated: self.now,
            lifetime: None,
        };
        let cookie = application.sessions.issue(&approval, &subject, self.now, [1; 16]);
        let text = str::from_utf8(cookie.as_bytes()).ok()?;
        Some(text.split(';').next()?.to_owned())
    }

    fn user(&self) -> &str {
        self.request.user.unwrap_or(SOMEBODY)
    }

    fn fields(&self, client: Pairs, cookie: Option<&str>) -> Vec<u8> {
        let mut pairs: Vec<(&[u8], &[u8])> = self.request.pseudo().to_vec();
        let given = |name: &str| self.request.headers.iter().any(|(known, _)| known == name);
        let usual = client.iter().filter(|(name, _)| !given(name));
        pairs.extend(usual.map(|(name, value)| (name.as_bytes(), value.as_bytes())));
        let own = self.request.headers.iter();
        pairs.extend(own.map(|(name, value)| (name.as_bytes(), value.as_bytes())));
        pairs.extend(cookie.map(|cookie| (&b"cookie"[..], cookie.as_bytes())));
        HeaderMap::serialize(&pairs)
    }

    fn with(&self, client: Pairs, cookie: Option<&str>) -> Outcome {
        let fields = self.fields(client, cookie);
        let mut asked = Vec::new();
        let end = match RequestHead::read(&fields) {
            Ok(head) => self.end_of(&head, &mut asked),
            Err(fault) => ended(self.gate.malformed(fault, &fields).end),
        };
        Outcome { asked, end }
    }

    fn end_of(&self, head: &RequestHead<'_>, asked: &mut Vec<String>) -> Ended {
        let mut env =
            Env { gate: self.gate, now: self.now, healths: Vec::new(), random: Some([7; 16]) };
        let facts = HostFacts {
            now: self.now,
            attributes: Attributes {
                name: Some(self.user().as_bytes()),
                mtls: Some(&[1]),
                groups: (!self.groups.is_empty()).then_some(&self.groups),
            },
            address: Some(self.address),
            bound: &self.bound,
            has_body: false,
        };
        let mut step = match self.gate.open(head, &facts, &mut Verified::default()) {
            Opening::Decided(decision) => Step::from(decision),
            Opening::Undecided(undecided) => {
                self.gate.ask(head, undecided, Some(self.address), &env)
            }
        };
        for _ in 0..MOST_STEPS {
            let granted: Verdict = Ok(Granted::New);
            step = match step.effect {
                Effect::End(end) => return ended(end),
                Effect::Permit { then, .. } => then.handle(granted, &env),
                Effect::Wait { due, then, .. } => {
                    env.now = env.now.max(due);
                    then.handle(granted, &env)
                }
                Effect::ReadBody { then, .. } => then.handle(head, Body::Whole(b""), &env),
                Effect::AskFleet { then, .. } => {
                    asked.push("the rate limit service is asked".to_owned());
                    let body = RATE_LIMIT_OK;
                    let response = duo::Response { status: 200, retry_after: None, body };
                    then.handle(Event::Answered(response), &env)
                }
                Effect::Call { call, then } => {
                    env.now = env.now.max(call.due);
                    let name = call.signed.endpoint.name();
                    let Some(answer) = answer(name, &call.signed.body) else {
                        return Ended::Open("Duo's answer decides");
                    };
                    asked.extend(question(name, &call.signed.body));
                    let body = json!({"stat": "OK", "response": answer}).to_string();
                    let response =
                        duo::Response { status: 200, retry_after: None, body: body.as_bytes() };
                    then.handle(Event::Answered(response), &env)
                }
            };
        }
        Ended::Open("Duo's answers decide")
    }
}

/// Duo's answer about a user who has a phone with everything, and approves.
fn answer(endpoint: &str, body: &[u8]) -> Option<Value> {
    let phone = json!({
        "device": "DPFZRS9FB0D46QFTM891", "type": "phone", "name": "", "number": "XXX-XXX-0100",
        "display_name": "phone", "capabilities": ["auto", "push", "sms", "phone", "mobile_otp"],
    });
    let allowed = json!({"result": "allow", "status": "allow", "status_msg": ""});
    Some(match endpoint {
        "preauth" => json!({"result": "auth", "status_msg": "", "devices": [phone]}),
        "auth" if parameter(body, "factor").as_deref() == Some("passcode") => allowed,
        "auth" => json!({"txid": "45f7c92b-f45f-4862-8545-e0f58e78075a"}),
        "auth_status" => allowed,
        "ping" | "check" => json!({"time": now().seconds()}),
        _ => return None,
    })
}

/// A call in words; `None` for a poll.
fn question(endpoint: &str, body: &[u8]) -> Option<String> {
    match endpoint {
        "preauth" => Some(format!("Duo is asked about {}", parameter(body, "username")?)),
        "auth" => match &*parameter(body, "factor")? {
            "push" | "auto" => Some("a push on the phone".to_owned()),
            "phone" => Some("a call to the phone".to_owned()),
            "passcode" => Some("the passcode of the request is checked".to_owned()),
            other => Some(other.to_owned()),
        },
        _ => None,
    }
}

fn parameter(body: &[u8], name: &str) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    Some(body.get(name)?.as_str()?.to_owned())
}

fn ended(end: End) -> Ended {
    let reply = match end {
        End::Forward(forward) => return Ended::Forwarded(forward.request),
        End::Logo { .. } => return Ended::Open("the account's logo"),
        End::Readiness => return Ended::Open("the filter's readiness"),
        End::Reply(reply) => reply,
    };
    let header = |wanted: &str| {
        let mut found = reply.headers.iter().filter(|(name, _)| *name == wanted);
        found.next().map(|(_, value)| String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let media_type = header("content-type").unwrap_or_default();
    let kind = if reply.grpc.is_some() {
        "a gRPC status"
    } else if media_type.starts_with("text/html") {
        "a page"
    } else if media_type.contains("problem+json") {
        "a problem document"
    } else {
        "a reply"
    };
    let code = reply.details.strip_prefix("duo_mfa_").unwrap_or(&reply.details).to_owned();
    Ended::Replied { status: reply.status, kind, code, location: header("location") }
}

impl Outcome {
    /// In words, for people.
    pub(super) fn text(&self) -> String {
        let asked = match &*self.asked {
            [] => String::new(),
            asked => format!("held: {}; then ", asked.join(", ")),
        };
        let end = match &self.end {
            Ended::Forwarded(_) => "the application's response".to_owned(),
            Ended::Replied { status, kind, code, location } => {
                let is_sign_in = *kind == "a page" && matches!(&**code, "mfa_required" | "page");
                let kind = if is_sign_in { "the sign-in page" } else { kind };
                let to = location.as_ref().map(|to| format!(", to {to}")).unwrap_or_default();
                format!("{status}, {kind} ({code}){to}")
            }
            Ended::Open(what) => (*what).to_owned(),
        };
        format!("{asked}{end}")
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        let held = &self.asked;
        match &self.end {
            Ended::Forwarded(_) => json!({"end": "forwarded", "held": held}),
            Ended::Replied { status, kind, code, location } => json!({
                "end": "replied", "held": held, "status": status,
                "kind": kind.rsplit(' ').next(), "code": code, "location": location,
            }),
            Ended::Open(what) => json!({"end": "open", "held": held, "what": what}),
        }
    }
}
