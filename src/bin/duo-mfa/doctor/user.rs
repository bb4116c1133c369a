//! Asks Duo about a user, and sends that user a push.

use super::account::{Account, of_signed};
use super::exchange::Received;
use super::report::Report;
use super::verdict::{Code, Finding};
use crate::now;
use crate::output::complain;
use duo_mfa::clock::ClockOffset;
use duo_mfa::config::Config;
use duo_mfa::duo::{
    Auth, AuthFactor, AuthResult, AuthStatus, Capability, Credentials, Device, DeviceChoice,
    DeviceKind, DuoError, Preauth, PreauthResponse, PushInfo, Request, Status, Txid, Verification,
};
use duo_mfa::factor::Factor;
use std::time::Instant;

/// The steps on a user.
pub(super) struct Visit<'a> {
    pub(super) account: &'a Account<'a>,
    pub(super) credentials: &'a Credentials,
    pub(super) config: &'a Config,
    pub(super) offset: ClockOffset,
}

/// Duo's response to preauth for a user who can choose a factor.
struct Choice {
    devices: Vec<Device>,
    verification: Option<Verification>,
}

impl Visit<'_> {
    pub(super) fn examine(&self, user: &str, is_push_wanted: bool, report: &mut Report) {
        let username = report.step("user name", || {
            let identity = self.config.identity.identify(user.as_bytes()).map_err(|error| {
                let fix = "check identity.normalize: it must accept what the first factor sends";
                Finding::new(Code::UserNameInvalid, format!("{user:?}: {error}"), fix)
            })?;
            let username = identity.username().to_owned();
            let text = format!("{user} is {username} at Duo");
            Ok((username, text))
        });
        let Some(username) = username else { return };
        let choice = report.step("preauth", || self.preauth(&username));
        let Some(choice) = choice else { return };
        let Some(choice) = choice else {
            report.warn("preauth", bypasses(&username));
            if is_push_wanted {
                report.skip("push", "Duo lets this user pass without one");
            }
            return;
        };
        if !is_push_wanted {
            return;
        }
        if self.account.duo.factors().contains(&Factor::Push) {
            report.step("push", || self.push(&username, &choice).map(|text| ((), text)));
        } else {
            report.skip("push", "duo.factors does not name push");
        }
    }

    /// Makes a call that is signed for the present time of Duo's clock.
    fn call(&self, request: &Request) -> Result<Received, Finding> {
        self.account.call(self.credentials, request, now().shifted(self.offset))
    }

    /// `None` if Duo lets the user pass.
    fn preauth(&self, username: &str) -> Result<(Option<Choice>, String), Finding> {
        let request = Request::Preauth(Preauth {
            username: username.to_owned(),
            ipaddr: None,
            trusted_device_token: None,
        });
        let received = self.call(&request)?;
        let reply = received.response().preauth().map_err(|error| of_user(&error, username))?;
        self.account.in_time(&received)?;
        match reply {
            PreauthResponse::Auth { devices, verification } => {
                let able = self.able(&devices);
                let shown: Vec<_> = devices.iter().map(|it| it.display_name.as_str()).collect();
                if able.is_empty() {
                    return Err(no_factor(username, &self.factor_names()));
                }
                let able: Vec<_> = able.iter().map(|factor| factor.name()).collect();
                let text = format!(
                    "{username} has {} devices ({}) for {}",
                    devices.len(),
                    shown.join(", "),
                    able.join(", ")
                );
                Ok((Some(Choice { devices, verification }), text))
            }
            PreauthResponse::Allow { message } => Ok((None, format!("Duo says: {message}"))),
            PreauthResponse::Deny { message } => Err(Finding::new(
                Code::UserDenied,
                format!("Duo refuses {username}: {message}"),
                "look at the user's status and the application's policy in Duo's admin panel",
            )),
            PreauthResponse::Enroll { .. } => Err(Finding::new(
                Code::UserNotEnrolled,
                format!("Duo knows no user {username} with a device, and requires enrollment"),
                "enroll the user at Duo, or add this name as an alias; if Duo knows them by \
                 another name, set identity.username or identity.map",
            )),
        }
    }

    /// The configured factors that a device of the user supports.
    fn able(&self, devices: &[Device]) -> Vec<Factor> {
        let can = |capability| devices.iter().any(|device| device.can(capability));
        let is_able = |factor: &&Factor| match factor {
            Factor::Push => can(&Capability::Push),
            Factor::Phone => can(&Capability::Phone),
            Factor::Sms => can(&Capability::Sms),
            Factor::Passcode => {
                can(&Capability::MobileOtp)
                    || can(&Capability::Sms)
                    || devices.iter().any(|device| device.kind == DeviceKind::Token)
            }
        };
        self.account.duo.factors().iter().filter(is_able).copied().collect()
    }

    fn factor_names(&self) -> String {
        let names: Vec<_> = self.account.duo.factors().iter().map(|factor| factor.name()).collect();
        names.join(", ")
    }

    /// Sends a push, and waits for the answer.
    fn push(&self, username: &str, choice: &Choice) -> Result<String, Finding> {
        if !choice.devices.iter().any(|device| device.can(&Capability::Push)) {
            return Err(Finding::new(
                Code::PushImpossible,
                format!("no device of {username} can receive a push"),
                "activate Duo Mobile on a phone of the user (Duo's admin panel, the user's phone)",
            ));
        }
        let verification = choice.verification.as_ref();
        let request = Request::Auth(Auth {
            username: username.to_owned(),
            factor: AuthFactor::Push {
                device: DeviceChoice::Auto,
                txid: verification.map(|it| it.txid.clone()),
                title: self.config.push.title.clone(),
                info: PushInfo::new([("from", "duo-mfa doctor")]),
            },
            ipaddr: None,
        });
        let received = self.call(&request)?;
        let txid = received.response().auth_started().map_err(|error| of_user(&error, username))?;
        let seconds = self.account.duo.push_timeout.as_secs();
        let code = verification.map(|it| format!(", with the code {}", it.code));
        let code = code.unwrap_or_default();
        complain!("push sent to {username}: approve it on the phone{code}, within {seconds} s");
        self.wait(&txid, username)
    }

    fn wait(&self, txid: &Txid, username: &str) -> Result<String, Finding> {
        let begun = Instant::now();
        let mut last = None;
        while begun.elapsed() < self.account.duo.push_timeout {
            let request = Request::AuthStatus { txid: txid.clone() };
            let received = match self.call(&request) {
                // Duo responds late on purpose.
                Err(Finding { code: Code::ResponseTimeout, .. }) => continue,
                received => received?,
            };
            let status =
                received.response().auth_status().map_err(|error| of_user(&error, username))?;
            match status.result {
                AuthResult::Allow => {
                    let seconds = begun.elapsed().as_secs();
                    return Ok(format!("approved after {seconds} s"));
                }
                AuthResult::Deny => return Err(denied(&status, username)),
                AuthResult::Waiting => {
                    let text = format!("{}: {}", status.status.as_str(), status.message);
                    if last.as_ref() != Some(&text) {
                        complain!("{} s: {text}", begun.elapsed().as_secs());
                        last = Some(text);
                    }
                    std::thread::sleep(PACE);
                }
            }
        }
        Err(unanswered(username))
    }
}

/// The time between two polls.
const PACE: std::time::Duration = std::time::Duration::from_millis(200);

fn denied(status: &AuthStatus, username: &str) -> Finding {
    let words = &status.message;
    match &status.status {
        Status::Timeout => unanswered(username),
        Status::Fraud => Finding::new(
            Code::PushReported,
            format!("{username} reported the push as fraud: {words}"),
            "tell the user that this was a test; an administrator clears the report at Duo",
        ),
        _ => Finding::new(
            Code::PushDenied,
            format!("the push to {username} was denied: {words}"),
            "approve the next one; if nobody pressed Deny, look in Duo's authentication log",
        ),
    }
}

fn unanswered(username: &str) -> Finding {
    Finding::new(
        Code::PushUnanswered,
        format!("nobody answered the push to {username}"),
        "open Duo Mobile and pull down: if the push is there, the phone blocks notifications; if \
         not, reactivate Duo Mobile",
    )
}

fn bypasses(username: &str) -> Finding {
    Finding::new(
        Code::UserBypasses,
        format!("Duo lets {username} pass without a second factor"),
        "if that is not meant, look at the user's status (Bypass) and the application's policy \
         in Duo's admin panel",
    )
}

fn no_factor(username: &str, factors: &str) -> Finding {
    Finding::new(
        Code::NoUsableFactor,
        format!("no device of {username} can do one of duo.factors ({factors})"),
        "activate Duo Mobile for the user, add a device at Duo, or name another factor",
    )
}

/// A refusal of a call about a user.
fn of_user(error: &DuoError, username: &str) -> Finding {
    match error {
        DuoError::InvalidParameter { name, .. } if name.as_str() == "username" => Finding::new(
            Code::UserNameRefused,
            format!("Duo does not accept the user name {username}: {error}"),
            "map it by identity.username or identity.map to a name that Duo knows",
        ),
        other => of_signed(other),
    }
}
