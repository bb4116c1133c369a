//! The keys of the configuration itself.

use super::access_control::ACCESS_CONTROL;
use super::assertion::ASSERTION;
use super::duo::{APPLICATION, DUO};
use super::identity::IDENTITY;
use super::key::{Key, Kind, List, Section, Usual};
use super::operation::{API, BRANDING, LIMITS, PUSH};
use super::session::SESSION;
use super::texts;

/// The configuration.
pub const ROOT: Section = Section { name: "plugin", keys: ROOT_KEYS };

const ROOT_KEYS: &[Key] = &[
    Key::new("version", Kind::Number(1, 1), Usual::Value("1"), ("version of this format", "1")),
    Key::new(
        "mode",
        Kind::ChoiceOrOff(&["enforce", "report_only", "off"]),
        Usual::Value(r#""enforce""#),
        (
            "`report_only` lets every request pass without asking Duo, and counts \
             (`duo_mfa_would_refuse.*`, by rule) and logs the requests that it would refuse; `off` lets \
             every request pass",
            r#""report_only""#,
        ),
    ),
    Key::new(
        "path_prefix",
        Kind::Text(&texts::PATH_PREFIX),
        Usual::Value(r#""/.duo-mfa""#),
        ("prefix of the filter's [endpoints](endpoints.md)", r#""/sso/.mfa""#),
    ),
    Key::new(
        "duo",
        Kind::Section(&DUO),
        Usual::Required,
        (
            "how Duo is called",
            r#"{"api_host": "api-xxxxxxxx.duosecurity.com", "integration_key": "DIXXXXXXXXXXXXXXXXXX", "secret_key": {"env": "DUO_SECRET_KEY"}}"#,
        ),
    ),
    Key::new(
        "applications",
        Kind::Named(&texts::NAME, &APPLICATION),
        Usual::Value("{}"),
        ("further Duo applications, see [Applications](applications.md)", "{}"),
    ),
    Key::new(
        "identity",
        Kind::Section(&IDENTITY),
        Usual::Required,
        (
            "where the user's name comes from, see [Identity](identity.md)",
            r#"{"source": "header", "header": "x-basic-user"}"#,
        ),
    ),
    Key::new(
        "session",
        Kind::Section(&SESSION),
        Usual::Required,
        ("approvals and their cookies", r#"{"keys": [{"env": "DUO_MFA_COOKIE_KEY"}]}"#),
    ),
    Key::new(
        "assertion",
        Kind::Section(&ASSERTION),
        Usual::Words("the application gets no assertion"),
        (
            "signed proof of the second factor for the application, see \
             [The assertion](requests.md#the-assertion)",
            r#"{"keys": [{"env": "DUO_MFA_ASSERTION_KEY"}], "issuer": "https://app.example.com", "audience": "wiki"}"#,
        ),
    ),
    Key::new(
        "access_control",
        Kind::Section(&ACCESS_CONTROL),
        Usual::Value("{}"),
        (
            "which requests need a second factor, see [Rules](rules.md)",
            r#"{"default_policy": "deny"}"#,
        ),
    ),
    Key::new(
        "api",
        Kind::Section(&API),
        Usual::Value("{}"),
        ("clients that are no browsers", r#"{"mode": "refuse"}"#),
    ),
    Key::new(
        "request_bodies",
        Kind::Flag,
        Usual::Value("false"),
        (
            "`true` lets a browser without JavaScript send a passcode. Needs \
             `allow_on_headers_stop_iteration: true` in the plugin's Envoy configuration",
            "true",
        ),
    ),
    Key::new(
        "cross_site_forms",
        Kind::List(List::of(&Kind::Text(&texts::FORM_PATH))),
        Usual::Value("[]"),
        (
            "exact paths (as `/saml/acs`) to which pages of other sites send forms, see \
             [Forms of other sites](browser.md#forms-of-other-sites). Needs `request_bodies`",
            r#"["/saml/acs"]"#,
        ),
    ),
    Key::new(
        "filter_state",
        Kind::Flag,
        Usual::Value("false"),
        (
            "`true` gives each decision to Envoy's access log and to other filters, see \
             [Filter state](errors.md#filter-state)",
            "true",
        ),
    ),
    Key::new(
        "push",
        Kind::Section(&PUSH),
        Usual::Value("{}"),
        ("the texts of a push", r#"{"title": "Wire transfer"}"#),
    ),
    Key::new(
        "limits",
        Kind::Section(&LIMITS),
        Usual::Value("{}"),
        ("see [Limits](limits.md)", r#"{"pushes": 5}"#),
    ),
    Key::new(
        "branding",
        Kind::Section(&BRANDING),
        Usual::Value("{}"),
        ("look of the page, and where users find help", r#"{"name": "Example"}"#),
    ),
    Key::new(
        "allow_inline_secrets",
        Kind::Flag,
        Usual::Value("false"),
        (
            "`true` accepts secrets written in the configuration itself, which `/config_dump` shows: \
             for demos",
            "true",
        ),
    ),
    Key::later("audit", "not supported: every decision that is not a plain pass is logged"),
];
