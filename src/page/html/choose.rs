//! The panes of a page that the script switches: start, choose, wait, end. One of them is visible.

use super::super::frame::{Arrival, Frame};
use super::super::screen::{Choices, Device, DeviceKind, Waiting};
use super::super::words::Said;
use super::{top, wait};
use crate::factor::Factor;
use maud::{Markup, html};

/// The pane with a form of another site. The script first asks whether there is an approval.
const RESEND: &str = "resend";

/// As [`RESEND`], but the script sends the form without asking.
const RESEND_AT_ONCE: &str = "resend-at-once";

/// The visible pane, and the content that differs between pages.
#[derive(Clone, Copy, Default)]
struct Shown<'a> {
    pane: &'a str,
    passcode: Passcode<'a>,
    /// The form of another site, to be sent again.
    held: Option<&'a [(String, String)]>,
}

/// The purpose of the passcode form.
#[derive(Clone, Copy, Default)]
enum Passcode<'a> {
    /// Hidden, until the script learns that passcodes are accepted.
    #[default]
    Unasked,
    /// Offered among other factors.
    Offered,
    /// A code was sent to this phone.
    Sent(Option<&'a str>),
    /// The previous code was incorrect.
    Wrong,
}

/// The first page, or the page with the devices.
#[inline(never)]
pub(super) fn page(pane: &str, choices: &Choices, frame: &Frame<'_>, said: &Said) -> Markup {
    let is_offered = choices.takes_passcode();
    let passcode = if is_offered { Passcode::Offered } else { Passcode::Unasked };
    let wait = wait::pane(None, frame);
    live(Shown { pane, passcode, held: None }, choices, frame, said, &wait)
}

/// The first page, with a form of another site. Without a script, its button sends the form. If
/// Duo's page asks the user, this one cannot wait for the approval: the script sends the form at
/// once. Without an approval the reply has the button that leads to Duo.
#[inline(never)]
pub(super) fn resend(fields: &[(String, String)], frame: &Frame<'_>, said: &Said) -> Markup {
    let pane = if frame.duo.is_some() { RESEND_AT_ONCE } else { RESEND };
    let shown = Shown { pane, held: Some(fields), ..Shown::default() };
    live(shown, &Choices::default(), frame, said, &wait::pane(None, frame))
}

/// A sign-in that waits for the user's answer.
#[inline(never)]
pub(super) fn waiting(waiting: &Waiting, frame: &Frame<'_>, said: &Said) -> Markup {
    let shown = Shown { pane: "wait", ..Shown::default() };
    live(shown, &Choices::default(), frame, said, &wait::pane(Some(waiting), frame))
}

/// Codes were sent by text message.
#[inline(never)]
pub(super) fn codes_sent(device: Option<&str>, frame: &Frame<'_>, said: &Said) -> Markup {
    let shown = Shown { pane: "choose", passcode: Passcode::Sent(device), held: None };
    live(shown, &Choices::default(), frame, said, &wait::pane(None, frame))
}

/// The passcode was incorrect.
#[inline(never)]
pub(super) fn wrong_passcode(frame: &Frame<'_>, said: &Said) -> Markup {
    let shown = Shown { pane: "choose", passcode: Passcode::Wrong, held: None };
    live(shown, &Choices::default(), frame, said, &wait::pane(None, frame))
}

/// All panes. Texts that the script shows are in attributes.
fn live(
    shown: Shown<'_>,
    choices: &Choices,
    frame: &Frame<'_>,
    said: &Said,
    wait: &Markup,
) -> Markup {
    let texts = frame.language.texts();
    let arrival = match frame.arrival {
        Arrival::InPlace => "here",
        Arrival::Form => "form",
        Arrival::OwnAddress | Arrival::Callback => "own",
    };
    html! {
        main #mfa data-base={ (frame.site.path_prefix) "/" } data-return=(frame.return_to.as_str()) data-method=[frame.return_to.other_method()]
            data-ticket=(frame.ticket.unwrap_or_default()) data-arrival=(arrival) data-pane=(shown.pane) data-brand=(frame.site.branding.name)
            data-offline=(texts.offline) data-wrong=(texts.code_incorrect)
            data-failed=(texts.unavailable.heading) data-later=(texts.unavailable.message) data-left=(texts.seconds_left)
            data-left-one=(texts.second_left) data-approved=(texts.approved.heading)
            data-resend=(texts.approved.message) data-nocookies=(texts.no_cookies) {
            (top(frame, said))
            div role="status" aria-atomic="false" {
                p #status { (said.message) }
                span.vh #spoken {}
            }
            p.err #alert role="alert" {}
            p.mut #pause aria-hidden="true" {}
            div #start hidden[!matches!(shown.pane, "start" | RESEND | RESEND_AT_ONCE)] {
                @if let Some(fields) = shown.held {
                    // Without an action the form posts to this page's own address. It has its own
                    // parent, since a field may have the name of a member of the form, and a script
                    // then gets the field.
                    div {
                        form #held method="post" {
                            @for (name, value) in fields {
                                input type="hidden" name=(name) value=(value);
                            }
                            button { (texts.continue_) }
                        }
                    }
                } @else {
                    form method="post" {
                        button data-to="preauth" formaction=(frame.own("preauth")) {
                            (texts.continue_)
                        }
                    }
                }
                progress #busy aria-label=(texts.one_moment) hidden {}
            }
            div #choose hidden[shown.pane != "choose"] {
                (devices(choices, frame))
                (passcode(shown.passcode, frame))
            }
            (wait)
            (end(frame))
        }
    }
}

#[inline(never)]
fn devices(choices: &Choices, frame: &Frame<'_>) -> Markup {
    let texts = frame.language.texts();
    let preferred = choices.devices.iter().position(|device| device.is_preferred).unwrap_or(0);
    let numbered = choices.devices.iter().enumerate();
    let is_first = |(index, device): &(usize, &Device)| {
        *index == preferred || device.kind == DeviceKind::Approver
    };
    let (first, others): (Vec<_>, Vec<_>) = numbered.partition(is_first);
    html! {
        form #pick method="post" {
            div #devices { @for (_, device) in &first { (fieldset(device, frame)) } }
            details #more hidden[others.is_empty()] {
                summary { (texts.other_devices) }
                div #others { @for (_, device) in &others { (fieldset(device, frame)) } }
            }
        }
        template #device {
            fieldset {
                legend {}
                @for factor in [Factor::Push, Factor::Phone, Factor::Sms] {
                    button data-factor=(factor.name()) { (label(factor, frame)) span.vh {} }
                }
            }
        }
    }
}

fn fieldset(device: &Device, frame: &Frame<'_>) -> Markup {
    html! {
        fieldset {
            legend { bdi { (device.name) } }
            @for factor in device.factors.iter().filter(|factor| **factor != Factor::Passcode) {
                button formaction=(address(device, *factor, frame)) {
                    (label(*factor, frame)) span.vh { " " (device.name) }
                }
            }
        }
    }
}

fn address(device: &Device, factor: Factor, frame: &Frame<'_>) -> String {
    match device.kind {
        DeviceKind::Approver => frame.ask(&device.id),
        DeviceKind::Of(_) => frame.auth(factor, Some(&device.id)),
    }
}

fn label(factor: Factor, frame: &Frame<'_>) -> &'static str {
    let texts = frame.language.texts();
    match factor {
        Factor::Push => texts.send_push,
        Factor::Phone => texts.call_me,
        Factor::Sms => texts.text_codes,
        Factor::Passcode => texts.verify_code,
    }
}

/// The form for a passcode. It works without script only if the configuration lets the filter read
/// bodies. Otherwise the script shows it and sends the passcode in a header.
#[inline(never)]
fn passcode(passcode: Passcode<'_>, frame: &Frame<'_>) -> Markup {
    let texts = frame.language.texts();
    let (is_offered, is_alone, is_wrong) = match passcode {
        Passcode::Unasked => (false, false, false),
        Passcode::Offered => (true, false, false),
        Passcode::Sent(_) => (true, true, false),
        Passcode::Wrong => (true, true, true),
    };
    let works_without_script = is_offered && frame.site.request_bodies;
    let error = if is_wrong { texts.code_incorrect } else { "" };
    html! {
        form #passcode method="post" hidden[!works_without_script] data-offered[is_offered] {
            label for="code" { (texts.code_label) }
            input #code type="text" name="passcode" inputmode="numeric"
                autocomplete="one-time-code" autocapitalize="off" spellcheck="false"
                maxlength="64" required aria-describedby="code-error code-hint"
                aria-invalid=[is_wrong.then_some("true")] autofocus[is_alone];
            p.err #code-error role="alert" { (error) }
            p.mut #code-hint { (texts.code_hint) }
            button.sec formaction=(frame.auth(Factor::Passcode, None)) { (texts.verify_code) }
        }
        @if is_offered && !works_without_script {
            noscript { p.mut { (texts.code_needs_script) } }
        }
        @if is_alone {
            form method="post" {
                @if let Passcode::Sent(Some(device)) = passcode {
                    button.sec formaction=(frame.auth(Factor::Sms, Some(device))) {
                        (texts.send_again)
                    }
                }
                button.sec data-to="preauth" formaction=(frame.own("preauth")) {
                    (texts.another_way)
                }
            }
        }
    }
}

/// The pane where the script ends, with buttons to continue, of which it shows the right ones.
fn end(frame: &Frame<'_>) -> Markup {
    let texts = frame.language.texts();
    html! {
        div #end hidden {
            a.btn #portal hidden rel="noreferrer" { (texts.enroll_start) }
            form method="post" data-plain {
                button #enroll hidden formaction=(frame.own("enroll")) { (texts.enroll_start) }
            }
            @if frame.arrival == Arrival::Form {
                button #back type="button" hidden { (texts.back_to_form) }
            }
            a.btn.sec #again hidden href=(frame.again()) { (texts.start_again) }
        }
    }
}
