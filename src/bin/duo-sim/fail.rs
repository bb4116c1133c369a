//! The Auth API's responses to refused calls: code, message and, if there is one, the parameter at
//! fault. The HTTP status is the code without its last two digits.

use serde_json::{Value, json};

/// A refusal of the Auth API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fail {
    MissingParameter(&'static str),
    InvalidParameter(&'static str),
    MissingCredentials,
    InvalidIntegrationKey,
    InvalidSignature,
    MissingTimestamp,
    BadTimestamp,
    InvalidContentType,
    NotFound,
    MethodNotAllowed,
    /// Any other code of Duo's, chosen by a fault switch.
    Told {
        code: u32,
        detail: Option<String>,
    },
}

impl Fail {
    pub(crate) fn code(&self) -> u32 {
        match self {
            Self::MissingParameter(_) => 40001,
            Self::InvalidParameter(_) => 40002,
            Self::MissingCredentials => 40101,
            Self::InvalidIntegrationKey => 40102,
            Self::InvalidSignature => 40103,
            Self::MissingTimestamp => 40104,
            Self::BadTimestamp => 40105,
            Self::InvalidContentType => 40106,
            Self::NotFound => 40401,
            Self::MethodNotAllowed => 40501,
            Self::Told { code, .. } => *code,
        }
    }

    /// The HTTP status of the response: the code's first three digits.
    pub(crate) fn status(&self) -> u16 {
        u16::try_from(self.code() / 100).unwrap_or(500)
    }

    fn detail(&self) -> Option<&str> {
        match self {
            Self::MissingParameter(name) | Self::InvalidParameter(name) => Some(name),
            Self::Told { detail, .. } => detail.as_deref(),
            Self::MissingCredentials
            | Self::InvalidIntegrationKey
            | Self::InvalidSignature
            | Self::MissingTimestamp
            | Self::BadTimestamp
            | Self::InvalidContentType
            | Self::NotFound
            | Self::MethodNotAllowed => None,
        }
    }

    pub(crate) fn envelope(&self) -> Value {
        let code = self.code();
        let mut body = json!({"stat": "FAIL", "code": code, "message": message_of(code)});
        if let (Some(detail), Some(members)) = (self.detail(), body.as_object_mut()) {
            members.insert("message_detail".to_owned(), json!(detail));
        }
        body
    }
}

const fn message_of(code: u32) -> &'static str {
    match code {
        40001 => "Missing required request parameters",
        40002 => "Invalid request parameters",
        40101 => "Missing request credentials",
        40102 => "Invalid integration key in request credentials",
        40103 => "Invalid signature in request credentials",
        40104 => "Missing request timestamp",
        40105 => "Bad request timestamp",
        40106 => "Invalid request content type",
        40301 => "Access forbidden",
        40401 => "Resource not found",
        40501 => "Method not allowed",
        42901 => "Too many requests",
        50001 => "Unknown internal server error",
        _ => "Unknown error",
    }
}
