//! Headers by which some applications replace a request's path or method.
//!
//! Software that decides by the path and method as they were sent then decides about another
//! request than the application executes.

use super::name::same_name;

/// Which of these headers a request has, in any spelling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `X-Original-URL` or `X-Rewrite-URL`: another path.
    pub path: bool,
    /// `X-HTTP-Method-Override`, `X-HTTP-Method` or `X-Method-Override`: another method.
    pub method: bool,
}

impl Overrides {
    /// Records a header whose name begins with an `x`, a hyphen in some spelling, and `h`, `m`, `o`
    /// or `r`. All override headers do.
    pub(super) fn take(&mut self, name: &[u8]) {
        // The length alone already excludes most other names.
        match name.len() {
            13 => {
                self.path |= same_name(name, b"x-rewrite-url");
                self.method |= same_name(name, b"x-http-method");
            }
            14 => self.path |= same_name(name, b"x-original-url"),
            17 => self.method |= same_name(name, b"x-method-override"),
            22 => self.method |= same_name(name, b"x-http-method-override"),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn override_is_seen_in_every_spelling() {
        for (name, path, method) in [
            ("x-original-url", true, false),
            ("X_Original_URL", true, false),
            ("x-rewrite-url", true, false),
            ("x-http-method", false, true),
            ("x-http-method-override", false, true),
            ("x_http-method_override", false, true),
            ("x-method-override", false, true),
            ("x-original-uri", false, false),
            ("x-forwarded-for", false, false),
            ("x-request-id", false, false),
        ] {
            let mut overrides = Overrides::default();
            overrides.take(name.as_bytes());
            assert_eq!(overrides, Overrides { path, method }, "{name}");
        }
    }
}
