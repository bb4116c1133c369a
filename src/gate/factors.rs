//! The factors that a rule accepts, and the capabilities that they need.

use crate::config::DuoSettings;
use crate::duo::{Capability, Device, DeviceKind};
use crate::factor::{AcceptedFactors, Factor};
use crate::page::DisplayText;
use crate::policy::Terms;
use crate::session::ApprovedBy;

/// The capability that a factor needs of a device; `None` for a passcode, which needs no device.
pub(super) const fn capability(factor: Factor) -> Option<Capability> {
    match factor {
        Factor::Push => Some(Capability::Push),
        Factor::Phone => Some(Capability::Phone),
        Factor::Sms => Some(Capability::Sms),
        Factor::Passcode => None,
    }
}

/// The factors that the filter itself offers for these terms.
pub(super) fn offered<'t>(terms: &'t Terms, duo: &'t DuoSettings) -> &'t [Factor] {
    terms.factors.as_ref().map_or_else(|| duo.factors(), |accepted| &accepted.factors)
}

/// Whether codes are accepted. Duo's response does not show whether a code came from an app, a
/// token, an administrator or a text message. So accepting one kind accepts all.
pub(super) fn takes_codes(factors: &[Factor]) -> bool {
    factors.iter().any(|factor| matches!(factor, Factor::Passcode | Factor::Sms))
}

/// Whether a passcode can be offered: it is configured, and some device can show or receive
/// passcodes.
pub(super) fn takes_passcode(devices: &[Device], factors: &[Factor]) -> bool {
    factors.contains(&Factor::Passcode)
        && devices.iter().any(|device| {
            device.kind == DeviceKind::Token
                || device.can(&Capability::MobileOtp)
                || device.can(&Capability::Sms)
        })
}

/// Whether the terms accept an approval by this factor. Only a cookie that a client may leave out
/// distinguishes a texted code from other codes. So accepting one of `passcode` and `sms` accepts
/// both.
pub(super) fn is_accepted(by: ApprovedBy, terms: &Terms) -> bool {
    terms.factors.as_ref().is_none_or(|accepted| is_among(by, accepted))
}

/// Whether these factors include that of the approval.
pub(super) fn is_among(by: ApprovedBy, accepted: &AcceptedFactors) -> bool {
    let AcceptedFactors { factors, webauthn } = accepted;
    match by {
        ApprovedBy::Factor(Factor::Passcode | Factor::Sms) => takes_codes(factors),
        ApprovedBy::Factor(factor @ (Factor::Push | Factor::Phone)) => factors.contains(&factor),
        ApprovedBy::Webauthn => *webauthn,
        ApprovedBy::Bypass | ApprovedBy::Remembered | ApprovedBy::FailSafe | ApprovedBy::Other => {
            false
        }
    }
}

/// The name of a device to show.
pub(super) fn device_name(device: &Device) -> DisplayText {
    let names = [&device.display_name, &device.name, &device.number];
    let given = names.into_iter().map(|name| DisplayText::new(name.as_str()));
    given.into_iter().find(|name| !name.is_empty()).unwrap_or_else(|| device_kind(device))
}

pub(super) fn device_kind(device: &Device) -> DisplayText {
    match &device.kind {
        DeviceKind::Phone => DisplayText::new("phone"),
        DeviceKind::Token => DisplayText::new("token"),
        DeviceKind::Other(word) => DisplayText::new(word.as_str()),
    }
}
