//! The pane of a sign-in that waits for the user's answer.

use super::super::frame::Frame;
use super::super::screen::{Awaited, Waiting};
use super::super::text::{Filled, fill, whole_seconds};
use maud::{Markup, html};

/// The pane; empty and hidden if no sign-in waits yet.
pub(super) fn pane(waiting: Option<&Waiting>, frame: &Frame<'_>) -> Markup {
    let texts = frame.language.texts();
    let left = waiting.map_or(0, |waiting| whole_seconds(waiting.left));
    let total = waiting.map_or(1, |waiting| whole_seconds(waiting.total).max(1));
    let seconds = if left == 1 { texts.second_left } else { texts.seconds_left };
    html! {
        div #wait hidden[waiting.is_none()] {
            (verification(waiting, frame))
            div aria-hidden="true" {
                progress #bar max=(total) value=(left) {}
                p.mut #left { (fill(seconds, &[("number", &left.to_string())])) }
            }
            (particulars(frame))
            form method="post" {
                button.sec data-to="cancel" formaction=(frame.own("cancel")) {
                    (texts.another_way)
                }
            }
            @if !frame.asks_another { p.mut { (texts.not_asked) } }
        }
    }
}

/// The code to type into Duo Mobile, in large print; screen readers read it digit by digit.
fn verification(waiting: Option<&Waiting>, frame: &Frame<'_>) -> Markup {
    let code = waiting.and_then(|waiting| match &waiting.awaited {
        Awaited::VerifiedPush { code } => Some(code.as_str()),
        Awaited::Push
        | Awaited::Approver
        | Awaited::Call
        | Awaited::Key
        | Awaited::UndeliveredPush
        | Awaited::Other { .. } => None,
    });
    let code = code.unwrap_or_default();
    let spaced: Vec<String> = code.chars().map(String::from).collect();
    let spoken = html! { span #code-spoken { (spaced.join(" ")) } };
    html! {
        div #verify hidden[code.is_empty()] {
            p.code #code-shown aria-hidden="true" { (code) }
            p.vh { (Filled(frame.language.texts().code_spoken, &[("code", &spoken)])) }
        }
    }
}

/// The details that the device shows too, so that the user can compare them.
fn particulars(frame: &Frame<'_>) -> Markup {
    let texts = frame.language.texts();
    html! {
        dl {
            @if let Some(application) = frame.application {
                div { dt { (texts.app) } dd { bdi { (application) } } }
            }
            @if let Some(address) = frame.address {
                div { dt { (texts.from) } dd { bdi { (address) } } }
            }
            div #when hidden { dt { (texts.time) } dd #clock {} }
        }
    }
}
