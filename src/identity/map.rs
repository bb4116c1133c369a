//! Users who have another name at Duo.

use super::grammar::Grammar;
use super::normalize::{check, is_of_name};
use super::username::{TemplateFault, UsernameTemplate};

/// The name at Duo of one user, or of all users whose names have the same beginning or end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    users: Users,
    username: UsernameTemplate,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Users {
    One(String),
    Beginning(String),
    Ending(String),
}

/// A mapping that matches no user, or maps several users to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MapFault {
    /// No canonical user has this name, this beginning or this end.
    #[error(
        "is neither a lower-case user name, nor the beginning of one and \"*\", nor \"*\" and the end of one"
    )]
    User,
    /// The template for the name at Duo is at fault.
    #[error(transparent)]
    Username(#[from] TemplateFault),
}

impl Mapping {
    /// `users` is a canonical name, or a part of one with `*` before or after it. `username` is the
    /// name at Duo, in which `{user}`, `{local}` and `{domain}` are replaced by parts of the
    /// canonical name.
    ///
    /// # Errors
    ///
    /// [`MapFault`] if no user matches, or if several users would become one at Duo.
    pub fn new(users: &str, username: &str) -> Result<Self, MapFault> {
        let users = Users::read(users)?;
        let username = match users {
            Users::One(_) => UsernameTemplate::for_one(username)?,
            Users::Beginning(_) | Users::Ending(_) => username.parse()?,
        };
        Ok(Self { users, username })
    }

    /// The template for the name at Duo; `None` if the mapping does not match the user.
    pub(super) fn username(&self, user: &str) -> Option<&UsernameTemplate> {
        let is_meant = match &self.users {
            Users::One(name) => name == user,
            Users::Beginning(start) => user.starts_with(start.as_str()),
            Users::Ending(end) => user.ends_with(end.as_str()),
        };
        is_meant.then_some(&self.username)
    }
}

impl Users {
    fn read(text: &str) -> Result<Self, MapFault> {
        let is_part = |part: &str| {
            let fits = |c: char| c == '@' || (c != '*' && is_of_name(c, Grammar::Any, true));
            part.chars().all(fits)
        };
        match (text.strip_prefix('*'), text.strip_suffix('*')) {
            (Some(end), _) if is_part(end) => Ok(Self::Ending(end.to_owned())),
            (_, Some(start)) if is_part(start) => Ok(Self::Beginning(start.to_owned())),
            (None, None) if !text.contains('*') && check(text, Grammar::Any, true).is_ok() => {
                Ok(Self::One(text.to_owned()))
            }
            _ => Err(MapFault::User),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_is_about_one_user_or_about_those_that_begin_or_end_alike() {
        for (users, username, user, duo) in [
            ("auth0|507f", "alice", "auth0|507f", Some("alice")),
            ("auth0|507f", "alice", "auth0|507f1", None),
            ("jane doe", "Jane Doe", "jane doe", Some("Jane Doe")),
            ("müller@example.de", "mueller", "müller@example.de", Some("mueller")),
            (
                "*@partner.example.com",
                "{local}-partner",
                "bob@partner.example.com",
                Some("bob-partner"),
            ),
            ("*@partner.example.com", "{local}-partner", "bob@example.com", None),
            ("svc-*", "{user}", "svc-ci", Some("svc-ci")),
            ("*", "{user}@corp", "bob", Some("bob@corp")),
        ] {
            let mapping = Mapping::new(users, username).unwrap();
            let filled = mapping.username(user).map(|template| template.fill(user).unwrap());
            assert_eq!(filled.as_deref(), duo, "{users} {user}");
        }
    }

    #[test]
    fn a_mapping_that_maps_nobody_or_makes_two_users_one_is_refused() {
        for users in ["", "Alice", "a*b", "**", "*a*", "a b ", "a,b", "a%b", "a@b@c", "@", "Ünal"]
        {
            assert_eq!(Mapping::new(users, "x"), Err(MapFault::User), "{users}");
        }
        for (users, username, fault) in [
            ("*@corp", "everyone", TemplateFault::SameForAll),
            ("svc-*", "", TemplateFault::SameForAll),
            ("svc-*", "{domain}", TemplateFault::SameForAll),
            ("alice", "", TemplateFault::Unprintable),
            ("alice", " x", TemplateFault::Unprintable),
            ("alice", "a\nb", TemplateFault::Unprintable),
            ("alice", "{email}", TemplateFault::Placeholder),
            ("alice", "{user", TemplateFault::Brace),
        ] {
            assert_eq!(Mapping::new(users, username), Err(fault.into()), "{users} {username}");
        }
    }
}
