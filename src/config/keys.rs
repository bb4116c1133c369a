//! The keys of the configuration, object by object. Any other key is a fault.

/// A key of an object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) aliases: &'static [&'static str],
    /// The text for a key of a later release: what to do instead. `None` if this release has the
    /// key.
    pub(super) later: Option<&'static str>,
}

impl Key {
    pub(super) fn is(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }
}

pub(super) const ROOT: &[Key] = &[
    key("version"),
    key("mode"),
    key("path_prefix"),
    key("duo"),
    key("applications"),
    key("identity"),
    key("session"),
    key("assertion"),
    key("access_control"),
    key("api"),
    key("request_bodies"),
    key("cross_site_forms"),
    key("filter_state"),
    key("push"),
    key("limits"),
    key("branding"),
    key("allow_inline_secrets"),
    later("audit", "remove it; every decision that is not a plain pass is logged"),
];

pub(super) const DUO: &[Key] = &[
    aliased("api_host", &["hostname", "host"]),
    aliased("integration_key", &["ikey"]),
    aliased("secret_key", &["skey"]),
    key("cluster"),
    key("signature"),
    key("timeout"),
    key("status_timeout"),
    key("push_timeout"),
    key("check_interval"),
    key("fail_mode"),
    key("factors"),
    key("enrollment"),
    key("remembered_devices"),
    key("prompt"),
    key("universal"),
];

pub(super) const UNIVERSAL: &[Key] = &[
    aliased("client_id", &["integration_key", "ikey"]),
    aliased("client_secret", &["secret_key", "skey"]),
    key("hosts"),
    key("destination"),
    key("browser_origin"),
];

pub(super) const APPLICATION: &[Key] = &[key("duo"), key("session")];

pub(super) const APPLICATION_SESSION: &[Key] = &[key("application")];

pub(super) const IDENTITY: &[Key] = &[
    key("source"),
    key("header"),
    key("metadata"),
    key("normalize"),
    key("username"),
    key("map"),
    key("certificate"),
    key("groups"),
];

pub(super) const GROUPS: &[Key] = &[key("header"), key("metadata"), key("separator")];

pub(super) const SESSION: &[Key] = &[
    key("cookie"),
    key("keys"),
    key("application"),
    key("expiration"),
    key("inactivity"),
    key("not_before"),
    key("bind"),
    key("logout_paths"),
    later("domain", "remove it; an approval is valid for one host name"),
];

pub(super) const ASSERTION: &[Key] =
    &[aliased("keys", &["key"]), key("issuer"), key("audience"), key("header"), key("lifetime")];

pub(super) const ACCESS_CONTROL: &[Key] = &[
    key("default_policy"),
    key("rules"),
    key("cors_preflight"),
    key("override_headers"),
    key("approver_groups"),
];

pub(super) const RULE: &[Key] = &[
    key("methods"),
    key("paths"),
    key("hosts"),
    key("networks"),
    key("users"),
    key("groups"),
    key("name"),
    key("policy"),
    key("max_age"),
    key("factors"),
    key("fail_mode"),
    key("application"),
    key("approval"),
    key("api_mode"),
    key("approver"),
];

pub(super) const APPROVAL: &[Key] = &[key("per"), key("for")];

pub(super) const APPROVER: &[Key] = &[key("users"), key("groups")];

pub(super) const APPROVER_GROUP: &[Key] = &[key("users")];

pub(super) const API: &[Key] = &[key("mode"), key("hold_timeout")];

pub(super) const PUSH: &[Key] = &[key("title"), key("info"), key("hosts")];

pub(super) const LIMITS: &[Key] = &[
    key("pushes"),
    key("window"),
    key("deny_cooldown"),
    key("passcode_tries"),
    key("starts"),
    key("users"),
    key("key"),
    key("user_calls"),
    key("user_rate"),
    key("calls"),
    key("held"),
    key("rate_limit_service"),
];

pub(super) const RATE_LIMIT_SERVICE: &[Key] =
    &[key("cluster"), key("domain"), key("timeout"), key("on_error")];

pub(super) const BRANDING: &[Key] = &[
    key("name"),
    key("logo"),
    key("accent"),
    key("help_text"),
    key("help_url"),
    key("sign_out_url"),
];

pub(super) const SECRET: &[Key] = &[key("env")];

pub(super) const MAPPING: &[Key] = &[key("user"), key("username")];

pub(super) const STEP: &[Key] = &[key("strip_domain")];

pub(super) const BINDING: &[Key] = &[key("metadata")];

/// The section that defines the key; used to suggest where a misplaced root key belongs.
pub(super) fn home(name: &str) -> Option<&'static str> {
    let sections = [
        ("duo", DUO),
        ("session", SESSION),
        ("access_control", ACCESS_CONTROL),
        ("identity", IDENTITY),
        ("limits", LIMITS),
        ("assertion", ASSERTION),
    ];
    let has = |keys: &[Key]| keys.iter().any(|key| key.name == name && key.later.is_none());
    sections.into_iter().find_map(|(section, keys)| has(keys).then_some(section))
}

const fn key(name: &'static str) -> Key {
    aliased(name, &[])
}

const fn aliased(name: &'static str, aliases: &'static [&'static str]) -> Key {
    Key { name, aliases, later: None }
}

/// A key of a later release; `without` is what to do instead.
const fn later(name: &'static str, without: &'static str) -> Key {
    Key { name, aliases: &[], later: Some(without) }
}
