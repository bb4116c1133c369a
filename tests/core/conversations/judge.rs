//! Checks that each admitted request and each approval has a reason.

use super::duo::{Asked, News, Reason, TXID_END};
use super::flows::Heard;
use super::people::{APPROVERS, PEOPLE, Sender, approvers, is_by_another, is_per_request};
use super::people::{is_safe, key_of, opened_by};
use super::world::World;
use crate::rig::{Outcome, Response, forwarded_header, is_deletion, pair, wrongly_admitted};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use duo_mfa::clock::UnixTime;
use duo_mfa::duo::{Endpoint, SignedCall};
use duo_mfa::gate::{Forward, NewCookie};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const SIGN_IN: Duration = Duration::from_secs(5 * 60);
const SESSION: Duration = Duration::from_secs(8 * 60 * 60);
/// Grace period in which a sign-in's token gives its approval again, since the first response may have been
/// lost.
const GRACE: Duration = Duration::from_secs(10);

impl World<'_> {
    /// Judges a request that has ended. `heard` is the last response before that; `None` without a call.
    pub(super) fn finish(&mut self, asked: &Asked, outcome: Outcome, heard: Option<&Heard>) {
        match outcome {
            Outcome::Forwarded(forward) => {
                self.tally.admitted += 1;
                let reason = match heard {
                    None => self.by_token(asked, &forward),
                    Some(heard) => self.by_word(asked, &forward, heard),
                };
                if let Some(line) = given(&forward) {
                    self.keep(asked, &line, Some(reason));
                }
            }
            Outcome::Replied(reply) => {
                self.tally.refused += 1;
                let refused = Response(reply);
                for line in refused.cookies() {
                    let reason = self.reason_of_cookie(asked, &line, heard);
                    self.keep(asked, &line, reason);
                }
            }
        }
    }

    /// A request is admitted by a cookie or token in it.
    fn by_token(&mut self, asked: &Asked, forward: &Forward) -> usize {
        let is_one = is_per_request(asked.path);
        let since = forwarded_header(forward, "x-duo-mfa-time").unwrap().parse().unwrap();
        let since = UnixTime::from_seconds(since);
        let factor = forwarded_header(forward, "x-duo-mfa-factor").unwrap();
        let is_it = |it: &Reason| {
            let is_then = it.since.is_some_and(|(from, until)| from <= since && since <= until);
            is_then && it.factor == factor
        };
        let brought = asked.brought.iter();
        let mut reasons = brought.filter_map(|token| self.approvals.get(token).copied());
        let knows_uses = self.neighbor.knows_uses();
        let reason = reasons.find(|it| {
            let reason = &self.duo.reasons[*it];
            let is_used = reason.is_used && knows_uses;
            is_it(reason)
                && is_by_right_person(reason, asked, forward)
                && opens(reason, asked, since, self.now)
                && !(is_one && is_used)
        });
        let reason = reason
            .unwrap_or_else(|| wrongly_admitted(&format!("{asked:?} by {factor} of {since:?}")));
        if is_one {
            self.duo.reasons[reason].is_used = true;
        }
        reason
    }

    /// A request is admitted by the response that Duo has just sent.
    fn by_word(&mut self, asked: &Asked, forward: &Forward, heard: &Heard) -> usize {
        let number = self.word(asked, heard);
        let knows_uses = self.neighbor.knows_uses();
        let reason = &mut self.duo.reasons[number];
        let factor = forwarded_header(forward, "x-duo-mfa-factor").unwrap();
        let is_its = reason.asked.sender == asked.sender
            && reason.asked.person.name == asked.person.name
            && reason.asked.path == asked.path
            && reason.key == key_of(asked.path)
            && reason.factor == factor
            && is_by_right_person(reason, asked, forward);
        if !is_its || (reason.is_used && knows_uses) {
            wrongly_admitted(&format!("{asked:?} by {factor}: {reason:?}"));
        }
        reason.is_used = true;
        reason.since = Some((self.now, self.now));
        reason.asked.listener = asked.listener;
        number
    }

    /// The reason in Duo's last response, or a new one for an outage.
    fn word(&mut self, asked: &Asked, heard: &Heard) -> usize {
        match (heard.news, &heard.call) {
            (News::Allowed(reason), _) => reason,
            (News::Unreached, Some(call)) if self.is_let_in_unasked(asked, &call.signed) => {
                self.duo.fail_safe(&call.signed, asked)
            }
            (news, _) => wrongly_admitted(&format!("{asked:?} after {news:?}")),
        }
    }

    fn is_let_in_unasked(&self, asked: &Asked, call: &SignedCall) -> bool {
        call.endpoint == Endpoint::Preauth && is_safe(asked.path) && self.duo.is_checked_down
    }

    /// The reason for a cookie of a response; `None` if the cookie is no approval.
    fn reason_of_cookie(
        &mut self,
        asked: &Asked,
        line: &str,
        heard: Option<&Heard>,
    ) -> Option<usize> {
        let is_approval =
            line.starts_with("__Host-duo_mfa") || line.starts_with("__Host-duo_operation");
        if !is_approval || is_deletion(line) {
            if let Some(reason) = reason_of_sign_in(value(line)) {
                self.pending.insert(value(line).to_owned(), reason);
            }
            return None;
        }
        let Some(heard) = heard else {
            wrongly_admitted(&format!("{asked:?} got {line} unasked"));
        };
        let number = self.word(asked, heard);
        let (now, knows_uses) = (self.now, self.neighbor.knows_uses());
        let reason = &mut self.duo.reasons[number];
        let is_late = |at: UnixTime| now >= at.plus(GRACE);
        let is_repeated = reason.prompt.is_some() && reason.redeemed.is_some_and(is_late);
        let is_begun = reason.prompt.is_none()
            || asked.brought.iter().any(|token| self.pending.get(token) == Some(&number));
        let is_for_one = line.starts_with("__Host-duo_operation");
        let is_its = reason.asked.person.name == asked.person.name
            && reason.asked.listener == asked.listener
            && is_for_one == is_per_request(reason.asked.path)
            && approvers(reason.asked.person, reason.asked.path).contains(&reason.user.as_str())
            && !(is_by_another(reason.asked.path) && reason.factor != "push")
            && is_begun
            && !(knows_uses && (is_repeated || reason.is_over));
        if !is_its {
            wrongly_admitted(&format!("{asked:?} got {line} of {reason:?}"));
        }
        reason.redeemed.get_or_insert(now);
        if reason.prompt.is_none() {
            reason.since = Some((now, now));
        }
        Some(number)
    }

    /// A client stores a cookie of a response.
    fn keep(&mut self, asked: &Asked, line: &str, reason: Option<usize>) {
        let name = line.split('=').next().unwrap().to_owned();
        let value = value(line).to_owned();
        if let Sender::Visitor(number) = asked.sender {
            let jar = &mut self.visitors[number].browser.jar;
            if is_deletion(line) {
                jar.remove(&name);
                return;
            }
            jar.insert(name.clone(), pair(line).to_owned());
        } else if is_deletion(line) {
            return;
        }
        if let Some(reason) = reason {
            self.approvals.insert(value.clone(), reason);
        }
        if self.kept.len() < 64 {
            self.kept.push((name, value));
        } else {
            let place = self.chance.below(self.kept.len());
            self.kept[place] = (name, value);
        }
    }
}

/// Whether the person who approved was the one to ask, and is named to the application.
fn is_by_right_person(reason: &Reason, asked: &Asked, forward: &Forward) -> bool {
    let named = forwarded_header(forward, "x-duo-mfa-approved-by");
    let is_right = approvers(asked.person, asked.path).contains(&reason.user.as_str());
    let is_named = match &named {
        Some(name) => {
            let person = PEOPLE.iter().find(|it| it.name == name && APPROVERS.contains(&it.name));
            is_by_another(asked.path)
                && reason.factor == "push"
                && person.is_some_and(|person| person.user == reason.user)
        }
        None => !is_by_another(asked.path),
    };
    is_right && is_named
}

/// Whether an approval with this reason admits this request.
fn opens(reason: &Reason, asked: &Asked, since: UnixTime, now: UnixTime) -> bool {
    let is_fail_safe = reason.factor == "fail_safe";
    let life = match (is_per_request(asked.path), is_fail_safe) {
        (true, _) => SIGN_IN + MINUTE,
        (false, true) => SIGN_IN,
        (false, false) => SESSION,
    };
    reason.asked.person.name == asked.person.name
        && reason.asked.listener == asked.listener
        && opened_by(reason.asked.path) == opened_by(asked.path)
        && now <= since.plus(life)
        && (asked.path != "/admin" || now.since(since) <= SIGN_IN)
        && (!is_fail_safe || is_safe(asked.path))
}

/// The value of a `Set-Cookie` line.
fn value(line: &str) -> &str {
    pair(line).split_once('=').unwrap().1
}

/// The number of a pending sign-in's reason, which is the start of Duo's transaction id.
fn reason_of_sign_in(value: &str) -> Option<usize> {
    let bytes = URL_SAFE_NO_PAD.decode(value).ok()?;
    let end = TXID_END.as_bytes();
    let place = bytes.windows(end.len()).position(|it| it == end)?;
    str::from_utf8(&bytes[place - 8..place]).unwrap().parse().ok()
}

/// The cookie of a response, which may be a deletion.
fn given(forward: &Forward) -> Option<String> {
    let (NewCookie::Approval(line)
    | NewCookie::UsedUp(line)
    | NewCookie::Renewal(line)
    | NewCookie::OverdueRenewal(line)) = forward.cookie.as_ref()?
    else {
        panic!("no address signs out here")
    };
    Some(String::from_utf8(line.as_bytes().to_vec()).unwrap())
}
