//! The pages for a browser: plain HTML whose forms work without JavaScript.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::prompt::address;
use super::state::Prompt;
use crate::persona::{Capability, User};
use crate::transaction::Transaction;

/// There is no `form-action`, since Chrome would apply it to the redirect to the application after
/// a form.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; \
                                 script-src 'unsafe-inline'; connect-src 'self'; \
                                 frame-ancestors 'none'; base-uri 'none'";

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:26rem;margin:2rem auto;padding:0 1rem}\
                     form{margin:.5rem 0}button{font:inherit;padding:.4rem 1rem;min-width:12rem}\
                     input{font:inherit;padding:.3rem;width:8rem}code{font-size:2rem}";

/// Reloads the page after the phone has answered. A button also ends the wait, and a reload then
/// would cancel what the button has sent.
const WATCH: &str = "let pressed=false;addEventListener('submit',()=>{pressed=true});\
                     fetch(location.href+'&wait=1').then(()=>{if(!pressed)location.reload()})";

fn document(title: &str, head: &Markup, body: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { (title) }
                style { (PreEscaped(STYLE)) }
                (head)
            }
            body { main { h1 { (title) } (body) } }
        }
    }
    .into_string()
}

/// A final page, without a redirect to the application.
pub(super) fn failure(text: impl AsRef<str>) -> String {
    document("Duo (simulated)", &html! {}, &html! { p role="alert" { (text.as_ref()) } })
}

pub(super) fn prompt(
    prompt: &Prompt,
    user: Option<&User>,
    waits_for: Option<&Transaction>,
    phones: &str,
) -> String {
    let request = &prompt.request;
    let can = |capability| user.is_some_and(|user| user.device("auto", capability).is_some());
    let press = |value: &str, text: &str| {
        html! {
            form method="post" action="/frame/prompt" {
                input type="hidden" name="sid" value=(prompt.sid);
                button name="factor" value=(value) { (text) }
            }
        }
    };
    let typed = |value: &str, text: &str| {
        html! {
            form method="post" action="/frame/prompt" {
                input type="hidden" name="sid" value=(prompt.sid);
                input name="passcode" aria-label=(text) autocomplete="one-time-code";
                " "
                button name="factor" value=(value) { (text) }
            }
        }
    };
    let head = html! {
        @if waits_for.is_some() {
            noscript { meta http-equiv="refresh" content=(format!("2;url={}", address(&prompt.sid))); }
        }
    };
    let body = html! {
        p { "Sign in as " strong { (request.username) }
            @if let Some(name) = &request.destination { " to " strong { (name) } } "." }
        @if let Some(note) = &prompt.note { p role="alert" { (note) } }
        @if let Some(transaction) = waits_for {
            p role="status" { (transaction.message) }
            @if let Some(code) = &transaction.verification_code {
                p { "Type this code on the phone: " code { (code) } }
            }
        }
        @if can(Capability::Push) { (press("push", "Send a push")) }
        @if can(Capability::Phone) { (press("phone", "Call me")) }
        @if can(Capability::Sms) { (press("sms", "Text me codes")) }
        (press("passkey", "Use a passkey"))
        (typed("passcode", "Use a passcode"))
        (typed("bypass_code", "Use a bypass code"))
        (press("deny", "Deny"))
        p { a href=(phones) target="_blank" rel="noreferrer" { "The phone" } }
        @if waits_for.is_some() { script { (PreEscaped(WATCH)) } }
    };
    document("Duo (simulated)", &head, &body)
}
