//! The filter's own addresses under `path_prefix`: matched exactly on the path as it was sent,
//! never forwarded, whatever stands below the prefix.

use super::{Moment, Step};
use crate::config::Config;
use crate::http::{Client, HeaderValue, Reply, RequestHead};
use crate::page::{Problem, Reference};
use crate::signal::{Code, Counter, Signal};

/// The answer, if the request is for the filter itself.
pub(super) fn answer(config: &Config, head: &RequestHead<'_>, moment: &Moment<'_>) -> Option<Step> {
    let rest = head.path().strip_prefix(config.path_prefix.as_bytes())?;
    let endpoint = match rest {
        b"" => b"",
        _ => rest.strip_prefix(b"/")?,
    };
    let reply = match endpoint {
        b"healthz" => health(head, true),
        b"readyz" => health(head, moment.health.is_ready()),
        _ => return Some(problem(head, Code::NotFound, "Nothing is served at this address.")),
    };
    Some(match reply {
        Some(reply) => Step::reply(reply, Vec::new()),
        None => problem(head, Code::MethodNotAllowed, "This address answers GET and HEAD."),
    })
}

fn health(head: &RequestHead<'_>, is_well: bool) -> Option<Reply> {
    if !matches!(head.method, b"GET" | b"HEAD") {
        return None;
    }
    let (status, body) =
        if is_well { (200, r#"{"status":"ok"}"#) } else { (503, r#"{"status":"unavailable"}"#) };
    Some(Reply::new(status, "duo_mfa_health".to_owned(), "application/json", body.into()))
}

fn problem(head: &RequestHead<'_>, code: Code, detail: &str) -> Step {
    let problem = Problem {
        code,
        detail: detail.to_owned(),
        reference: Reference::of_request_id(head.value("x-request-id")),
        retry_after: None,
    };
    let reply = problem.reply(Client::of(&head.hints()));
    let reply = if code == Code::MethodNotAllowed {
        reply.with("allow", HeaderValue::from_static("GET, HEAD"))
    } else {
        reply
    };
    Step::reply(reply, vec![Signal::Count(Counter::Refused(code))])
}
