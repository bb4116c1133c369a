//! The form of a reply: page or document, its language, and its address.

use super::challenge::Challenge;
use super::universal;
use crate::config::Config;
use crate::http::{Client, HeaderValue, Reply, RequestHead, ReturnPath};
use crate::page::{Arrival, DisplayText, Frame, Language, Onward, Problem, Screen};
use crate::reference::Reference;
use crate::signal::Code;

/// The properties of a request that determine the form of its reply.
#[derive(Clone, Debug)]
pub(super) struct View {
    client: Client,
    /// Whether a person sees the reply; otherwise a script or a program reads it.
    pub(super) is_page: bool,
    pub(super) language: Language,
    arrival: Arrival,
    pub(super) return_to: ReturnPath,
}

impl View {
    /// A reply at the application's address.
    pub(super) fn in_place(head: &RequestHead<'_>) -> Self {
        let is_read = matches!(head.method, b"GET" | b"HEAD");
        let arrival = if is_read { Arrival::InPlace } else { Arrival::Form };
        Self::of(head, arrival, ReturnPath::parse(head.target).for_method(head.method))
    }

    /// A reply at one of the filter's own addresses.
    pub(super) fn at_own_address(head: &RequestHead<'_>, return_to: ReturnPath) -> Self {
        Self::of(head, Arrival::OwnAddress, return_to)
    }

    /// A reply at the address to which browsers come back from Duo's page.
    pub(super) fn at_callback(head: &RequestHead<'_>, return_to: ReturnPath) -> Self {
        Self::of(head, Arrival::Callback, return_to)
    }

    fn of(head: &RequestHead<'_>, arrival: Arrival, return_to: ReturnPath) -> Self {
        let hints = head.hints();
        let client = Client::of(&hints);
        Self {
            client,
            is_page: client == Client::Page,
            language: Language::accepted(head.value("accept-language")),
            arrival,
            return_to,
        }
    }

    /// Whether the client stores cookies. Otherwise the reply contains the pending sign-in itself.
    pub(super) const fn is_browser(&self) -> bool {
        !matches!(self.client, Client::Hold)
    }

    /// The page in this state.
    pub(super) fn page(&self, screen: &Screen, requester: Requester<'_>, config: &Config) -> Reply {
        let challenge = requester.challenge;
        let user = challenge.map(|challenge| DisplayText::new(&challenge.identity.user));
        let application =
            challenge.map(|challenge| DisplayText::new(&challenge.trail.request.host));
        let address = challenge.and_then(|challenge| challenge.trail.address);
        let address = address.map(|address| DisplayText::new(&address.to_string()));
        let duo = challenge.and_then(|challenge| universal::prompt(&challenge.terms, config));
        let ticket = challenge.map(|it| it.trail.ticket(&it.identity, config));
        let frame = Frame {
            site: &config.site,
            language: self.language,
            arrival: self.arrival,
            return_to: &self.return_to,
            duo: duo.map(|prompt| prompt.origin.as_str()),
            asks_another: challenge.is_some_and(|it| it.terms.approvers.is_some()),
            reference: requester.reference,
            ticket: ticket.as_deref(),
            user: user.as_ref(),
            application: application.as_ref(),
            address: address.as_ref(),
        };
        self.guarded(screen.reply(&frame))
    }

    /// The address of a callback has single-use values, so no other page may learn it.
    fn guarded(&self, reply: Reply) -> Reply {
        if self.arrival == Arrival::Callback { reply.without_referrer() } else { reply }
    }

    /// A refusal: the page for a person, a problem document for all others. `onward` has the
    /// addresses that only the sign-in knows.
    pub(super) fn refusal(
        &self,
        problem: &Problem,
        onward: Onward<'_>,
        requester: Requester<'_>,
        config: &Config,
    ) -> Reply {
        if self.is_page {
            return self.page(&screen(problem), requester, config);
        }
        let start_url = start_url(problem.code, requester.challenge, &self.return_to, config);
        let onward = Onward {
            start_url: start_url.as_deref(),
            language: self.is_browser().then_some(self.language),
            ..onward
        };
        self.guarded(problem.reply_onward(self.client, &onward))
    }

    /// The problem with its detail in the user's language. Duo's own messages are kept.
    pub(super) fn localised(&self, problem: &Problem) -> Problem {
        let language = if self.is_browser() { self.language } else { Language::En };
        if problem.code == Code::FactorRefused {
            return explained(problem, language);
        }
        if !self.is_browser() || problem.code == Code::DuoDenied {
            return problem.clone();
        }
        let Problem { code, retry_after, accepts_passcode, .. } = *problem;
        let detail = language.detail(code, retry_after, accepts_passcode);
        Problem { detail, ..problem.clone() }
    }
}

/// A refusal whose detail is Duo's reason, after a sentence that says what to do.
pub(super) fn explained(problem: &Problem, language: Language) -> Problem {
    let detail = format!("{} ({})", language.detail(problem.code, None, false), problem.detail);
    Problem { detail, ..problem.clone() }
}

/// The user and the request, as far as they are known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Requester<'a> {
    pub(super) challenge: Option<&'a Challenge>,
    pub(super) reference: Option<Reference>,
}

impl<'a> From<&'a Challenge> for Requester<'a> {
    fn from(challenge: &'a Challenge) -> Self {
        Self { challenge: Some(challenge), reference: Some(challenge.trail.reference) }
    }
}

fn screen(problem: &Problem) -> Screen {
    if problem.code == Code::PasscodeIncorrect {
        return Screen::WrongPasscode;
    }
    if problem.code == Code::DuoDenied {
        return Screen::DuoDenied { message: DisplayText::new(&problem.detail) };
    }
    if problem.code == Code::FactorRefused {
        return Screen::FactorRefused { message: DisplayText::new(&problem.detail) };
    }
    Screen::Refused {
        code: problem.code,
        wait: problem.retry_after,
        accepts_passcode: problem.accepts_passcode,
    }
}

/// The address at which a browser can do what this refusal asks for.
pub(super) fn start_url(
    code: Code,
    challenge: Option<&Challenge>,
    return_to: &ReturnPath,
    config: &Config,
) -> Option<String> {
    let is_about_a_factor = matches!(
        code,
        Code::MfaRequired | Code::FactorRefused | Code::MfaInsufficient | Code::SignInLost
    );
    let can_start = is_about_a_factor && challenge.is_none_or(Challenge::can_start_elsewhere);
    can_start.then(|| config.site.start_url(return_to))
}

/// Redirects to another address, by GET.
pub(super) fn see_other(location: HeaderValue) -> Reply {
    Reply::new(303, "duo_mfa_see_other".to_owned(), "text/plain", Vec::new())
        .with("location", location)
}

/// Redirects to the prompt page's own address.
pub(super) fn to_page(config: &Config, return_to: &ReturnPath) -> Reply {
    see_other(HeaderValue::lossy(config.site.start_url(return_to)))
}
