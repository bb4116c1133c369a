//! The Duo applications of one configuration: the main one, and those that rules name.

use super::duo_settings::DuoSettings;
use crate::duo::Credentials;
use crate::http::cookie::OWN_PREFIX;
use crate::policy::Terms;
use crate::session::{
    Attempts, Pendings, PerRequestApprovals, Preferences, RememberedDevices, Sessions,
};
use std::sync::Arc;

/// An application at Duo, and its cookies.
#[derive(Debug)]
pub struct Application {
    /// The name in rules; `None` for the main application.
    pub name: Option<String>,
    /// How Duo is called.
    pub duo: DuoSettings,
    /// The approval cookies. Applications whose approvals are valid under the same name share them.
    pub sessions: Sessions,
    /// The pending sign-ins. Duo knows each of them only under this application.
    pub pendings: Pendings,
    /// The approvals of single requests.
    pub per_request: PerRequestApprovals,
    /// The sign-ins at Duo's page, for browsers that are redirected there.
    pub attempts: Attempts,
    /// The last choices of users.
    pub preferences: Preferences,
    /// The remembered devices; `None` if none are stored.
    pub remembered_devices: Option<RememberedDevices>,
}

/// All applications, each with its number: that of [`Terms::application`].
#[derive(Debug)]
pub struct Applications {
    /// Number 0: the application for all rules that name none.
    pub main: Application,
    others: Vec<Application>,
    unprefixed_cookies: Vec<String>,
}

impl Applications {
    /// `others` get the numbers from 1 on.
    #[must_use]
    pub fn new(main: Application, others: Vec<Application>) -> Self {
        // A name that all applications share is always looked for. If names differ, the main one's
        // is listed too.
        let name = |it: &Application| it.sessions.cookie_name().to_owned();
        let mut unprefixed_cookies = vec![name(&main)];
        for cookie in others.iter().map(name) {
            if !unprefixed_cookies.contains(&cookie) {
                unprefixed_cookies.push(cookie);
            }
        }
        let are_several = unprefixed_cookies.len() > 1;
        unprefixed_cookies.retain(|name| are_several && !name.as_bytes().starts_with(OWN_PREFIX));
        Self { main, others, unprefixed_cookies }
    }

    /// The application with this number. A configuration never uses a number that does not exist.
    #[must_use]
    pub fn get(&self, number: usize) -> &Application {
        let other = number.checked_sub(1).and_then(|other| self.others.get(other));
        other.unwrap_or(&self.main)
    }

    /// The application for these terms.
    #[must_use]
    pub fn under(&self, terms: &Terms) -> &Application {
        self.get(terms.application)
    }

    /// The number of the application whose credentials have this [tag](Credentials::tag), and the
    /// credentials.
    #[must_use]
    pub fn with_tag(&self, tag: [u8; 8]) -> Option<(usize, &Arc<Credentials>)> {
        let known = self.iter().enumerate();
        let mut known = known.filter_map(|(number, it)| Some((number, it.duo.credentials()?)));
        known.find(|(_, credentials)| credentials.tag() == tag)
    }

    /// All applications by number, from 0 on.
    pub fn iter(&self) -> impl Iterator<Item = &Application> {
        std::iter::once(&self.main).chain(&self.others)
    }

    /// The names of the approval cookies that do not begin with [`OWN_PREFIX`]. Empty if all
    /// applications have the same name.
    #[must_use]
    pub fn unprefixed_cookies(&self) -> &[String] {
        &self.unprefixed_cookies
    }
}
