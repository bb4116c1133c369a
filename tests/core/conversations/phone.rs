//! Prompts and passcodes at Duo, and the filter's promises about them.

use super::neighbor::Counted;
use duo_mfa::clock::UnixTime;
use std::time::Duration;

/// How long a prompt stays on a phone.
pub(super) const RINGS_FOR: Duration = Duration::from_secs(60);
/// The longest delay before Duo acts on a call. The filter's timeout is the same.
const SLOWNESS: Duration = Duration::from_secs(10);
const PROMPTS: Most = Most { number: 3, window: Duration::from_secs(10 * 60) };
const PASSCODES: Most = Most { number: 5, window: Duration::from_secs(5 * 60) };
const COOL_DOWN: Duration = Duration::from_secs(60);

/// A user's answer to a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Allow,
    Deny,
    Fraud,
}

/// A prompt on a phone.
#[derive(Clone, Debug)]
pub(super) struct Prompt {
    pub(super) user: String,
    /// Ids of devices are those of one account.
    pub(super) device: String,
    pub(super) rang: UnixTime,
    pub(super) answer: Option<Word>,
    /// When the filter first learned the result.
    pub(super) heard: Option<UnixTime>,
    /// The filter cannot find out the result.
    pub(super) is_lost: bool,
}

impl Prompt {
    pub(super) fn is_ringing(&self, now: UnixTime) -> bool {
        self.answer.is_none() && now < self.rang.plus(RINGS_FOR)
    }

    fn whose(&self) -> Whose<'_> {
        Whose { user: &self.user, device: &self.device }
    }

    const fn is_denied(&self) -> bool {
        matches!(self.answer, Some(Word::Deny | Word::Fraud))
    }
}

/// The owner of a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    User,
    Device,
    /// A user on one device.
    Pair,
}

impl Of {
    const ALL: [Self; 3] = [Self::User, Self::Device, Self::Pair];

    /// Whether a promise holds for these counts.
    fn is_promised(self, counted: Counted) -> bool {
        match counted {
            Counted::All => true,
            Counted::Pairs => self == Self::Pair,
            Counted::None => false,
        }
    }

    fn is_same(self, one: Whose<'_>, other: Whose<'_>) -> bool {
        match self {
            Self::User => one.user == other.user,
            Self::Device => one.device == other.device,
            Self::Pair => one == other,
        }
    }
}

/// A Duo user, and a device of one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Whose<'a> {
    pub(super) user: &'a str,
    pub(super) device: &'a str,
}

/// Counts of one kind since the last approval.
#[derive(Debug, Default)]
struct Record(Vec<(Of, String, UnixTime)>);

impl Record {
    /// Counts one more. Asserts that there were fewer than `most` in the period before, if that is promised.
    fn count(&mut self, whose: Whose<'_>, now: UnixTime, most: Most, counted: Counted) {
        for of in Of::ALL {
            let key = key(of, whose);
            let window = most.window.saturating_sub(SLOWNESS);
            self.0
                .retain(|(its, owner, at)| *its != of || *owner != key || now.since(*at) < window);
            let before =
                self.0.iter().filter(|(its, owner, _)| *its == of && *owner == key).count();
            let is_promised = of.is_promised(counted);
            assert!(before < most.number || !is_promised, "one too many for {whose:?}: {most:?}");
            self.0.push((of, key, now));
        }
    }

    fn forget(&mut self, of: Of, whose: Whose<'_>) {
        let key = key(of, whose);
        self.0.retain(|(its, owner, _)| *its != of || *owner != key);
    }
}

#[derive(Clone, Copy, Debug)]
struct Most {
    number: usize,
    window: Duration,
}

fn key(of: Of, whose: Whose<'_>) -> String {
    let Whose { user, device } = whose;
    match of {
        Of::User => user.to_owned(),
        Of::Device => device.to_owned(),
        Of::Pair => format!("{user} {device}"),
    }
}

/// Duo's prompts and passcodes of all users.
#[derive(Debug, Default)]
pub(super) struct Phones {
    pub(super) prompts: Vec<Prompt>,
    prompted: Record,
    tried: Record,
}

impl Phones {
    /// A phone rings. Asserts that it did not ring already, that no denial is recent or unread by the filter,
    /// and that at most three prompts in ten minutes ended without an approval.
    pub(super) fn ring(
        &mut self,
        whose: Whose<'_>,
        now: UnixTime,
        (ringing, remembered): (Counted, Counted),
    ) -> usize {
        for of in Of::ALL {
            let its = || self.prompts.iter().filter(|it| of.is_same(it.whose(), whose));
            if of.is_promised(ringing) {
                let other = its().find(|it| it.is_ringing(now));
                assert!(other.is_none(), "{whose:?} rings already: {other:?}");
            }
            if of.is_promised(remembered) {
                let unheard = its().find(|it| it.is_denied() && it.heard.is_none() && !it.is_lost);
                assert!(unheard.is_none(), "{whose:?} rings after a denial unheard: {unheard:?}");
                let last = its().next_back().filter(|it| it.is_denied() && !it.is_lost);
                let heard = last.and_then(|last| last.heard);
                let is_cool = heard.is_none_or(|heard| now >= heard.plus(COOL_DOWN));
                assert!(is_cool, "{whose:?} rings soon after a denial: {last:?}");
            }
        }
        self.prompted.count(whose, now, PROMPTS, remembered);
        let (user, device) = (whose.user.to_owned(), whose.device.to_owned());
        let (answer, heard, is_lost) = (None, None, false);
        self.prompts.push(Prompt { user, device, rang: now, answer, heard, is_lost });
        self.prompts.len() - 1
    }

    /// A passcode is tried. Asserts that at most five in five minutes were wrong.
    pub(super) fn try_passcode(&mut self, whose: Whose<'_>, now: UnixTime, remembered: Counted) {
        self.tried.count(whose, now, PASSCODES, remembered);
    }

    /// The filter has learned that a passcode was right.
    pub(super) fn passcode_was_right(&mut self, whose: Whose<'_>) {
        Of::ALL.iter().for_each(|of| self.tried.forget(*of, whose));
    }

    /// The filter has learned the result of a prompt.
    pub(super) fn hear(&mut self, number: usize, now: UnixTime) {
        let prompt = &self.prompts[number];
        if prompt.answer == Some(Word::Allow) {
            for of in Of::ALL {
                let is_its = |it: &Prompt| of.is_same(it.whose(), prompt.whose());
                if self.prompts.iter().rposition(is_its) == Some(number) {
                    self.prompted.forget(of, prompt.whose());
                }
            }
        }
        self.prompts[number].heard.get_or_insert(now);
    }

    /// The filter polled a prompt and did not get the result.
    pub(super) fn hear_nothing(&mut self, number: usize, is_timeout: bool, now: UnixTime) {
        // Without a result the prompt counts as unanswered after its permit and its cool-down have ended.
        let patience = if is_timeout { 60 + 5 + 300 - 10 } else { 60 + 5 + 15 - 10 };
        let prompt = &mut self.prompts[number];
        prompt.is_lost |= now >= prompt.rang.plus(Duration::from_secs(patience));
    }
}
