//! Which factors a rule accepts, and what they need of a device.

use crate::duo::{Capability, Device, DeviceKind};
use crate::policy::{Factor as Offered, Terms};
use crate::session::Factor;

/// What a device needs to be able to do. `None` for a passcode, which needs no device.
pub(super) const fn capability(factor: Offered) -> Option<Capability> {
    match factor {
        Offered::Push => Some(Capability::Push),
        Offered::Phone => Some(Capability::Phone),
        Offered::Sms => Some(Capability::Sms),
        Offered::Passcode => None,
    }
}

/// The factor of an approval that this one leads to.
pub(super) const fn approved(factor: Offered) -> Factor {
    match factor {
        Offered::Push => Factor::Push,
        Offered::Phone => Factor::Phone,
        Offered::Sms => Factor::Sms,
        Offered::Passcode => Factor::Passcode,
    }
}

/// Whether codes are accepted. Duo's answer does not say whether a code came from an app, a token,
/// an administrator or a text message, so accepting one kind accepts all.
pub(super) fn takes_codes(factors: &[Offered]) -> bool {
    factors.iter().any(|factor| matches!(factor, Offered::Passcode | Offered::Sms))
}

/// Whether a passcode can be offered: it is configured, and some device makes passcodes.
pub(super) fn takes_passcode(devices: &[Device], factors: &[Offered]) -> bool {
    factors.contains(&Offered::Passcode)
        && devices.iter().any(|device| {
            device.kind == DeviceKind::Token
                || device.can(&Capability::MobileOtp)
                || device.can(&Capability::Sms)
        })
}

/// Whether the terms accept an approval by this factor. A client may leave out the cookie that
/// tells a texted code from other codes, so accepting one of `passcode` and `sms` accepts both.
pub(super) fn is_accepted(factor: Factor, terms: &Terms) -> bool {
    let is_it = |named: &Offered| approved(*named) == factor;
    terms.factors.as_ref().is_none_or(|few| match factor {
        Factor::Passcode | Factor::Sms => takes_codes(few),
        Factor::Push | Factor::Phone | Factor::Bypass | Factor::Remembered | Factor::FailSafe => {
            few.iter().any(is_it)
        }
    })
}
