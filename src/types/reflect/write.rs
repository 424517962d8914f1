//! From bytes to JSON: the bytes are decoded by the descriptors into a dynamic
//! message, whose fields are written.
//!
//! ```text
//! message Index { int64 rows = 1; repeated string tags = 2; State state = 3; map<string, int32> sizes = 4; }
//!
//! 08 09  12 01 61  18 01  22 05 0a 01 62 10 07
//! {"rows":"9","tags":["a"],"state":"READY","sizes":{"b":7}}
//! ```
//!
//! Fields without a value are left out, as are those that the descriptors do
//! not have. Nesting is limited by prost, to 100 messages.

use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MapKey, ReflectMessage, Value};

use crate::json::{InvalidJson, JsonWriter};
use crate::types::message::JsonMessage;

use super::kinds::{ANY, AnyKind, NULL, not_bytes, own_form, type_name};

/// Writes the JSON of an Any.
///
/// # Errors
///
/// If its type is unknown, or its bytes are not valid for the type. The error
/// of a nested Any names the path to it.
pub(super) fn any(
    any: &prost_types::Any,
    pool: &DescriptorPool,
    writer: &mut JsonWriter,
) -> Result<(), InvalidJson> {
    writer.object(|writer| {
        if any.type_url.is_empty() && any.value.is_empty() {
            return Ok(());
        }
        writer.member("@type");
        writer.string(&any.type_url);
        let bytes = &*any.value;
        match AnyKind::find(type_name(&any.type_url), pool)? {
            AnyKind::Any => {
                writer.member("value");
                let inner = prost_types::Any::decode(bytes).map_err(not_bytes)?;
                self::any(&inner, pool, writer).map_err(|invalid| invalid.at("value"))
            }
            AnyKind::Known(known) => known.write_inline(bytes, writer),
            AnyKind::Described(descriptor) => {
                let message = DynamicMessage::decode(descriptor, bytes).map_err(not_bytes)?;
                fields(&message, pool, writer)
            }
        }
    })
}

/// Writes a message in a field: an Any by its type, a type with a JSON form of
/// its own in that form, any other as an object.
fn message(
    message: &DynamicMessage,
    pool: &DescriptorPool,
    writer: &mut JsonWriter,
) -> Result<(), InvalidJson> {
    let descriptor = message.descriptor();
    let name = descriptor.full_name();
    if name == ANY {
        // The dynamic message has the fields of an Any, but not its Rust type.
        let inner = prost_types::Any::decode(&*message.encode_to_vec()).map_err(not_bytes)?;
        return any(&inner, pool, writer);
    }
    match own_form(name) {
        Some(known) => known.write(&message.encode_to_vec(), writer),
        None => writer.object(|writer| fields(message, pool, writer)),
    }
}

/// Writes the fields that are set, in the order of their numbers, under their
/// JSON names.
fn fields(
    message: &DynamicMessage,
    pool: &DescriptorPool,
    writer: &mut JsonWriter,
) -> Result<(), InvalidJson> {
    let descriptor = message.descriptor();
    // Only fields with a value: ProtoJSON leaves default values out.
    descriptor.fields().filter(|field| message.has_field(field)).try_for_each(|field| {
        let name = field.json_name();
        writer.member(name);
        let written = value(&message.get_field(&field), &field, pool, writer);
        written.map_err(|invalid| invalid.at(name))
    })
}

/// Writes the value of a field. Maps are sorted by key, so that the same
/// message has the same text.
fn value(
    value: &Value,
    field: &FieldDescriptor,
    pool: &DescriptorPool,
    writer: &mut JsonWriter,
) -> Result<(), InvalidJson> {
    let kind = field.kind();
    match (value, kind.as_message()) {
        (Value::List(items), _) => writer.array(items, |writer, item| single(item, &kind, pool, writer)),
        (Value::Map(entries), Some(entry)) => {
            let kind = entry.map_entry_value_field().kind();
            let mut entries: Vec<_> = entries.iter().map(|(key, value)| (key_text(key), value)).collect();
            // The order of a map differs between runs.
            entries.sort_by(|(key, _), (other, _)| key.cmp(other));
            writer.object(|writer| {
                entries.into_iter().try_for_each(|(key, value)| {
                    writer.member(&key);
                    single(value, &kind, pool, writer).map_err(|invalid| invalid.at(&key))
                })
            })
        }
        _ => single(value, &kind, pool, writer),
    }
}

/// Writes a single value. Integers of 64 bits become strings, bytes base64, as
/// ProtoJSON has it.
fn single(
    value: &Value,
    kind: &Kind,
    pool: &DescriptorPool,
    writer: &mut JsonWriter,
) -> Result<(), InvalidJson> {
    match value {
        Value::Bool(flag) => flag.write(writer),
        Value::I32(number) => number.write(writer),
        Value::I64(number) => number.write(writer),
        Value::U32(number) => number.write(writer),
        Value::U64(number) => number.write(writer),
        Value::F32(number) => number.write(writer),
        Value::F64(number) => number.write(writer),
        Value::String(string) => string.write(writer),
        Value::Bytes(bytes) => bytes.to_vec().write(writer),
        Value::EnumNumber(number) => enum_value(*number, kind, writer),
        Value::Message(inner) => message(inner, pool, writer),
        Value::List(_) | Value::Map(_) => Err(InvalidJson::new("expected a single value")),
    }
}

/// Writes the value of an enum: its name, or the number if the descriptor does
/// not have it. `NullValue` is null.
fn enum_value(number: i32, kind: &Kind, writer: &mut JsonWriter) -> Result<(), InvalidJson> {
    let value = kind.as_enum().and_then(|of| of.get_value(number));
    match value {
        _ if kind.as_enum().is_some_and(|of| of.full_name() == NULL) => writer.raw("null"),
        Some(value) => writer.string(value.name()),
        None => writer.raw(&number.to_string()),
    }
    Ok(())
}

/// Returns the key of a map as text, as JSON needs it.
fn key_text(key: &MapKey) -> String {
    match key {
        MapKey::Bool(flag) => flag.to_string(),
        MapKey::I32(number) => number.to_string(),
        MapKey::I64(number) => number.to_string(),
        MapKey::U32(number) => number.to_string(),
        MapKey::U64(number) => number.to_string(),
        MapKey::String(string) => string.clone(),
    }
}
