//! Values that must not be seen: keys, passcodes, device tokens.

use std::fmt;
use zeroize::Zeroize;

/// A value without `Display`. Its `Debug` does not show it, and it is wiped when it is dropped.
#[derive(Clone)]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Wraps a secret value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Use it only for signing and sending, never in a text for people or logs.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_in_its_debug_text() {
        let key = Secret::new(String::from("hunter2"));
        assert_eq!(format!("{key:?} {:?}", Some(&key)), "[redacted] Some([redacted])");
        assert_eq!(key.expose(), "hunter2");
    }
}
