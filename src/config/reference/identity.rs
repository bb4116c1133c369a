//! `identity`.

use super::key::{Key, Kind, List, Section, Usual};
use super::texts;

pub(super) const IDENTITY: Section = Section { name: "identity", keys: IDENTITY_KEYS };

pub(super) const GROUPS: Section = Section { name: "groups", keys: GROUPS_KEYS };

pub(super) const MAPPING: Section = Section { name: "mapping", keys: MAPPING_KEYS };

pub(super) const STEP: Section = Section {
    name: "step",
    keys: &[Key::new(
        "strip_domain",
        Kind::List(List::of(&Kind::Text(&texts::DOMAIN)).least(1)),
        Usual::Required,
        ("domains that are removed", r#"["corp.example.com"]"#),
    )],
};

/// A path into dynamic metadata.
pub(super) const METADATA: Kind = Kind::List(List::of(&Kind::Text(&texts::METADATA_PART)).least(2));

const IDENTITY_KEYS: &[Key] = &[
    Key::new(
        "source",
        Kind::Choice(&["header", "jwt", "metadata", "mtls"]),
        Usual::Required,
        ("source of the user name, see [Identity](identity.md)", r#""header""#),
    ),
    Key::new(
        "header",
        Kind::Text(&texts::HEADER),
        Usual::Words(""),
        ("with `source: header`: the header that the first factor sets", r#""x-basic-user""#),
    ),
    Key::new(
        "metadata",
        METADATA,
        Usual::Words(""),
        (
            "with `source: jwt` or `metadata`: the path into dynamic metadata",
            r#"["envoy.filters.http.jwt_authn", "jwt_payload", "email"]"#,
        ),
    ),
    Key::new(
        "certificate",
        Kind::Choice(&["subject", "san_uri", "san_dns"]),
        Usual::Words(""),
        ("with `source: mtls`: the name in the client certificate", r#""san_uri""#),
    ),
    Key::new(
        "normalize",
        Kind::List(List::of(&Kind::Either(&[
            Kind::Choice(&["trim", "lowercase", "nfkc", "nfc"]),
            Kind::Section(&STEP),
        ]))),
        Usual::Value(r#"["trim", "lowercase"]"#),
        (
            "steps that make a name canonical, see [Names](identity.md#names)",
            r#"["trim", "lowercase", {"strip_domain": ["corp.example.com"]}]"#,
        ),
    ),
    Key::new(
        "username",
        Kind::Text(&texts::TEMPLATE),
        Usual::Value(r#""{user}""#),
        ("template of the name that Duo is called with", r#""{local}""#),
    ),
    Key::new(
        "map",
        Kind::List(List::of(&Kind::Section(&MAPPING))),
        Usual::Value("[]"),
        (
            "Duo's names of some users, see [Names at Duo](identity.md#names-at-duo)",
            r#"[{"user": "*@partner.example.com", "username": "{local}-partner"}]"#,
        ),
    ),
    Key::new(
        "groups",
        Kind::Section(&GROUPS),
        Usual::Words(""),
        ("source of the groups that [rules](rules.md) match", r#"{"header": "x-groups"}"#),
    ),
];

const GROUPS_KEYS: &[Key] = &[
    Key::new(
        "header",
        Kind::Text(&texts::HEADER),
        Usual::Words(""),
        ("the header that the first factor sets", r#""x-groups""#),
    ),
    Key::new(
        "metadata",
        METADATA,
        Usual::Words(""),
        (
            "the path into dynamic metadata, in place of `header`",
            r#"["envoy.filters.http.jwt_authn", "jwt_payload", "groups"]"#,
        ),
    ),
    Key::new(
        "separator",
        Kind::Text(&texts::SEPARATOR),
        Usual::Value(r#"",""#),
        ("the character between two groups in one text", r#"";""#),
    ),
];

const MAPPING_KEYS: &[Key] = &[
    Key::new(
        "user",
        Kind::Text(&texts::USERS),
        Usual::Required,
        ("a canonical name, or one with `*` at its beginning or end", r#""auth0|507f1f77bcf8""#),
    ),
    Key::new(
        "username",
        Kind::Text(&texts::USERNAME),
        Usual::Required,
        ("the name at Duo. If `user` has `*`, it must contain `{user}` or `{local}`", r#""alice""#),
    ),
];
