//! Refusals of the Universal Prompt's endpoints, in Duo's forms.

use serde_json::{Value, json};

use super::jwt::JwtError;
use crate::endpoint::Endpoint;

#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    /// The credentials belong to another kind of application, or to none.
    #[error("Unauthorized OIDC request")]
    UnknownClient,
    /// Duo reports no details.
    #[error("The provided client_assertion was invalid.")]
    Assertion(#[from] JwtError),
    #[error(
        "The provided authorization grant or refresh token is invalid, expired, revoked, does not match the redirection URI used in the authorization request, or was issued to another client."
    )]
    Grant,
    #[error("{0}")]
    Invalid(&'static str),
    #[error("The grant_type is not supported.")]
    GrantType,
    #[error("Method not allowed")]
    Method,
    #[error("This sign-in has ended or is not known. Go back to the application and start again.")]
    NoPrompt,
}

impl Refusal {
    pub(super) fn status(&self) -> u16 {
        match self {
            Self::Method => 405,
            Self::UnknownClient
            | Self::Assertion(_)
            | Self::Grant
            | Self::Invalid(_)
            | Self::GrantType
            | Self::NoPrompt => 400,
        }
    }

    pub(super) fn detail(&self) -> String {
        self.to_string()
    }

    /// The word in `error` or `message`. `token` and `health_check` do not distinguish clients of
    /// other kinds.
    pub(super) fn outcome(&self) -> &'static str {
        match self {
            Self::UnknownClient => "unauthorized_request",
            Self::Assertion(_) => "invalid_client",
            Self::Grant => "invalid_grant",
            Self::Invalid(_) | Self::NoPrompt => "invalid_request",
            Self::GrantType => "unsupported_grant_type",
            Self::Method => "method_not_allowed",
        }
    }

    /// The body at `endpoint`: `token` has the form of OAuth, the others have Duo's.
    pub(super) fn body(&self, endpoint: Endpoint, now: i64) -> Value {
        let (word, detail) = (self.outcome(), self.detail());
        if endpoint == Endpoint::Token {
            return json!({"error": word, "error_description": detail});
        }
        json!({
            "stat": "FAIL",
            "code": if self.status() == 405 { 40501 } else { 40002 },
            "message": word,
            "message_detail": detail,
            "timestamp": now,
        })
    }
}
