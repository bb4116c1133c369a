//! The user's name at Duo, made from the canonical name.

use super::error::InvalidIdentity;
use super::grammar::MAX_BYTES;
use std::str::FromStr;

/// A template such as `{user}`, `{local}` or `{local}@{domain}`.
///
/// `{user}` is the whole canonical name, `{local}` its part before the `@`, `{domain}` its part
/// after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsernameTemplate(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    User,
    Local,
    Domain,
}

/// Why a template cannot make user names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateFault {
    /// An unmatched brace.
    #[error("has an unmatched brace")]
    Brace,
    /// Another word than `user`, `local` or `domain` between braces.
    #[error("has a placeholder other than {{user}}, {{local}} and {{domain}}")]
    Placeholder,
    /// It would give all users, or all users of a domain, the same name.
    #[error("has neither {{user}} nor {{local}}, so all users would be one user at Duo")]
    SameForAll,
    /// A character outside the braces that is not printable ASCII, or is a space.
    #[error("has a character that is not printable ASCII")]
    Literal,
    /// The name of one user is empty, has a control character, or has a space at an end.
    #[error("is empty, begins or ends with a space, or has a control character")]
    Unprintable,
}

impl Default for UsernameTemplate {
    fn default() -> Self {
        Self(vec![Part::User])
    }
}

impl FromStr for UsernameTemplate {
    type Err = TemplateFault;

    fn from_str(text: &str) -> Result<Self, TemplateFault> {
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TemplateFault::Literal);
        }
        let template = Self::read(text)?;
        if !template.0.contains(&Part::User) && !template.0.contains(&Part::Local) {
            return Err(TemplateFault::SameForAll);
        }
        Ok(template)
    }
}

impl UsernameTemplate {
    /// The name of one user at Duo: any printable text, with or without placeholders.
    pub(super) fn for_one(text: &str) -> Result<Self, TemplateFault> {
        if text.is_empty() || text.trim() != text || text.chars().any(char::is_control) {
            return Err(TemplateFault::Unprintable);
        }
        Self::read(text)
    }

    fn read(text: &str) -> Result<Self, TemplateFault> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((literal, behind)) = rest.split_once('{') {
            parts.extend(self::literal(literal)?);
            let (name, behind) = behind.split_once('}').ok_or(TemplateFault::Brace)?;
            parts.push(match name {
                "user" => Part::User,
                "local" => Part::Local,
                "domain" => Part::Domain,
                _ => return Err(TemplateFault::Placeholder),
            });
            rest = behind;
        }
        parts.extend(literal(rest)?);
        Ok(Self(parts))
    }
}

fn literal(text: &str) -> Result<Option<Part>, TemplateFault> {
    if text.contains('}') {
        return Err(TemplateFault::Brace);
    }
    Ok((!text.is_empty()).then(|| Part::Literal(text.to_owned())))
}

impl UsernameTemplate {
    /// Whether the name at Duo is the canonical one. Separate from [`Self::fill`], so that a pass,
    /// which needs no name at Duo, costs no call for most configurations.
    #[inline]
    pub(super) fn is_user(&self) -> bool {
        matches!(self.0.as_slice(), [Part::User])
    }

    /// The name at Duo of a canonical user.
    pub(super) fn fill(&self, user: &str) -> Result<String, InvalidIdentity> {
        let (local, domain) = match user.split_once('@') {
            Some((local, domain)) => (local, Some(domain)),
            None => (user, None),
        };
        let mut username = String::with_capacity(user.len());
        for part in &self.0 {
            username.push_str(match part {
                Part::Literal(text) => text,
                Part::User => user,
                Part::Local => local,
                Part::Domain => domain.ok_or(InvalidIdentity::NoDomain)?,
            });
        }
        if username.len() > MAX_BYTES { Err(InvalidIdentity::TooLong) } else { Ok(username) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn username_template_makes_duos_name_of_the_canonical_one() {
        let long = "u".repeat(MAX_BYTES);
        for (template, user, username) in [
            ("{user}", "alice", Ok("alice")),
            ("{user}", "alice@corp.com", Ok("alice@corp.com")),
            ("{local}", "alice", Ok("alice")),
            ("{local}", "alice@corp.com", Ok("alice")),
            ("{user}@corp.com", "alice", Ok("alice@corp.com")),
            ("{local}@{domain}", "alice@corp.com", Ok("alice@corp.com")),
            ("{domain}\\{local}", "alice@corp.com", Ok("corp.com\\alice")),
            ("CORP\\{local}", "alice@corp.com", Ok("CORP\\alice")),
            ("{local}.{local}", "a+b", Ok("a+b.a+b")),
            ("{local}@{domain}", "alice", Err(InvalidIdentity::NoDomain)),
            ("{user}", &long, Ok(&long)),
            ("x{user}", &long, Err(InvalidIdentity::TooLong)),
        ] {
            let template: UsernameTemplate = template.parse().unwrap();
            assert_eq!(template.fill(user), username.map(str::to_owned), "{template:?} {user}");
            assert_eq!(template.is_user(), template == UsernameTemplate::default());
        }
        assert_eq!(UsernameTemplate::default(), "{user}".parse().unwrap());
    }

    #[test]
    fn template_that_gives_users_one_name_is_refused() {
        for (template, fault) in [
            ("", TemplateFault::SameForAll),
            ("everyone", TemplateFault::SameForAll),
            ("{domain}", TemplateFault::SameForAll),
            ("{user", TemplateFault::Brace),
            ("user}", TemplateFault::Brace),
            ("{user}}", TemplateFault::Brace),
            ("{{user}}", TemplateFault::Placeholder),
            ("{email}", TemplateFault::Placeholder),
            ("{user} ", TemplateFault::Literal),
            ("{user}ß", TemplateFault::Literal),
        ] {
            assert_eq!(UsernameTemplate::from_str(template), Err(fault), "{template:?}");
        }
    }
}
