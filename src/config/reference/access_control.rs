//! `access_control` and its rules.

use super::duo::FACTORS;
use super::key::{Key, Kind, List, Section, Usual};
use super::texts;

pub(super) const ACCESS_CONTROL: Section =
    Section { name: "access_control", keys: ACCESS_CONTROL_KEYS };

pub(super) const RULE: Section = Section { name: "rule", keys: RULE_KEYS };

pub(super) const APPROVER: Section = Section { name: "approver", keys: APPROVER_KEYS };

pub(super) const APPROVER_GROUP: Section =
    Section { name: "approver_group", keys: APPROVER_GROUP_KEYS };

pub(super) const APPROVAL: Section = Section { name: "approval", keys: APPROVAL_KEYS };

const POLICY: Kind = Kind::Choice(&["two_factor", "bypass", "deny"]);

const ACCESS_CONTROL_KEYS: &[Key] = &[
    Key::new(
        "default_policy",
        POLICY,
        Usual::Value(r#""two_factor""#),
        ("where no rule matches", r#""deny""#),
    ),
    Key::new(
        "rules",
        Kind::List(List::of(&Kind::Section(&RULE))),
        Usual::Value("[]"),
        (
            "the first rule that matches decides, see [Rules](rules.md)",
            r#"[{"paths": ["/healthz"], "policy": "bypass"}]"#,
        ),
    ),
    Key::new(
        "cors_preflight",
        Kind::Choice(&["two_factor", "bypass"]),
        Usual::Value(r#""two_factor""#),
        (
            "`bypass` lets CORS preflights pass from any sender, if no rule could deny them",
            r#""bypass""#,
        ),
    ),
    Key::new(
        "override_headers",
        Kind::Choice(&["refuse", "allow"]),
        Usual::Value(r#""refuse""#),
        (
            "`allow` lets requests pass whose headers name another path or method than the request \
             line, see [Override headers](rules.md#override-headers)",
            r#""allow""#,
        ),
    ),
    Key::new(
        "approver_groups",
        Kind::Named(&texts::NAME, &APPROVER_GROUP),
        Usual::Value("{}"),
        (
            "people for `approver.groups` of rules, see \
             [Approval by another person](rules.md#approval-by-another-person)",
            r#"{"ops": {"users": ["carol", "dave"]}}"#,
        ),
    ),
];

const RULE_KEYS: &[Key] = &[
    Key::new(
        "methods",
        Kind::List(List::of(&Kind::Text(&texts::METHOD)).least(1)),
        Usual::Words("any"),
        (
            "methods that the rule applies to. `!` before an entry makes an exception",
            r#"["GET", "POST"]"#,
        ),
    ),
    Key::new(
        "paths",
        Kind::List(List::of(&Kind::Text(&texts::PATH)).least(1)),
        Usual::Words("any"),
        ("paths that the rule applies to", r#"["/public/*", "!/public/admin/*"]"#),
    ),
    Key::new(
        "hosts",
        Kind::List(List::of(&Kind::Text(&texts::RULE_HOST)).least(1)),
        Usual::Words("any"),
        ("hosts that the rule applies to", r#"["*.example.com"]"#),
    ),
    Key::new(
        "networks",
        Kind::List(List::of(&Kind::Text(&texts::NETWORK)).least(1)),
        Usual::Words("any"),
        ("client networks that the rule applies to", r#"["10.0.0.0/8", "2001:db8::/32"]"#),
    ),
    Key::new(
        "users",
        Kind::List(List::of(&Kind::Text(&texts::USER)).least(1)),
        Usual::Words("any"),
        ("users that the rule applies to", r#"["svc-*"]"#),
    ),
    Key::new(
        "groups",
        Kind::List(List::of(&Kind::Text(&texts::GROUP)).least(1)),
        Usual::Words("any"),
        ("groups that the rule applies to. Needs `identity.groups`", r#"["ops"]"#),
    ),
    Key::new(
        "name",
        Kind::Text(&texts::TEXT_64),
        Usual::Words("none"),
        ("a name for audit lines; a rule with any policy may have one", r#""reports""#),
    ),
    Key::new(
        "policy",
        POLICY,
        Usual::Required,
        ("what the rule does. The keys below are for `two_factor`", r#""bypass""#),
    ),
    Key::new(
        "max_age",
        Kind::Time(1, 86_400),
        Usual::Words("any age"),
        ("greatest age of an approval", r#""5m""#),
    ),
    Key::new(
        "factors",
        FACTORS,
        Usual::Words("those of `duo.factors`"),
        ("an approval by one of these factors", r#"["push"]"#),
    ),
    Key::new(
        "fail_mode",
        Kind::Choice(&["secure", "safe"]),
        Usual::Words("`duo.fail_mode`"),
        ("while Duo is unreachable, see [Fail mode](errors.md#fail-mode)", r#""safe""#),
    ),
    Key::new(
        "application",
        Kind::Text(&texts::NAME),
        Usual::Words("`duo`"),
        ("another Duo application, see [Applications](applications.md)", r#""payments""#),
    ),
    Key::new(
        "approval",
        Kind::Either(&[Kind::Choice(&["session", "per_request"]), Kind::Section(&APPROVAL)]),
        Usual::Value(r#""session""#),
        (
            "`per_request` has each request approved separately, see \
             [Per-request approval](rules.md#per-request-approval); an object has one approval serve \
             all requests of one client, see [Approval per client](approval-per-client.md)",
            r#"{"per": "client", "for": "5m"}"#,
        ),
    ),
    Key::new(
        "api_mode",
        Kind::Choice(&["hold", "refuse"]),
        Usual::Words("`api.mode`"),
        ("`api.mode` for this rule", r#""refuse""#),
    ),
    Key::new(
        "approver",
        Kind::Section(&APPROVER),
        Usual::Words("the user approves"),
        (
            "another person approves each request, by a push. Needs `approval: per_request`, see \
             [Approval by another person](rules.md#approval-by-another-person)",
            r#"{"users": ["carol", "dave"]}"#,
        ),
    ),
];

const APPROVAL_KEYS: &[Key] = &[
    Key::new("per", Kind::Choice(&["client"]), Usual::Required, ("always `client`", r#""client""#)),
    Key::new(
        "for",
        Kind::Time(10, 3_600),
        Usual::Required,
        ("how long; at most the rule's `max_age` and `session.inactivity`", r#""5m""#),
    ),
];

const PEOPLE: Kind = Kind::List(List::of(&Kind::Text(&texts::PERSON)).least(1));

const APPROVER_KEYS: &[Key] = &[
    Key::new(
        "users",
        PEOPLE,
        Usual::Words("nobody"),
        ("canonical names. A rule has at most 16 approvers", r#"["carol"]"#),
    ),
    Key::new(
        "groups",
        Kind::List(List::of(&Kind::Text(&texts::NAME)).least(1)),
        Usual::Words("none"),
        ("groups of `access_control.approver_groups`", r#"["ops"]"#),
    ),
];

const APPROVER_GROUP_KEYS: &[Key] =
    &[Key::new("users", PEOPLE, Usual::Required, ("canonical names", r#"["carol", "dave"]"#))];
