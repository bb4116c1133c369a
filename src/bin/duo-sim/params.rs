//! A request's parameters, decoded from its query, its form body or its JSON body.

use percent_encoding::percent_decode;
use serde_json::Value;

use crate::fail::Fail;

/// Decoded keys and values in their order, as bytes, so that the signature can be checked exactly.
pub(crate) type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// The two body types of the Auth API, distinguished by the header.
pub(crate) enum ContentType {
    Json,
    Form,
    Absent,
    Other,
}

pub(crate) fn content_type(header: Option<&[u8]>) -> ContentType {
    let Some(header) = header else { return ContentType::Absent };
    let essence = header.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    if essence.eq_ignore_ascii_case(b"application/json") {
        ContentType::Json
    } else if essence.eq_ignore_ascii_case(b"application/x-www-form-urlencoded") {
        ContentType::Form
    } else {
        ContentType::Other
    }
}

/// The pairs of a query or a form body, in which `+` is a space.
pub(crate) fn pairs(encoded: &[u8]) -> Pairs {
    let decode = |part: &[u8]| {
        let spaced: Vec<u8> =
            part.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
        percent_decode(&spaced).collect::<Vec<u8>>()
    };
    encoded
        .split(|byte| *byte == b'&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let mut halves = part.splitn(2, |byte| *byte == b'=');
            let key = halves.next().unwrap_or_default();
            (decode(key), decode(halves.next().unwrap_or_default()))
        })
        .collect()
}

/// The parameters of a call, as text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    pub(crate) fn from_encoded(encoded: &[u8]) -> Self {
        Self::from_pairs(pairs(encoded))
    }

    pub(crate) fn of(pairs: &[(&str, &str)]) -> Self {
        Self(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }

    pub(crate) fn from_pairs(pairs: Pairs) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self(pairs.into_iter().map(|(key, value)| (text(key), text(value))).collect())
    }

    /// Reads the members of a JSON object. Numbers and booleans become text.
    pub(crate) fn from_json(body: &[u8]) -> Result<Self, Fail> {
        let invalid = Fail::InvalidParameter("body");
        let Ok(Value::Object(members)) = serde_json::from_slice(body) else {
            return Err(invalid);
        };
        members
            .into_iter()
            .map(|(key, value)| match value {
                Value::String(text) => Ok((key, text)),
                Value::Number(number) => Ok((key, number.to_string())),
                Value::Bool(truth) => Ok((key, truth.to_string())),
                Value::Null | Value::Array(_) | Value::Object(_) => Err(invalid.clone()),
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    pub(crate) fn optional(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn required(&self, name: &'static str) -> Result<&str, Fail> {
        match self.optional(name) {
            None => Err(Fail::MissingParameter(name)),
            Some("") => Err(Fail::InvalidParameter(name)),
            Some(value) => Ok(value),
        }
    }

    pub(crate) fn is_set(&self, name: &str) -> bool {
        matches!(self.optional(name), Some("1" | "true"))
    }

    /// All parameters as a JSON object, for the journal.
    pub(crate) fn to_json(&self) -> Value {
        self.0.iter().map(|(key, value)| (key.clone(), Value::String(value.clone()))).collect()
    }
}
