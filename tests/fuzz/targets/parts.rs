//! Splits the bytes of an input into the parts that a target needs.

/// The lines of an input.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lines<'a>(&'a [u8]);

impl<'a> Lines<'a> {
    pub(crate) const fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = &'a [u8]> {
        self.0.split(|byte| *byte == b'\n')
    }

    /// The next line. Empty after the last one.
    pub(crate) fn next(&mut self) -> &'a [u8] {
        let end = self.0.iter().position(|byte| *byte == b'\n');
        let (line, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest.get(1..).unwrap_or_default();
        line
    }

    /// Everything that is left.
    pub(crate) const fn rest(self) -> &'a [u8] {
        self.0
    }

    /// Headers, one a line, as `name: value`.
    pub(crate) fn headers(self) -> Vec<(&'a [u8], &'a [u8])> {
        let header = |line: &'a [u8]| {
            let at = line.windows(2).position(|two| two == b": ")?;
            Some((&line[..at], &line[at + 2..]))
        };
        self.iter().filter_map(header).collect()
    }
}

/// A header's name for comparison: in lower case, with `-` for `_`.
pub(crate) fn folded(name: &[u8]) -> Vec<u8> {
    name.iter().map(|byte| if *byte == b'_' { b'-' } else { byte.to_ascii_lowercase() }).collect()
}
