//! `session`.

use super::identity::METADATA;
use super::key::{Key, Kind, List, Section, Usual};
use super::secret::SECRET;
use super::texts;

pub(super) const SESSION: Section = Section { name: "session", keys: SESSION_KEYS };

pub(super) const BINDING: Section = Section {
    name: "binding",
    keys: &[Key::new(
        "metadata",
        METADATA,
        Usual::Required,
        ("the path into dynamic metadata", r#"["first_factor", "device"]"#),
    )],
};

const SESSION_KEYS: &[Key] = &[
    Key::new(
        "keys",
        Kind::List(List::of(&Kind::Secret(&SECRET)).least(1).most(4).unique()),
        Usual::Required,
        (
            "one to four cookie keys, each as `{\"env\": \"NAME\"}`. The first signs, all verify. \
             [How to rotate them](operations.md#rotating-a-cookie-key)",
            r#"[{"env": "DUO_MFA_COOKIE_KEY"}]"#,
        ),
    ),
    Key::new(
        "cookie",
        Kind::Text(&texts::COOKIE),
        Usual::Value(r#""__Host-duo_mfa""#),
        ("name of the approval cookie", r#""__Host-sso""#),
    ),
    Key::new(
        "application",
        Kind::Text(&texts::NAME),
        Usual::Value(r#""default""#),
        ("name of the application that approvals are valid for", r#""wiki""#),
    ),
    Key::new(
        "expiration",
        Kind::Time(1, 86_400),
        Usual::Value(r#""8h""#),
        ("lifetime of an approval", r#""12h""#),
    ),
    Key::new(
        "inactivity",
        Kind::Time(1, 86_400),
        Usual::Words("`30m`, or `expiration` if that is shorter"),
        (
            "an approval ends after so long without a request; at most `expiration`. A value equal to \
             `expiration` turns this off. Requests for files that shared caches may keep (`public`, \
             `s-maxage`, `CDN-Cache-Control`) do not count as use; pages that a person opens do",
            r#""1h""#,
        ),
    ),
    Key::new(
        "not_before",
        Kind::Number(0, 4_294_967_295),
        Usual::Value("0"),
        (
            "Unix time: earlier approvals are void, and earlier remembered devices forgotten",
            "1700000000",
        ),
    ),
    Key::new(
        "bind",
        Kind::List(
            List::of(&Kind::Either(&[
                Kind::Choice(&["certificate", "ip_prefix"]),
                Kind::Section(&BINDING),
            ]))
            .unique(),
        ),
        Usual::Value("[]"),
        (
            "binds approvals, pending sign-ins and remembered devices to more than the user: \
             `certificate` (of the client), `ip_prefix` (the client's network: /24 of IPv4, /64 of \
             IPv6), `{\"metadata\": [\"filter\", \"key\"]}`. A request without the value is refused",
            r#"["certificate", {"metadata": ["first_factor", "device"]}]"#,
        ),
    ),
    Key::new(
        "logout_paths",
        Kind::List(List::of(&Kind::Text(&texts::LOGOUT_PATH)).most(16).unique()),
        Usual::Value("[]"),
        (
            "exact paths whose responses also end the approval: see [Sign-out](browser.md#sign-out)",
            r#"["/oauth2/sign_out"]"#,
        ),
    ),
    Key::later("domain", "not supported: an approval is valid for one host name"),
];
