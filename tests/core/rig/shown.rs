//! Reads the text on the phone and the audit lines.

use super::Rig;
use duo_mfa::signal::Signal;
use serde_json::Value;

impl Rig {
    /// The `pushinfo` of the n-th call, without the reference at its end.
    pub(crate) fn phone_shows(&self, call: usize) -> String {
        let body = self.body(call);
        let shown = body["pushinfo"].as_str().unwrap();
        let (shown, reference) = shown.rsplit_once("&reference=").unwrap();
        assert!(is_reference(reference), "{reference}");
        shown.to_owned()
    }

    /// The reference that the n-th call shows on the phone.
    pub(crate) fn phone_reference(&self, call: usize) -> String {
        let body = self.body(call);
        body["pushinfo"].as_str().unwrap().rsplit_once("&reference=").unwrap().1.to_owned()
    }

    /// The audit lines so far.
    pub(crate) fn lines(&self) -> Vec<Value> {
        let text = self.signals.iter().filter_map(|signal| match signal {
            Signal::Log(_, text) => Some(text),
            Signal::Count(_) => None,
        });
        text.filter_map(|text| serde_json::from_str(text).ok()).collect()
    }
}

/// Whether a text has the form of a sign-in's reference.
pub(crate) fn is_reference(text: &str) -> bool {
    let is_spoken =
        |byte: u8| byte.is_ascii_digit() || (byte.is_ascii_uppercase() && !b"ILOU".contains(&byte));
    text.len() == 8 && text.bytes().all(is_spoken)
}
