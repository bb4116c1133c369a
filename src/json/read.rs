//! Reading JSON text (RFC 8259).

use super::{Json, Members};
use std::str::from_utf8;

/// How deep lists and objects may stand in each other.
const MAX_DEPTH: usize = 127;

/// How many members an object may have: they are kept in a sorted list.
const MAX_MEMBERS: usize = 1_000;

/// A text that is no JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It ends within a value.
    #[error("the text ends too early")]
    Ended,
    /// It is no JSON from here on, counted from 1 in lines and bytes.
    #[error("the text is not JSON (line {line}, column {column})")]
    At {
        /// The line.
        line: usize,
        /// The byte in the line.
        column: usize,
    },
}

/// The text is no JSON where the reader stands.
struct Broken;

/// What is yet to be read.
struct Reader<'t>(&'t str);

pub(super) fn json(bytes: &[u8]) -> Result<Json, Fault> {
    let text = from_utf8(bytes).map_err(|error| at(bytes, error.valid_up_to()))?;
    let mut reader = Reader(text);
    let read = reader.value(MAX_DEPTH);
    if read.is_ok() {
        reader.skip_blanks();
    }
    match read {
        Ok(value) if reader.0.is_empty() => Ok(value),
        Err(Broken) if reader.0.is_empty() => Err(Fault::Ended),
        Ok(_) | Err(Broken) => Err(at(bytes, bytes.len().saturating_sub(reader.0.len()))),
    }
}

fn at(bytes: &[u8], offset: usize) -> Fault {
    let before = bytes.get(..offset).unwrap_or(bytes);
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count();
    let line = before.iter().filter(|byte| **byte == b'\n').count();
    Fault::At { line: line.saturating_add(1), column: column.saturating_add(1) }
}

impl<'t> Reader<'t> {
    fn value(&mut self, depth: usize) -> Result<Json, Broken> {
        self.skip_blanks();
        match self.0.as_bytes().first() {
            Some(b'{') => self.object(depth.checked_sub(1).ok_or(Broken)?),
            Some(b'[') => self.list(depth.checked_sub(1).ok_or(Broken)?),
            Some(b'"') => self.text().map(Json::Text),
            Some(b't') => self.expect("true").map(|()| Json::Flag(true)),
            Some(b'f') => self.expect("false").map(|()| Json::Flag(false)),
            Some(b'n') => self.expect("null").map(|()| Json::Null),
            Some(_) => self.number(),
            None => Err(Broken),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, Broken> {
        let mut members = Members::default();
        self.expect("{")?;
        if !self.takes("}") {
            loop {
                self.skip_blanks();
                let name = self.text()?;
                self.skip_blanks();
                self.expect(":")?;
                members.add(name, self.value(depth)?);
                if members.iter().len() > MAX_MEMBERS {
                    return Err(Broken);
                }
                if !self.takes(",") {
                    break;
                }
            }
            self.expect("}")?;
        }
        Ok(Json::Object(members))
    }

    fn list(&mut self, depth: usize) -> Result<Json, Broken> {
        let mut list = Vec::new();
        self.expect("[")?;
        if !self.takes("]") {
            loop {
                list.push(self.value(depth)?);
                if !self.takes(",") {
                    break;
                }
            }
            self.expect("]")?;
        }
        Ok(Json::List(list))
    }

    fn text(&mut self) -> Result<String, Broken> {
        self.expect("\"")?;
        let mut text = String::new();
        loop {
            text.push_str(self.run(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1f)));
            if self.has("\"") {
                return Ok(text);
            }
            self.expect("\\")?;
            text.push(self.escaped()?);
        }
    }

    /// What stands behind a backslash (RFC 8259, section 7).
    fn escaped(&mut self) -> Result<char, Broken> {
        if self.has("u") {
            return self.code();
        }
        let pairs = [
            ("\"", '"'),
            ("\\", '\\'),
            ("/", '/'),
            ("b", '\u{8}'),
            ("f", '\u{c}'),
            ("n", '\n'),
            ("r", '\r'),
            ("t", '\t'),
        ];
        let found = pairs.iter().find(|(short, _)| self.has(short));
        found.map(|(_, character)| *character).ok_or(Broken)
    }

    /// One UTF-16 code, or the two of a pair.
    fn code(&mut self) -> Result<char, Broken> {
        let first = self.unit()?;
        let is_first_of_two = (0xd800..0xdc00).contains(&first);
        let second = if is_first_of_two && self.has("\\u") { Some(self.unit()?) } else { None };
        match char::decode_utf16([Some(first), second].into_iter().flatten()).next() {
            Some(Ok(character)) => Ok(character),
            Some(Err(_)) | None => Err(Broken),
        }
    }

    fn unit(&mut self) -> Result<u16, Broken> {
        let (digits, rest) = self.0.split_at_checked(4).ok_or(Broken)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Broken);
        }
        self.0 = rest;
        u16::from_str_radix(digits, 16).map_err(|_| Broken)
    }

    fn number(&mut self) -> Result<Json, Broken> {
        let is_negative = self.has("-");
        let digits = self.digits()?;
        if digits.len() > 1 && digits.starts_with('0') {
            return Err(Broken);
        }
        let fraction = if self.has(".") { self.digits()? } else { "" };
        let has_exponent = self.has("e") || self.has("E");
        if has_exponent {
            let _sign = self.has("+") || self.has("-");
            self.digits()?;
        }
        if is_negative || has_exponent || fraction.bytes().any(|digit| digit != b'0') {
            return Ok(Json::OtherNumber);
        }
        Ok(digits.parse().map_or(Json::OtherNumber, Json::Whole))
    }

    fn digits(&mut self) -> Result<&'t str, Broken> {
        let digits = self.run(|byte| byte.is_ascii_digit());
        if digits.is_empty() { Err(Broken) } else { Ok(digits) }
    }

    /// Takes what stands here and is all of this kind; the kind has all bytes above 127 or none.
    fn run(&mut self, is_of_kind: impl Fn(u8) -> bool) -> &'t str {
        let end = self.0.bytes().position(|byte| !is_of_kind(byte)).unwrap_or(self.0.len());
        let (run, rest) = self.0.split_at_checked(end).unwrap_or((self.0, ""));
        self.0 = rest;
        run
    }

    /// Takes a token, behind blanks or not, if it stands here.
    fn takes(&mut self, token: &str) -> bool {
        self.skip_blanks();
        self.has(token)
    }

    fn has(&mut self, token: &str) -> bool {
        let rest = self.0.strip_prefix(token);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn expect(&mut self, token: &str) -> Result<(), Broken> {
        if self.has(token) { Ok(()) } else { Err(Broken) }
    }

    fn skip_blanks(&mut self) {
        self.run(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
    }
}
