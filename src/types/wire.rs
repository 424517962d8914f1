//! The [protobuf wire
//! format](https://protobuf.dev/programming-guides/encoding/), as far as a
//! response is split into fields before it is decoded.
//!
//! ```text
//! key (varint: number << 3 | type)   value
//! type 0  varint     type 1  8 bytes       type 2  length (varint), bytes
//! type 3  group start      type 4  group end      type 5  4 bytes
//! ```
//!
//! prost decodes whole messages. This module finds the fields of a page or an
//! operation without decoding them: to count before memory is allocated, to
//! name the field at fault, and to share bytes instead of copying them.

use crate::json::InvalidJson;

/// The value of a field of a message.
#[derive(Clone, Copy)]
pub(super) enum WireValue<'a> {
    /// A string, bytes or a message: all three have a length before them.
    Bytes(WireSpan<'a>),
    /// An integer, a boolean or an enum.
    Varint(u64),
    /// A number of 4 or 8 bytes, which no message here has.
    Fixed,
}

/// Bytes, and their offset in the message that contains them.
#[derive(Clone, Copy)]
pub(super) struct WireSpan<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) start: usize,
}

/// Calls `field` with the number and value of each field of a message, in
/// order. Fields inside groups are skipped.
///
/// # Errors
///
/// The first error of `field`, or that of bytes that are no message: a
/// truncated field, the field number 0, a wire type that does not exist,
/// unbalanced groups.
pub(super) fn fields<'a>(
    mut message: &'a [u8],
    mut field: impl FnMut(u32, WireValue<'a>) -> Result<(), InvalidJson>,
) -> Result<(), InvalidJson> {
    let whole = message.len();
    // Groups are counted, not matched by number: no message here has any, and a
    // counter needs no stack.
    let mut groups = 0usize;
    while !message.is_empty() {
        let key = varint(&mut message)?;
        // Field numbers have 29 bits, and 0 is invalid.
        let number = u32::try_from(key >> 3).ok().filter(|number| *number != 0).ok_or_else(broken)?;
        let value = match key & 7 {
            0 => WireValue::Varint(varint(&mut message)?),
            1 => take(&mut message, 8).map(|_| WireValue::Fixed)?,
            2 => {
                let length = varint(&mut message)?;
                let bytes = take(&mut message, length)?;
                WireValue::Bytes(WireSpan { bytes, start: whole - message.len() - bytes.len() })
            }
            3 => {
                groups += 1;
                continue;
            }
            4 => {
                groups = groups.checked_sub(1).ok_or_else(broken)?;
                continue;
            }
            5 => take(&mut message, 4).map(|_| WireValue::Fixed)?,
            _ => return Err(broken()),
        };
        // Fields in a group belong to that group, not to the message.
        if groups == 0 {
            field(number, value)?;
        }
    }
    if groups == 0 { Ok(()) } else { Err(broken()) }
}

impl<'a> WireValue<'a> {
    /// Returns the value of a field with a length.
    pub(super) fn bytes(self) -> Result<&'a [u8], InvalidJson> {
        match self {
            Self::Bytes(span) => Ok(span.bytes),
            Self::Varint(_) | Self::Fixed => Err(InvalidJson::new("expected a field with a length")),
        }
    }

    /// Returns the value as text, which has to be UTF-8.
    pub(super) fn string(self) -> Result<String, InvalidJson> {
        String::from_utf8(self.bytes()?.to_vec()).map_err(|_| InvalidJson::new("expected UTF-8"))
    }
}

/// Reads a varint and moves `message` behind it.
#[inline]
fn varint(message: &mut &[u8]) -> Result<u64, InvalidJson> {
    // Most keys and lengths have one byte.
    if let [byte @ ..0x80, rest @ ..] = *message {
        *message = rest;
        return Ok((*byte).into());
    }
    long_varint(message)
}

/// Reads a varint of more than one byte, of ten at most.
fn long_varint(message: &mut &[u8]) -> Result<u64, InvalidJson> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = message.split_first().ok_or_else(broken)?;
        *message = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(broken())
}

/// Takes `length` bytes from the start of `message`.
fn take<'a>(message: &mut &'a [u8], length: u64) -> Result<&'a [u8], InvalidJson> {
    let length = usize::try_from(length).map_err(|_| broken())?;
    // The length is a claim of the sender: it is compared with the bytes that
    // are there.
    let (taken, rest) = message.split_at_checked(length).ok_or_else(broken)?;
    *message = rest;
    Ok(taken)
}

fn broken() -> InvalidJson {
    InvalidJson::new("expected protobuf bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Option<String> {
        let mut seen = Vec::new();
        let outcome = fields(bytes, |number, value| {
            seen.push(format!("{number}={:?}", value.bytes().ok()));
            Ok(())
        });
        outcome.ok().map(|()| seen.join(" "))
    }

    #[test]
    fn fields_of_every_kind() {
        let table: [(&str, &[u8], Option<&str>); 14] = [
            ("none", &[], Some("")),
            ("a varint", &[0x08, 0xff, 0x01], Some("1=None")),
            ("the longest varint", &[0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1], Some("1=None")),
            ("a varint too long", &[0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1], None),
            ("a varint cut", &[0x08, 0x80], None),
            ("bytes", &[0x12, 2, 7, 8, 0x1a, 0], Some("2=Some([7, 8]) 3=Some([])")),
            ("bytes cut", &[0x12, 3, 7, 8], None),
            ("fixed", &[0x09, 0, 0, 0, 0, 0, 0, 0, 0, 0x0d, 0, 0, 0, 0], Some("1=None 1=None")),
            ("fixed, cut", &[0x0d, 0, 0, 0], None),
            ("groups", &[0x0b, 0x13, 0x12, 0, 0x14, 0x0c, 0x12, 0], Some("2=Some([])")),
            ("a group that does not end", &[0x0b, 0x12, 0], None),
            ("a group that does not begin", &[0x0c], None),
            ("field zero", &[0x00, 0], None),
            ("wire type 7", &[0x0f], None),
        ];
        for (name, bytes, expected) in table {
            assert_eq!(read(bytes).as_deref(), expected, "{name}");
        }
    }
}
