//! The simulated Duo. It decides who is allowed, and knows nothing of the filter's tokens.

use crate::host::{Answer, Call};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// How a user reacts, or Duo for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Will {
    /// They approve each prompt at once.
    Allow,
    Deny,
    /// They do not react until the test presses for them.
    Wait,
    /// Duo's bypass status.
    Bypass,
    /// Duo denies them.
    Locked,
    /// They have no device yet.
    Enroll,
}

/// The request that began a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The worker and the stream.
    pub(crate) stream: (usize, u32),
    pub(crate) user: String,
    pub(crate) listener: usize,
    pub(crate) network: String,
    /// The path that is to be opened.
    pub(crate) wanted: String,
    /// A held request, and not an endpoint of the filter.
    pub(crate) is_held: bool,
}

/// A prompt on a phone.
#[derive(Debug)]
pub(crate) struct Prompt {
    pub(crate) origin: Origin,
    started: u64,
    /// `None` while nobody has reacted.
    pub(crate) is_allowed: Option<bool>,
    /// How many held requests it has admitted.
    pub(crate) admitted: usize,
    /// When it first gave an approval.
    pub(crate) redeemed: Option<u64>,
}

/// Duo has allowed a user.
#[derive(Clone, Debug)]
pub(crate) struct Allowed {
    pub(crate) origin: Origin,
    /// The number of the prompt; `None` for a passcode and for bypass status.
    pub(crate) prompt: Option<usize>,
}

pub(crate) struct Duo {
    pub(crate) wills: BTreeMap<String, Will>,
    pub(crate) prompts: Vec<Prompt>,
    /// How often an enrollment was asked for.
    enrolled: usize,
}

/// Seconds that a prompt stays on a phone.
const RINGS_FOR: u64 = 60;
const RIGHT: &str = "123456";

impl Duo {
    pub(crate) const fn new() -> Self {
        Self { wills: BTreeMap::new(), prompts: Vec::new(), enrolled: 0 }
    }

    fn will(&self, user: &str) -> Will {
        self.wills.get(user).copied().unwrap_or(Will::Allow)
    }

    /// The answer to a call, and who is allowed by it. `origin` is `None` for the filter's checks.
    pub(crate) fn answer(
        &mut self,
        call: &Call,
        origin: Option<&Origin>,
        now: u64,
    ) -> (Answer, Option<Allowed>) {
        let (path, query) = call.target();
        let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        let user = body["username"].as_str().unwrap_or_default().to_owned();
        let mut allowed = None;
        let by = |prompt| origin.map(|origin| Allowed { origin: origin.clone(), prompt });
        let response = match path {
            "/auth/v2/ping" | "/auth/v2/check" => json!({"time": now}),
            "/auth/v2/preauth" => match self.will(&user) {
                Will::Bypass => {
                    allowed = by(None);
                    json!({"result": "allow", "status_msg": ""})
                }
                Will::Locked => json!({"result": "deny", "status_msg": ""}),
                Will::Enroll => json!({"result": "enroll", "status_msg": ""}),
                Will::Allow | Will::Deny | Will::Wait => {
                    json!({"result": "auth", "status_msg": "", "devices": [device(&user)]})
                }
            },
            "/auth/v2/auth" if body["factor"] == "passcode" => {
                let is_right = body["passcode"] == RIGHT && self.will(&user) != Will::Deny;
                allowed = by(None).filter(|_| is_right);
                let word = if is_right { "allow" } else { "deny" };
                json!({"result": word, "status": word, "status_msg": ""})
            }
            "/auth/v2/auth" => match origin {
                Some(origin) => {
                    let is_allowed = match self.will(&user) {
                        Will::Allow | Will::Bypass => Some(true),
                        Will::Deny | Will::Locked | Will::Enroll => Some(false),
                        Will::Wait => None,
                    };
                    let number = self.prompts.len();
                    let (origin, started) = (origin.clone(), now);
                    let prompt =
                        Prompt { origin, started, is_allowed, admitted: 0, redeemed: None };
                    self.prompts.push(prompt);
                    json!({"txid": format!("{number:08x}-f45f-4862-8545-e0f58e78075a")})
                }
                None => return (Answer::Says(400, String::new()), None),
            },
            "/auth/v2/auth_status" => {
                let number = number_in(query);
                match self.prompts.get(number) {
                    Some(prompt) if prompt.is_allowed == Some(true) => {
                        allowed =
                            Some(Allowed { origin: prompt.origin.clone(), prompt: Some(number) });
                        json!({"result": "allow", "status": "allow", "status_msg": ""})
                    }
                    Some(prompt)
                        if prompt.is_allowed.is_none() && now < prompt.started + RINGS_FOR =>
                    {
                        json!({"result": "waiting", "status": "pushed", "status_msg": ""})
                    }
                    Some(prompt) => {
                        let status = if prompt.is_allowed.is_none() { "timeout" } else { "deny" };
                        json!({"result": "deny", "status": status, "status_msg": ""})
                    }
                    None => return (Answer::Says(400, String::new()), None),
                }
            }
            "/auth/v2/enroll" => enrollment(&user, now),
            "/auth/v2/enroll_status" => {
                self.enrolled += 1;
                json!(if self.enrolled > 1 { "success" } else { "waiting" })
            }
            _ => return (Answer::Says(404, String::new()), None),
        };
        let body = json!({"stat": "OK", "response": response}).to_string();
        (Answer::Says(200, body), allowed)
    }
}

fn enrollment(user: &str, now: u64) -> Value {
    json!({
        "user_id": "DU3RP9I2WOC59VZX672N", "username": user, "expiration": now + 300,
        "activation_barcode": "https://api-x.duosecurity.com/frame/qr?value=duo%3A%2F%2FAbCdEf-SeCrEt",
        "activation_code": "duo://AbCdEf-SeCrEt",
        "activation_url": "https://m-x.duosecurity.com/activate/AbCdEf",
    })
}

/// The only device of a user.
fn device(user: &str) -> Value {
    json!({
        "device": format!("DP{:0>18}", user.to_uppercase()), "type": "phone", "name": "",
        "number": "XXX-XXX-0100", "display_name": "iOS (XXX-XXX-0100)",
        "capabilities": ["auto", "push", "sms", "phone", "mobile_otp"],
    })
}

/// The number of the prompt in a `txid`; one that no prompt has if there is none.
fn number_in(query: &str) -> usize {
    let id = query.split('&').find_map(|part| part.strip_prefix("txid="));
    let digits = id.and_then(|id| id.get(..8));
    digits.and_then(|it| usize::from_str_radix(it, 16).ok()).unwrap_or(usize::MAX)
}
