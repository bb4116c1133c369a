//! Another person's approval: who may approve a request, and who is asked.
//!
//! Nobody approves their own request. Two names are one person if the canonical names are equal, or
//! if the names at Duo are: Duo ignores case, and most of its applications ignore a domain. The Auth
//! API does not report other aliases, so they are not recognized.

use super::challenge::Challenge;
use super::refusal::Refusal;
use super::refusals::{APPROVER_NOT_ALLOWED, APPROVER_REQUIRED, NOT_SHOWN_WHOLE};
use crate::config::Config;
use crate::http::RequestHead;
use crate::identity::Identity;
use crate::policy::Approver;
use std::borrow::Cow;

/// The header in which a client names the approver.
const HEADER: &str = "x-duo-mfa-approver";

/// The people who may approve a request: those of its rule, except the user.
#[inline(never)]
pub(super) fn eligible(challenge: &Challenge) -> Vec<&Approver> {
    let listed = challenge.terms.approvers.as_deref().unwrap_or_default();
    listed.iter().filter(|approver| !is_user(approver, &challenge.identity)).collect()
}

/// The person to ask: the one that the client names in the header, or else as a `parameter`.
/// Without a name, the only one who may approve.
///
/// # Errors
///
/// The refusal, if there is no such person, or if the client has to choose.
#[inline(never)]
pub(super) fn choose(
    head: &RequestHead<'_>,
    parameter: Option<Cow<'_, str>>,
    challenge: &Challenge,
) -> Result<Approver, Refusal> {
    if challenge.trail.request.is_cut {
        return Err(NOT_SHOWN_WHOLE);
    }
    let name = head.value(HEADER).map(|name| String::from_utf8_lossy(name.trim_ascii()));
    let eligible = eligible(challenge);
    let chosen = match (name.or(parameter), eligible.as_slice()) {
        (Some(name), _) => eligible.iter().find(|approver| approver.user == name),
        (None, [_, _, ..]) => return Err(APPROVER_REQUIRED),
        (None, all) => all.first(),
    };
    chosen.map(|approver| (*approver).clone()).ok_or(APPROVER_NOT_ALLOWED)
}

/// The approver of some rule with this canonical name.
pub(super) fn find<'c>(name: &str, config: &'c Config) -> Option<&'c Approver> {
    let listed = config.policies.rules.iter().filter_map(|rule| rule.terms.approvers.as_deref());
    listed.flatten().find(|approver| approver.user == name)
}

fn is_user(approver: &Approver, user: &Identity) -> bool {
    let is_same_name = approver.user.eq_ignore_ascii_case(&user.user);
    is_same_name || bare(&approver.username).eq_ignore_ascii_case(bare(user.username()))
}

/// A name at Duo without its domain, as in `alice@example.com` or `CORP\alice`.
fn bare(username: &str) -> &str {
    let user = username.rsplit('\\').next().unwrap_or(username);
    user.split('@').next().unwrap_or(user)
}

#[cfg(test)]
mod tests {
    use super::bare;

    #[test]
    fn a_domain_is_no_part_of_a_bare_name() {
        for name in ["alice", "alice@example.com", "CORP\\alice", "CORP\\alice@example.com"] {
            assert_eq!(bare(name), "alice");
        }
        assert_eq!((bare("@example.com"), bare("")), ("", ""));
    }
}
