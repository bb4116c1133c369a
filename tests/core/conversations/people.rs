//! The people of a conversation, their devices and programs, and the paths that they ask for.

use crate::browser::Browser;
use crate::rig::{Request, get};

/// A name that the first factor knows, with Duo's user and device.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) name: &'static str,
    /// Duo's user name, after the template.
    pub(super) user: &'static str,
    /// The only device of that user.
    pub(super) device: &'static str,
}

const ALICES: &str = "DPALICE0000000000000";
const BOBS: &str = "DPBOB000000000000000";

/// The first two names belong to one user name; the third one is an alias of the same user at Duo. Bob and
/// Carol are two users who share a phone. Dave has bypass status at Duo at times.
pub(super) const PEOPLE: [Person; 6] = [
    Person { name: "alice@a", user: "alice", device: ALICES },
    Person { name: "alice@b", user: "alice", device: ALICES },
    Person { name: "al@a", user: "al", device: ALICES },
    Person { name: "bob@a", user: "bob", device: BOBS },
    Person { name: "carol@a", user: "carol", device: BOBS },
    Person { name: "dave@a", user: "dave", device: "DPDAVE00000000000000" },
];

pub(super) const DAVE: &str = "dave";

/// The addresses of clients. A thief's address differs from the owner's.
pub(super) const PEERS: [&[u8]; 2] = [b"192.0.2.7:51000", b"198.51.100.9:40000"];

pub(super) const PATHS: [&str; 9] = [
    "/",
    "/payments/x",
    "/wiki/x",
    "/wiki/strict",
    "/admin",
    "/wire?to=7",
    "/wire?to=8",
    "/board",
    "/board?to=7",
];

/// The people who may approve requests to `/board`. Two of them are one person at Duo, and Dave may pass at
/// Duo without being asked. Only Duo knows that the last one is Alice too, so the filter does not.
pub(super) const APPROVERS: [&str; 5] = ["alice@a", "alice@b", "bob@a", "dave@a", "al@a"];

/// The users at Duo who may approve a request of this person to this path.
pub(super) fn approvers(person: &Person, path: &str) -> Vec<&'static str> {
    if !is_by_another(path) {
        return vec![person.user];
    }
    let listed = PEOPLE.iter().filter(|it| APPROVERS.contains(&it.name));
    listed.map(|it| it.user).filter(|user| *user != person.user).collect()
}

/// Whether another person has to approve requests to this path.
pub(super) fn is_by_another(path: &str) -> bool {
    path.starts_with("/board")
}

/// The device of a Duo user.
pub(super) fn device_of(user: &str) -> &'static str {
    PEOPLE.iter().find(|person| person.user == user).unwrap().device
}

/// The scope of an approval that a sign-in for this path gives.
pub(super) fn opened_by(path: &'static str) -> &'static str {
    match path {
        "/payments/x" => "payments",
        wire if is_per_request(wire) => wire,
        _ => "default",
    }
}

/// Whether a rule with `approval: per_request` covers this path.
pub(super) fn is_per_request(path: &str) -> bool {
    path.starts_with("/wire") || is_by_another(path)
}

/// Whether a user may pass to this path while Duo cannot be reached.
pub(super) fn is_safe(path: &str) -> bool {
    path == "/wiki/x"
}

/// The integration key of this path's Duo application.
pub(super) fn key_of(path: &str) -> &'static str {
    match path {
        "/payments/x" => "DIPAYMENTSXXXXXXXXXX",
        "/wiki/x" | "/wiki/strict" => "DIWIKIXXXXXXXXXXXXXX",
        _ => "DIWJ8X6AEYOR5OMC6TQ1",
    }
}

/// The cookie of a pending sign-in for this path.
pub(super) fn pending_cookie(path: &str) -> &'static str {
    match path {
        "/payments/x" => "__Host-duo_txn-payments",
        "/wiki/x" | "/wiki/strict" => "__Host-duo_txn-wiki",
        _ => "__Host-duo_txn",
    }
}

/// The cookie of an approval that opens this path and others.
pub(super) fn approval_cookie(path: &str) -> &'static str {
    if path == "/payments/x" { "__Host-duo_mfa-payments" } else { "__Host-duo_mfa" }
}

/// A person's browser.
pub(super) struct Visitor {
    pub(super) person: &'static Person,
    pub(super) browser: Browser,
}

impl Visitor {
    pub(super) fn of(person: &'static Person) -> Self {
        Self { person, browser: Browser::of(person.name) }
    }
}

/// A request of a program. Two equal ones are the same request to the filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Program {
    pub(super) name: &'static str,
    pub(super) path: &'static str,
    pub(super) peer: &'static [u8],
    /// The value of `x-duo-mfa-transaction`.
    pub(super) token: Option<String>,
    pub(super) has_passcode: bool,
    /// The value of `x-duo-mfa-approver`.
    pub(super) approver: Option<&'static str>,
}

impl Program {
    pub(super) fn request(&self) -> Request {
        let mut request = get(self.path).of(self.name);
        if let Some(token) = &self.token {
            request = request.with("x-duo-mfa-transaction", token);
        }
        if let Some(approver) = self.approver {
            request = request.with("x-duo-mfa-approver", approver);
        }
        if self.has_passcode { request.with("x-duo-mfa-passcode", "123456") } else { request }
    }
}

/// The sender of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    /// The visitor with this number.
    Visitor(usize),
    Program(Program),
}
