//! Panics at named places, for tests. No release has them: see the feature `native-faults`.

/// Panics, once, if the folder that the variable `DUO_MFA_FAULTS` names has a file of this name.
#[cfg(feature = "native-faults")]
#[expect(clippy::panic, clippy::disallowed_methods, reason = "only a build for tests has it")]
pub(super) fn at(place: &str) {
    let Ok(folder) = std::env::var("DUO_MFA_FAULTS") else { return };
    if std::fs::remove_file(std::path::Path::new(&folder).join(place)).is_ok() {
        panic!("an injected fault");
    }
}

#[cfg(not(feature = "native-faults"))]
pub(super) const fn at(_: &str) {}
