//! The Duo applications of one configuration: the one that is asked as a rule, and those that
//! rules name.

use super::duo_settings::DuoSettings;
use crate::http::cookie::OWN_PREFIX;
use crate::policy::Terms;
use crate::session::{Pendings, PerRequestApprovals, Preferences, RememberedDevices, Sessions};

/// An application at Duo, and what browsers keep on its word.
#[derive(Debug)]
pub struct Application {
    /// What rules call it; absent for the one that is asked where no rule names another.
    pub name: Option<String>,
    /// How Duo is asked.
    pub duo: DuoSettings,
    /// The approval cookies: shared by applications whose approvals are good for the same.
    pub sessions: Sessions,
    /// The sign-ins that are not finished; Duo knows each under this application alone.
    pub pendings: Pendings,
    /// The approvals of single requests.
    pub per_request: PerRequestApprovals,
    /// What users chose last.
    pub preferences: Preferences,
    /// The devices that Duo remembers; absent where none is to be.
    pub remembered_devices: Option<RememberedDevices>,
}

/// All of them, each with its number: that of [`Terms::application`].
#[derive(Debug)]
pub struct Applications {
    /// Number 0, which is asked where no rule names another.
    pub main: Application,
    others: Vec<Application>,
    unprefixed_cookies: Vec<String>,
}

impl Applications {
    /// `others` have the numbers from 1 on.
    #[must_use]
    pub fn new(main: Application, others: Vec<Application>) -> Self {
        // A name that all share is looked for anyway; among several, the main one's is odd too.
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

    /// The one with this number. What has none of these is not made by a configuration.
    #[must_use]
    pub fn get(&self, number: usize) -> &Application {
        let other = number.checked_sub(1).and_then(|other| self.others.get(other));
        other.unwrap_or(&self.main)
    }

    /// The one that is asked under these terms.
    #[must_use]
    pub fn under(&self, terms: &Terms) -> &Application {
        self.get(terms.application)
    }

    /// The number of the one whose credentials have this [tag](crate::duo::Credentials::tag).
    #[must_use]
    pub fn with_tag(&self, tag: [u8; 8]) -> Option<usize> {
        self.iter().position(|it| it.duo.credentials.tag() == tag)
    }

    /// By number, from 0 on.
    pub fn iter(&self) -> impl Iterator<Item = &Application> {
        std::iter::once(&self.main).chain(&self.others)
    }

    /// The names of the approval cookies that do not begin with [`OWN_PREFIX`]; none where all
    /// applications have the same.
    #[must_use]
    pub fn unprefixed_cookies(&self) -> &[String] {
        &self.unprefixed_cookies
    }
}
