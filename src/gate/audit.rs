//! The audit line: one JSON object for each decision that is not a plain pass.

use super::Env;
use super::asker::Asker;
use super::limit::Prompted;
use super::{Judgement, Outcome};
use crate::clock::UnixTime;
use crate::http::RequestHead;
use crate::json::ObjectText;
use crate::page::{Plain, Reference};
use crate::session::Factor;
use crate::signal::{Code, Level, Signal};
use std::net::IpAddr;

/// The longest text of a client's or of Duo's that is written, in characters.
const MAX_TEXT: usize = 256;

/// The longest query that a phone shows whole, in characters.
const MAX_QUERY: usize = 512;

/// An audit line, and what it says in short.
#[derive(Debug)]
pub(super) struct Audited {
    pub(super) line: Signal,
    pub(super) judgement: Judgement,
}

struct Line<'a> {
    event: &'static str,
    outcome: Outcome,
    rule: Option<usize>,
    application: Option<&'a str>,
    code: Option<&'static str>,
    user: Option<&'a str>,
    factor: Option<Factor>,
    client: Option<IpAddr>,
    asked: Option<&'a Asked>,
    reference: String,
    reason: Option<&'a str>,
}

/// What an audit line says of the request itself, fit to be written: no query, no control byte,
/// bounded length.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) host: String,
    pub(super) path: String,
    /// For the phone alone, where this very request is approved: it may hold secrets.
    pub(super) query: Option<String>,
}

impl Asked {
    pub(super) fn of(head: &RequestHead<'_>) -> Self {
        Self {
            method: readable(head.method),
            host: readable(head.authority),
            path: shortened(head.path(), MAX_TEXT),
            query: None,
        }
    }

    /// Of a request that is approved by itself: whoever approves it sees its query.
    pub(super) fn of_operation(head: &RequestHead<'_>) -> Self {
        let query = head.target.get(head.path().len()..).and_then(|rest| rest.split_first());
        let query = query.map(|(_, query)| shortened(query, MAX_QUERY));
        Self { query: query.filter(|query| !query.is_empty()), ..Self::of(head) }
    }
}

/// What an audit line and its answer have in common.
pub(super) fn reference(head: &RequestHead<'_>) -> Reference {
    Reference::of_request_id(head.value("x-request-id"))
}

/// A request refused before anybody was asked.
pub(super) fn refused_at_once(
    head: &RequestHead<'_>,
    code: Code,
    rule: Option<usize>,
    reference: &Reference,
) -> Audited {
    of_nobody(head, Outcome::Refused, (code, rule), reference)
}

/// A request that would have been refused, had the mode been to enforce the rules.
pub(super) fn unrefused(
    head: &RequestHead<'_>,
    code: Code,
    rule: Option<usize>,
    reference: &Reference,
) -> Audited {
    of_nobody(head, Outcome::WouldRefuse, (code, rule), reference)
}

fn of_nobody(
    head: &RequestHead<'_>,
    outcome: Outcome,
    (code, rule): (Code, Option<usize>),
    reference: &Reference,
) -> Audited {
    let asked = Asked::of(head);
    write(
        Level::Info,
        &Line {
            event: "duo_mfa",
            outcome,
            rule,
            application: None,
            code: Some(code.name()),
            user: None,
            factor: None,
            client: None,
            asked: Some(&asked),
            reference: reference.to_string(),
            reason: None,
        },
    )
}

/// Somebody admitted. Whom Duo could not be asked about, an operator should know of.
pub(super) fn admitted(asker: &Asker, factor: Factor, env: &Env<'_>) -> Audited {
    let level = if factor == Factor::FailSafe { Level::Warn } else { Level::Info };
    let since = asker.unreached_since;
    let reason = since.map(|since| format!("Duo has been unreachable since {}", since.rfc2822()));
    let line = Line { factor: Some(factor), ..of(asker, Outcome::Admitted, env) };
    write(level, &Line { reason: reason.as_deref(), ..line })
}

/// A program passed by the second factor that its user passed before, `since` then.
pub(super) fn passed_per_client(
    asker: &Asker,
    factor: Factor,
    since: UnixTime,
    env: &Env<'_>,
) -> Audited {
    let reason = format!("approved for this client since {}", since.rfc2822());
    let line = Line { factor: Some(factor), ..of(asker, Outcome::PassedPerClient, env) };
    write(Level::Info, &Line { reason: Some(&reason), ..line })
}

/// Somebody refused. What an operator has to act on is written as an error.
pub(super) fn refused(asker: &Asker, code: Code, reason: &str, env: &Env<'_>) -> Audited {
    let is_alarming = matches!(code, Code::DuoMisconfigured | Code::MfaFraud);
    let level = if is_alarming { Level::Error } else { Level::Info };
    let end = reason.char_indices().nth(MAX_TEXT).map(|(at, _)| at);
    let reason = end.and_then(|end| reason.get(..end)).unwrap_or(reason);
    let reason = Some(reason).filter(|reason| !reason.is_empty());
    write(level, &Line { code: Some(code.name()), reason, ..of(asker, Outcome::Refused, env) })
}

/// The end of a prompt that nobody waited for, heard when the next one was wanted. What its request
/// was is not known any more; the reference is that of the request that wanted the next one.
pub(super) fn heard_late(
    prompted: &Prompted,
    application: Option<&str>,
    code: Code,
    word: &str,
    reference: &Reference,
) -> Signal {
    let level = if code == Code::MfaFraud { Level::Error } else { Level::Info };
    let reason = format!("{word}: heard when the next prompt was wanted");
    let line = Line {
        event: "duo_mfa",
        outcome: Outcome::Refused,
        rule: None,
        application,
        code: Some(code.name()),
        user: Some(prompted.user()),
        factor: Some(prompted.factor()),
        client: None,
        asked: None,
        reference: reference.to_string(),
        reason: Some(&reason),
    };
    write(level, &line).line
}

fn of<'a>(asker: &'a Asker, outcome: Outcome, env: &Env<'a>) -> Line<'a> {
    Line {
        event: "duo_mfa",
        outcome,
        rule: asker.rule,
        application: env.gate.application(&asker.terms).name.as_deref(),
        code: None,
        user: Some(&asker.identity.user),
        factor: None,
        client: asker.address,
        asked: Some(&asker.asked),
        reference: asker.reference.to_string(),
        reason: None,
    }
}

fn write(level: Level, line: &Line<'_>) -> Audited {
    let client = line.client.map(|client| client.to_string());
    let text = ObjectText::new()
        .text("event", line.event)
        .text("result", line.outcome.name())
        .some_number("rule", line.rule.and_then(|rule| rule.try_into().ok()))
        .some_text("application", line.application)
        .some_text("code", line.code)
        .some_text("user", line.user)
        .some_text("factor", line.factor.map(Factor::name))
        .some_text("client", client.as_deref())
        .some_text("method", line.asked.map(|asked| asked.method.as_str()))
        .some_text("host", line.asked.map(|asked| asked.host.as_str()))
        .some_text("path", line.asked.map(|asked| asked.path.as_str()))
        .text("reference", &line.reference)
        .some_text("reason", line.reason);
    Audited {
        line: Signal::Log(level, text.finish()),
        judgement: Judgement { outcome: line.outcome, factor: line.factor, rule: line.rule },
    }
}

/// A text of a client's without its middle, where it is too long: how much is missing is said
/// there, and its end is kept, so that nobody can hide it behind a long beginning.
fn shortened(bytes: &[u8], most: usize) -> String {
    let text: String = String::from_utf8_lossy(bytes).chars().map(fit).collect();
    let length = text.chars().count();
    if length <= most {
        return text;
    }
    let end = most / 4;
    let start = most.saturating_sub(end);
    let (kept, tail): (String, String) = (
        text.chars().take(start).collect(),
        text.chars().skip(length.saturating_sub(end)).collect(),
    );
    format!("{kept}[{} more]{tail}", length.saturating_sub(most))
}

/// Bytes of a client's as text: what is no text, and what is no character to read or turns the
/// direction of others, as `\u{fffd}`.
fn readable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().take(MAX_TEXT).map(fit).collect()
}

fn fit(c: char) -> char {
    if Plain::shows(c) { c } else { char::REPLACEMENT_CHARACTER }
}

#[cfg(test)]
mod tests {
    use super::{readable, shortened};

    #[test]
    fn long_text_keeps_its_end_and_says_what_is_missing() {
        assert_eq!(shortened(b"/a?b", 4), "/a?b");
        assert_eq!(shortened(b"abcdefghij", 8), "abcdef[2 more]ij");
        assert_eq!(shortened("\u{202e}é".as_bytes(), 8), "\u{fffd}é");
    }

    #[test]
    fn text_of_a_client_stays_on_one_line() {
        assert_eq!(readable(b"/a\r\nb\x1b[2J\xff"), "/a\u{fffd}\u{fffd}b\u{fffd}[2J\u{fffd}");
        assert_eq!(readable(&[b'a'; 1000]).len(), super::MAX_TEXT);
    }

    #[test]
    fn text_of_a_client_is_read_in_the_order_that_it_was_sent_in() {
        assert_eq!(readable("/\u{202e}nimda/\u{2028}".as_bytes()), "/\u{fffd}nimda/\u{fffd}");
    }
}
