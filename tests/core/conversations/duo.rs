//! The model of Duo. It knows nothing of browsers: anyone who has the id of a transaction can look
//! at it.

use super::neighbor::Neighbor;
use super::people::{DAVE, Person, Sender, device_of};
use super::phone::{Phones, Whose, Word};
use crate::accounts::asked;
use crate::chance::Chance;
use crate::rig::{Scripted, allows, fail, ok, phone, preauth, says, status};
use duo_mfa::clock::UnixTime;
use duo_mfa::duo::{Endpoint, SignedCall};
use duo_mfa::gate::Unanswered;
use serde_json::{Value, json};
use std::sync::Arc;

/// The end of a transaction id. The start is the number of a reason.
pub(super) const TXID_END: &str = "-f45f-4862-8545-e0f58e78075a";

/// Why somebody may be admitted.
#[derive(Clone, Debug)]
pub(super) struct Reason {
    pub(super) asked: Asked,
    /// The user that Duo was asked about.
    pub(super) user: String,
    /// The factor's name, as the application gets it.
    pub(super) factor: &'static str,
    /// The integration key of the application that Duo was asked for.
    pub(super) key: String,
    /// The device, if Duo was asked to prompt a user or to check a passcode.
    pub(super) device: String,
    /// The prompt on a phone, if there was one.
    pub(super) prompt: Option<usize>,
    /// The earliest and the latest start that the approval may have for the application.
    pub(super) since: Option<(UnixTime, UnixTime)>,
    /// The sign-in was cancelled, or its user has signed out.
    pub(super) is_over: bool,
    /// When the sign-in's token was first exchanged for the approval.
    pub(super) redeemed: Option<UnixTime>,
    /// It has admitted a held request, or a request under `approval: per_request`.
    pub(super) is_used: bool,
}

/// A request for a second factor: its user, sender, listener and path.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) person: &'static Person,
    pub(super) sender: Sender,
    /// Listeners differ in their cookie key.
    pub(super) listener: usize,
    pub(super) path: &'static str,
    /// The values of the cookies and tokens in the request.
    pub(super) brought: Arc<[String]>,
    pub(super) at: UnixTime,
}

/// A response of Duo, and its meaning once the filter has it.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) answer: Scripted,
    pub(super) news: News,
}

/// The meaning of a response. The numbers are those of reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// Nothing that admits anybody.
    Nothing,
    /// A prompt is on the phone.
    Started(usize),
    /// A prompt has ended, or a passcode was wrong.
    Refused(usize),
    /// Duo allows it.
    Allowed(usize),
    /// A poll of a transaction gave no result.
    Unheard { reason: usize, is_timeout: bool },
    /// The call did not reach Duo.
    Unreached,
}

#[derive(Debug, Default)]
pub(super) struct Duo {
    pub(super) phones: Phones,
    pub(super) reasons: Vec<Reason>,
    /// No call gets through.
    pub(super) is_down: bool,
    /// The last check with a result did not reach Duo.
    pub(super) is_checked_down: bool,
}

impl Duo {
    /// Acts on a call.
    pub(super) fn act(
        &mut self,
        call: &SignedCall,
        asked: &Asked,
        now: UnixTime,
        (neighbor, chance): (&Neighbor, &mut Chance),
    ) -> Said {
        let nothing = |answer| Said { answer, news: News::Nothing };
        match call.endpoint {
            Endpoint::Ping => nothing(ok(&json!({"time": now.seconds()}))),
            Endpoint::Preauth => {
                let user = user_of(call);
                match chance.below(if user == DAVE { 4 } else { 40 }) {
                    0 if user == DAVE => {
                        let reason = self.reason(call, asked, "bypass");
                        Said { answer: preauth("allow"), news: News::Allowed(reason) }
                    }
                    0 => nothing(preauth(chance.of(&["deny", "enroll", "waiting"]))),
                    _ => nothing(phone(device_of(&user))),
                }
            }
            Endpoint::Auth => self.auth(call, asked, now, (neighbor, chance)),
            Endpoint::AuthStatus => self.status(call, now, chance),
            Endpoint::Check
            | Endpoint::Logo
            | Endpoint::Enroll
            | Endpoint::EnrollStatus
            | Endpoint::HealthCheck
            | Endpoint::Token => {
                panic!("nobody asks for {:?}", call.endpoint)
            }
        }
    }

    fn auth(
        &mut self,
        call: &SignedCall,
        asked: &Asked,
        now: UnixTime,
        (neighbor, chance): (&Neighbor, &mut Chance),
    ) -> Said {
        let body: Value = serde_json::from_slice(&call.body).unwrap();
        let user = body["username"].as_str().unwrap();
        let device = format!("{}/{}", call.authority, device_of(user));
        let whose = Whose { user, device: &device };
        if body["factor"] == "passcode" {
            assert_eq!(user, asked.person.user, "a passcode is of the user alone");
            self.phones.try_passcode(whose, now, neighbor.remembers());
            let reason = self.reason(call, asked, "passcode");
            self.reasons[reason].device = device;
            return if chance.one_in(3) {
                Said { answer: allows(), news: News::Allowed(reason) }
            } else {
                Said { answer: status("deny", "deny"), news: News::Refused(reason) }
            };
        }
        assert_eq!(body["device"], device_of(user), "Duo names the device of {user}");
        let factor = if body["factor"] == "phone" { "phone" } else { "push" };
        let counted = (neighbor.counts_prompts(), neighbor.remembers());
        let prompt = self.phones.ring(whose, now, counted);
        let reason = self.reason(call, asked, factor);
        self.reasons[reason].prompt = Some(prompt);
        let txid = format!("{reason:08}{TXID_END}");
        Said { answer: ok(&json!({"txid": txid})), news: News::Started(reason) }
    }

    fn reason(&mut self, call: &SignedCall, asked: &Asked, factor: &'static str) -> usize {
        self.reasons.push(Reason {
            asked: asked.clone(),
            user: user_of(call),
            factor,
            key: self::asked(call).1,
            device: String::new(),
            prompt: None,
            since: None,
            is_over: false,
            redeemed: None,
            is_used: false,
        });
        self.reasons.len() - 1
    }

    /// Records the reason of a user who is admitted since Duo is unreachable.
    pub(super) fn fail_safe(&mut self, call: &SignedCall, asked: &Asked) -> usize {
        self.reason(call, asked, "fail_safe")
    }

    fn status(&self, call: &SignedCall, now: UnixTime, chance: &mut Chance) -> Said {
        let reason = transaction(call);
        let Reason { key, prompt, .. } = &self.reasons[reason];
        if *key != asked(call).1 {
            let answer = fail(40_002, "Invalid request parameters", "txid");
            return Said { answer, news: News::Nothing };
        }
        let prompt = &self.phones.prompts[prompt.unwrap()];
        let (answer, news) = match prompt.answer {
            Some(Word::Allow) => (allows(), News::Allowed(reason)),
            Some(Word::Deny) => (status("deny", "deny"), News::Refused(reason)),
            Some(Word::Fraud) => (status("deny", "fraud"), News::Refused(reason)),
            None if prompt.is_ringing(now) => {
                let words = ["pushed", "push_failed", "answered"];
                (status("waiting", chance.of(&words)), News::Nothing)
            }
            None => (status("deny", "timeout"), News::Refused(reason)),
        };
        Said { answer, news }
    }
}

/// The number of the reason whose transaction this call polls.
pub(super) fn transaction(call: &SignedCall) -> usize {
    let (_, id) = call.path.split_once("txid=").unwrap();
    id[..8].parse().unwrap()
}

fn user_of(call: &SignedCall) -> String {
    let body: Value = serde_json::from_slice(&call.body).unwrap();
    body["username"].as_str().unwrap().to_owned()
}

/// A fault instead of an answer. `has_acted` is `true` if Duo has acted on the call.
pub(super) fn fault(
    call: &SignedCall,
    has_acted: bool,
    is_down: bool,
    chance: &mut Chance,
) -> Said {
    let outages = [
        Scripted::Fails(Unanswered::Cut),
        says(503, "upstream connect error"),
        says(504, "upstream request timeout"),
        fail(50_001, "Internal server error", ""),
        Scripted::Fails(Unanswered::NotSent),
    ];
    let others = [
        fail(40_105, "Bad request timestamp", ""),
        fail(42_901, "Too many requests", ""),
        fail(40_103, "Invalid signature", ""),
        says(200, "{"),
        Scripted::Fails(Unanswered::Overflow),
    ];
    let is_outage = is_down || has_acted || chance.one_in(2);
    let answer = match (is_outage, has_acted) {
        // Duo has acted, so the call was sent.
        (true, true) => chance.of(&outages[..4]),
        (true, false) => chance.of(&outages),
        (false, _) if call.endpoint == Endpoint::Ping => says(200, "{"),
        (false, _) => chance.of(&others),
    };
    let is_timeout = matches!(answer, Scripted::Says { status: 504, .. });
    let news = if call.endpoint == Endpoint::AuthStatus {
        News::Unheard { reason: transaction(call), is_timeout }
    } else if is_outage {
        News::Unreached
    } else {
        News::Nothing
    };
    Said { answer, news }
}

/// The call times out.
pub(super) fn timeout(call: &SignedCall) -> Said {
    let news = if call.endpoint == Endpoint::AuthStatus {
        News::Unheard { reason: transaction(call), is_timeout: true }
    } else {
        News::Unreached
    };
    Said { answer: says(504, "upstream request timeout"), news }
}
