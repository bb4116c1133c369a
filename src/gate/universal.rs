//! Sign-ins at Duo's page (`duo.prompt: universal`): whom it asks, and where browsers come back to.

use super::challenge::Challenge;
use super::limit::{Permit, SingleUse};
use super::prompt::user_tag;
use super::refusals::{Denial, NOT_A_NAVIGATION, no_callback};
use crate::clock::UnixTime;
use crate::config::{Config, Universal};
use crate::duo::universal::{Callback, RedirectFault, RedirectUri};
use crate::http::RequestHead;
use crate::policy::Terms;
use crate::session::{ATTEMPT_LIFETIME, Attempt};
use std::time::Duration;

/// The name of the endpoint that browsers come back to.
const CALLBACK: &str = "callback";

/// How far the clocks of two replicas may differ, and the second that the table of limits rounds by.
const SLACK: Duration = Duration::from_secs(61);

/// How browsers are sent to Duo's page under these terms. `None` if the filter's own page asks them:
/// for a single request it always does, since the phone has to show what is approved.
pub(super) fn prompt<'c>(terms: &Terms, config: &'c Config) -> Option<&'c Universal> {
    let duo = &config.applications.under(terms).duo;
    duo.universal.as_ref().filter(|_| !terms.is_per_request)
}

/// Whether any Duo application sends browsers to Duo's page.
pub(super) fn is_used(config: &Config) -> bool {
    config.applications.iter().any(|it| it.duo.universal.is_some())
}

/// The number of the Duo application whose browsers come back to this address, which stands behind
/// the prefix and a slash.
pub(super) fn returning(config: &Config, address: &[u8]) -> Option<usize> {
    let rest = address.strip_prefix(CALLBACK.as_bytes())?;
    let is_it = |name: Option<&str>| match (rest, name) {
        ([], None) => true,
        ([b'/', rest @ ..], Some(name)) => rest == name.as_bytes(),
        _ => false,
    };
    let mut applications = config.applications.iter();
    applications.position(|it| it.duo.universal.is_some() && is_it(it.name.as_deref()))
}

/// Where Duo sends the browser back to that has sent this request.
///
/// # Errors
///
/// The host is not one that browsers of this Duo application may come back to.
pub(super) fn redirect_uri(
    head: &RequestHead<'_>,
    application: usize,
    config: &Config,
) -> Result<RedirectUri, RedirectFault> {
    let hosts = config.applications.get(application).duo.universal.as_ref();
    let hosts = hosts.map(|universal| universal.hosts.as_slice()).unwrap_or_default();
    RedirectUri::of(head.authority, hosts, &callback_path(application, config))
}

fn callback_path(application: usize, config: &Config) -> String {
    let prefix = &config.path_prefix;
    match &config.applications.get(application).name {
        None => format!("{prefix}/{CALLBACK}"),
        Some(name) => format!("{prefix}/{CALLBACK}/{name}"),
    }
}

/// Reads the request of a browser that comes back. The cross-site guard does not hold for it, since
/// Duo's page has caused it; but no page can have a browser send it unseen.
///
/// # Errors
///
/// The refusal of any other request.
pub(super) fn read_return(
    head: &RequestHead<'_>,
    application: usize,
    config: &Config,
) -> Result<Callback, Denial> {
    let path = callback_path(application, config);
    let callback = Callback::read(head.method, head.target, &path).map_err(no_callback)?;
    let hints = head.hints();
    let is_navigation = hints.fetch_mode.is_none_or(|mode| mode == b"navigate")
        && hints.fetch_dest.is_none_or(|dest| dest == b"document");
    if is_navigation { Ok(callback) } else { Err(NOT_A_NAVIGATION.into()) }
}

/// The permit to be sent to Duo's page. That page may ring the phone by itself.
pub(super) fn start_permit(challenge: &Challenge, config: &Config) -> Permit {
    Permit::of_start(user_tag("starts", challenge, config))
}

/// The permit to ask Duo what came of a sign-in.
pub(super) fn single_use(attempt: &Attempt, now: UnixTime) -> Permit {
    let left = attempt.created().plus(ATTEMPT_LIFETIME).since(now);
    Permit::single_use(SingleUse::Attempt, attempt.id(), left.saturating_add(SLACK))
}
