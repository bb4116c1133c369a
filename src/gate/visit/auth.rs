//! `POST auth`: a person has chosen how to confirm. The one visit that rings a phone.

use super::approve::Start;
use super::choices::name;
use super::{Visit, Wanted};
use crate::config::Factor as Offered;
use crate::duo::{AuthResult, AuthStatus, Device, DeviceChoice, Status, Verification};
use crate::gate::expect::Expect;
use crate::gate::failure::{NO_DEVICE, Refusal, WRONG_PASSCODE};
use crate::gate::flow::{self, send};
use crate::gate::limit::End;
use crate::gate::prompt::{
    Ending, Prompt, SentPasscode, Transaction, capability, is_method, takes_codes,
};
use crate::gate::refuse::{refuse, refuse_status, refuse_with, refuse_without_randomness};
use crate::gate::view::to_page;
use crate::gate::{Env, Step};
use crate::http::{Parameters, RequestHead};
use crate::page::Standing;
use crate::secret::Secret;
use crate::session::{BodyDigest, Bounded, Factor, Pending, PendingKind};
use crate::signal::Code;

/// A way to confirm that somebody has chosen.
#[derive(Debug)]
pub(super) enum Choice {
    /// A passcode, to be decided at once.
    Passcode(Secret<String>),
    /// Something that is sent to a device.
    Device { factor: Offered, device: DeviceChoice },
}

impl Visit {
    pub(super) fn auth(
        mut self,
        head: &RequestHead<'_>,
        parameters: Parameters<'_>,
        env: &Env<'_>,
    ) -> Step {
        if let Some(hex) = parameters.value("body_sha256") {
            if !env.gate.config().request_bodies {
                return refuse_with(&self, &bad("Bodies are not read here."), "", env);
            }
            if BodyDigest::parse(&hex).is_none() {
                return refuse_with(&self, &bad("body_sha256 is no SHA-256 in hex."), "", env);
            }
        }
        // The phone shows it, so it is no place for a message.
        if parameters.value("method").is_some_and(|method| !is_method(&method)) {
            return refuse_with(&self, &bad("The method is none that a request has."), "", env);
        }
        match self.chosen(head, parameters, env) {
            Ok(Choice::Passcode(_)) if self.has_no_try_left(env) => self.too_many_tries(env),
            Ok(choice) => {
                self.wanted = Wanted::Start(choice);
                send(self, Expect::Preauth, env)
            }
            Err(refusal) => refuse_with(&self, &refusal, "", env),
        }
    }

    fn chosen(
        &self,
        head: &RequestHead<'_>,
        parameters: Parameters<'_>,
        env: &Env<'_>,
    ) -> Result<Choice, Refusal> {
        let named = parameters.value("factor");
        let offered = env.gate.offered(&self.asker.terms);
        let is_accepted = |factor: &Offered| match factor {
            Offered::Passcode => takes_codes(offered),
            Offered::Push | Offered::Phone | Offered::Sms => offered.contains(factor),
        };
        let mut accepted = Offered::ALL.into_iter().filter(is_accepted);
        let factor = accepted.find(|factor| named.as_deref() == Some(factor.name()));
        let factor = factor.ok_or(bad("The request names no factor that is accepted here."))?;
        if factor == Offered::Passcode {
            return match SentPasscode::posted(head, parameters) {
                SentPasscode::One(passcode) => Ok(Choice::Passcode(passcode)),
                SentPasscode::Malformed => Err(WRONG_PASSCODE),
                SentPasscode::None => Err(bad("The passcode goes into x-duo-mfa-passcode.")),
                SentPasscode::Several => Err(bad("More than one passcode came.")),
            };
        }
        let device = parameters.value("device").map_or(Ok(DeviceChoice::Auto), |id| id.parse());
        let device = device.map_err(|_| bad("The request names no device by its id."))?;
        Ok(Choice::Device { factor, device })
    }

    /// Preauth has said what there is to choose from.
    pub(super) fn start(
        mut self,
        choice: Choice,
        devices: &[Device],
        verification: Option<Verification>,
        env: &Env<'_>,
    ) -> Step {
        let (factor, wanted) = match choice {
            Choice::Passcode(passcode) => return flow::try_passcode(self, passcode, devices, env),
            Choice::Device { factor, device } => (factor, device),
        };
        let device = match self.device(factor, &wanted, devices) {
            Ok(device) => device,
            Err(refusal) => return refuse_with(&self, &refusal, "", env),
        };
        let Some(owner) = env.random else {
            return refuse_without_randomness(&self, env);
        };
        let verification = verification.filter(|_| factor == Offered::Push);
        let config = env.gate.config();
        let push_timeout = env.gate.application(&self.asker.terms).duo.push_timeout;
        let txid = verification.as_ref().map(|verification| verification.txid.clone());
        let Some(prompt) = Prompt::to(device, factor, txid, &self.asker, &config.push) else {
            return refuse_with(&self, &NO_DEVICE, "", env);
        };
        let kind = match factor {
            Offered::Phone => PendingKind::Phone,
            Offered::Sms => PendingKind::Sms,
            Offered::Push | Offered::Passcode => PendingKind::Push,
        };
        let mut pending = Pending::new(kind, env.now, owner, self.view.return_to.clone());
        pending.device = Bounded::new(device.id.as_str()).ok();
        pending.device_label = Bounded::cut(name(device).as_str());
        pending.passcode_tries = self.tries();
        pending.operation = self.operation;
        if let Some(verification) = verification {
            match Bounded::new(verification.code.as_str()) {
                Ok(code) => pending.verification_code = Some(code),
                // A code that is not shown would be a policy that is not met.
                Err(fault) => {
                    return refuse(&self, Code::DuoUnavailable, CODE, &fault.to_string(), env);
                }
            }
        }
        self.asker.deadline = pending.created().plus(push_timeout);
        self.pending = Some(pending);
        flow::claim(self, prompt, owner, env)
    }

    /// The device that is meant: the one named, if it is the user's and can do it.
    fn device<'d>(
        &self,
        factor: Offered,
        wanted: &DeviceChoice,
        devices: &'d [Device],
    ) -> Result<&'d Device, Refusal> {
        let is_able =
            |device: &&Device| capability(factor).is_some_and(|capability| device.can(&capability));
        let mut able = devices.iter().filter(is_able);
        match wanted {
            DeviceChoice::Id(id) => able
                .find(|device| device.id == *id)
                .ok_or(bad("The device is none of the user's that can do this.")),
            DeviceChoice::Auto => able.next().ok_or(NO_DEVICE),
        }
    }

    /// Duo has sent the prompt.
    pub(in crate::gate) fn started(mut self, transaction: &Transaction, env: &Env<'_>) -> Step {
        if let Some(mut pending) = self.pending.take() {
            pending.txid = Bounded::new(transaction.txid.as_str()).ok();
            self.hand_out(pending, env);
        }
        let standing = self.waiting(transaction.factor, None, env);
        self.begun(&standing, "", env)
    }

    /// Duo has sent passcodes, or not.
    pub(in crate::gate) fn codes_sent(mut self, status: &AuthStatus, env: &Env<'_>) -> Step {
        let settlements = match status.result {
            AuthResult::Allow => self.asker.settlements(End::Allowed),
            AuthResult::Deny | AuthResult::Waiting => {
                self.asker.settlements(Ending::of(&status.status).settled())
            }
        };
        let mut step = match (status.result, &status.status) {
            (AuthResult::Allow, _) => self.approve(Factor::Sms, Start::here(env), status, env),
            (AuthResult::Deny, Status::Sent) => {
                if let Some(pending) = self.pending.take() {
                    self.hand_out(pending, env);
                }
                let standing = self.codes();
                self.begun(&standing, status.status.as_str(), env)
            }
            (AuthResult::Deny | AuthResult::Waiting, word) => refuse_status(&self, word, env),
        };
        step.settlements.extend(settlements);
        step
    }

    /// Duo has decided about a passcode.
    pub(in crate::gate) fn passcode_checked(mut self, status: &AuthStatus, env: &Env<'_>) -> Step {
        match (status.result, &status.status) {
            (AuthResult::Allow, _) => {
                let is_texted =
                    matches!(self.pending, Some(Pending { kind: PendingKind::Sms, .. }));
                let factor = if is_texted { Factor::Sms } else { Factor::Passcode };
                // A passcode is no word on the push that may still be on the phone. That push gives
                // no approval any more.
                let mut settlements: Vec<_> = self.asker.passcode_settled(End::Allowed).collect();
                settlements.extend(self.over(env));
                let mut step = self.approve(factor, Start::here(env), status, env);
                step.settlements.extend(settlements);
                step
            }
            (AuthResult::Deny, Status::Deny) => {
                self.count_try(env);
                refuse_with(&self, &WRONG_PASSCODE, "", env)
            }
            (AuthResult::Deny | AuthResult::Waiting, word) => refuse_status(&self, word, env),
        }
    }

    /// A passcode was not right: the sign-in takes one less.
    pub(in crate::gate) fn count_try(&mut self, env: &Env<'_>) {
        let begun = self.pending.take().or_else(|| {
            let return_to = self.view.return_to.clone();
            Some(Pending::new(PendingKind::Passcode, env.now, env.random?, return_to))
        });
        if let Some(mut pending) = begun {
            pending.passcode_tries = pending.passcode_tries.saturating_add(1);
            self.hand_out(pending, env);
        }
    }

    fn tries(&self) -> u8 {
        self.pending.as_ref().map_or(0, |pending| pending.passcode_tries)
    }

    fn has_no_try_left(&self, env: &Env<'_>) -> bool {
        usize::from(self.tries()) >= env.gate.config().limits.passcode_tries
    }

    fn too_many_tries(self, env: &Env<'_>) -> Step {
        let left = self.pending.as_ref().map(|pending| pending.expires().since(env.now));
        let detail = "Too many passcodes were not right.";
        let refusal = Refusal { code: Code::TooManyRequests, detail, retry_after: left };
        refuse_with(&self, &refusal, "passcode tries", env)
    }

    /// Something is on its way to the device: a form goes on to where it can be followed.
    fn begun(self, standing: &Standing, word: &str, env: &Env<'_>) -> Step {
        let reply = if self.view.is_page {
            to_page(env.gate.config(), &self.view.return_to)
        } else {
            self.state(standing, word, 202)
        };
        Step::reply(self.with_cookies(reply), Vec::new())
    }
}

const CODE: &str = "Duo asks for a code that cannot be shown. Try again shortly.";

pub(super) const fn bad(detail: &'static str) -> Refusal {
    Refusal { code: Code::BadRequest, detail, retry_after: None }
}
