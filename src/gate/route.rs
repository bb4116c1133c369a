//! The filter's own addresses under `path_prefix`. They are matched exactly, on the path as it was
//! sent. No request below the prefix is ever forwarded.

use super::assertion;
use super::challenge::Challenge;
use super::decision::{Decision, End, Notes};
use super::readiness;
use super::refusal::Denial;
use super::refusals::{NO_LOGO, NOT_FOUND, wrong_method};
use super::universal;
use super::view::{Requester, View};
use crate::assertion::Assertions;
use crate::config::{Application, Config, Enrollment};
use crate::http::{Client, HeaderValue, Reply, RequestHead, ReturnPath};
use crate::page::{Onward, Problem};
use memchr::arch::all::is_prefix;

/// An address for a user's sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// `/`: the prompt page.
    Page,
    /// Returns the factors and devices that the user may use.
    Preauth,
    /// Redirects the browser to Duo's page.
    Start,
    /// Handles a browser that comes back from there, for the Duo application with this number.
    Callback(usize),
    /// Starts a factor.
    Auth,
    /// Returns the state of the sign-in.
    Status,
    /// Ends a pending sign-in.
    Cancel,
    /// Asks whether to sign out.
    SignOut,
    /// Signs out: ends the approval.
    Logout,
    /// Returns the user and the approval.
    UserInfo,
    /// Creates a user at Duo, who can then activate a device.
    Enroll,
    /// Shows the QR code for the activation.
    Activation,
    /// Returns whether the QR code was used.
    EnrollStatus,
}

impl Endpoint {
    /// The name in audit lines.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Preauth => "preauth",
            Self::Start => "start",
            Self::Callback(_) => "callback",
            Self::Auth => "auth",
            Self::Status => "status",
            Self::Cancel => "cancel",
            Self::SignOut | Self::Logout => "logout",
            Self::UserInfo => "userinfo",
            Self::Enroll | Self::Activation => "enroll",
            Self::EnrollStatus => "enroll/status",
        }
    }

    /// Whether it changes something. Then another site must not request it.
    pub(super) const fn is_act(self) -> bool {
        match self {
            Self::Preauth
            | Self::Start
            | Self::Auth
            | Self::Cancel
            | Self::Logout
            | Self::Enroll => true,
            Self::Page
            | Self::Callback(_)
            | Self::Status
            | Self::SignOut
            | Self::UserInfo
            | Self::Activation
            | Self::EnrollStatus => false,
        }
    }

    /// Whether a sign-in begins here. Then the client has to store cookies.
    pub(super) const fn begins(self) -> bool {
        matches!(self, Self::Preauth | Self::Start | Self::Auth | Self::Enroll)
    }

    /// Whether it can only end an approval or a sign-in. Such an endpoint also serves users that
    /// the rules deny everything.
    pub(super) const fn takes_back(self) -> bool {
        matches!(self, Self::Cancel | Self::Logout | Self::SignOut)
    }
}

/// A request of a known user for one of the filter's endpoints.
#[derive(Debug)]
pub(super) struct EndpointRequest {
    pub(super) endpoint: Endpoint,
    pub(super) challenge: Challenge,
    pub(super) groups: Vec<String>,
    /// Whether a body follows the head.
    pub(super) has_body: bool,
}

/// The result of routing.
pub(super) enum Route {
    /// The reply is the same for every user.
    Answered(Box<Decision>),
    /// The endpoint needs a user.
    Visit(Endpoint),
}

/// The methods that an address accepts.
#[derive(Clone, Copy)]
enum Methods {
    Get,
    Read,
    Post,
    GetAndPost,
}

impl Methods {
    const fn allow(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Read => "GET, HEAD",
            Self::Post => "POST",
            Self::GetAndPost => "GET, POST",
        }
    }

    const fn serve(self, method: &[u8]) -> bool {
        match self {
            Self::Get => matches!(method, b"GET"),
            Self::Read => matches!(method, b"GET" | b"HEAD"),
            Self::Post => matches!(method, b"POST"),
            Self::GetAndPost => matches!(method, b"GET" | b"POST"),
        }
    }
}

/// The route of a request for the filter itself; `None` for any other.
pub(super) fn route(config: &Config, head: &RequestHead<'_>) -> Option<Route> {
    let prefix = config.path_prefix.as_bytes();
    // Most requests are for the application, and need no search for their query.
    if !is_prefix(head.target, prefix) {
        return None;
    }
    let rest = head.path().get(prefix.len()..)?;
    let name = match rest {
        b"" => return Some(answered(not_found(config, head))),
        _ => rest.strip_prefix(b"/")?,
    };
    let (methods, route) = named(config, head, name);
    Some(match route {
        Some(route) if methods.serve(head.method) => route,
        Some(route) => answered(wrong_method_at(&route, config, head, methods)),
        None => answered(not_found(config, head)),
    })
}

/// The route of the address with this name after the prefix and a slash; `None` if there is none.
fn named(config: &Config, head: &RequestHead<'_>, name: &[u8]) -> (Methods, Option<Route>) {
    let visit = |endpoint| Some(Route::Visit(endpoint));
    let is_inline = |it: &Application| it.duo.enrollment == Enrollment::Inline;
    let enrolls = config.applications.iter().any(is_inline);
    let asks = universal::is_auth_api_used(config);
    match name {
        b"healthz" => (Methods::Read, Some(answered(Decision::reply(readiness::alive())))),
        b"readyz" => (Methods::Read, Some(answered(Decision::of_readiness()))),
        b"logo" if config.site.serves_logo() => (Methods::Read, Some(answered(logo(config, head)))),
        b"jwks.json" => (Methods::Read, config.assertion.as_ref().map(keys)),
        b"" => (Methods::Read, visit(Endpoint::Page)),
        b"preauth" if asks => (Methods::Post, visit(Endpoint::Preauth)),
        b"auth" if asks => (Methods::Post, visit(Endpoint::Auth)),
        b"status" => (Methods::Get, visit(Endpoint::Status)),
        b"cancel" => (Methods::Post, visit(Endpoint::Cancel)),
        // A page with a button, for clients that show pages.
        b"logout" if head.method == b"GET" && Client::of(&head.hints()) != Client::Page => {
            (Methods::Post, visit(Endpoint::Logout))
        }
        b"logout" if head.method == b"GET" => (Methods::GetAndPost, visit(Endpoint::SignOut)),
        b"logout" => (Methods::GetAndPost, visit(Endpoint::Logout)),
        b"userinfo" => (Methods::Read, visit(Endpoint::UserInfo)),
        b"enroll" if enrolls && head.method == b"POST" => (Methods::Post, visit(Endpoint::Enroll)),
        b"enroll" if enrolls => (Methods::GetAndPost, visit(Endpoint::Activation)),
        b"enroll/status" if enrolls => (Methods::Get, visit(Endpoint::EnrollStatus)),
        b"start" if universal::is_used(config) => (Methods::Post, visit(Endpoint::Start)),
        _ => match universal::returning(config, name) {
            Some(application) => (Methods::Get, visit(Endpoint::Callback(application))),
            None => (Methods::Read, asset(config, head).map(answered)),
        },
    }
}

/// Refuses the method of a request to this address.
fn wrong_method_at(
    route: &Route,
    config: &Config,
    head: &RequestHead<'_>,
    methods: Methods,
) -> Decision {
    let refused = refuse_method(config, head, methods);
    match route {
        Route::Visit(Endpoint::Callback(_)) => refused.without_referrer(),
        Route::Visit(_) | Route::Answered(_) => refused,
    }
}

fn answered(decision: Decision) -> Route {
    Route::Answered(Box::new(decision))
}

fn asset(config: &Config, head: &RequestHead<'_>) -> Option<Decision> {
    let reply = config.site.asset(str::from_utf8(head.path()).ok()?)?;
    Some(Decision::reply(reply))
}

fn keys(assertions: &Assertions) -> Route {
    answered(Decision::reply(assertion::key_set(assertions)))
}

fn logo(config: &Config, head: &RequestHead<'_>) -> Decision {
    let absent = problem(config, head, NO_LOGO);
    Decision { end: End::Logo { absent }, notes: Notes::default() }
}

fn not_found(config: &Config, head: &RequestHead<'_>) -> Decision {
    Decision::refusal(problem(config, head, NOT_FOUND), NOT_FOUND.code, None)
}

fn refuse_method(config: &Config, head: &RequestHead<'_>, methods: Methods) -> Decision {
    let allow = methods.allow();
    let denial = wrong_method(allow);
    let code = denial.code;
    let reply = problem(config, head, denial);
    Decision::refusal(reply.with("allow", HeaderValue::from_static(allow)), code, None)
}

fn problem(config: &Config, head: &RequestHead<'_>, denial: impl Into<Denial>) -> Reply {
    let Denial { code, detail, .. } = denial.into();
    let problem = Problem::new(code, detail.into_owned(), None);
    let requester = Requester { challenge: None, reference: None };
    let view = View::at_own_address(head, ReturnPath::default());
    view.refusal(&problem, Onward::default(), requester, config)
}
