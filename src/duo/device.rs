//! A user's devices and their capabilities.

use std::str::FromStr;

use super::error::Malformed;
use super::id::{DeviceId, MalformedId};
use super::members::Members;
use super::text::Text;
use crate::json::Json;

/// A device of the user, as preauth lists it. A hardware token has only an id, a kind and a name;
/// the other texts are empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// The value of auth's parameter `device`.
    pub id: DeviceId,
    /// The kind of device.
    pub kind: DeviceKind,
    /// The name that the user gave it, often empty.
    pub name: Text,
    /// The text to show: "iOS (XXX-XXX-1234)".
    pub display_name: Text,
    /// The telephone number, masked.
    pub number: Text,
    /// The capabilities that Duo lists.
    pub capabilities: Vec<Capability>,
}

impl Device {
    /// Whether the device has this capability.
    #[must_use]
    pub fn can(&self, capability: &Capability) -> bool {
        self.capabilities.contains(capability)
    }

    pub(super) fn read(members: Members<'_>) -> Result<Self, Malformed> {
        let id = members.required_text("device")?.parse();
        let capabilities = members.list("capabilities")?.iter();
        let capability = |value: &Json| {
            value.text().map(|word| Text::from(word).into()).ok_or(Malformed::Members)
        };
        Ok(Self {
            id: id.map_err(|MalformedId| Malformed::Members)?,
            kind: members.label("type")?.into(),
            name: members.label("name")?,
            display_name: members.label("display_name")?,
            number: members.label("number")?,
            capabilities: capabilities.map(capability).collect::<Result<_, _>>()?,
        })
    }
}

/// The kinds of device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceKind {
    /// A phone or tablet.
    Phone,
    /// A hardware token that shows passcodes.
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

/// A capability of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Capability {
    /// Duo may choose a factor on it automatically.
    Auto,
    /// It can approve a push.
    Push,
    /// It can receive passcodes by SMS.
    Sms,
    /// It can receive a call.
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

/// The device to use for a factor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The first device with the capability.
    #[default]
    Auto,
    /// This device.
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
