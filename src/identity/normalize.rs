//! Converts the first factor's spelling of a user to the one canonical spelling, or refuses it.

use super::error::{IdentityError, InvalidIdentity};
use super::grammar::{Grammar, MAX_BYTES};
use super::{compatibility, letters};

/// One step of normalization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Unicode's compatibility forms of ASCII become ASCII (NFKC). This runs before all other
    /// steps, wherever it is in the list. Only for a first factor that does the same: for another
    /// one, the full-width spelling of a name may be a different user.
    Nfkc,
    /// Letters beyond ASCII are allowed in names, each in its composed form (NFC). This runs after
    /// all other steps, wherever it is in the list. [`Self::Lowercase`] then applies to those
    /// letters too.
    Nfc,
    /// Removes spaces and tabs at both ends.
    Trim,
    /// ASCII letters become lower case; other letters only with [`Self::Nfc`].
    Lowercase,
    /// Removes one of these domains, written `user@domain` or `DOMAIN\user`. Any other domain is
    /// refused: if it were kept or removed, a user of a foreign domain could become one of ours.
    StripDomain(Vec<Domain>),
}

/// A domain that is stripped from names; case is ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain(String);

/// The text is not a bare domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a bare domain, of letters, digits, \".\", \"-\" and \"_\"")]
pub struct DomainFault;

impl Domain {
    /// A domain as in `corp.example.com`, or as in `CORP`.
    ///
    /// # Errors
    ///
    /// [`DomainFault`] if the text is empty, or has an `@`, a `\` or another character that domains
    /// do not have.
    pub fn new(text: &str) -> Result<Self, DomainFault> {
        let is_domain_byte =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        if text.is_empty() || !text.bytes().all(is_domain_byte) {
            return Err(DomainFault);
        }
        Ok(Self(text.to_owned()))
    }

    fn is(&self, domain: &str) -> bool {
        self.0.eq_ignore_ascii_case(domain)
    }
}

/// Applies the steps in their order and checks the result against the grammar.
///
/// After the first, all steps but one remove from the ends, and that one commutes with them. So the
/// name stays a slice, and is copied once.
pub(super) fn canonical(
    raw: &str,
    steps: &[Step],
    grammar: Grammar,
) -> Result<String, IdentityError> {
    if is_plain(raw) {
        // Only lower-case letters, digits and the like: no step changes anything.
        return Ok(raw.to_owned());
    }
    let has_nfkc = steps.iter().any(|step| matches!(step, Step::Nfkc));
    let plain = has_nfkc.then(|| compatibility::plain(raw));
    let raw = plain.as_deref().unwrap_or(raw);
    if raw.len() > MAX_BYTES {
        return Err(InvalidIdentity::TooLong.into());
    }
    let mut name = raw;
    let mut is_lowered = false;
    for step in steps {
        match step {
            Step::Nfkc | Step::Nfc => {}
            Step::Trim => name = name.trim_matches([' ', '\t']),
            Step::Lowercase => is_lowered = true,
            Step::StripDomain(domains) => name = strip(name, domains)?,
        }
    }
    if name.is_empty() && !raw.contains(['@', '\\']) {
        return Err(IdentityError::Missing);
    }
    let has_letters = steps.contains(&Step::Nfc);
    let name = match (is_lowered, has_letters && !name.is_ascii()) {
        (true, true) => letters::composed(&letters::lowered(name)),
        (false, true) => letters::composed(name),
        (true, false) => name.to_ascii_lowercase(),
        (false, false) => name.to_owned(),
    };
    check(&name, grammar, has_letters)?;
    Ok(name)
}

fn strip<'a>(name: &'a str, domains: &[Domain]) -> Result<&'a str, InvalidIdentity> {
    let at = name.split_once('@');
    let backslash = name.split_once('\\');
    let (user, domain) = match (at, backslash) {
        (None, None) => return Ok(name),
        (Some((user, domain)), None) | (None, Some((domain, user))) => (user, domain),
        (Some(_), Some(_)) => return Err(InvalidIdentity::SeveralDomains),
    };
    if user.contains('\\') || domain.contains('@') {
        return Err(InvalidIdentity::SeveralDomains);
    }
    if domains.iter().any(|ours| ours.is(domain)) {
        Ok(user)
    } else {
        Err(InvalidIdentity::ForeignDomain)
    }
}

/// Checks a canonical user against the grammar: one or two parts with an `@` between them, neither
/// empty.
pub(super) fn check(
    name: &str,
    grammar: Grammar,
    has_letters: bool,
) -> Result<(), InvalidIdentity> {
    let mut parts = name.split('@');
    let (local, domain) = (parts.next().unwrap_or_default(), parts.next());
    if parts.next().is_some() {
        return Err(InvalidIdentity::SeveralDomains);
    }
    let is_part = |part: &str| {
        let is_blank_at_end = part.starts_with(' ') || part.ends_with(' ');
        let mut was_blank = false;
        let mut fits = |c: char| {
            let are_two_blanks = was_blank && c == ' ';
            was_blank = c == ' ';
            !are_two_blanks && is_of_name(c, grammar, has_letters)
        };
        !part.is_empty() && !is_blank_at_end && part.chars().all(&mut fits)
    };
    if is_part(local) && domain.is_none_or(is_part) {
        Ok(())
    } else {
        Err(InvalidIdentity::OutsideGrammar)
    }
}

/// Whether a name may have the character, the `@` aside. The others have a meaning in headers and
/// addresses, or more than one spelling.
pub(super) fn is_of_name(c: char, grammar: Grammar, has_letters: bool) -> bool {
    match c {
        'a'..='z' | '0'..='9' | '.' | '_' | '+' | '-' => true,
        ':' | '/' if grammar == Grammar::Uri => true,
        _ if grammar != Grammar::Any => false,
        'A'..='Z' | '"' | '\\' | ',' | ';' | '%' | '@' => false,
        ' '..='~' => true,
        _ => has_letters && letters::is_letter(c),
    }
}

/// Whether a name has only characters that every grammar allows.
fn is_plain(name: &str) -> bool {
    let is_fit = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'+' | b'-');
    !name.is_empty() && name.bytes().all(is_fit)
}
