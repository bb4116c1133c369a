//! Pages that refuse: where the user can go from there.

use super::*;

fn refused(code: Code, accepts_passcode: bool) -> Screen {
    Screen::Refused { code, wait: Some(Duration::from_secs(40)), accepts_passcode }
}

#[test]
fn starting_again_is_always_a_get() {
    let stage = Stage::with("iPhone");
    let screen = Screen::Refused { code: Code::BadRequest, wait: None, accepts_passcode: false };
    let in_place = page(&screen, &stage.frame(Language::En, Arrival::InPlace));
    assert!(in_place.contains("<a class=\"btn\" href=\"\">Start again</a>"), "{in_place}");
    let own = page(&screen, &stage.frame(Language::En, Arrival::OwnAddress));
    assert!(own.contains("<a class=\"btn\" href=\"/.duo-mfa/?return_to=%2Fapp"), "{own}");
}

#[test]
fn a_page_offers_another_user_to_sign_in_where_that_is_possible() {
    let link = "<a href=\"/oauth2/sign_out\">Sign in as somebody else</a>";
    let mut stage = Stage::with("iPhone");
    for code in Code::ALL {
        let frame = stage.frame(Language::En, Arrival::OwnAddress);
        let known = page(&refused(code, false), &frame);
        assert_eq!(known.matches(link).count(), 1, "{code:?}: {known}");
        let unknown = page(&refused(code, false), &Frame { user: None, ..frame });
        let is_offered = matches!(code, Code::IdentityInvalid | Code::AccessDenied);
        assert!(!is_offered || unknown.contains(link), "{code:?}: {unknown}");
    }
    stage.site.branding.sign_out_url = None;
    let without =
        page(&refused(Code::AccessDenied, false), &stage.frame(Language::En, Arrival::OwnAddress));
    assert!(!without.contains("somebody else"), "{without}");
}

#[test]
fn a_page_says_where_to_find_help() {
    let asked = "<p>Need help? Contact your help desk.</p>";
    let mut stage = Stage::with("iPhone");
    let own = page(&refused(Code::MfaTimeout, false), &stage.frame(Language::En, Arrival::InPlace));
    assert!(!own.contains(asked), "the organisation has its own words: {own}");
    stage.site.branding.help_url = None;
    stage.site.branding.help_text = None;
    for code in Code::ALL {
        let page = page(&refused(code, false), &stage.frame(Language::En, Arrival::InPlace));
        assert!(page.contains(asked), "{code:?}: {page}");
    }
}

#[test]
fn a_limit_of_prompts_leads_to_the_passcode() {
    let stage = Stage::with("iPhone");
    let frame = stage.frame(Language::En, Arrival::OwnAddress);
    let page = |accepts| page(&refused(Code::TooManyRequests, accepts), &frame);
    assert!(page(true).contains("You can try again in 40 seconds. A passcode works right away."));
    assert!(page(true).contains(">Use another way</button>"), "{}", page(true));
    assert!(!page(false).contains("passcode"), "{}", page(false));
    assert!(page(false).contains(">Try again</button>"), "{}", page(false));
}
