//! A JSON value.

use std::fmt;

/// A JSON value (RFC 8259). Equality is for tests.
#[derive(Clone, PartialEq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Flag(bool),
    /// A whole number in any notation: 1 and 1.0 are equal.
    Whole(u64),
    /// Any other number: below zero, with a fraction, or too large to be exact.
    OtherNumber(f64),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Self>),
    /// An object.
    Object(Members),
}

/// The members of an object, in the order of their names.
#[derive(Clone, Default, PartialEq)]
pub struct Members {
    /// Sorted by name.
    values: Vec<(String, Json)>,
    repeated: Vec<String>,
}

impl Json {
    /// The number that a double holds.
    #[must_use]
    pub fn of_double(double: f64) -> Self {
        /// The largest whole number that a double holds together with all smaller ones.
        const MAX_EXACT: f64 = 9_007_199_254_740_991.0;

        if double.fract() == 0.0 && (0.0..=MAX_EXACT).contains(&double) {
            #[expect(clippy::as_conversions, reason = "exact: whole, and in the range of a u64")]
            return Self::Whole(double as u64);
        }
        Self::OtherNumber(double)
    }

    /// The kind of value, in words for messages.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Flag(_) => "true or false",
            Self::Whole(_) => "a number",
            Self::OtherNumber(_) => "a number below zero, too large, or with a fraction",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The number, if it is a whole one.
    #[must_use]
    pub const fn whole(&self) -> Option<u64> {
        if let Self::Whole(number) = self { Some(*number) } else { None }
    }

    /// The flag, if it is one.
    #[must_use]
    pub const fn flag(&self) -> Option<bool> {
        if let Self::Flag(flag) = self { Some(*flag) } else { None }
    }

    /// The entries, if it is a list.
    #[must_use]
    pub fn list(&self) -> Option<&[Self]> {
        if let Self::List(list) = self { Some(list) } else { None }
    }

    /// The members, if it is an object.
    #[must_use]
    pub const fn object(&self) -> Option<&Members> {
        if let Self::Object(members) = self { Some(members) } else { None }
    }

    /// Whether no object in it has a name twice.
    #[must_use]
    pub fn is_unambiguous(&self) -> bool {
        match self {
            Self::Null | Self::Flag(_) | Self::Whole(_) | Self::OtherNumber(_) | Self::Text(_) => {
                true
            }
            Self::List(list) => list.iter().all(Self::is_unambiguous),
            Self::Object(members) => members.is_unambiguous(),
        }
    }
}

impl Members {
    /// Adds a member. If a name is repeated, the last value is kept and the name is noted.
    pub fn add(&mut self, name: String, value: Json) {
        match self.position(&name) {
            Err(free) => self.values.insert(free, (name, value)),
            Ok(taken) => {
                if let Some((_, old)) = self.values.get_mut(taken) {
                    *old = value;
                }
                self.repeated.push(name);
            }
        }
    }

    /// The member of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Json> {
        let (_, value) = self.values.get(self.position(name).ok()?)?;
        Some(value)
    }

    /// Removes and returns the member of this name.
    pub fn take(&mut self, name: &str) -> Option<Json> {
        let (_, value) = self.values.remove(self.position(name).ok()?);
        Some(value)
    }

    /// Whether neither this object nor any object in it has a name twice.
    #[must_use]
    pub fn is_unambiguous(&self) -> bool {
        self.repeated.is_empty() && self.iter().all(|(_, value)| value.is_unambiguous())
    }

    /// Names and values, in the order of the names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Json)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value))
    }

    fn position(&self, name: &str) -> Result<usize, usize> {
        self.values.binary_search_by(|(other, _)| other.as_str().cmp(name))
    }

    /// The names that occur more than once in this object.
    #[must_use]
    pub fn repeated(&self) -> &[String] {
        &self.repeated
    }
}

impl fmt::Debug for Json {
    /// Shows only the kind, since the value may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())
    }
}

impl fmt::Debug for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }
}
