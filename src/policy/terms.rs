//! The requirements of a rule on the second factor.

use crate::factor::AcceptedFactors;
use std::sync::Arc;
use std::time::Duration;

/// The terms of a rule. For an absent one, the setting for all requests applies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// The greatest age of an approval; an older one is not accepted.
    pub max_age: Option<Duration>,
    /// The factors that are offered and accepted.
    pub factors: Option<AcceptedFactors>,
    /// The treatment of users without an approval while Duo cannot be reached.
    pub fail_mode: Option<FailMode>,
    /// The number of the Duo application that is asked. 0 is the application for rules that name
    /// none.
    pub application: usize,
    /// Each request needs its own approval, which opens no other request.
    pub is_per_request: bool,
    /// Whether requests of clients other than browsers are held.
    pub api_mode: Option<ApiMode>,
    /// Lets requests of the same client pass after one of them was approved.
    pub per_client: Option<PerClient>,
    /// The people who may approve the request: one other than the user has to. `None` if the user
    /// approves it.
    pub approvers: Option<Arc<[Approver]>>,
}

/// A person who may approve requests of other users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approver {
    /// The canonical name, as the first factor would give it.
    pub user: String,
    /// The name at Duo.
    pub username: String,
}

/// An approval for all requests of one client, which needs no cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerClient {
    /// The lifetime of such an approval.
    pub lasts: Duration,
    /// Hash of the rule's text. If the rule changes, so does the hash, and approvals from before no
    /// longer satisfy the rule.
    pub rule: [u8; 16],
}

impl Terms {
    /// No terms.
    pub(super) const NONE: &'static Self = {
        static NONE: Terms = Terms {
            max_age: None,
            factors: None,
            fail_mode: None,
            application: 0,
            is_per_request: false,
            api_mode: None,
            per_client: None,
            approvers: None,
        };
        &NONE
    };
}

/// The treatment of a user without an approval while Duo cannot be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailMode {
    /// The request is refused.
    #[default]
    Secure,
    /// The request passes, with an approval that lasts for minutes.
    Safe,
}

/// The treatment of clients other than browsers that need a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiMode {
    /// The request is held while the user is asked.
    Hold,
    /// The request is refused at once, with the address of the sign-in.
    Refuse,
}
