//! The kinds of texts.
//!
//! The patterns are regular expressions in the part of the syntax that JSON Schema's readers share:
//! no look-around, no back-references, characters by number as `\x1f`. A pattern accepts each text
//! that the reader accepts. It may accept more, if a fault is one that no pattern can find.

/// A kind of text.
#[derive(Debug)]
pub struct Text {
    /// A noun phrase for documents.
    pub what: &'static str,
    /// Matches each text that the reader accepts.
    pub pattern: &'static str,
    /// Matches none of them; empty if there is no such pattern.
    pub never: &'static str,
    /// The greatest length in characters.
    pub most: Option<usize>,
    /// The beginning of a text that can be filled up to `most` characters with `a`; empty if none
    /// can.
    pub start: &'static str,
    /// Texts that the reader refuses.
    pub wrong: &'static [&'static str],
}

const fn text(what: &'static str, pattern: &'static str, wrong: &'static [&'static str]) -> Text {
    Text { what, pattern, never: "", most: None, start: "", wrong }
}

impl Text {
    const fn never(self, never: &'static str) -> Self {
        Self { never, ..self }
    }

    /// With a limit of the length that texts with this start can reach.
    const fn most(self, most: usize, start: &'static str) -> Self {
        Self { most: Some(most), start, ..self }
    }
}

const PRINTABLE: &str = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$";
const TEXT: Text = text("a printable text", PRINTABLE, &["", " ", "a\nb", "\u{1b}"]);

pub(super) const TEXT_64: Text = TEXT.most(64, "x");
pub(super) const TEXT_200: Text = TEXT.most(200, "x");
pub(super) const TEXT_256: Text = TEXT.most(256, "x");

pub(super) const API_HOST: Text = text(
    "a host name without scheme, port and path",
    r"^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$",
    &["", "https://api-1.x.com", "api-1.x.com:443", "api-1.x.com/", "192.0.2.1", "a..b", "-a.b"],
)
.never(r"(^|\.)[0-9]+$")
.most(253, "");

pub(super) const INTEGRATION_KEY: Text = text(
    "20 upper-case letters and digits that begin with `DI`",
    "^DI[A-Z0-9]{18}$",
    &["", "dixxxxxxxxxxxxxxxxxx", "DIXXXXXXXXXXXXXXXXX", "DAXXXXXXXXXXXXXXXXXX"],
);

pub(super) const CLIENT_ID: Text = text(
    "20 letters and digits",
    "^[A-Za-z0-9]{20}$",
    &["", "DIUNIVERSALTEST0001", "DIUNIVERSALTEST&x=01"],
);

pub(super) const CLUSTER: Text = text(
    "a name without spaces around it",
    r"^[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$",
    &["", " duo", "duo ", "duo\napi"],
)
.most(256, "x");

pub(super) const VARIABLE: Text = text(
    "the name of an environment variable",
    "^[A-Za-z_][A-Za-z0-9_]*$",
    &["", "A B", "31_BYTES", "A-B"],
);

pub(super) const HEADER: Text = text(
    "a header's name in lower case",
    r"^[!#$%&'*+.^_`|~0-9a-z-]+$",
    &["", "X-User", ":path", "x user", "cookie", "transfer_encoding", "x-duo-mfa-user"],
)
.never(concat!(
    "^x[-_]duo[-_]mfa[-_]|^(authorization|connection|content[-_]length|content[-_]type|cookie|host|",
    "keep[-_]alive|proxy[-_]authorization|proxy[-_]connection|referer|set[-_]cookie|te|trailer|",
    "transfer[-_]encoding|upgrade|user[-_]agent)$",
));

pub(super) const ASSERTION_HEADER: Text = text(
    "a header's name that begins with `x-duo-mfa-`",
    "^x-duo-mfa-[a-z0-9-]+$",
    &["", "authorization", "x-duo-mfa-", "X-Duo-MFA-Jwt", "x-duo-mfa_jwt", "x-duo-mfa-user"],
)
.never("^x-duo-mfa-(approver|body-sha256|factor|passcode|result|start-url|time|transaction|user)$")
.most(64, "x-duo-mfa-");

pub(super) const METADATA_PART: Text =
    text("a filter's name, then keys", r"^[^\x00-\x1f\x7f]+$", &["", "a\nb"]);

pub(super) const DOMAIN: Text =
    text("a domain", "^[A-Za-z0-9._-]+$", &["", "@example.com", r"CORP\x", "ä.example"]);

pub(super) const TEMPLATE: Text = text(
    "a text with `{user}`, `{local}` or `{domain}`",
    r"^([!-z|~]|\{(user|local|domain)\})*\{(user|local)\}([!-z|~]|\{(user|local|domain)\})*$",
    &["", "everyone", "{mail}", "{domain}", "{user", "{user} x"],
);

pub(super) const USERNAME: Text = text(
    "a name at Duo",
    r"^([^{}\x00-\x1f\x7f-\x9f]|\{(user|local|domain)\})+$",
    &["", "{mail}", "a}", " a", "a\n"],
)
.never(r"^\s|\s$");

pub(super) const USERS: Text = text(
    "a canonical name, or one with `*` at its beginning or end",
    r#"^(\*[^A-Z"\\,;%*\x00-\x1f\x7f]*|[^A-Z"\\,;%*\x00-\x1f\x7f]+\*?)$"#,
    &["", "Alice", "a*b", "**", "*a*", "a,b", "a%b"],
);

pub(super) const PERSON: Text = text(
    "a canonical user name",
    r#"^[^ A-Z"\\,;%\x00-\x1f\x7f]([^A-Z"\\,;%\x00-\x1f\x7f]*[^ A-Z"\\,;%\x00-\x1f\x7f])?$"#,
    &["", "Carol", "a,b", "a%b", " a"],
)
.most(256, "a");

pub(super) const PATH_PREFIX: Text = text(
    "a plain path without a final slash",
    r"^(/[A-Za-z0-9._~-]+)+$",
    &["", "/", "mfa", "/mfa/", "//mfa", "/a//b", "/a/../b", "/./a", "/a%2fb", "/a b"],
)
.never(r"/\.\.?(/|$)")
.most(128, "/");

pub(super) const COOKIE: Text = text(
    "a name that begins with `__Host-`",
    "^__Host-[A-Za-z0-9_.-]+$",
    &["", "duo_mfa", "__host-a", "__Host-", "__Host-a;b", "__Host-duo_txn", "__Host-duo_device-b"],
)
.never("^__Host-duo_(txn|operation|device|preferred|universal)(-|$)")
.most(64, "__Host-");

pub(super) const NAME: Text =
    text("letters, digits, `_`, `-` and `.`", "^[A-Za-z0-9_.-]+$", &["", "a b", "a/b", "ä"])
        .most(64, "a");

pub(super) const LOGOUT_PATH: Text = text(
    "an exact path",
    concat!(
        r"^(/|(/([!\x22$&-)+-.0-:<->@-Z\[\]^-~]|%(2[0-46-9A-C]|3[AC-F]|40|5[BDE]|60|7[B-D]|",
        r"[89A-F][0-9A-F]))+)+/?)$",
    ),
    &["", "out", "/x/*", "/x?y", "/a//b", "/a/../b", "/%61"],
)
.never(r"/\.\.?(/|$)");

pub(super) const FORM_PATH: Text = text(
    "an exact path",
    r"^/[!\x22$-)+-:<->@-\[\]-~]*$",
    &["", "saml", "/saml/*", "/a?b=c", "/a#b", "/a;b", "//evil.example", "/a/../b", "/ä"],
)
.never(r"^//|/\.\.?(/|$)");

pub(super) const METHOD: Text = text("a method", "^!?[A-Z_-]+$", &["", "get", "GET ", "*", "!get"]);

pub(super) const PATH: Text = text(
    "a path, or one with `/*` at its end",
    concat!(
        r"^!?(/\*|/|(/([!\x22$&-)+-.0-:<->@-Z\[\]^-~]|%(2[0-46-9A-C]|3[AC-F]|40|5[BDE]|60|7[B-D]|",
        r"[89A-F][0-9A-F]))+)+(/\*|/)?)$",
    ),
    &["", "a", "*", "/a*", "/*/b", "/a//b", "/a/../b", "/a;b", "/%61", "/a%2fb", "/café", "!a"],
)
.never(r"/\.\.?(/|$)");

pub(super) const HOST: Text = text(
    "a host name in lower case, or one with `*.` before it",
    r"^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*$|^\[[0-9a-f]*:[0-9a-f:]*\]$",
    &["", "*", "*.", "*a.example", "App.example.com", "a.example:443", "a.example.", "a..b"],
);

pub(super) const RULE_HOST: Text = text(
    "a host name in lower case, or one with `*.` before it",
    r"^!?((\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f]*:[0-9a-f:]*\])$",
    &["", "*", "*.", "*a.example", "App.example.com", "a.example:443", "https://a", "!*"],
);

pub(super) const CALLBACK_HOST: Text = text(
    "a host name, or one with `*.` before it",
    r"^(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$|^\[[0-9A-Fa-f]*:[0-9A-Fa-f:]*\]$",
    &["", "https://b.test", "a:443", "a/b", "*", "a.", "*.192.0.2.1"],
)
.never(r"^\*\.(.*\.)?[0-9]+$");

pub(super) const NETWORK: Text = text(
    "an IP address, or a network by its first address",
    concat!(
        r"^!?((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])",
        r"(\.(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}(/(3[0-2]|[12]?[0-9]))?",
        r"|[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*(/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))?)$",
    ),
    &["", "10", "10.0.0.0/33", "10.0.0.0/08", "10.*", "localhost", "2001:db8::/129"],
);

pub(super) const USER: Text = text(
    "a canonical name, or the beginning of one and `*`",
    r#"^!?([^A-Z"\\,;%*\x00-\x1f\x7f-\xbf\xc0-\xd6\xd8-\xde]+\*?|\*)$"#,
    &["", "Alice", "al  ice", "*-svc", "s*c", "svc-**", "É", "alice\n", "!Bob", " a"],
)
.never("^!?[ ]|[ ]$|[ ]{2}");

pub(super) const GROUP: Text = text(
    "a group, or the beginning of one and `*`",
    r"^!?([^*\x00-\x1f\x7f-\x9f]+\*?|\*)$",
    &["", " ", " ops", "ops ", "o*s", "ops**", "o\nps"],
)
.never(r"^!?\s|\s$");

pub(super) const SEPARATOR: Text =
    text("one character", r"^[^\x00-\x1f\x7f-\x9f]$", &["", ", ", "\n"]);

pub(super) const ORIGIN: Text = text(
    "an origin on loopback",
    concat!(
        r"^https?://(localhost|127\.0\.0\.1|\[::1\])(:0*([0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|",
        r"65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?$",
    ),
    &["", "http://127.0.0.1:10001/", "http://127.0.0.2", "http://localhost:65536", "localhost"],
);

pub(super) const DESTINATION: Text = Text { what: "`host`, `off` or a text", ..TEXT_64 };

pub(super) const LOGO: Text = text(
    "`duo`, or a `data:` URI of an image (png, jpeg, gif, webp, svg+xml)",
    r"^(duo|data:image/(png|jpeg|gif|webp|svg\+xml)[;,][ -~]*)$",
    &["", "Duo", "https://x/y.png", "data:text/html,x", "data:image/png"],
)
.most(64_000, "data:image/png;base64,");

pub(super) const ACCENT: Text =
    text("a colour as `#0b5fff`", "^#[0-9A-Fa-f]{6}$", &["", "blue", "#fff", "#ffcc00"]);

pub(super) const LINK: Text = text(
    "an `https:` or `mailto:` address, or a path",
    concat!(
        r"^(/|[Hh][Tt][Tt][Pp][Ss]://[!#-;=?-\[\]-~]|[Mm][Aa][Ii][Ll][Tt][Oo]:[!#-;=?-\[\]-~])",
        r"[!#-;=?-\[\]-~]*$",
    ),
    &["", "http://x/", "javascript:a", "//evil", "https://", "https://a b"],
)
.never("^//");
