//! How protobuf messages and their fields become
//! [ProtoJSON](https://protobuf.dev/programming-guides/json/), and back.
//!
//! Readers are lenient where ProtoJSON is: both spellings of a field, numbers
//! as strings, unknown fields. Writers produce one form: lower camel case, no
//! default values, 64-bit integers as strings, maps sorted by key.
//!
//! ```text
//! field_violations  <──read──  "fieldViolations", "field_violations"
//! field_violations  ──write─>  "fieldViolations"
//! ```

use std::collections::HashMap;

use crate::json::{InvalidJson, JsonReader, JsonWriter, RawJson, encode_base64};

/// A message, or the value of a field, that has a JSON form.
pub(super) trait JsonMessage: Sized {
    /// Whether the type has a JSON form of its own, so that an Any has it under
    /// `value`. Other types have their fields beside `@type`.
    const OWN_FORM: bool;

    /// Reads a value.
    fn read(reader: &mut JsonReader<'_>) -> Result<Self, InvalidJson>;

    /// Writes the value. Fails if it has no JSON form, such as a time after the
    /// year 9999.
    fn write(&self, writer: &mut JsonWriter) -> Result<(), InvalidJson>;

    /// Writes the members beside `@type` in an Any: `value` for a form of its
    /// own.
    fn write_inline(&self, writer: &mut JsonWriter) -> Result<(), InvalidJson> {
        writer.member("value");
        self.write(writer)
    }

    /// Returns whether a message leaves the field out.
    fn is_default(&self) -> bool {
        false
    }
}

/// Implements [`JsonMessage`] for messages, given the names of their fields in
/// the proto.
///
/// ```text
/// messages! { RetryInfo { retry_delay } }
///
/// {"retryDelay":"7s"}  <──>  RetryInfo { retry_delay: Some(7 s) }
/// ```
///
/// A field that is not in the list is skipped when it is read, and lost when it
/// is written.
macro_rules! messages {
    ($($message:ty { $($field:ident)* })*) => {$(
        impl JsonMessage for $message {
            const OWN_FORM: bool = false;

            fn read(reader: &mut JsonReader<'_>) -> Result<Self, InvalidJson> {
                let mut message = Self::default();
                reader.fields(|name, reader| {
                    $(if is_field(stringify!($field), name) {
                        message.$field = JsonMessage::read(reader)?;
                        return Ok(());
                    })*
                    reader.skip()
                })?;
                Ok(message)
            }

            fn write(&self, writer: &mut JsonWriter) -> Result<(), InvalidJson> {
                writer.object(|writer| self.write_inline(writer))
            }

            fn write_inline(&self, writer: &mut JsonWriter) -> Result<(), InvalidJson> {
                $(if !self.$field.is_default() {
                    let name = lower_camel(stringify!($field));
                    writer.member(&name);
                    self.$field.write(writer).map_err(|invalid| invalid.at(&name))?;
                })*
                Ok(())
            }
        }
    )*};
}

pub(super) use messages;

/// Returns whether `name` is a spelling of the field `field`: that of the
/// proto, or lower camel case.
pub(super) fn is_field(field: &str, name: &str) -> bool {
    // The name of a Rust field that is a keyword, such as `r#type`.
    let field = field.trim_start_matches("r#");
    name == field || name == lower_camel(field)
}

/// Returns the JSON name of a field: `page_size` is `pageSize`.
pub(super) fn lower_camel(field: &str) -> String {
    let mut words = field.trim_start_matches("r#").split('_');
    let mut name = words.next().unwrap_or_default().to_owned();
    for word in words {
        let (initial, rest) = word.split_at_checked(1).unwrap_or_default();
        name += &initial.to_ascii_uppercase();
        name += rest;
    }
    name
}

/// Implements [`JsonMessage`] for scalars, given how each is read and written.
///
/// | type | read | written |
/// |---|---|---|
/// | integers | `5`, `"5"`, `5.0`, `5e0` | `5`, those of 64 bits `"5"` |
/// | floating point | `0.1`, `"0.1"`, `"NaN"`, `"-Infinity"` | `0.1`, `"NaN"` |
/// | bytes | base64, also that for URLs, with or without padding | base64 with padding |
macro_rules! scalars {
    ($($scalar:ty: $read:expr, $write:expr;)*) => {$(
        impl JsonMessage for $scalar {
            const OWN_FORM: bool = true;

            fn read(reader: &mut JsonReader<'_>) -> Result<Self, InvalidJson> {
                let read: fn(RawJson<'_>) -> Result<Self, InvalidJson> = $read;
                read(reader.value()?)
            }

            fn write(&self, writer: &mut JsonWriter) -> Result<(), InvalidJson> {
                let write: fn(&Self, &mut JsonWriter) = $write;
                write(self, writer);
                Ok(())
            }

            fn is_default(&self) -> bool {
                *self == Self::default()
            }
        }
    )*};
}

scalars! {
    bool: |raw| raw.boolean(), |flag, writer| writer.raw(if *flag { "true" } else { "false" });
    i32: |raw| raw.integer("a 32-bit integer"), |number, writer| writer.raw(&number.to_string());
    u32: |raw| raw.integer("an unsigned 32-bit integer"), |number, writer| writer.raw(&number.to_string());
    // As JSON numbers, 64 bits would lose digits in JavaScript.
    i64: |raw| raw.integer("a 64-bit integer"), |number, writer| writer.string(&number.to_string());
    u64: |raw| raw.integer("an unsigned 64-bit integer"), |number, writer| writer.string(&number.to_string());
    f32: |raw| float(raw, f32::is_finite), |number, writer| write_float(&single(*number), writer);
    f64: |raw| float(raw, f64::is_finite), |number, writer| write_float(&format!("{number:?}"), writer);
    String: |raw| Ok(raw.string()?.into()), |string, writer| writer.string(string);
    Vec<u8>: |raw| raw.bytes(), |bytes, writer| writer.string(&encode_base64(bytes));
}

/// Reads a number, also as a string, or one of the three named values.
fn float<F: std::str::FromStr + Copy>(raw: RawJson<'_>, is_finite: fn(F) -> bool) -> Result<F, InvalidJson> {
    let text = raw.number("a number")?;
    let named = matches!(&*text, "NaN" | "Infinity" | "-Infinity");
    // Rust also parses `inf` and `nan`, which ProtoJSON does not have.
    let digits = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    let number = text.parse().ok().filter(|number| named || (digits && is_finite(*number)));
    number.ok_or_else(|| raw.expected("a number in range"))
}

/// Returns the shortest text of a number in single precision.
///
/// The largest one is written in double precision: its shortest text is above
/// it there, and Python rejects that.
fn single(number: f32) -> String {
    if number.abs() == f32::MAX { format!("{:?}", f64::from(number)) } else { format!("{number:?}") }
}

/// Writes the text of a number that Rust's `{:?}` has made: the shortest one
/// from which the same number is read.
fn write_float(number: &str, writer: &mut JsonWriter) {
    match number {
        "NaN" => writer.string("NaN"),
        "inf" => writer.string("Infinity"),
        "-inf" => writer.string("-Infinity"),
        finite => writer.raw(finite),
    }
}

impl<T: JsonMessage> JsonMessage for Option<T> {
    const OWN_FORM: bool = T::OWN_FORM;

    fn read(reader: &mut JsonReader<'_>) -> Result<Self, InvalidJson> {
        T::read(reader).map(Some)
    }

    fn write(&self, writer: &mut JsonWriter) -> Result<(), InvalidJson> {
        self.as_ref().map_or(Ok(()), |value| value.write(writer))
    }

    fn is_default(&self) -> bool {
        self.is_none()
    }
}

impl<T: JsonMessage> JsonMessage for Vec<T> {
    const OWN_FORM: bool = true;

    fn read(reader: &mut JsonReader<'_>) -> Result<Self, InvalidJson> {
        let mut items = Self::new();
        reader.elements(|reader| {
            items.push(T::read(reader)?);
            Ok(())
        })?;
        Ok(items)
    }

    fn write(&self, writer: &mut JsonWriter) -> Result<(), InvalidJson> {
        writer.array(self, |writer, item| item.write(writer))
    }

    fn is_default(&self) -> bool {
        self.is_empty()
    }
}

impl JsonMessage for HashMap<String, String> {
    const OWN_FORM: bool = true;

    fn read(reader: &mut JsonReader<'_>) -> Result<Self, InvalidJson> {
        let mut map = Self::new();
        reader.members(|key, reader| {
            map.insert(key.to_owned(), JsonMessage::read(reader)?);
            Ok(())
        })?;
        Ok(map)
    }

    fn write(&self, writer: &mut JsonWriter) -> Result<(), InvalidJson> {
        let mut entries: Vec<_> = self.iter().collect();
        // The order of a `HashMap` differs between runs; the same message must
        // have the same text.
        entries.sort();
        writer.object(|writer| {
            entries.into_iter().try_for_each(|(key, value)| {
                writer.member(key);
                value.write(writer)
            })
        })
    }

    fn is_default(&self) -> bool {
        self.is_empty()
    }
}
