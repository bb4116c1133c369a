//! Sealed tokens: only the one that was sealed can be opened, and only as what it is.

use crate::rig::COOKIE_KEY;
use duo_mfa::clock::UnixTime;
use duo_mfa::factor::Factor;
use duo_mfa::http::{HeaderValue, ReturnPath};
use duo_mfa::reference::Reference;
use duo_mfa::secret::Secret;
use duo_mfa::session::{
    ApprovedBy, Attempts, BodyDigest, Bounded, Browser, CookieOwner, KeyRing, MasterKey,
    NewApproval, NewAttempt, Pending, PendingKind, Pendings, PerRequestApproval,
    PerRequestApprovals, Preference, Preferences, RememberedDevices, RequestDigest,
    SessionSettings, Sessions, Subject,
};
use std::sync::LazyLock;
use std::time::Duration;

const ALICE: Subject<'_> = Subject { source: "header", user: "alice", bound: &[] };
const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);
const REDIRECT_URI: &str = "https://app.example.com/.duo-mfa/callback";
const DEVICE: &str = "token-of-a-device";
const APPROVED: ApprovedBy = ApprovedBy::Factor(Factor::Push);

struct Tokens {
    sessions: Sessions,
    pendings: Pendings,
    per_request: PerRequestApprovals,
    devices: RememberedDevices,
    preferences: Preferences,
    attempts: Attempts,
    request: RequestDigest,
    browser: Browser,
    /// A token of each kind, in the order of [`Tokens::opens`].
    genuine: [String; 7],
}

static TOKENS: LazyLock<Tokens> = LazyLock::new(Tokens::new);

/// The first byte chooses a genuine token, and whether it is changed or replaced. Changes are pairs of a
/// place and a byte.
pub(crate) fn target(bytes: &[u8]) {
    let Some((&choice, rest)) = bytes.split_first() else { return };
    let tokens = &*TOKENS;
    let kind = usize::from(choice % 8);
    let Some(genuine) = tokens.genuine.get(kind) else { return tokens.seal_and_open(rest) };
    let mut token = genuine.clone().into_bytes();
    if choice & 0x80 == 0 {
        for change in rest.chunks_exact(2) {
            let place = usize::from(change[0]) % token.len();
            token[place] = change[1];
        }
    } else {
        token = rest.to_vec();
    }
    for (number, opens) in tokens.opens(&token).into_iter().enumerate() {
        let is_it = token == tokens.genuine[number].as_bytes();
        assert_eq!(opens, is_it, "{number}");
    }
}

impl Tokens {
    fn new() -> Self {
        let ring = KeyRing::new(vec![MasterKey::from_base64(COOKIE_KEY).unwrap()]).unwrap();
        let settings = SessionSettings {
            cookie: "__Host-duo_mfa".to_owned(),
            application: "default".to_owned(),
            expiration: Duration::from_secs(28_800),
            inactivity: Duration::from_secs(1_800),
            not_before: UnixTime::default(),
        };
        let (owner, start) = (CookieOwner::Main("default"), UnixTime::default());
        let sessions = Sessions::new(settings, &ring);
        let pendings = Pendings::new(owner, &ring);
        let per_request = PerRequestApprovals::new("default", start, &ring);
        let devices = RememberedDevices::new(owner, Duration::from_secs(86_400), start, &ring);
        let preferences = Preferences::new(owner, &ring);
        let attempts = Attempts::new(owner, &ring);
        let request = RequestDigest::of(b"GET", b"app", b"/", &BodyDigest::of_none());

        let new = NewApproval { factor: APPROVED, authenticated: NOW, lifetime: None };
        let approval = sessions.issue(&new, &ALICE, NOW, *b"0123456789abcdef");
        let pending = pendings.seal(&pending(PendingKind::Push, b"/reports"), &ALICE);
        let one = PerRequestApproval { factor: APPROVED, authenticated: NOW, id: [7; 16] };
        let one = per_request.seal(&one, &request, &ALICE, NOW);
        let device = Secret::new(DEVICE.to_owned());
        let device = devices.remember(&device, &ALICE, NOW, [9; 12]).unwrap();
        let preference = Preference { factor: APPROVED, device: Bounded::new("DP1").ok() };
        let preference = preferences.remember(&preference, &ALICE);
        let attempt = NewAttempt {
            browser: None,
            redirect_uri: REDIRECT_URI,
            return_path: ReturnPath::parse(b"/reports"),
            max_age: Some(Duration::ZERO),
            reference: Reference::new([1; 5], NOW),
        };
        let begun = attempts.begin(attempt, &ALICE, NOW, [5; 16]);
        let in_browser = value(&begun.cookie);
        let browser = attempts.browser(in_browser.as_bytes(), &ALICE, NOW).unwrap();
        let genuine = [
            value(&approval),
            pending.as_str().to_owned(),
            one.as_str().to_owned(),
            value(&device),
            value(&preference),
            in_browser,
            begun.state.expose().clone(),
        ];
        Self {
            sessions,
            pendings,
            per_request,
            devices,
            preferences,
            attempts,
            request,
            browser,
            genuine,
        }
    }

    /// Whether a token is an approval, a pending sign-in, the approval of one request, a remembered device, a
    /// preference, a browser, or a state at Duo's page.
    fn opens(&self, token: &[u8]) -> [bool; 7] {
        let place = (&self.browser, REDIRECT_URI);
        let state = str::from_utf8(token).ok();
        [
            self.sessions.open(token, &ALICE, NOW).is_ok(),
            self.pendings.open(token, &ALICE, NOW).is_ok(),
            self.per_request.open(token, &self.request, &ALICE, NOW).is_ok(),
            self.devices.open(token, &ALICE, NOW).is_ok_and(|it| it.expose() == DEVICE),
            self.preferences.open(token, &ALICE).is_ok(),
            self.attempts.browser(token, &ALICE, NOW).is_ok(),
            state.is_some_and(|state| self.attempts.open(state, place, &ALICE, NOW).is_ok()),
        ]
    }

    /// A sealed sign-in is opened again, unchanged, and only for its user.
    fn seal_and_open(&self, bytes: &[u8]) {
        let mut parts = bytes.split(|byte| *byte == b'\n');
        let mut part = || parts.next().unwrap_or_default();
        let sealed = Pending {
            device: bounded(part()),
            device_label: bounded(part()),
            txid: bounded(part()),
            verification_code: bounded(part()),
            passcode_tries: part().first().copied().unwrap_or_default(),
            single_request: part().first().map(|_| self.request),
            ..pending(PendingKind::Phone, part())
        };
        let user = str::from_utf8(part()).unwrap_or("bob");
        let subject = Subject { user, bound: part(), ..ALICE };
        let token = self.pendings.seal(&sealed, &subject);
        let opened = self.pendings.open(token.as_str().as_bytes(), &subject, NOW).unwrap();
        assert_eq!(opened.origin, sealed.origin);
        assert_eq!(opened.kind.factor(), sealed.kind.factor());
        assert_eq!((opened.device, opened.txid), (sealed.device, sealed.txid));
        assert_eq!(opened.device_label, sealed.device_label);
        assert_eq!(opened.verification_code, sealed.verification_code);
        assert_eq!(opened.passcode_tries, sealed.passcode_tries);
        assert_eq!(opened.return_path, sealed.return_path);
        assert_eq!(opened.single_request.is_some(), sealed.single_request.is_some());
        let is_alice = subject.user == "alice" && subject.bound.is_empty();
        assert_eq!(self.pendings.open(token.as_str().as_bytes(), &ALICE, NOW).is_ok(), is_alice);
    }
}

fn pending(kind: PendingKind, path: &[u8]) -> Pending {
    Pending::new(kind, NOW, [3; 16], ReturnPath::parse(path))
}

fn bounded<const MAX: usize>(bytes: &[u8]) -> Option<Bounded<MAX>> {
    Bounded::cut(str::from_utf8(bytes).ok()?)
}

/// The value of a cookie in a `Set-Cookie` line.
fn value(line: &HeaderValue) -> String {
    let line = str::from_utf8(line.as_bytes()).unwrap();
    line.split(';').next().unwrap().split_once('=').unwrap().1.to_owned()
}
