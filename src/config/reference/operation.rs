//! `api`, `push`, `limits` and `branding`.

use super::key::{Key, Kind, List, Section, Usual};
use super::secret::SECRET;
use super::texts;

pub(super) const API: Section = Section { name: "api", keys: API_KEYS };

pub(super) const PUSH: Section = Section { name: "push", keys: PUSH_KEYS };

pub(super) const LIMITS: Section = Section { name: "limits", keys: LIMITS_KEYS };

pub(super) const RATE_LIMIT_SERVICE: Section =
    Section { name: "rate_limit_service", keys: RATE_LIMIT_SERVICE_KEYS };

pub(super) const BRANDING: Section = Section { name: "branding", keys: BRANDING_KEYS };

/// A time in the table of limits.
const LIMIT: Kind = Kind::Time(1, 28_800);

const API_KEYS: &[Key] = &[
    Key::new(
        "mode",
        Kind::Choice(&["hold", "refuse"]),
        Usual::Value(r#""hold""#),
        (
            "`refuse` answers programs with 403 at once. With `duo.prompt: universal` it also closes \
             the [endpoints](endpoints.md) `preauth` and `auth`",
            r#""refuse""#,
        ),
    ),
    Key::new(
        "hold_timeout",
        Kind::Time(1, 300),
        Usual::Value(r#""60s""#),
        ("how long a request is held", r#""90s""#),
    ),
];

const PUSH_KEYS: &[Key] = &[
    Key::new(
        "title",
        Kind::Text(&texts::TEXT_64),
        Usual::Value(r#""Sign-in""#),
        ("title that the phone shows", r#""Wire transfer""#),
    ),
    Key::new(
        "info",
        Kind::Pairs(20, &texts::TEXT_200),
        Usual::Value("{}"),
        ("further names and values that the phone shows", r#"{"service": "payments"}"#),
    ),
    Key::new(
        "hosts",
        Kind::List(List::of(&Kind::Text(&texts::HOST))),
        Usual::Words("the hosts that rules name"),
        (
            "hosts that a push names, in the form of a rule's `hosts`. A push leaves out any other \
             host, since a client can write anything there",
            r#"["app.example.com"]"#,
        ),
    ),
];

const LIMITS_KEYS: &[Key] = &[
    Key::new(
        "pushes",
        Kind::Number(1, 9),
        Usual::Value("3"),
        (
            "pushes, calls and texts that a user gets within the window without approving one; see \
             [Limits](limits.md)",
            "5",
        ),
    ),
    Key::new("window", LIMIT, Usual::Value(r#""10m""#), ("how long a push counts", r#""1h""#)),
    Key::new(
        "passcode_tries",
        Kind::Number(1, 9),
        Usual::Value("5"),
        ("wrong passcodes that a user gets in five minutes", "3"),
    ),
    Key::new(
        "starts",
        Kind::Number(1, 9),
        Usual::Value("9"),
        (
            "with `duo.prompt: universal`: sign-ins at Duo that a user starts within the window \
             without an approval",
            "4",
        ),
    ),
    Key::new(
        "users",
        Kind::Number(1, 65_536),
        Usual::Value("16384"),
        (
            "users that this Envoy can ask at once without one being refused for lack of room; \
             [Limits](limits.md#size) has the memory. Configurations that share limits need the same \
             number",
            "65536",
        ),
    ),
    Key::new(
        "user_calls",
        Kind::Number(1, 10_000),
        Usual::Value("20"),
        ("calls to Duo in flight for one user, in each worker; at most `limits.calls`", "10"),
    ),
    Key::new(
        "user_rate",
        Kind::Number(1, 6_000),
        Usual::Value("180"),
        (
            "calls to Duo that one user's requests start in a minute, in each worker; a third of them \
             at once",
            "60",
        ),
    ),
    Key::new(
        "calls",
        Kind::Number(1, 10_000),
        Usual::Value("240"),
        (
            "calls to Duo in flight in each worker. Times the number of workers, it must stay below \
             `max_connections` of the cluster's circuit breaker, which is 1,024 unless set",
            "100",
        ),
    ),
    Key::new(
        "held",
        Kind::Number(1, 100_000),
        Usual::Value("1000"),
        ("held requests in each worker", "500"),
    ),
    Key::new(
        "deny_cooldown",
        Kind::List(List::of(&LIMIT).least(1)),
        Usual::Value(r#"["60s", "5m", "30m"]"#),
        (
            "time without a push after a denial, after the next one in a row, and after each further one",
            r#"["5m", "1h"]"#,
        ),
    ),
    Key::new(
        "key",
        Kind::Either(&[Kind::Choice(&["duo"]), Kind::Secret(&SECRET)]),
        Usual::Value(r#""duo""#),
        (
            "key of the limits: `duo` derives it from `duo.secret_key`, or without one from \
             `duo.universal.client_secret`; or a key in the form of `session.keys`. If configurations of \
             one Envoy use several Duo applications of one account, give all of them the same key",
            r#"{"env": "DUO_MFA_LIMITS_KEY"}"#,
        ),
    ),
    Key::new(
        "rate_limit_service",
        Kind::Section(&RATE_LIMIT_SERVICE),
        Usual::Words("each Envoy has its own limits"),
        (
            "service that limits prompts over several Envoys, see [Limits](limits.md#several-envoys)",
            r#"{"cluster": "rate_limit", "domain": "duo_mfa"}"#,
        ),
    ),
];

const RATE_LIMIT_SERVICE_KEYS: &[Key] = &[
    Key::new(
        "cluster",
        Kind::Text(&texts::CLUSTER),
        Usual::Required,
        ("its cluster, which needs HTTP/2", r#""rate_limit""#),
    ),
    Key::new(
        "domain",
        Kind::Text(&texts::TEXT_64),
        Usual::Required,
        ("domain of the limits in the service", r#""duo_mfa""#),
    ),
    Key::new(
        "timeout",
        Kind::Milliseconds(10, 5_000),
        Usual::Value(r#""250ms""#),
        ("how long a prompt waits for its answer", r#""100ms""#),
    ),
    Key::new(
        "on_error",
        Kind::Choice(&["allow", "deny"]),
        Usual::Value(r#""allow""#),
        (
            "without an answer: `allow` leaves the decision to the limits of this Envoy, `deny` \
             refuses the prompt with 503",
            r#""deny""#,
        ),
    ),
];

const BRANDING_KEYS: &[Key] = &[
    Key::new(
        "name",
        Kind::Text(&texts::TEXT_64),
        Usual::Words(""),
        ("the organisation's name on the page", r#""Example""#),
    ),
    Key::new(
        "logo",
        Kind::Text(&texts::LOGO),
        Usual::Words(""),
        (
            "the picture on the page: a `data:` URI, or `duo` for the account's logo at Duo",
            r#""data:image/png;base64,AAAA""#,
        ),
    ),
    Key::new(
        "accent",
        Kind::Text(&texts::ACCENT),
        Usual::Words(""),
        ("colour of buttons and links, dark enough to be read on white", r##""#0b5fff""##),
    ),
    Key::new(
        "help_text",
        Kind::Text(&texts::TEXT_256),
        Usual::Words(""),
        ("where users find help", r#""Call 100.""#),
    ),
    Key::new(
        "help_url",
        Kind::Text(&texts::LINK),
        Usual::Words(""),
        ("address where users find help", r#""https://help.example.com/""#),
    ),
    Key::new(
        "sign_out_url",
        Kind::Text(&texts::LINK),
        Usual::Words(""),
        (
            "address where users sign out of the first factor; pages then offer to sign in as somebody else",
            r#""/oauth2/sign_out""#,
        ),
    ),
];
