//! From JSON to bytes: the JSON is read by the descriptors into a dynamic
//! message, which is then encoded.
//!
//! ```text
//! {"rows":"9","state":"READY","new":[1]}
//! 08 09  18 01
//! ```
//!
//! Reading is as lenient as ProtoJSON: both spellings of a field, numbers as
//! strings, enums by name or number. Unknown fields are skipped, so the bytes
//! may say less than the JSON. The depth of the JSON was checked when the Any
//! was created.

use std::collections::HashMap;

use prost::Message;
use prost_reflect::{
    DescriptorPool, DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value,
};

use crate::json::{InvalidJson, JsonReader, RawJson};
use crate::types::known::{is_empty, type_url};
use crate::types::message::JsonMessage;

use super::kinds::{ANY, AnyKind, NULL, not_bytes, own_form, type_name};

/// Reads the JSON of an Any. `{}` is an Any without a type.
///
/// # Errors
///
/// If its type is unknown, or a field has a value of the wrong kind; the error
/// names the path to it.
pub(super) fn any(
    pool: &DescriptorPool,
    reader: &mut JsonReader<'_>,
) -> Result<prost_types::Any, InvalidJson> {
    let raw = reader.value()?;
    let type_url = type_url(raw)?;
    if type_url.is_empty() && is_empty(raw) {
        return Ok(prost_types::Any::default());
    }
    let value = match AnyKind::find(type_name(&type_url), pool)? {
        AnyKind::Any => under_value(pool, raw)?,
        AnyKind::Known(known) => known.encode(raw)?,
        AnyKind::Described(descriptor) => fields(&descriptor, pool, &mut raw.reader())?.encode_to_vec(),
    };
    Ok(prost_types::Any { type_url, value })
}

/// Reads the Any inside of an Any, and returns its bytes.
fn under_value(pool: &DescriptorPool, any: RawJson<'_>) -> Result<Vec<u8>, InvalidJson> {
    let mut inner = None;
    any.reader().members(|name, reader| {
        if name != "value" {
            return reader.skip();
        }
        inner = Some(self::any(pool, reader)?);
        Ok(())
    })?;
    // The content of an Any inside an Any is that Any, encoded.
    inner.map(|any| any.encode_to_vec()).ok_or_else(|| InvalidJson::new("expected a `value`"))
}

/// Reads a message in a field: an Any by its type, a type with a JSON form of
/// its own in that form, any other as an object.
fn message(
    descriptor: &MessageDescriptor,
    pool: &DescriptorPool,
    reader: &mut JsonReader<'_>,
) -> Result<DynamicMessage, InvalidJson> {
    let bytes = match (descriptor.full_name(), own_form(descriptor.full_name())) {
        (ANY, _) => any(pool, reader)?.encode_to_vec(),
        (_, Some(known)) => known.encode_value(reader)?,
        _ => return fields(descriptor, pool, reader),
    };
    // Of a type with its own JSON form, there are only bytes; they become the
    // dynamic message that the field needs.
    DynamicMessage::decode(descriptor.clone(), &*bytes).map_err(not_bytes)
}

/// Reads the fields of a message, under either spelling. Unknown fields are
/// skipped.
fn fields(
    descriptor: &MessageDescriptor,
    pool: &DescriptorPool,
    reader: &mut JsonReader<'_>,
) -> Result<DynamicMessage, InvalidJson> {
    let mut message = DynamicMessage::new(descriptor.clone());
    reader.members(|name, reader| {
        // A field may have a JSON name of its own in the proto.
        let field = descriptor.get_field_by_json_name(name).or_else(|| descriptor.get_field_by_name(name));
        let Some(field) = field.filter(|field| !reader.at_null() || takes_null(field)) else {
            return reader.skip();
        };
        let value = value(&field, pool, reader)?;
        message
            .try_set_field(&field, value)
            .map_err(|_| InvalidJson::new("expected a value of the field's type"))
    })?;
    Ok(message)
}

/// Returns whether null is a value of the field. For all other fields it means
/// that the field is absent.
fn takes_null(field: &FieldDescriptor) -> bool {
    !field.is_list()
        && match field.kind() {
            Kind::Message(of) => of.full_name() == "google.protobuf.Value",
            Kind::Enum(of) => of.full_name() == NULL,
            _ => false,
        }
}

/// Reads the value of a field: a map, a list or a single value.
fn value(
    field: &FieldDescriptor,
    pool: &DescriptorPool,
    reader: &mut JsonReader<'_>,
) -> Result<Value, InvalidJson> {
    let kind = field.kind();
    match kind.as_message() {
        Some(entry) if field.is_map() => {
            let keys = entry.map_entry_key_field().kind();
            let values = entry.map_entry_value_field().kind();
            let mut map = HashMap::new();
            reader.members(|key, reader| {
                map.insert(map_key(key, &keys)?, single(&values, pool, reader)?);
                Ok(())
            })?;
            Ok(Value::Map(map))
        }
        _ if field.is_list() => {
            let mut list = Vec::new();
            reader.elements(|reader| {
                list.push(single(&kind, pool, reader)?);
                Ok(())
            })?;
            Ok(Value::List(list))
        }
        _ => single(&kind, pool, reader),
    }
}

/// Reads a single value of a kind, such as the element of a list.
fn single(kind: &Kind, pool: &DescriptorPool, reader: &mut JsonReader<'_>) -> Result<Value, InvalidJson> {
    Ok(match kind {
        Kind::Double => Value::F64(JsonMessage::read(reader)?),
        Kind::Float => Value::F32(JsonMessage::read(reader)?),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(JsonMessage::read(reader)?),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(JsonMessage::read(reader)?),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(JsonMessage::read(reader)?),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(JsonMessage::read(reader)?),
        Kind::Bool => Value::Bool(JsonMessage::read(reader)?),
        Kind::String => Value::String(JsonMessage::read(reader)?),
        Kind::Bytes => Value::Bytes(Vec::<u8>::read(reader)?.into()),
        Kind::Message(descriptor) => Value::Message(message(descriptor, pool, reader)?),
        Kind::Enum(descriptor) => Value::EnumNumber(enum_number(descriptor, reader)?),
    })
}

/// Reads the value of an enum: its name or its number, also one that the
/// descriptor does not have. Null is the value of `NullValue`.
fn enum_number(descriptor: &EnumDescriptor, reader: &mut JsonReader<'_>) -> Result<i32, InvalidJson> {
    if reader.at_null() && descriptor.full_name() == NULL {
        return reader.skip().map(|()| 0);
    }
    let raw = reader.value()?;
    let named = raw.string().ok().and_then(|name| descriptor.get_value_by_name(&name));
    match named {
        Some(value) => Ok(value.number()),
        None => raw.integer(&format!("a value of `{}`", descriptor.full_name())),
    }
}

/// Reads the key of a map, which is always a string in JSON: `"7"` for an
/// integer, `"true"` for a boolean.
fn map_key(key: &str, kind: &Kind) -> Result<MapKey, InvalidJson> {
    let read = match kind {
        Kind::Bool => key.parse().ok().map(MapKey::Bool),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => key.parse().ok().map(MapKey::I32),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => key.parse().ok().map(MapKey::I64),
        Kind::Uint32 | Kind::Fixed32 => key.parse().ok().map(MapKey::U32),
        Kind::Uint64 | Kind::Fixed64 => key.parse().ok().map(MapKey::U64),
        _ => Some(MapKey::String(key.to_owned())),
    };
    read.ok_or_else(|| InvalidJson::new("expected a key of the map's type"))
}
