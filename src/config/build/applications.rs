//! The Duo applications that rules name. Each has its own host and keys; other keys default to the
//! `duo` section at the root.

use super::duo::Around;
use super::session::{Browser, application};
use super::{duo, session};
use crate::config::error::{Code, Fault, Faults};
use crate::config::keys;
use crate::config::reader::{Entry, Section};
use crate::config::secrets::Secrets;
use crate::config::{ApiMode, Application, Applications, DuoSettings, Universal};
use crate::factor::Factor;

/// An application as it was written; some of its parts may be at fault.
pub(super) struct Named<'v> {
    entry: Entry<'v>,
    name: &'v str,
    /// `None` if it is at fault.
    pub(super) duo: Option<DuoSettings>,
    remembers_devices: bool,
    /// The name under which its approvals are valid, if it is not the application's name.
    approves: Option<&'v str>,
}

/// The applications of the configuration; `main` is the `duo` section at the root.
pub(super) struct Written<'v> {
    pub(super) main: Option<DuoSettings>,
    pub(super) remembers_devices: bool,
    pub(super) named: Vec<Named<'v>>,
    /// `api.mode`.
    pub(super) usual_mode: ApiMode,
}

impl<'v> Written<'v> {
    #[inline(never)]
    pub(super) fn read(root: &Section<'v>, secrets: &Secrets<'_>, faults: &mut Faults) -> Self {
        let section = root.section("duo", keys::DUO, faults);
        let usual_mode = usual_mode(root);
        let around = Around {
            root: None,
            main: None,
            may_lack_keys: usual_mode == ApiMode::Refuse,
            is_inherited: root.find("applications").is_some(),
        };
        let main = duo::settings(&section, around, secrets, faults);
        let flag = section.read("remembered_devices", faults, Entry::flag);
        let remembers_devices = flag.unwrap_or(false);
        let entries = root.read("applications", faults, Entry::members).unwrap_or_default();
        let mut named = Vec::new();
        for (name, entry) in entries {
            faults.keep(session::plain_name(&entry, name));
            let own = Section::open(&entry, keys::APPLICATION, faults);
            let duo_section = own.section("duo", keys::DUO, faults);
            let around = Around {
                root: Some(&section),
                main: main.as_ref(),
                may_lack_keys: true,
                is_inherited: false,
            };
            let duo = duo::settings(&duo_section, around, secrets, faults);
            let flag = duo_section.read("remembered_devices", faults, Entry::flag);
            let session = own.section("session", keys::APPLICATION_SESSION, faults);
            let approves = session.read("application", faults, application);
            let remembers_devices = flag.unwrap_or(remembers_devices);
            named.push(Named { entry, name, duo, remembers_devices, approves });
        }
        let written = Self { main, remembers_devices, named, usual_mode };
        written.refuse_shared_keys(faults);
        written
    }

    /// Refuses keys that stand for an "Auth API" and for a "Web SDK" application. Duo
    /// has no application that is both.
    fn refuse_shared_keys(&self, faults: &mut Faults) {
        let main = self.main.as_ref().map(|duo| ("duo".to_owned(), duo));
        let named = self
            .named
            .iter()
            .filter_map(|named| Some((format!("{}.duo", named.entry.path), named.duo.as_ref()?)));
        for (path, duo) in main.into_iter().chain(named) {
            let Some(Universal { web_sdk, .. }) = duo.universal() else { continue };
            let credentials = || self.settings().filter_map(DuoSettings::credentials);
            let has_id = credentials().any(|it| it.integration_key == web_sdk.client_id());
            let secret = web_sdk.client_secret().expose();
            let has_secret = credentials().any(|it| it.secret_key.expose() == secret);
            let (key, problem) = match (has_id, has_secret) {
                (true, _) => ("client_id", "is an integration_key of duo too"),
                (false, true) => ("client_secret", "is a secret_key of duo too"),
                (false, false) => continue,
            };
            let path = format!("{path}.universal.{key}");
            let fix = "make a second application at Duo, of type \"Web SDK\", and copy its keys";
            faults.push(Fault::new(Code::ReusedKey, path, problem, fix));
        }
    }

    /// All settings for calls to Duo that have no fault.
    pub(super) fn settings(&self) -> impl Iterator<Item = &DuoSettings> {
        self.main.iter().chain(self.named.iter().filter_map(|named| named.duo.as_ref()))
    }

    /// The number of the application with this name.
    pub(super) fn number(&self, name: &str) -> Option<usize> {
        self.named.iter().position(|named| named.name == name).map(|place| place.saturating_add(1))
    }

    /// The names that a rule may use.
    pub(super) fn names(&self) -> Vec<&'v str> {
        self.named.iter().map(|named| named.name).collect()
    }

    /// The settings of the application of this number; `None` if they are at fault.
    pub(super) fn duo(&self, number: usize) -> Option<&DuoSettings> {
        match number.checked_sub(1) {
            None => self.main.as_ref(),
            Some(other) => self.named.get(other).and_then(|named| named.duo.as_ref()),
        }
    }

    /// The factors that the application of this number offers.
    pub(super) fn offered(&self, number: usize) -> &[Factor] {
        self.duo(number).map_or(&Factor::ALL, DuoSettings::factors)
    }

    /// Records a fault for each application that no rule names; `used` are the numbers that rules
    /// name.
    pub(super) fn say_unused(&self, used: &[usize], faults: &mut Faults) {
        for (_, named) in (1..).zip(&self.named).filter(|(number, _)| !used.contains(number)) {
            let problem = "has no effect, since no rule names it";
            let fix = "name it in the application of a rule, or remove it";
            faults.push(named.entry.fault(Code::ConflictingKeys, problem, fix));
        }
    }

    /// Builds all applications and their cookies.
    #[inline(never)]
    pub(super) fn build(self, browser: &Browser, faults: &mut Faults) -> Option<Applications> {
        let of_root = browser.application();
        let others: Vec<_> = self
            .named
            .into_iter()
            .map(|named| {
                if named.name == of_root {
                    let problem = "has the name of session.application, which approvals by the duo \
                               section at the root carry";
                    let fix = "give it another name";
                    faults.push(named.entry.fault(Code::ConflictingKeys, problem, fix));
                }
                let (name, duo) = (Some(named.name), named.duo?);
                Some(browser.build(name, named.approves, duo, named.remembers_devices))
            })
            .collect();
        let main = browser.build(None, None, self.main?, self.remembers_devices);
        let others: Option<Vec<Application>> = others.into_iter().collect();
        Some(Applications::new(main, others?))
    }
}

/// `api.mode`, before its section is read. Faults of that section are recorded there.
fn usual_mode(root: &Section<'_>) -> ApiMode {
    let api = root.find("api");
    let mode = api.as_ref().and_then(|api| api.json().object()?.find("mode")?.text());
    if mode == Some("refuse") { ApiMode::Refuse } else { ApiMode::Hold }
}
