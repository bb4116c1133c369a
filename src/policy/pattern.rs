//! Patterns that parts of a request are compared with.

use super::criterion::Criterion;
use super::network::Network;
use super::pattern_fault::PatternFault;
use super::reading::Reading;
use super::view;
use super::view::{Person, View};
use crate::http::authority::Host;
use crate::http::likeness::Likeness;
use crate::http::path::{CanonicalPath, canonical};

/// A pattern for one part of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Method(String),
    Path(Path),
    Host(String),
    /// A dot and a domain. It matches hosts below the domain.
    HostsBelow(String),
    Network(Network),
    User(Name),
    Group(Name),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Path {
    written: String,
    decoded: Vec<u8>,
    with_below: bool,
    likeness: Likeness,
    is_odd: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Name {
    start: String,
    is_whole: bool,
}

impl Pattern {
    /// Reads a pattern for a part of a request.
    ///
    /// # Errors
    ///
    /// [`PatternFault`] if no request could match it, or only by chance.
    pub fn read(criterion: Criterion, text: &str) -> Result<Self, PatternFault> {
        Ok(Self(match criterion {
            Criterion::Methods => Kind::Method(method(text)?),
            Criterion::Paths => path(text)?,
            Criterion::Hosts => host(text)?,
            Criterion::Networks => Kind::Network(text.parse()?),
            Criterion::Users => Kind::User(user(text)?),
            Criterion::Groups => Kind::Group(group(text)?),
        }))
    }

    /// Whether it is the pattern of all paths, `/*`.
    pub(super) fn is_of_all_paths(&self) -> bool {
        matches!(&self.0, Kind::Path(path) if path.with_below && path.written.is_empty())
    }

    /// Whether applications may take a path that it names for another one.
    pub(super) const fn is_odd(&self) -> bool {
        matches!(&self.0, Kind::Path(Path { is_odd: true, .. }))
    }

    /// Whether applications may disagree: the bytes of the path match the pattern and its likeness
    /// does not, or the other way round.
    pub(super) fn is_disputed(&self, path: &view::Path<'_>, likeness: &Likeness) -> bool {
        let Kind::Path(pattern) = &self.0 else { return false };
        let may_match = likeness.may_be(&pattern.likeness, pattern.with_below);
        may_match != pattern.matches(path, Reading::AnySpelling)
    }

    /// The pattern's own spelling of a host that it matches. `None` for another host, and for a
    /// pattern of another part of a request.
    #[must_use]
    pub fn spelling_of(&self, host: &Host) -> Option<String> {
        match &self.0 {
            Kind::Host(name) => (host.as_str() == name).then(|| name.clone()),
            Kind::HostsBelow(end) => host.as_str().ends_with(end).then(|| format!("*{end}")),
            Kind::Method(_)
            | Kind::Path { .. }
            | Kind::Network(_)
            | Kind::User(_)
            | Kind::Group(_) => None,
        }
    }

    /// Whether the request matches. The view has every part that some rule names.
    pub(super) fn matches(
        &self,
        view: &View<'_>,
        person: Option<&Person<'_>>,
        reading: Reading,
    ) -> bool {
        match &self.0 {
            Kind::Method(method) => match reading {
                Reading::AsWritten => view.method == method.as_bytes(),
                Reading::AnySpelling => {
                    view.method.eq_ignore_ascii_case(method.as_bytes())
                        || (method == "GET" && view.method.eq_ignore_ascii_case(b"HEAD"))
                }
            },
            Kind::Path(pattern) => {
                view.path.as_ref().is_some_and(|path| pattern.matches(path, reading))
            }
            Kind::Host(name) => view.host_name(reading).is_some_and(|host| host == name),
            // There is a label before the dot, since no host begins with a dot.
            Kind::HostsBelow(end) => {
                view.host_name(reading).is_some_and(|host| host.ends_with(end.as_str()))
            }
            Kind::Network(network) => view.address.is_some_and(|address| network.contains(address)),
            Kind::User(name) => person.is_some_and(|person| name.is(person.user)),
            Kind::Group(name) => {
                person.is_some_and(|person| person.groups.iter().any(|group| name.is(group)))
            }
        }
    }
}

impl Path {
    fn matches(&self, path: &view::Path<'_>, reading: Reading) -> bool {
        match reading {
            Reading::AsWritten => {
                let (start, rest) = split(path.sent, self.written.len());
                start == self.written.as_bytes()
                    && (rest.is_empty() || (self.with_below && rest.starts_with(b"/")))
            }
            Reading::AnySpelling => {
                let (start, rest) = split(path.canonical.decoded(), self.decoded.len());
                start.eq_ignore_ascii_case(&self.decoded) && ends_segment(rest, self.with_below)
            }
        }
    }
}

impl Name {
    fn is(&self, name: &str) -> bool {
        if self.is_whole { name == self.start } else { name.starts_with(&self.start) }
    }

    fn read(text: &str) -> Self {
        match text.strip_suffix('*') {
            Some(start) => Self { start: start.to_owned(), is_whole: false },
            None => Self { start: text.to_owned(), is_whole: true },
        }
    }
}

/// The first `at` bytes and the rest; empty if the text is shorter.
fn split(text: &[u8], at: usize) -> (&[u8], &[u8]) {
    text.split_at_checked(at).unwrap_or((text, b""))
}

/// Whether a decoded path may be read as one that ends here; with `with_below`, also as one that
/// continues below. `rest` is the rest of the path.
fn ends_segment(rest: &[u8], with_below: bool) -> bool {
    let rest = rest.trim_ascii_start();
    match rest.strip_prefix(b"/") {
        Some(below) => with_below || matches!(below.first(), None | Some(b'?' | b'#')),
        None => matches!(rest.first(), None | Some(b'?' | b'#')),
    }
}

fn method(text: &str) -> Result<String, PatternFault> {
    let is_method = |byte: u8| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_');
    if !text.is_empty() && text.bytes().all(is_method) {
        Ok(text.to_owned())
    } else {
        Err(PatternFault::NotAMethod)
    }
}

fn path(text: &str) -> Result<Kind, PatternFault> {
    let (written, with_below) = match text.strip_suffix("/*") {
        Some(above) => (above, true),
        None => (text, false),
    };
    let is_everything = written.is_empty() && with_below;
    let is_canonical = canonical(written.as_bytes()).is_ok_and(|path| path == written.as_bytes());
    let is_path = is_canonical || is_everything;
    if !is_path || written.contains(['*', '?']) || (with_below && written.ends_with('/')) {
        return Err(PatternFault::NotAPath);
    }
    let path = CanonicalPath::of(if is_everything { b"/" } else { written.as_bytes() });
    let path = path.map_err(|_| PatternFault::NotAPath)?;
    let decoded = path.decoded();
    let decoded = decoded.strip_suffix(b"/").unwrap_or(decoded).to_vec();
    let likeness = Likeness::of(&decoded).map_err(|_| PatternFault::NotAPath)?;
    let written = written.to_owned();
    Ok(Kind::Path(Path { written, decoded, with_below, likeness, is_odd: path.is_odd() }))
}

fn host(text: &str) -> Result<Kind, PatternFault> {
    let name = text.strip_prefix("*.").unwrap_or(text);
    let is_canonical = Host::of(name.as_bytes()).is_ok_and(|host| host.as_str() == name);
    match text.strip_prefix('*') {
        _ if !is_canonical => Err(PatternFault::NotAHost),
        Some(end) if !end.ends_with(']') => Ok(Kind::HostsBelow(end.to_owned())),
        Some(_) => Err(PatternFault::NotAHost),
        None => Ok(Kind::Host(text.to_owned())),
    }
}

/// Checks that the characters are those of canonical users. Letters beyond ASCII are refused if
/// they are easily recognized as not canonical.
fn user(text: &str) -> Result<Name, PatternFault> {
    let name = Name::read(text);
    let is_of_user = |c: char| match c {
        'A'..='Z' | '"' | '\\' | ',' | ';' | '%' | '*' => false,
        ' '..='~' => true,
        // Combining marks, which canonical names do not have.
        '\u{300}'..='\u{36f}' => false,
        _ => c > '\u{bf}' && !c.is_uppercase(),
    };
    let is_spaced = text.trim() == text && !text.contains("  ");
    if !text.is_empty() && is_spaced && name.start.chars().all(is_of_user) {
        Ok(name)
    } else {
        Err(PatternFault::NotAUser)
    }
}

fn group(text: &str) -> Result<Name, PatternFault> {
    let name = Name::read(text);
    if text.trim().is_empty()
        || text.trim() != text
        || name.start.contains('*')
        || text.chars().any(char::is_control)
    {
        return Err(PatternFault::NotAGroup);
    }
    Ok(name)
}
