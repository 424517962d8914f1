//! The types that can be turned from protobuf bytes into JSON and back inside an Any.

use prost::Message;

use crate::json::{Invalid, Raw, Reader, Writer};
use crate::proto::google::rpc;
use crate::types::message::Json;

/// How an Any of one type is read and written.
pub(super) struct Known {
    /// Whether the JSON stands under `value`.
    pub(super) own_form: bool,
    encode: fn(&mut Reader<'_>) -> Result<Vec<u8>, Invalid>,
    write_inline: fn(&[u8], &mut Writer) -> Result<(), Invalid>,
}

impl Known {
    pub(super) fn find(type_name: &str) -> Option<Self> {
        let known = match type_name {
            "google.protobuf.Any" => Self::new::<prost_types::Any>(),
            "google.protobuf.BoolValue" => Self::new::<bool>(),
            "google.protobuf.BytesValue" => Self::new::<Vec<u8>>(),
            "google.protobuf.DoubleValue" => Self::new::<f64>(),
            "google.protobuf.Duration" => Self::new::<prost_types::Duration>(),
            "google.protobuf.Empty" => Self::new::<()>(),
            "google.protobuf.FieldMask" => Self::new::<prost_types::FieldMask>(),
            "google.protobuf.FloatValue" => Self::new::<f32>(),
            "google.protobuf.Int32Value" => Self::new::<i32>(),
            "google.protobuf.Int64Value" => Self::new::<i64>(),
            "google.protobuf.ListValue" => Self::new::<prost_types::ListValue>(),
            "google.protobuf.StringValue" => Self::new::<String>(),
            "google.protobuf.Struct" => Self::new::<prost_types::Struct>(),
            "google.protobuf.Timestamp" => Self::new::<prost_types::Timestamp>(),
            "google.protobuf.UInt32Value" => Self::new::<u32>(),
            "google.protobuf.UInt64Value" => Self::new::<u64>(),
            "google.protobuf.Value" => Self::new::<prost_types::Value>(),
            "google.rpc.BadRequest" => Self::new::<rpc::BadRequest>(),
            "google.rpc.DebugInfo" => Self::new::<rpc::DebugInfo>(),
            "google.rpc.ErrorInfo" => Self::new::<rpc::ErrorInfo>(),
            "google.rpc.Help" => Self::new::<rpc::Help>(),
            "google.rpc.LocalizedMessage" => Self::new::<rpc::LocalizedMessage>(),
            "google.rpc.PreconditionFailure" => Self::new::<rpc::PreconditionFailure>(),
            "google.rpc.QuotaFailure" => Self::new::<rpc::QuotaFailure>(),
            "google.rpc.RequestInfo" => Self::new::<rpc::RequestInfo>(),
            "google.rpc.ResourceInfo" => Self::new::<rpc::ResourceInfo>(),
            "google.rpc.RetryInfo" => Self::new::<rpc::RetryInfo>(),
            "google.rpc.Status" => Self::new::<rpc::Status>(),
            _ => return None,
        };
        Some(known)
    }

    fn new<M: Message + Default + Json>() -> Self {
        Self {
            own_form: M::OWN_FORM,
            encode: |reader| Ok(M::read(reader)?.encode_to_vec()),
            write_inline: |bytes, writer| {
                let message = M::decode(bytes).map_err(|_| Invalid::new("expected protobuf bytes"))?;
                message.write_inline(writer)
            },
        }
    }

    /// Turns the JSON of an Any into protobuf bytes.
    pub(super) fn encode(&self, any: Raw<'_>) -> Result<Vec<u8>, Invalid> {
        if !self.own_form {
            return (self.encode)(&mut any.reader());
        }
        let mut bytes = None;
        any.reader().members(|name, reader| {
            if name == "value" {
                bytes = Some((self.encode)(reader)?);
                return Ok(());
            }
            reader.skip()
        })?;
        bytes.ok_or_else(|| Invalid::new("expected a `value`"))
    }
}

/// What follows the last `/` of a type's URL; what stands before it differs between services.
pub(super) fn type_name(url: &str) -> &str {
    url.rsplit_once('/').map_or(url, |(_, name)| name)
}

impl Json for prost_types::Any {
    const OWN_FORM: bool = true;

    fn read(reader: &mut Reader<'_>) -> Result<Self, Invalid> {
        let raw = reader.value()?;
        let type_url = type_url(raw)?;
        if type_url.is_empty() && is_empty(raw) {
            return Ok(Self::default());
        }
        let known = Known::find(type_name(&type_url)).ok_or_else(unknown)?;
        let value = known.encode(raw)?;
        Ok(Self { type_url, value })
    }

    fn write(&self, writer: &mut Writer) -> Result<(), Invalid> {
        writer.object(|writer| {
            if self.type_url.is_empty() && self.value.is_empty() {
                return Ok(());
            }
            writer.member("@type");
            writer.string(&self.type_url);
            let known = Known::find(type_name(&self.type_url)).ok_or_else(unknown)?;
            (known.write_inline)(&self.value, writer)
        })
    }
}

fn unknown() -> Invalid {
    Invalid::new("expected a well-known or google.rpc type")
}

fn is_empty(object: Raw<'_>) -> bool {
    let inside = object.text().strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    inside.is_some_and(|inside| inside.trim().is_empty())
}

/// The `@type` of a JSON object; empty if there is none.
pub(super) fn type_url(any: Raw<'_>) -> Result<String, Invalid> {
    let mut url = String::new();
    any.reader().fields(|name, reader| {
        if name == "@type" {
            url = Json::read(reader)?;
            return Ok(());
        }
        reader.skip()
    })?;
    Ok(url)
}
