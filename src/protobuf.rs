//! Reads and writes serialized protobuf messages, field by field
//! (<https://protobuf.dev/programming-guides/encoding/>).
//!
//! The module's few messages are small. A library for all messages would add ten times the code.

/// The bytes are not a message, or a field of it has another type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// The fields of a message, in the order of its bytes.
#[derive(Debug)]
pub struct Fields<'b>(&'b [u8]);

/// A field of a message.
#[derive(Debug)]
pub struct Field<'b> {
    /// The number of the field.
    pub number: u32,
    payload: Payload<'b>,
}

#[derive(Debug)]
enum Payload<'b> {
    Varint(u64),
    Fixed64([u8; 8]),
    Bytes(&'b [u8]),
    Fixed32,
}

impl<'b> Fields<'b> {
    /// The fields of these bytes.
    #[must_use]
    pub const fn of(bytes: &'b [u8]) -> Self {
        Self(bytes)
    }

    /// The next field; `None` at the end.
    ///
    /// # Errors
    ///
    /// The bytes are not a message.
    #[expect(clippy::should_implement_trait, reason = "it can fail")]
    pub fn next(&mut self) -> Result<Option<Field<'b>>, Malformed> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let tag = u32::try_from(self.varint()?).map_err(|_| Malformed)?;
        let payload = match tag & 7 {
            0 => Payload::Varint(self.varint()?),
            1 => Payload::Fixed64(self.take(8)?.try_into().map_err(|_| Malformed)?),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| Malformed)?;
                Payload::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Payload::Fixed32)?,
            _ => return Err(Malformed),
        };
        match tag >> 3 {
            0 => Err(Malformed),
            number => Ok(Some(Field { number, payload })),
        }
    }

    fn take(&mut self, length: usize) -> Result<&'b [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    /// Each byte has seven bits, the lowest first; every byte except the last has its eighth bit
    /// set.
    fn varint(&mut self) -> Result<u64, Malformed> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let (byte, rest) = self.0.split_first().ok_or(Malformed)?;
            self.0 = rest;
            let bits = u64::from(byte & 0x7f);
            let placed = bits.wrapping_shl(shift);
            if placed.wrapping_shr(shift) != bits {
                return Err(Malformed);
            }
            number |= placed;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Malformed)
    }
}

impl<'b> Field<'b> {
    /// Bytes, a text or a message.
    ///
    /// # Errors
    ///
    /// The field has another type.
    pub const fn bytes(&self) -> Result<&'b [u8], Malformed> {
        if let Payload::Bytes(bytes) = self.payload { Ok(bytes) } else { Err(Malformed) }
    }

    /// A whole number or a flag.
    ///
    /// # Errors
    ///
    /// The field has another type.
    pub const fn varint(&self) -> Result<u64, Malformed> {
        if let Payload::Varint(number) = self.payload { Ok(number) } else { Err(Malformed) }
    }

    /// A `double`.
    ///
    /// # Errors
    ///
    /// The field has another type.
    pub const fn double(&self) -> Result<f64, Malformed> {
        if let Payload::Fixed64(bytes) = self.payload {
            Ok(f64::from_le_bytes(bytes))
        } else {
            Err(Malformed)
        }
    }

    /// A text.
    ///
    /// # Errors
    ///
    /// The field has another type, or is not UTF-8.
    pub fn text(&self) -> Result<String, Malformed> {
        String::from_utf8(self.bytes()?.to_vec()).map_err(|_| Malformed)
    }
}

/// Adds a field with bytes, a text or a message. `number` is below 16.
pub fn put(number: u8, value: &[u8], message: &mut Vec<u8>) {
    message.push(number.wrapping_shl(3) | 2);
    let mut length = value.len();
    while length > 0x7f {
        message.push(u8::try_from(length & 0x7f).unwrap_or_default() | 0x80);
        length = length.wrapping_shr(7);
    }
    message.push(u8::try_from(length).unwrap_or_default());
    message.extend_from_slice(value);
}
