//! The words for each state, for both the HTML page and the JSON that the script reads.

use super::screen::{Awaited, Enrollment, Screen, Standing, Waiting};
use super::text::{Language, Words, fill};

/// A heading, and the message under it with its values filled in.
pub(super) struct Said {
    pub(super) heading: &'static str,
    pub(super) message: String,
}

impl Said {
    pub(super) fn plainly(words: Words) -> Self {
        Self { heading: words.heading, message: words.message.to_owned() }
    }

    fn of_device(words: Words, device: &str) -> Self {
        Self { heading: words.heading, message: fill(words.message, &[("device", device)]) }
    }
}

/// The words of a page.
pub(super) fn of_screen(screen: &Screen, language: Language) -> Said {
    let texts = language.texts();
    match screen {
        Screen::Choose(choices) if choices.are_people() => Said::plainly(texts.approver),
        Screen::Start | Screen::Choose(_) => Said::plainly(texts.confirm),
        // The script finds out the next step, and shows it.
        Screen::Resend(_) => Said { heading: texts.one_moment, message: String::new() },
        Screen::SignIn(standing) => of_standing(standing, language),
        Screen::WrongPasscode => Said { heading: texts.enter_code.heading, message: String::new() },
        Screen::Enroll(enrollment) => of_enrollment(enrollment, language),
        Screen::Activate(_) => Said { heading: texts.enroll.heading, message: String::new() },
        Screen::DuoDenied { message } => of_duo(message.as_str(), language),
        Screen::FactorRefused { message } => {
            Said { heading: texts.factor_refused.heading, message: message.to_string() }
        }
        Screen::Refused { code, wait, accepts_passcode } => Said {
            heading: language.heading(*code),
            message: language.detail(*code, *wait, *accepts_passcode),
        },
        Screen::Arrived => {
            Said { heading: texts.approved.heading, message: texts.one_moment.to_owned() }
        }
        Screen::SignOut { .. } => {
            let message = texts.signed_out.message.to_owned();
            Said { heading: texts.sign_out_asked, message }
        }
        Screen::SignedOut { .. } => Said::plainly(texts.signed_out),
    }
}

/// The words for the state of a sign-in.
pub(super) fn of_standing(standing: &Standing, language: Language) -> Said {
    let texts = language.texts();
    match standing {
        Standing::Waiting(waiting) => of_waiting(waiting, language),
        Standing::CodesSent { device } => {
            let device = device.as_ref().map_or(texts.your_phone, |(_, name)| name.as_str());
            Said::of_device(texts.enter_code, device)
        }
        Standing::Approved => {
            // The message of this text is only for users whose form was not sent.
            let heading = texts.approved.heading;
            Said { heading, message: heading.to_owned() }
        }
        Standing::Denied => Said::plainly(texts.denied),
        Standing::TimedOut => Said::plainly(texts.timeout),
        Standing::Fraud => Said::plainly(texts.fraud),
        Standing::LockedOut => Said::plainly(texts.account_locked),
    }
}

fn of_waiting(waiting: &Waiting, language: Language) -> Said {
    let texts = language.texts();
    let device = waiting.device.as_ref().map_or(texts.your_phone, |name| name.as_str());
    match &waiting.awaited {
        Awaited::Push => Said::of_device(texts.check_phone, device),
        Awaited::Approver => {
            Said { heading: texts.approval_awaited, ..Said::of_device(texts.check_phone, device) }
        }
        Awaited::VerifiedPush { .. } => Said::of_device(texts.verified_push, device),
        Awaited::Call => Said::of_device(texts.answer_phone, device),
        Awaited::Key => {
            Said { heading: texts.answer_phone.heading, message: texts.answered.to_owned() }
        }
        Awaited::UndeliveredPush => Said::plainly(texts.phone_unreachable),
        Awaited::Other { message } => {
            Said { heading: texts.check_phone.heading, message: message.to_string() }
        }
    }
}

/// How to get a device, in words.
pub(super) fn of_enrollment(enrollment: &Enrollment, language: Language) -> Said {
    let texts = language.texts();
    match enrollment {
        Enrollment::Off => Said::plainly(texts.enroll),
        Enrollment::Portal(_) | Enrollment::Inline => {
            Said { heading: texts.enroll.heading, message: texts.enroll_portal.to_owned() }
        }
    }
}

/// Duo's refusal: Duo's reason, if it gives one.
pub(super) fn of_duo(message: &str, language: Language) -> Said {
    let words = language.texts().duo_denied;
    let message = if message.is_empty() { words.message } else { message };
    Said { heading: words.heading, message: message.to_owned() }
}
