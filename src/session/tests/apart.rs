//! Cookies of several applications on one host.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::factor::Factor;
use crate::http::ReturnPath;

/// The cookies of one application in Alice's browser, by their values.
struct Kept {
    names: [String; 4],
    approval: String,
    pending: String,
    preference: String,
    device: String,
}

struct Application {
    sessions: Sessions,
    pendings: Pendings,
    preferences: Preferences,
    devices: RememberedDevices,
}

impl Application {
    /// The application whose cookies have their plain names.
    fn main() -> Self {
        Self::of(sessions(), CookieOwner::Main(&settings().application))
    }

    fn apart(name: &str) -> Self {
        let sessions = Sessions::new(settings().apart(name), &ring(&[1]));
        Self::of(sessions, CookieOwner::Beside(name))
    }

    fn of(sessions: Sessions, owner: CookieOwner<'_>) -> Self {
        let keys = ring(&[1]);
        Self {
            sessions,
            pendings: Pendings::new(owner, &keys),
            preferences: Preferences::new(owner, &keys),
            devices: RememberedDevices::new(owner, Duration::from_secs(60), at(0), &keys),
        }
    }

    fn names(&self) -> [String; 4] {
        [
            self.sessions.cookie_name(),
            self.pendings.cookie_name(),
            self.preferences.cookie_name(),
            self.devices.cookie_name(),
        ]
        .map(str::to_owned)
    }

    fn keeps(&self) -> Kept {
        let sign_in = Pending::new(PendingKind::Push, at(0), ID, ReturnPath::default());
        let preference = Preference { factor: ApprovedBy::Factor(Factor::Push), device: None };
        let token = crate::secret::Secret::new("a token of Duo's".to_owned());
        let device = self.devices.remember(&token, &ALICE, at(0), [7; 12]).unwrap();
        let value = |line: &HeaderValue| {
            let line = String::from_utf8(line.as_bytes().to_vec()).unwrap();
            line.split(';').next().unwrap().split_once('=').unwrap().1.to_owned()
        };
        Kept {
            names: self.names(),
            approval: cookie(&self.sessions, at(0)),
            pending: self.pendings.seal(&sign_in, &ALICE).as_str().to_owned(),
            preference: value(&self.preferences.remember(&preference, &ALICE)),
            device: value(&device),
        }
    }

    /// Which of these cookies the application accepts.
    fn opens(&self, kept: &Kept) -> [bool; 4] {
        [
            open(&self.sessions, &kept.approval, at(1)).is_ok(),
            self.pendings.open(kept.pending.as_bytes(), &ALICE, at(1)).is_ok(),
            self.preferences.open(kept.preference.as_bytes(), &ALICE).is_ok(),
            self.devices.open(kept.device.as_bytes(), &ALICE, at(1)).is_ok(),
        ]
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_application_opens_what_another_has_kept(
        names in prop::collection::btree_set("[a-zA-Z0-9_.-]{1,8}", 2..4),
    ) {
        let others = names.iter().filter(|name| *name != "default").map(|it| Application::apart(it));
        let all: Vec<_> = std::iter::once(Application::main()).chain(others).collect();
        let kept: Vec<_> = all.iter().map(Application::keeps).collect();
        for (number, application) in all.iter().enumerate() {
            for (whose, kept) in kept.iter().enumerate() {
                prop_assert_eq!(application.opens(kept), [number == whose; 4]);
            }
        }
        let cookies: BTreeSet<_> = kept.iter().flat_map(|kept| &kept.names).collect();
        prop_assert_eq!(cookies.len(), kept.iter().flat_map(|kept| &kept.names).count(), "{:?}", cookies);
    }
}

/// The signature covers the name of the cookie, even if the application is the same.
#[test]
fn a_further_application_with_the_main_ones_name_opens_nothing_of_it() {
    let [main, apart] = [Application::main(), Application::apart("default")];
    assert_eq!(main.opens(&apart.keeps()), [false; 4]);
    assert_eq!(apart.opens(&main.keeps()), [false; 4]);
    assert_eq!(
        apart.names(),
        [
            "__Host-duo_mfa-default",
            "__Host-duo_txn-default",
            "__Host-duo_preferred-default",
            "__Host-duo_device-default",
        ]
    );
}
