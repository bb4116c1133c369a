//! The QR code of an enrollment, and how to continue after it.

use super::super::frame::Frame;
use super::super::qr;
use super::super::screen::Activation;
use super::super::text::fill;
use super::super::words::Said;
use super::top;
use crate::clock::UnixTime;
use maud::{Markup, html};

#[inline(never)]
pub(super) fn page(activation: &Activation, frame: &Frame<'_>, said: &Said) -> Markup {
    let texts = frame.language.texts();
    let code = activation.code.as_str();
    html! {
        main #mfa data-base={ (frame.site.path_prefix) "/" } data-return=(frame.return_to.as_str()) data-method=[frame.return_to.other_method()]
            data-ticket=(frame.ticket.unwrap_or_default()) data-arrival="own" data-pane="enroll" data-brand=(frame.site.branding.name) {
            (top(frame, said))
            ol {
                li { (texts.enroll_step_install) }
                li { (texts.enroll_step_scan) }
                li { (texts.enroll_step_return) }
            }
            @if let Some(drawing) = qr::drawing(code, texts.enroll_qr) { (drawing) }
            @if let Some(link) = &activation.open {
                a.btn.sec href=(link.as_str()) { (texts.enroll_open) }
            }
            p.mut { (texts.enroll_code) br; code { (code) } }
            p.mut { (fill(texts.until, &[("time", &hour_and_minute(activation.expires))])) }
            form method="post" data-plain {
                button formaction=(frame.own("preauth")) { (texts.enroll_done) }
            }
        }
    }
}

/// `14:32`, in UTC.
fn hour_and_minute(time: UnixTime) -> String {
    let minutes = time.seconds().div_euclid(60);
    let (hour, minute) = (minutes.div_euclid(60).rem_euclid(24), minutes.rem_euclid(60));
    format!("{hour:02}:{minute:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_has_two_digits_each() {
        let cases = [(0, "00:00"), (86_399, "23:59"), (1_700_000_000, "22:13"), (65, "00:01")];
        for (seconds, expected) in cases {
            assert_eq!(hour_and_minute(UnixTime::from_seconds(seconds)), expected);
        }
    }
}
