mod refusals;
mod weight;

use super::super::screen::{Activation, Awaited, Device, DeviceKind, Enrollment, Waiting};
use super::super::site::{Branding, Site};
use super::super::{Accent, DisplayText, Language, Link};
use super::*;
use crate::clock::UnixTime;
use crate::factor::Factor;
use crate::http::ReturnPath;
use crate::reference::Reference;

const HOSTILE: &str = "<img src=x onerror=alert(1)>\"'&\u{202e}\u{0}\r\n";

/// A site and frame in which every text from outside is the same.
struct Stage {
    site: Site,
    text: DisplayText,
    reference: Reference,
    return_to: ReturnPath,
}

impl Stage {
    fn with(text: &str) -> Self {
        let text = DisplayText::new(text);
        let branding = Branding {
            name: text.clone(),
            logo: None,
            accent: Accent::new("#0b5fff").ok(),
            help_text: Some(text.clone()),
            help_url: Link::new("mailto:help@example.com").ok(),
            sign_out_url: Link::new("/oauth2/sign_out").ok(),
        };
        let site = Site::new(branding, "/.duo-mfa");
        let reference = Reference::new([0, 0x44, 0x32, 0x14, 0xc7], UnixTime::default());
        let return_to = ReturnPath::parse(b"/app?x=1&y=a%20b");
        Self { site, text, reference, return_to }
    }

    fn frame(&self, language: Language, arrival: Arrival) -> Frame<'_> {
        Frame {
            site: &self.site,
            language,
            arrival,
            return_to: &self.return_to,
            duo: None,
            asks_another: false,
            reference: Some(self.reference),
            ticket: Some("ticket"),
            user: Some(&self.text),
            application: Some(&self.text),
            address: Some(&self.text),
        }
    }

    fn devices(&self) -> Choices {
        let device = |id: &str, is_preferred| Device {
            id: id.to_owned(),
            name: self.text.clone(),
            kind: DeviceKind::Of(DisplayText::new("phone")),
            factors: vec![Factor::Push, Factor::Phone, Factor::Sms, Factor::Passcode],
            is_preferred,
        };
        Choices {
            devices: vec![device("DP&1", false), device("DP2", true)],
            factors: vec![Factor::Push, Factor::Phone, Factor::Sms, Factor::Passcode],
        }
    }

    fn waiting(&self, awaited: Awaited) -> Screen {
        let device = Some(self.text.clone());
        let (left, total) = (Duration::from_secs(58), Duration::from_secs(60));
        Screen::SignIn(Standing::Waiting(Waiting { awaited, device, left, total }))
    }

    fn screens(&self) -> Vec<Screen> {
        let mut screens = vec![
            Screen::Start,
            Screen::Choose(self.devices()),
            Screen::Choose(Choices::default()),
            self.waiting(Awaited::Push),
            self.waiting(Awaited::VerifiedPush { code: DisplayText::new("708") }),
            self.waiting(Awaited::Call),
            self.waiting(Awaited::Key),
            self.waiting(Awaited::UndeliveredPush),
            self.waiting(Awaited::Other { message: self.text.clone() }),
            Screen::SignIn(Standing::CodesSent { device: None }),
            Screen::SignIn(Standing::CodesSent {
                device: Some(("DP1".to_owned(), self.text.clone())),
            }),
            Screen::SignIn(Standing::Approved),
            Screen::SignIn(Standing::Denied),
            Screen::SignIn(Standing::TimedOut),
            Screen::SignIn(Standing::Fraud),
            Screen::SignIn(Standing::LockedOut),
            Screen::WrongPasscode,
            Screen::Enroll(Enrollment::Off),
            Screen::Enroll(Enrollment::Inline),
            Screen::Enroll(Enrollment::Portal(Link::new("https://duo.example/p?a=1&b=2").unwrap())),
            Screen::Activate(Activation {
                code: DisplayText::new("duo://QDBj-YXBp"),
                open: Link::new("https://m.example/android/QDBj").ok(),
                expires: UnixTime::from_seconds(1_700_000_000),
            }),
            Screen::Resend(vec![(self.text.to_string(), self.text.to_string())]),
            Screen::DuoDenied { message: self.text.clone() },
            Screen::FactorRefused { message: self.text.clone() },
            Screen::SignOut { next: None },
            Screen::SignOut { next: Some(ReturnPath::parse(b"/oauth2/sign_out?rd=%2F")) },
            Screen::SignedOut { next: None },
            Screen::SignedOut { next: Some(ReturnPath::parse(b"/oauth2/sign_out?rd=%2F")) },
        ];
        let codes = [
            Code::MfaRequired,
            Code::MfaDenied,
            Code::MfaTimeout,
            Code::MfaFraud,
            Code::MfaLockedOut,
            Code::DuoDenied,
            Code::EnrollmentRequired,
            Code::NoDevice,
            Code::FactorRefused,
            Code::IdentityMissing,
            Code::IdentityInvalid,
            Code::AccessDenied,
            Code::PasscodeIncorrect,
            Code::TooManyRequests,
            Code::PendingElsewhere,
            Code::DuoUnavailable,
            Code::DuoMisconfigured,
            Code::BadRequest,
            Code::CrossSite,
            Code::HttpsRequired,
            Code::PathAmbiguous,
            Code::InternalRedirect,
            Code::NotFound,
            Code::MethodNotAllowed,
        ];
        let wait = Some(Duration::from_secs(40));
        screens.extend(codes.map(|code| Screen::Refused { code, wait, accepts_passcode: false }));
        screens
    }
}

const ARRIVALS: [Arrival; 4] =
    [Arrival::InPlace, Arrival::Form, Arrival::OwnAddress, Arrival::Callback];

fn page(screen: &Screen, frame: &Frame<'_>) -> String {
    String::from_utf8(screen.reply(frame).body).unwrap()
}

fn every_page(text: &str, check: impl Fn(&str, &Screen, &Frame<'_>)) {
    let stage = Stage::with(text);
    for screen in stage.screens() {
        for language in Language::ALL {
            for arrival in ARRIVALS {
                let frame = stage.frame(language, arrival);
                check(&page(&screen, &frame), &screen, &frame);
            }
        }
    }
}

/// Tags in the order of the document, `<p class="mut">` as `p class="mut"`.
fn tags(page: &str) -> Vec<&str> {
    page.split('<').skip(1).map(|tag| tag.split('>').next().unwrap()).collect()
}

#[test]
fn every_page_in_every_language_is_well_formed() {
    const EMPTY: [&str; 6] = ["!DOCTYPE", "meta", "link", "input", "img", "br"];
    every_page("Example", |page, screen, frame| {
        let mut open = Vec::new();
        for tag in tags(page) {
            let name = tag.split_ascii_whitespace().next().unwrap();
            match name.strip_prefix('/') {
                Some(name) => assert_eq!(open.pop(), Some(name), "{screen:?}: {page}"),
                None if EMPTY.contains(&name) => {}
                None => open.push(name),
            }
        }
        assert!(open.is_empty(), "{screen:?}: {open:?}");
        let lang = format!("<html lang=\"{}\" dir=\"ltr\">", frame.language.tag());
        assert!(page.starts_with(&format!("<!DOCTYPE html>{lang}")), "{page}");
        for once in ["<h1 ", "<title>", "<main", "<footer>"] {
            assert_eq!(page.matches(once).count(), 1, "{once} in {screen:?}");
        }
    });
}

#[test]
fn ids_are_unique_and_what_refers_to_them_finds_them() {
    every_page("Example", |page, screen, _| {
        let value = |tag: &'_ str, name: &str| {
            let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
            rest.split('"').next().map(str::to_owned)
        };
        let mut ids: Vec<_> = tags(page).into_iter().filter_map(|tag| value(tag, "id")).collect();
        let all = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), all, "{screen:?}");
        for name in ["for", "aria-describedby"] {
            for list in tags(page).into_iter().filter_map(|tag| value(tag, name)) {
                for id in list.split(' ') {
                    assert!(ids.iter().any(|known| known == id), "{name}={id} in {screen:?}");
                }
            }
        }
    });
}

#[test]
fn nothing_on_a_page_needs_inline_script_or_style() {
    every_page(HOSTILE, |page, screen, _| {
        assert!(!page.contains("<style"), "{screen:?}");
        for tag in tags(page) {
            let is_script = tag.starts_with("script");
            assert!(!is_script || tag.contains(" src=\"/.duo-mfa/assets/"), "{tag}");
            // Values are between quotes; the rest has the names.
            let names: String = tag.split('"').step_by(2).collect();
            for attribute in names.split_ascii_whitespace().skip(1) {
                assert!(!attribute.starts_with("style="), "{tag}");
                assert!(!attribute.starts_with("on"), "{tag}");
            }
        }
        assert!(!page.contains("javascript:"));
    });
}

#[test]
fn text_from_elsewhere_is_only_text() {
    let escaped = "&lt;img src=x onerror=alert(1)&gt;&quot;'&amp;";
    every_page(HOSTILE, |page, screen, _| {
        assert!(!page.contains("<img"), "{screen:?}: {page}");
        assert!(page.contains(escaped), "{screen:?}: {page}");
        assert!(!page.contains(['\u{202e}', '\0', '\r', '\n']), "{screen:?}");
    });
}

#[test]
fn the_state_comes_first_in_the_title() {
    let stage = Stage::with("Example");
    let frame = stage.frame(Language::De, Arrival::InPlace);
    let denied = page(&Screen::SignIn(Standing::Denied), &frame);
    assert!(denied.contains("<title>Anfrage abgelehnt – Example</title>"), "{denied}");
    assert!(denied.contains("<h1 id=\"heading\" tabindex=\"-1\">Anfrage abgelehnt</h1>"));
    assert!(denied.contains("<code id=\"reference\">01234567</code>"));
    let start = page(&Screen::Start, &stage.frame(Language::En, Arrival::Form));
    assert!(start.contains("<title>Your form was not sent – Example</title>"), "{start}");
}

#[test]
fn buttons_hold_all_their_data_in_their_address() {
    let stage = Stage::with("iPhone");
    let frame = stage.frame(Language::En, Arrival::InPlace);
    let back = "return_to=%2Fapp%3Fx%3D1%26y%3Da%2520b&amp;reference=ticket\"";
    let choose = page(&Screen::Choose(stage.devices()), &frame);
    for expected in [
        format!("formaction=\"/.duo-mfa/auth?factor=push&amp;device=DP%261&amp;{back}"),
        format!("formaction=\"/.duo-mfa/auth?factor=phone&amp;device=DP2&amp;{back}"),
        format!("formaction=\"/.duo-mfa/auth?factor=sms&amp;device=DP2&amp;{back}"),
        format!("formaction=\"/.duo-mfa/auth?factor=passcode&amp;{back}"),
        format!("formaction=\"/.duo-mfa/preauth?{back}"),
        format!("formaction=\"/.duo-mfa/cancel?{back}"),
    ] {
        assert!(choose.contains(&expected), "{expected}: {choose}");
    }
    assert!(choose.contains("Send a push<span class=\"vh\"> iPhone</span>"), "{choose}");
}

#[test]
fn the_preferred_device_leads_and_the_others_are_folded() {
    let stage = Stage::with("iPhone");
    let choose =
        page(&Screen::Choose(stage.devices()), &stage.frame(Language::En, Arrival::InPlace));
    let (lead, folded) = choose.split_once("<details").unwrap();
    assert!(lead.contains("device=DP2") && !lead.contains("device=DP%261"), "{lead}");
    assert!(folded.contains("device=DP%261") && !folded.contains("device=DP2"), "{folded}");
}

#[test]
fn a_factor_that_is_not_offered_is_not_on_the_page() {
    let stage = Stage::with("iPhone");
    let mut choices = stage.devices();
    choices.factors = vec![Factor::Push];
    for device in &mut choices.devices {
        device.factors = vec![Factor::Push];
    }
    let page = page(&Screen::Choose(choices), &stage.frame(Language::En, Arrival::InPlace));
    assert!(!page.contains("factor=sms") && !page.contains("factor=phone"), "{page}");
    assert!(page.contains("<form id=\"passcode\" method=\"post\" hidden>"), "{page}");
}

#[test]
fn the_passcode_form_works_without_script_only_where_bodies_are_read() {
    let mut stage = Stage::with("iPhone");
    for can_read_bodies in [false, true] {
        stage.site = stage.site.with_request_bodies(can_read_bodies);
        let screens = [
            Screen::Choose(stage.devices()),
            Screen::WrongPasscode,
            Screen::SignIn(Standing::CodesSent { device: None }),
        ];
        for screen in screens {
            let page = page(&screen, &stage.frame(Language::En, Arrival::OwnAddress));
            let hidden =
                page.contains("<form id=\"passcode\" method=\"post\" hidden data-offered>");
            let told = page.contains("<noscript><p class=\"mut\">Entering a passcode needs");
            assert_eq!((hidden, told), (!can_read_bodies, !can_read_bodies), "{page}");
        }
    }
}

#[test]
fn a_wrong_passcode_is_reported_at_its_field() {
    let stage = Stage::with("iPhone");
    let reply = Screen::WrongPasscode.reply(&stage.frame(Language::En, Arrival::OwnAddress));
    assert_eq!(reply.status, 422);
    let page = String::from_utf8(reply.body).unwrap();
    let error = "<p class=\"err\" id=\"code-error\" role=\"alert\">That code was not right.</p>";
    assert!(page.contains(error), "{page}");
    assert!(page.contains("aria-describedby=\"code-error code-hint\" aria-invalid=\"true\""));
    assert!(page.contains("autocomplete=\"one-time-code\""));
}

#[test]
fn a_page_that_waits_asks_again_without_script() {
    let stage = Stage::with("iPhone");
    let refresh = "<noscript><meta http-equiv=\"refresh\" content=\"3\"></noscript>";
    for screen in stage.screens() {
        let waits = matches!(screen, Screen::SignIn(Standing::Waiting(_)) | Screen::Activate(_));
        let page = page(&screen, &stage.frame(Language::En, Arrival::OwnAddress));
        assert_eq!(page.contains(refresh), waits, "{screen:?}");
    }
}

#[test]
fn a_verification_code_is_shown_large_and_read_digit_by_digit() {
    let stage = Stage::with("iPhone");
    let screen = stage.waiting(Awaited::VerifiedPush { code: DisplayText::new("708") });
    let page = page(&screen, &stage.frame(Language::En, Arrival::InPlace));
    assert!(page.contains("<p class=\"code\" id=\"code-shown\" aria-hidden=\"true\">708</p>"));
    assert!(page.contains("Code: <span id=\"code-spoken\">7 0 8</span>"), "{page}");
    assert!(page.contains("58 seconds left"));
    assert!(page.contains("<progress id=\"bar\" max=\"60\" value=\"58\">"));
}

#[test]
fn the_status_has_the_words_of_the_page() {
    let stage = Stage::with("iPhone");
    let wait = Some(Duration::from_secs(40));
    let refused = |code| Screen::Refused { code, wait, accepts_passcode: false };
    let cases = [
        (Screen::Start, Arrival::InPlace, 403, "duo_mfa_mfa_required"),
        (Screen::Start, Arrival::Form, 403, "duo_mfa_mfa_required"),
        (Screen::Start, Arrival::OwnAddress, 200, "duo_mfa_page"),
        (stage.waiting(Awaited::Push), Arrival::OwnAddress, 200, "duo_mfa_page"),
        (stage.waiting(Awaited::Push), Arrival::InPlace, 403, "duo_mfa_mfa_required"),
        (Screen::SignIn(Standing::Fraud), Arrival::OwnAddress, 403, "duo_mfa_mfa_fraud"),
        (refused(Code::TooManyRequests), Arrival::OwnAddress, 429, "duo_mfa_too_many_requests"),
        (refused(Code::DuoUnavailable), Arrival::InPlace, 503, "duo_mfa_duo_unavailable"),
        (refused(Code::CrossSite), Arrival::OwnAddress, 403, "duo_mfa_cross_site"),
        (Screen::SignOut { next: None }, Arrival::OwnAddress, 200, "duo_mfa_page"),
        (Screen::SignedOut { next: None }, Arrival::OwnAddress, 200, "duo_mfa_page"),
    ];
    for (screen, arrival, status, details) in cases {
        let reply = screen.reply(&stage.frame(Language::Fr, arrival));
        assert_eq!((reply.status, reply.details.as_str()), (status, details), "{screen:?}");
        let header = |name: &str| {
            let found = reply.headers.iter().find(|(n, _)| *n == name);
            found.map(|(_, value)| String::from_utf8(value.as_bytes().to_vec()).unwrap())
        };
        assert_eq!(header("content-language").as_deref(), Some("fr"));
        assert_eq!(header("content-type").as_deref(), Some("text/html; charset=utf-8"));
        assert_eq!(header("cache-control").as_deref(), Some("no-store"));
        let expected = matches!(screen, Screen::Refused { .. }).then(|| "40".to_owned());
        let is_limit = status == 429 || status == 503;
        assert_eq!(header("retry-after").filter(|_| is_limit), expected.filter(|_| is_limit));
    }
}

#[test]
fn callback_has_links_and_no_form() {
    every_page("Example", |page, screen, frame| {
        let is_possible = matches!(screen, Screen::Refused { .. } | Screen::Arrived);
        assert!(frame.arrival != Arrival::Callback || !is_possible || !page.contains("<form"));
    });
    let (stage, screen) = (
        Stage::with("x"),
        Screen::Refused { code: Code::MfaInsufficient, wait: None, accepts_passcode: false },
    );
    let page = page(&screen, &stage.frame(Language::En, Arrival::Callback));
    assert!(page.contains("href=\"/app?x=1&amp;y=a%20b\">Try again</a>"), "{page}");
}
