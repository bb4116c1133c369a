//! A user's devices and what they can do.

use std::str::FromStr;

use serde::Deserialize;

use super::id::{DeviceId, MalformedId};
use super::text::Text;

/// A device of the user, as preauth lists it. A hardware token has no more than an id, a kind
/// and a name; the other texts are empty then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// What auth wants as `device`.
    pub id: DeviceId,
    /// What the device is.
    pub kind: DeviceKind,
    /// The name that was given to it, often empty.
    pub name: Text,
    /// What to show: "iOS (XXX-XXX-1234)".
    pub display_name: Text,
    /// The telephone number, masked.
    pub number: Text,
    /// What it can do.
    pub capabilities: Vec<Capability>,
    /// The character that the next valid passcode by SMS starts with.
    pub sms_nextcode: Option<Text>,
}

impl Device {
    /// Whether the device can do this.
    #[must_use]
    pub fn can(&self, capability: &Capability) -> bool {
        self.capabilities.contains(capability)
    }
}

/// The members as they come.
#[derive(Deserialize)]
pub(super) struct DeviceShape {
    device: DeviceId,
    #[serde(rename = "type")]
    kind: Option<Text>,
    name: Option<Text>,
    display_name: Option<Text>,
    number: Option<Text>,
    capabilities: Option<Vec<Text>>,
    sms_nextcode: Option<Text>,
}

impl From<DeviceShape> for Device {
    fn from(shape: DeviceShape) -> Self {
        let capabilities = shape.capabilities.unwrap_or_default();
        Self {
            id: shape.device,
            kind: shape.kind.unwrap_or_default().into(),
            name: shape.name.unwrap_or_default(),
            display_name: shape.display_name.unwrap_or_default(),
            number: shape.number.unwrap_or_default(),
            capabilities: capabilities.into_iter().map(Capability::from).collect(),
            sms_nextcode: shape.sms_nextcode.filter(|code| !code.is_empty()),
        }
    }
}

/// The kinds of device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceKind {
    /// A telephone or tablet.
    Phone,
    /// A hardware token, which shows passcodes.
    Token,
    /// A kind that this version doesn't know.
    Other(Text),
}

impl From<Text> for DeviceKind {
    fn from(text: Text) -> Self {
        match text.as_str() {
            "phone" => Self::Phone,
            "token" => Self::Token,
            _ => Self::Other(text),
        }
    }
}

/// What a device can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Capability {
    /// It takes part in Duo's own choice of a factor.
    Auto,
    /// It can approve a push.
    Push,
    /// It can receive passcodes by SMS.
    Sms,
    /// It can take a call.
    Phone,
    /// It has an app that shows passcodes.
    MobileOtp,
    /// A capability that this version doesn't know.
    Other(Text),
}

impl From<Text> for Capability {
    fn from(text: Text) -> Self {
        match text.as_str() {
            "auto" => Self::Auto,
            "push" => Self::Push,
            "sms" => Self::Sms,
            "phone" => Self::Phone,
            "mobile_otp" => Self::MobileOtp,
            _ => Self::Other(text),
        }
    }
}

/// The device that a factor is to use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The first one that can.
    #[default]
    Auto,
    /// This one.
    Id(DeviceId),
}

impl DeviceChoice {
    /// The value of the parameter `device`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Auto => "auto",
            Self::Id(id) => id.as_str(),
        }
    }
}

impl FromStr for DeviceChoice {
    type Err = MalformedId;

    fn from_str(text: &str) -> Result<Self, MalformedId> {
        if text == "auto" { Ok(Self::Auto) } else { text.parse().map(Self::Id) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_of_device_is_auto_or_an_id() {
        assert_eq!("auto".parse(), Ok(DeviceChoice::Auto));
        let choice: DeviceChoice = "DPFZRS9FB0D46QFTM891".parse().unwrap();
        assert_eq!(choice.as_str(), "DPFZRS9FB0D46QFTM891");
        assert_eq!("auto&factor=sms".parse::<DeviceChoice>(), Err(MalformedId));
    }
}
