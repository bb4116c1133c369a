//! Why an id_token is not an approval.

/// The first check that an id_token fails; the variants are in the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    /// The text is longer than [`super::WebSdk::MAX_ID_TOKEN_BYTES`].
    #[error("the id_token is too long")]
    TooLong,
    /// The text does not have three parts (RFC 7515, section 3.1).
    #[error("the id_token does not have three parts")]
    Parts,
    /// A part is not base64url without padding, or the signature is empty.
    #[error("a part of the id_token is not base64url")]
    Base64,
    /// A part has bits beyond its last byte, so it is another spelling of the same bytes.
    #[error("a part of the id_token is not the canonical base64url of its bytes")]
    Base64Spelling,
    /// The signature was not made with the client secret.
    #[error("the id_token is not signed with the client secret")]
    Mac,
    /// The header is not that of a JWT signed with HMAC-SHA512, or asks for an extension.
    #[error("the header of the id_token is not {{\"alg\":\"HS512\"}}")]
    Header,
    /// The header or payload is not JSON.
    #[error("the id_token is not JSON")]
    Json,
    /// The header or payload is JSON, but not an object.
    #[error("the id_token is not a JSON object")]
    Object,
    /// The header or payload begins with a byte order mark.
    #[error("the id_token begins with a byte order mark")]
    Bom,
    /// An object in it has two members with the same name, so its meaning is ambiguous.
    #[error("the id_token has a member twice")]
    Twice,
    /// `iss` is not the URL of the token endpoint.
    #[error("the id_token is not from this API host (iss)")]
    Issuer,
    /// `aud` is not the client ID alone.
    #[error("the id_token is not for this client ID (aud)")]
    Audience,
    /// A required time is missing or not a number, or a number is too large for a 64-bit float.
    #[error("a time in the id_token is not a number")]
    Number,
    /// `exp` is 60 seconds ago or longer.
    #[error("the id_token has expired (exp); do the clocks differ?")]
    Expired,
    /// `iat` is more than 60 seconds ahead.
    #[error("the id_token is from the future (iat); do the clocks differ?")]
    IssuedAhead,
    /// `nbf` is more than 60 seconds ahead.
    #[error("the id_token is not valid yet (nbf); do the clocks differ?")]
    NotYetValid,
    /// `nonce` is not the one of this attempt: the code belongs to another sign-in.
    #[error("the id_token is from another attempt (nonce)")]
    Nonce,
    /// `preferred_username` is not the user that was sent to Duo.
    #[error("the id_token is for another user (preferred_username)")]
    User,
    /// `auth_result` is not exactly an allow.
    #[error("Duo did not allow the user (auth_result)")]
    Result,
    /// `auth_time` is older than was asked for, or more than 60 seconds ahead.
    #[error("the user authenticated too long ago (auth_time)")]
    AuthTime,
}

impl TokenFault {
    /// The name for metrics and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::Parts => "parts",
            Self::Base64 => "base64",
            Self::Base64Spelling => "base64 spelling",
            Self::Mac => "mac",
            Self::Header => "header",
            Self::Json => "json",
            Self::Object => "object",
            Self::Bom => "bom",
            Self::Twice => "twice",
            Self::Issuer => "iss",
            Self::Audience => "aud",
            Self::Number => "number",
            Self::Expired => "exp",
            Self::IssuedAhead => "iat",
            Self::NotYetValid => "nbf",
            Self::Nonce => "nonce",
            Self::User => "user",
            Self::Result => "result",
            Self::AuthTime => "auth_time",
        }
    }
}
