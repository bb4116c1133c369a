//! Random identifiers in Duo's formats.

/// Characters of Duo's object identifiers.
const IDENTIFIER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if getrandom::fill(&mut bytes).is_err() {
        // Without random bytes not even the TLS keys can be made.
        std::process::abort();
    }
    bytes
}

/// Decimal digits, for a passcode or verification code.
pub(crate) fn digits(count: usize) -> String {
    bytes::<16>().iter().cycle().take(count).map(|byte| char::from(b'0' + byte % 10)).collect()
}

/// A UUID of version 4, for a transaction identifier.
pub(crate) fn uuid() -> String {
    let mut hex: String = bytes::<16>().iter().map(|byte| format!("{byte:02x}")).collect();
    hex.replace_range(12..13, "4");
    hex.replace_range(16..17, "a");
    for position in [20, 16, 12, 8] {
        hex.insert(position, '-');
    }
    hex
}

/// `prefix` and 18 random capital letters and digits.
pub(crate) fn identifier(prefix: &str) -> String {
    spelled(prefix, &bytes::<18>())
}

/// `prefix` and 18 capital letters and digits that depend only on `seed`.
pub(crate) fn identifier_of(prefix: &str, seed: &str) -> String {
    use sha2::Digest as _;
    spelled(prefix, &sha2::Sha256::digest(seed))
}

fn spelled(prefix: &str, bytes: &[u8]) -> String {
    let letters = bytes.iter().take(18).map(|byte| {
        let index = usize::from(*byte) % IDENTIFIER.len();
        char::from(IDENTIFIER.get(index).copied().unwrap_or(b'A'))
    });
    prefix.chars().chain(letters).collect()
}

/// 32 letters and digits: a code of the Universal Prompt.
pub(crate) fn letters_and_digits() -> String {
    uuid().replace('-', "")
}
