//! Why a cookie is refused.

/// Why a cookie approves nothing. For metrics; no answer tells one from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// Not as long as such a cookie is.
    #[error("wrong length")]
    Length,
    /// Not the one base64url text of any bytes.
    #[error("not canonical base64url")]
    Encoding,
    /// A layout that this version does not know, or fields outside it.
    #[error("unknown layout")]
    Layout,
    /// Signed under a key that is not in the ring.
    #[error("unknown key")]
    UnknownKey,
    /// The MAC is wrong.
    #[error("wrong MAC")]
    Forged,
    /// Issued or last seen further in the future than clocks differ.
    #[error("from the future")]
    Future,
    /// Past its absolute expiry.
    #[error("expired")]
    Expired,
    /// Unused for longer than the session may be idle.
    #[error("idle for too long")]
    Idle,
    /// Good for another application.
    #[error("of another application")]
    OtherApplication,
    /// Another user's.
    #[error("of another user")]
    OtherUser,
    /// Of another request.
    #[error("of another operation")]
    OtherRequest,
    /// Bound to something that this request does not have.
    #[error("bound to something else")]
    OtherBinding,
    /// Voided by the operator: issued before `not_before`.
    #[error("void")]
    Void,
}

impl Refusal {
    /// The name in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::Encoding => "encoding",
            Self::Layout => "layout",
            Self::UnknownKey => "unknown_key",
            Self::Forged => "forged",
            Self::Future => "future",
            Self::Expired => "expired",
            Self::Idle => "idle",
            Self::OtherApplication => "other_application",
            Self::OtherUser => "other_user",
            Self::OtherRequest => "other_operation",
            Self::OtherBinding => "other_binding",
            Self::Void => "void",
        }
    }
}
