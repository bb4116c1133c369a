//! `assertion`.

use super::key::{Key, Kind, List, Section, Usual};
use super::secret::SECRET;
use super::texts;

pub(super) const ASSERTION: Section = Section { name: "assertion", keys: ASSERTION_KEYS };

const ASSERTION_KEYS: &[Key] = &[
    Key::new(
        "keys",
        Kind::Either(&[
            Kind::List(List::of(&Kind::Secret(&SECRET)).least(1).most(4).unique()),
            Kind::Secret(&SECRET),
        ]),
        Usual::Required,
        (
            "with `assertion`: one to four keys of 32 bytes, each as `{\"env\": \"NAME\"}`. The first signs, all are \
             published at `jwks.json`. They must differ from all other keys. \
             [How to rotate them](operations.md#rotating-an-assertion-key)",
            r#"[{"env": "DUO_MFA_ASSERTION_KEY"}]"#,
        ),
    )
    .also(&["key"]),
    Key::new(
        "issuer",
        Kind::Text(&texts::TEXT_256),
        Usual::Required,
        ("with `assertion`: the claim `iss`, which verifiers compare", r#""https://app.example.com""#),
    ),
    Key::new(
        "audience",
        Kind::Text(&texts::TEXT_256),
        Usual::Required,
        ("with `assertion`: the claim `aud`, which names the application that may accept it", r#""wiki""#),
    ),
    Key::new(
        "header",
        Kind::Text(&texts::ASSERTION_HEADER),
        Usual::Value(r#""x-duo-mfa-assertion""#),
        ("the header with the assertion", r#""x-duo-mfa-jwt""#),
    ),
    Key::new(
        "lifetime",
        Kind::Time(10, 3_600),
        Usual::Value(r#""60s""#),
        (
            "time between `iat` and `exp`; an assertion never outlives its approval. It is sent to the \
             application again during the first half of this time",
            r#""5m""#,
        ),
    ),
];
