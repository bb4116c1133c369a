//! Faults of a configuration, each with a text that says what to write instead.

use std::borrow::Cow;
use std::fmt;

/// The longest part of a value that a message repeats, in characters.
const MAX_ECHO: usize = 80;

/// All faults of one configuration; at least one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", lines(.0))]
pub struct ConfigFaults(Vec<Fault>);

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The kind of fault; stable.
    pub code: Code,
    /// Where it is: `session.keys[1]`. Empty for the configuration as a whole.
    pub path: String,
    /// The problem, with the value if it is not a secret.
    pub problem: Cow<'static, str>,
    /// The change that mends it.
    pub fix: Cow<'static, str>,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// The kinds of fault. Their texts are stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// The stable text.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

codes! {
    /// There is no configuration.
    Empty = "empty_configuration",
    /// It is neither JSON text nor a `google.protobuf.Struct`.
    Malformed = "malformed_configuration",
    /// A key is in one object twice.
    DuplicateKey = "duplicate_key",
    /// An unknown key.
    UnknownKey = "unknown_key",
    /// A key that is documented for a later release.
    NotSupported = "not_supported",
    /// A key that has to be there.
    MissingKey = "missing_key",
    /// Two keys with the same meaning, or a key that has no effect beside another.
    ConflictingKeys = "conflicting_keys",
    /// A value of the wrong type.
    WrongType = "wrong_type",
    /// A value that is not allowed for the key.
    UnknownValue = "unknown_value",
    /// A list without entries.
    EmptyList = "empty_list",
    /// An entry is in a list twice.
    DuplicateEntry = "duplicate_entry",
    /// A duration without a unit, or out of bounds.
    InvalidDuration = "invalid_duration",
    /// A number out of bounds.
    InvalidNumber = "invalid_number",
    /// An unknown version of the configuration's format.
    UnknownVersion = "unknown_version",
    /// A path prefix that is not a plain absolute path.
    InvalidPathPrefix = "invalid_path_prefix",
    /// An API host that is not a bare host name.
    InvalidApiHost = "invalid_api_host",
    /// A text that is not an integration key.
    InvalidIntegrationKey = "invalid_integration_key",
    /// A text that is not a secret key.
    InvalidSecretKey = "invalid_secret_key",
    /// A cluster name that is empty or malformed.
    InvalidCluster = "invalid_cluster",
    /// A secret written into the configuration.
    InlineSecret = "inline_secret",
    /// An environment variable that is not set.
    MissingVariable = "missing_variable",
    /// A text that is not the name of an environment variable.
    InvalidVariable = "invalid_variable",
    /// A header that cannot carry an identity.
    InvalidHeader = "invalid_header",
    /// A metadata path that cannot lead to a claim.
    InvalidMetadataPath = "invalid_metadata_path",
    /// A domain that cannot be stripped.
    InvalidDomain = "invalid_domain",
    /// A template that cannot make user names.
    InvalidUsername = "invalid_username",
    /// A name that the approval cookie cannot have.
    InvalidCookieName = "invalid_cookie_name",
    /// A cookie key that is too short, or not random.
    InvalidCookieKey = "invalid_cookie_key",
    /// A key of assertions that is not base64, not of 32 bytes, patterned or a placeholder.
    InvalidAssertionKey = "invalid_assertion_key",
    /// One secret with two purposes.
    ReusedKey = "reused_key",
    /// More cookie keys than the ring holds.
    TooManyKeys = "too_many_keys",
    /// A name that an application cannot have.
    InvalidApplication = "invalid_application",
    /// A pattern that no request can match.
    InvalidPattern = "invalid_pattern",
    /// A host that a browser cannot come back to.
    InvalidHost = "invalid_host",
    /// An origin that browsers may not be sent to.
    InvalidOrigin = "invalid_origin",
    /// A list that has only exceptions.
    OnlyNegations = "only_negations",
    /// A rule that every request matches.
    NoCondition = "no_condition",
    /// A text for users that is empty, too long, or has control characters.
    InvalidText = "invalid_text",
    /// A picture that no page can show.
    InvalidLogo = "invalid_logo",
    /// A colour in which text is not readable.
    InvalidAccent = "invalid_accent",
    /// An address that is not allowed in a page.
    InvalidLink = "invalid_link",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl Fault {
    /// Not generic and not inlined, since faults are made in a hundred places.
    #[cold]
    #[inline(never)]
    pub(super) fn new(
        code: Code,
        path: impl Into<String>,
        problem: impl Into<Cow<'static, str>>,
        fix: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { code, path: path.into(), problem: problem.into(), fix: fix.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, path, problem, fix } = self;
        let separator = if path.is_empty() { "" } else { ": " };
        write!(f, "duo_mfa configuration: {path}{separator}{code}: {problem}; {fix}")
    }
}

impl ConfigFaults {
    /// The faults, in the order of the documented keys.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }
}

fn lines(faults: &[Fault]) -> String {
    faults.iter().map(Fault::to_string).collect::<Vec<_>>().join("\n")
}

/// The faults that were found so far.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    #[cold]
    #[inline(never)]
    pub(super) fn push(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(super) fn extend(&mut self, faults: impl IntoIterator<Item = Fault>) {
        self.0.extend(faults);
    }

    /// Returns the value; records the fault, if there is one.
    pub(super) fn keep<T>(&mut self, outcome: Result<T, Fault>) -> Option<T> {
        outcome.map_err(|fault| self.push(fault)).ok()
    }

    /// The value that was built, if there is no fault.
    pub(super) fn none_or<T>(mut self, built: Option<T>) -> Result<T, ConfigFaults> {
        match built {
            Some(built) if self.0.is_empty() => Ok(built),
            Some(_) => Err(ConfigFaults(self.0)),
            None => {
                // A part that is missing without a fault would be a fault of this program; even
                // then the configuration is refused.
                if self.0.is_empty() {
                    self.push(Fault::new(Code::Malformed, "", "cannot be used", "report this"));
                }
                Err(ConfigFaults(self.0))
            }
        }
    }
}

/// A value for a message: in quotes, everything but plain ASCII escaped, cut if long.
pub(super) fn echo(value: &str) -> String {
    match value.char_indices().nth(MAX_ECHO).and_then(|(end, _)| value.get(..end)) {
        Some(start) => format!("\"{}...\"", start.escape_default()),
        None => format!("\"{}\"", value.escape_default()),
    }
}

/// The path of an object's member.
#[inline(never)]
pub(super) fn member(path: &str, key: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if key.is_empty() || key.len() > MAX_ECHO || !key.bytes().all(is_plain) {
        format!("{path}[{}]", echo(key))
    } else if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_one_line_with_path_code_problem_and_fix() {
        let fault = Fault::new(Code::InvalidCluster, "duo.cluster", "is empty", "name one");
        let whole = Fault::new(Code::Empty, "", "there is none", "write one");
        assert_eq!(
            ConfigFaults(vec![fault, whole]).to_string(),
            "duo_mfa configuration: duo.cluster: invalid_cluster: is empty; name one\n\
             duo_mfa configuration: empty_configuration: there is none; write one"
        );
    }

    #[test]
    fn echoed_values_stay_on_their_line() {
        assert_eq!(echo("a\r\n\u{1b}[2J\"b"), r#""a\r\n\u{1b}[2J\"b""#);
        assert_eq!(echo(&"ü".repeat(81)), format!("\"{}...\"", r"\u{fc}".repeat(80)));
        assert_eq!(member("duo", "a\nb"), r#"duo["a\nb"]"#);
        assert_eq!(member("", "duo"), "duo");
        assert_eq!(member("duo", "a.b"), r#"duo["a.b"]"#);
    }

    #[test]
    fn a_missing_part_without_a_fault_is_still_refused() {
        assert_eq!(Faults::default().none_or(Some(1)), Ok(1));
        assert!(Faults::default().none_or::<()>(None).is_err());
    }
}
