//! Sign-ins at Duo's page (`duo.prompt: universal`): the requests that use it, and the addresses to
//! which browsers come back.

use super::challenge::Challenge;
use super::configured::Gate;
use super::limit::{Permit, SingleUse};
use super::prompt::user_tag;
use super::refusal::Denial;
use super::refusals::{NOT_A_NAVIGATION, no_callback};
use crate::clock::UnixTime;
use crate::config::{ApiMode, Config, Universal};
use crate::duo::Credentials;
use crate::duo::universal::{Callback, RedirectFault, RedirectUri};
use crate::http::RequestHead;
use crate::policy::Terms;
use crate::session::{ATTEMPT_LIFETIME, Attempt};
use std::sync::Arc;
use std::time::Duration;

/// The name of the endpoint to which browsers come back.
const CALLBACK: &str = "callback";

/// How far the clocks of two replicas may differ, plus the second by which the table of limits
/// rounds.
const SLACK: Duration = Duration::from_secs(61);

/// The settings of Duo's page for these terms. `None` if the filter's own page asks the user. For a
/// single request it always does, since the phone has to show the request.
pub(super) fn prompt<'c>(terms: &Terms, config: &'c Config) -> Option<&'c Universal> {
    config.applications.under(terms).duo.universal().filter(|_| !terms.is_per_request)
}

/// The keys of the Auth API with which the filter itself asks the user for these terms, at its
/// endpoints or in a held request. `None` if there are none, or if browsers are sent to Duo's page
/// and programs are refused. Then the Auth API would be a second way in that nobody is meant to use.
pub(super) fn own_way(terms: &Terms, gate: &Gate) -> Option<Arc<Credentials>> {
    let credentials = gate.application(terms).duo.credentials()?;
    let is_closed =
        prompt(terms, gate.config()).is_some() && gate.api_mode(terms) == ApiMode::Refuse;
    (!is_closed).then(|| Arc::clone(credentials))
}

/// Whether some Duo application can be asked by the Auth API.
pub(super) fn is_auth_api_used(config: &Config) -> bool {
    config.applications.iter().any(|it| it.duo.credentials().is_some())
}

/// Whether some Duo application uses Duo's page.
pub(super) fn is_used(config: &Config) -> bool {
    config.applications.iter().any(|it| it.duo.universal().is_some())
}

/// The number of the Duo application whose browsers come back to this address. `address` is the
/// path after the prefix and a slash.
pub(super) fn returning(config: &Config, address: &[u8]) -> Option<usize> {
    let rest = address.strip_prefix(CALLBACK.as_bytes())?;
    let is_it = |name: Option<&str>| match (rest, name) {
        ([], None) => true,
        ([b'/', rest @ ..], Some(name)) => rest == name.as_bytes(),
        _ => false,
    };
    let mut applications = config.applications.iter();
    applications.position(|it| it.duo.universal().is_some() && is_it(it.name.as_deref()))
}

/// The URI to which Duo sends back the browser of this request.
///
/// # Errors
///
/// Browsers of this Duo application must not come back to the host.
pub(super) fn redirect_uri(
    head: &RequestHead<'_>,
    application: usize,
    config: &Config,
) -> Result<RedirectUri, RedirectFault> {
    let hosts = config.applications.get(application).duo.universal();
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

/// Reads the request of a browser that comes back. The cross-site guard does not apply, since Duo's
/// page caused the request. But no page can make a browser send it unnoticed.
///
/// # Errors
///
/// The refusal for any other request.
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

/// The permit to redirect a browser to Duo's page, which may ring the phone at once.
pub(super) fn start_permit(challenge: &Challenge, config: &Config) -> Permit {
    Permit::of_start(user_tag("starts", challenge, config))
}

/// The permit to ask Duo for the result of a sign-in.
pub(super) fn single_use(attempt: &Attempt, now: UnixTime) -> Permit {
    let left = attempt.created().plus(ATTEMPT_LIFETIME).since(now);
    Permit::single_use(SingleUse::Attempt, attempt.id(), left.saturating_add(SLACK))
}
