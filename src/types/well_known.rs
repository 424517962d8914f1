//! The JSON forms of the types in google.protobuf, as
//! [ProtoJSON](https://protobuf.dev/programming-guides/json/) has them.
//!
//! | type | JSON | not valid |
//! |---|---|---|
//! | `Duration` | `"1.5s"`, `"-3s"` | `1.5`, more than 10,000 years |
//! | `Timestamp` | `"2027-12-31T23:59:59Z"`, any offset | years before 0001 or after 9999 |
//! | `FieldMask` | `"fooBar,a.bazQux"` | to write: `foo__bar`, `fooBar` |
//! | `Struct` | `{"a":1,"b":[true]}` | |
//! | `ListValue` | `[1,"x",null]` | |
//! | `Value` | any value | to write: a number that is not finite |
//! | `Empty` | `{}` | |
//!
//! The wrappers (`Int32Value`, `StringValue` and so on) have the form of the
//! scalar, which [`message`](super::message) implements. All but `Empty` are a
//! *form of their own*: an Any has them under `value`.

use prost_types::value::Kind;
use prost_types::{Duration, FieldMask, ListValue, Struct, Timestamp, Value};

use crate::json::{
    InvalidJson, JsonReader, JsonWriter, duration_text, parse_duration, parse_timestamp, timestamp_text,
};
use crate::types::message::{JsonMessage, lower_camel};

/// google.protobuf.Empty, which some servers give a `value` inside an Any.
impl JsonMessage for () {
    const OWN_FORM: bool = false;

    fn read(reader: &mut JsonReader<'_>) -> Result<Self, InvalidJson> {
        // Unknown members are skipped, as in any message.
        reader.members(|_, reader| reader.skip()).map(drop)
    }

    fn write(&self, writer: &mut JsonWriter) -> Result<(), InvalidJson> {
        writer.object(|_| Ok(()))
    }

    fn write_inline(&self, _: &mut JsonWriter) -> Result<(), InvalidJson> {
        Ok(())
    }
}

impl JsonMessage for Duration {
    const OWN_FORM: bool = true;

    fn read(reader: &mut JsonReader<'_>) -> Result<Self, InvalidJson> {
        let duration = parse_duration(&reader.value()?.string()?);
        duration
            .ok_or_else(|| InvalidJson::new("expected a duration such as `1.5s`, of at most 10,000 years"))
    }

    fn write(&self, writer: &mut JsonWriter) -> Result<(), InvalidJson> {
        let text = duration_text(self);
        let text = text
            .ok_or_else(|| InvalidJson::new("expected a duration of at most 10,000 years and of one sign"))?;
        writer.string(&text);
        Ok(())
    }
}

impl JsonMessage for Timestamp {
    const OWN_FORM: bool = true;

    fn read(reader: &mut JsonReader<'_>) -> Result<Self, InvalidJson> {
        let timestamp = parse_timestamp(&reader.value()?.string()?);
        timestamp.ok_or_else(|| InvalidJson::new("expected an RFC 3339 time in the years 0001 to 9999"))
    }

    fn write(&self, writer: &mut JsonWriter) -> Result<(), InvalidJson> {
        let text = timestamp_text(self);
        let text = text.ok_or_else(|| InvalidJson::new("expected a time in the years 0001 to 9999"))?;
        writer.string(&text);
        Ok(())
    }
}

impl JsonMessage for FieldMask {
    const OWN_FORM: bool = true;

    fn read(reader: &mut JsonReader<'_>) -> Result<Self, InvalidJson> {
        let text = reader.value()?.string()?;
        // Both spellings are accepted; snake case has no capitals to convert.
        let paths = text.split(',').filter(|path| !path.is_empty()).map(snake_case).collect();
        Ok(Self { paths })
    }

    fn write(&self, writer: &mut JsonWriter) -> Result<(), InvalidJson> {
        let paths: Vec<_> = self.paths.iter().map(|path| lower_camel(path)).collect();
        // A path that does not survive the round trip, such as `foo__bar`, has
        // no JSON form.
        if paths.iter().zip(&self.paths).any(|(camel, path)| snake_case(camel) != *path) {
            return Err(InvalidJson::new("expected paths of fields in lower case with single underscores"));
        }
        writer.string(&paths.join(","));
        Ok(())
    }
}

/// Returns the path of a field mask in the spelling of the proto: `fooBar` is
/// `foo_bar`.
fn snake_case(path: &str) -> String {
    let mut snake = String::new();
    for char in path.chars() {
        if char.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(char.to_ascii_lowercase());
    }
    snake
}

impl JsonMessage for Struct {
    const OWN_FORM: bool = true;

    fn read(reader: &mut JsonReader<'_>) -> Result<Self, InvalidJson> {
        let mut message = Self::default();
        reader.members(|key, reader| {
            message.fields.insert(key.to_owned(), JsonMessage::read(reader)?);
            Ok(())
        })?;
        Ok(message)
    }

    fn write(&self, writer: &mut JsonWriter) -> Result<(), InvalidJson> {
        writer.object(|writer| {
            self.fields.iter().try_for_each(|(key, value)| {
                writer.member(key);
                value.write(writer)
            })
        })
    }
}

impl JsonMessage for ListValue {
    const OWN_FORM: bool = true;

    fn read(reader: &mut JsonReader<'_>) -> Result<Self, InvalidJson> {
        Ok(Self { values: JsonMessage::read(reader)? })
    }

    fn write(&self, writer: &mut JsonWriter) -> Result<(), InvalidJson> {
        self.values.write(writer)
    }
}

impl JsonMessage for Value {
    const OWN_FORM: bool = true;

    fn read(reader: &mut JsonReader<'_>) -> Result<Self, InvalidJson> {
        // The first byte decides on the kind of a JSON value.
        let kind = match reader.peek() {
            Some(b'{') => Kind::StructValue(JsonMessage::read(reader)?),
            Some(b'[') => Kind::ListValue(JsonMessage::read(reader)?),
            Some(b'"') => Kind::StringValue(JsonMessage::read(reader)?),
            Some(b't' | b'f') => Kind::BoolValue(JsonMessage::read(reader)?),
            Some(b'n') => {
                reader.skip()?;
                Kind::NullValue(0)
            }
            _ => Kind::NumberValue(JsonMessage::read(reader)?),
        };
        Ok(Self { kind: Some(kind) })
    }

    fn write(&self, writer: &mut JsonWriter) -> Result<(), InvalidJson> {
        match &self.kind {
            None | Some(Kind::NullValue(_)) => {
                writer.raw("null");
                Ok(())
            }
            // JSON has no such numbers, and `Value` must not have the strings
            // `"NaN"` and `"Infinity"` for them.
            Some(Kind::NumberValue(number)) if !number.is_finite() => {
                Err(InvalidJson::new("expected a finite number"))
            }
            Some(Kind::NumberValue(number)) => number.write(writer),
            Some(Kind::StringValue(string)) => string.write(writer),
            Some(Kind::BoolValue(flag)) => flag.write(writer),
            Some(Kind::StructValue(message)) => message.write(writer),
            Some(Kind::ListValue(list)) => list.write(writer),
        }
    }
}
