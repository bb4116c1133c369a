//! The choices of a user: the capabilities of the devices, limited to the configured factors.

use crate::duo::Device;
use crate::factor::Factor;
use crate::gate::factors::{capability, device_kind, device_name, takes_passcode};
use crate::page::{self, Choices};
use crate::session::{ApprovedBy, Preference};

/// The devices and factors to offer, in the configured order; the preferred ones come first.
pub(super) fn choices(
    devices: &[Device],
    factors: &[Factor],
    preference: Option<&Preference>,
) -> Choices {
    let offered: Vec<page::Device> =
        devices.iter().filter_map(|device| offered(device, factors, preference)).collect();
    let is_offered = |factor: Factor| match factor {
        Factor::Passcode => takes_passcode(devices, factors),
        Factor::Push | Factor::Phone | Factor::Sms => {
            offered.iter().any(|device| device.factors.contains(&factor))
        }
    };
    let factors = factors.iter().copied().filter(|factor| is_offered(*factor)).collect();
    Choices { devices: offered, factors }
}

/// A device with at least one offered factor; `None` for any other.
fn offered(
    device: &Device,
    factors: &[Factor],
    preference: Option<&Preference>,
) -> Option<page::Device> {
    let is_able =
        |factor: &Factor| capability(*factor).is_some_and(|capability| device.can(&capability));
    let mut able: Vec<Factor> = factors.iter().copied().filter(is_able).collect();
    if able.is_empty() {
        return None;
    }
    let last = preference.filter(|last| is_of(last, device.id.as_str()));
    let preferred = last.and_then(|last| able.iter().position(|factor| is_same(*factor, last)));
    if let Some(place) = preferred {
        able.get_mut(..=place)?.rotate_right(1);
    }
    Some(page::Device {
        id: device.id.as_str().to_owned(),
        name: device_name(device),
        kind: page::DeviceKind::Of(device_kind(device)),
        factors: able,
        is_preferred: preferred.is_some(),
    })
}

/// Whether a preference names a device or factor that is no longer available.
pub(super) fn is_stale(last: &Preference, choices: &Choices) -> bool {
    match last.device {
        Some(_) => !choices.devices.iter().any(|device| device.is_preferred),
        None => !choices.factors.iter().any(|factor| is_same(*factor, last)),
    }
}

fn is_of(last: &Preference, id: &str) -> bool {
    last.device.as_ref().is_some_and(|device| device.as_str() == id)
}

fn is_same(factor: Factor, last: &Preference) -> bool {
    last.factor == ApprovedBy::Factor(factor)
}
