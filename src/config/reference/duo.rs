//! `duo` and `applications`.

use super::key::{Key, Kind, List, Section, Usual};
use super::secret::SECRET;
use super::texts;

pub(super) const DUO: Section = Section { name: "duo", keys: DUO_KEYS };

pub(super) const UNIVERSAL: Section = Section { name: "universal", keys: UNIVERSAL_KEYS };

pub(super) const APPLICATION: Section = Section { name: "application", keys: APPLICATION_KEYS };

pub(super) const APPLICATION_SESSION: Section =
    Section { name: "application_session", keys: &[NAME_OF_APPROVALS] };

/// The factors of `duo.factors` and of rules.
pub(super) const FACTORS: Kind = Kind::List(
    List::of(&Kind::Choice(&["push", "passcode", "any_passcode", "phone", "sms", "webauthn"]))
        .least(1)
        .unique(),
);

/// The name of an application's approvals.
const NAME_OF_APPROVALS: Key = Key::new(
    "application",
    Kind::Text(&texts::NAME),
    Usual::Words("the application's name"),
    (
        "name that approvals are valid for. Applications with the same name share them",
        r#""default""#,
    ),
);

const DUO_KEYS: &[Key] = &[
    Key::new(
        "api_host",
        Kind::Text(&texts::API_HOST),
        Usual::Required,
        (
            "API host of your account at Duo, from any of its applications",
            r#""api-xxxxxxxx.duosecurity.com""#,
        ),
    )
    .also(&["hostname", "host"]),
    Key::new(
        "integration_key",
        Kind::Text(&texts::INTEGRATION_KEY),
        Usual::Required,
        (
            "integration key of an application of type *Auth API*. Left out for \
             [browsers only](#browsers-only)",
            r#""DIXXXXXXXXXXXXXXXXXX""#,
        ),
    )
    .also(&["ikey"]),
    Key::new(
        "secret_key",
        Kind::Secret(&SECRET),
        Usual::Required,
        (
            "its secret key, as `{\"env\": \"NAME\"}`. Left out together with `integration_key`",
            r#"{"env": "DUO_SECRET_KEY"}"#,
        ),
    )
    .also(&["skey"]),
    Key::new(
        "cluster",
        Kind::Text(&texts::CLUSTER),
        Usual::Value(r#""duo_api""#),
        ("Envoy's cluster for the API host", r#""outbound|443||api-xxxxxxxx.duosecurity.com""#),
    ),
    Key::new(
        "signature",
        Kind::Choice(&["v5", "v2-sha512", "v2-sha1"]),
        Usual::Value(r#""v5""#),
        ("signature of the calls", r#""v2-sha512""#),
    ),
    Key::new(
        "factors",
        FACTORS,
        Usual::Words("`push`, `passcode`, `phone`, `sms`"),
        (
            "factors that users may use. `any_passcode` instead of `passcode` accepts codes without \
             offering text messages, see [Kinds of passcodes](rules.md#kinds-of-passcodes)",
            r#"["push", "any_passcode"]"#,
        ),
    ),
    Key::new(
        "fail_mode",
        Kind::Choice(&["secure", "safe"]),
        Usual::Value(r#""secure""#),
        ("while Duo is unreachable, see [Fail mode](errors.md#fail-mode)", r#""safe""#),
    ),
    Key::new(
        "timeout",
        Kind::Time(1, 60),
        Usual::Value(r#""10s""#),
        ("timeout of each call", r#""5s""#),
    ),
    Key::new(
        "status_timeout",
        Kind::Time(1, 120),
        Usual::Value(r#""25s""#),
        ("timeout of the call that waits for the user's answer", r#""30s""#),
    ),
    Key::new(
        "push_timeout",
        Kind::Time(1, 300),
        Usual::Value(r#""60s""#),
        ("time that the user has to answer", r#""2m""#),
    ),
    Key::new(
        "check_interval",
        Kind::Time(1, 3_600),
        Usual::Value(r#""60s""#),
        ("interval between checks of Duo (clock, keys, `readyz`)", r#""5m""#),
    ),
    Key::new(
        "enrollment",
        Kind::ChoiceOrOff(&["off", "portal", "inline"]),
        Usual::Value(r#""off""#),
        (
            "for users without a device: `portal` leads to Duo's portal, `inline` shows a QR code on \
             the page",
            r#""inline""#,
        ),
    ),
    Key::new(
        "remembered_devices",
        Kind::Flag,
        Usual::Value("false"),
        (
            "`true` keeps Duo's token for a device that Duo's policy remembers, encrypted, in a cookie",
            "true",
        ),
    ),
    Key::new(
        "prompt",
        Kind::Choice(&["own", "universal"]),
        Usual::Value(r#""own""#),
        (
            "`universal` sends browsers to Duo's Universal Prompt, see \
             [Universal Prompt](#universal-prompt)",
            r#""universal""#,
        ),
    ),
    Key::new(
        "universal",
        Kind::Section(&UNIVERSAL),
        Usual::Words(""),
        (
            "the *Web SDK* application of `prompt: universal`, see [Universal Prompt](#universal-prompt)",
            r#"{"client_id": "DIZZZZZZZZZZZZZZZZZZ", "client_secret": {"env": "DUO_CLIENT_SECRET"}, "hosts": ["app.example.com"]}"#,
        ),
    ),
];

const UNIVERSAL_KEYS: &[Key] = &[
    Key::new(
        "client_id",
        Kind::Text(&texts::CLIENT_ID),
        Usual::Required,
        ("client ID of the *Web SDK* application", r#""DIZZZZZZZZZZZZZZZZZZ""#),
    )
    .also(&["integration_key", "ikey"]),
    Key::new(
        "client_secret",
        Kind::Secret(&SECRET),
        Usual::Required,
        ("its client secret, as `{\"env\": \"NAME\"}`", r#"{"env": "DUO_CLIENT_SECRET"}"#),
    )
    .also(&["secret_key", "skey"]),
    Key::new(
        "hosts",
        Kind::List(List::of(&Kind::Text(&texts::CALLBACK_HOST)).least(1).unique()),
        Usual::Required,
        (
            "hosts of your applications that a browser may come back to, exact or as \
             `*.apps.example.com`; without scheme, port and path. At any other host there is no sign-in, \
             so nobody can have Duo's answer sent to another host",
            r#"["app.example.com", "*.apps.example.com"]"#,
        ),
    ),
    Key::new(
        "destination",
        Kind::Either(&[Kind::Text(&texts::DESTINATION), Kind::ChoiceOrOff(&["off"])]),
        Usual::Value(r#""host""#),
        (
            "name of the application in Duo Mobile and in Duo's log: the request's `host`, another \
             text, or `off`",
            r#""Wiki""#,
        ),
    ),
    Key::new(
        "browser_origin",
        Kind::Text(&texts::ORIGIN),
        Usual::Words("`https://` and the API host"),
        (
            "for demos with a simulator of Duo: the origin at which a browser reaches it, on loopback. \
             Needs `allow_inline_secrets`",
            r#""http://127.0.0.1:10001""#,
        ),
    ),
];

const APPLICATION_KEYS: &[Key] = &[
    Key::new(
        "duo",
        Kind::Section(&DUO),
        Usual::Required,
        (
            "the keys of `duo`. A missing key takes the value of `duo`, except for the host, the keys, \
             and the cluster of another host",
            r#"{"api_host": "api-yyyyyyyy.duosecurity.com", "integration_key": "DIYYYYYYYYYYYYYYYYYY", "secret_key": {"env": "DUO_SECRET_KEY_PAYMENTS"}, "cluster": "duo_payments"}"#,
        ),
    ),
    Key::new(
        "session",
        Kind::Section(&APPLICATION_SESSION),
        Usual::Value("{}"),
        ("the approvals of this application", r#"{"application": "default"}"#),
    ),
];
