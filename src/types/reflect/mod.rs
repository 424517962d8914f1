//! Conversion of the program's own message types, by their descriptors: from
//! bytes to JSON and back.
//!
//! A response over gRPC is bytes, of which this crate knows the type only by
//! name. With a [`DescriptorPool`] that has the type, they become the JSON that
//! the same service sends over REST, and serde can decode it. Types of
//! google.protobuf have their JSON form from [`known`](super::known) here too,
//! so that it is the same everywhere.
//!
//! ```text
//! bytes ──write──> JSON        prost-reflect reads and writes the fields;
//! JSON  ──read───> bytes       this module decides about their JSON form
//! ```

mod kinds;
mod read;
mod write;

use prost_reflect::DescriptorPool;

use crate::error::Error;
use crate::json::{InvalidJson, JsonReader, JsonWriter};
use crate::types::known::KnownType;
use crate::types::{Any, Operation, Status};

/// By the descriptors of your own types.
impl Any {
    /// Returns the same message as JSON, by the types of `pool`, whatever its
    /// form is.
    ///
    /// [`decode`](Self::decode) and [`json`](Self::json) then work as for a
    /// response in JSON. The types that [`json`](Self::json) knows need not
    /// be in the pool; those of nested `Any`s count too. Fields that are
    /// not in the descriptors are left out.
    ///
    /// ```
    /// use longrunning::{Any, DescriptorPool};
    ///
    /// # let file = prost_types::FileDescriptorProto { name: Some("x.proto".into()), package: Some("x".into()),
    /// #     syntax: Some("proto3".into()), message_type: vec![prost_types::DescriptorProto {
    /// #         name: Some("Index".into()), field: vec![prost_types::FieldDescriptorProto {
    /// #             name: Some("rows".into()), number: Some(1), label: Some(1), r#type: Some(3),
    /// #             ..Default::default() }], ..Default::default() }], ..Default::default() };
    /// # let set = prost_types::FileDescriptorSet { file: vec![file] };
    /// # let descriptors = prost::Message::encode_to_vec(&set);
    /// // What `protoc --descriptor_set_out --include_imports` wrote.
    /// let pool = DescriptorPool::decode(descriptors.as_slice())?;
    /// let bytes = Any::from_proto(prost_types::Any { type_url: "x/x.Index".into(), value: vec![8, 9] });
    /// assert_eq!(bytes.in_json(&pool)?.json()?, r#"{"@type":"x/x.Index","rows":"9"}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Decode`](crate::ErrorKind::Decode) if the type is neither in the pool
    /// nor known here, or the bytes are not valid for it.
    pub fn in_json(&self, pool: &DescriptorPool) -> Result<Self, Error> {
        // JSON already: nothing to convert.
        let Some(any) = self.as_proto() else { return Ok(self.clone()) };
        let mut writer = JsonWriter::default();
        match write::any(&any, pool, &mut writer) {
            Ok(()) => Self::from_json(&writer.finish()),
            Err(invalid) => Err(self.refused("JSON", invalid)),
        }
    }

    /// Returns the same message as protobuf bytes, by the types of `pool`,
    /// whatever its form is.
    ///
    /// [`unpack`](Self::unpack) and [`to_proto`](Self::to_proto) then work as
    /// for a response over gRPC. Fields that are not in the descriptors are
    /// left out.
    ///
    /// ```
    /// use longrunning::{Any, DescriptorPool};
    ///
    /// // Types of google.protobuf need no descriptors.
    /// let any = Any::from_json(r#"{"@type": "x/google.protobuf.Duration", "value": "90s"}"#)?;
    /// assert_eq!(any.in_proto(&DescriptorPool::new())?.to_proto()?.value, [8, 90]);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`in_json`](Self::in_json).
    pub fn in_proto(&self, pool: &DescriptorPool) -> Result<Self, Error> {
        let Some(text) = self.as_text() else { return Ok(self.clone()) };
        match JsonReader::document(text, |reader| read::any(pool, reader)) {
            Ok(any) => Ok(Self::from_proto(any)),
            Err(invalid) => Err(self.refused("protobuf", invalid)),
        }
    }

    /// Returns the error of a conversion to `form`.
    fn refused(&self, form: &str, invalid: InvalidJson) -> Error {
        Error::not_converted(self.type_name(), form, invalid)
    }

    /// Returns whether the message can be converted: its type is in the pool or
    /// known here, or it has none.
    fn is_in(&self, pool: &DescriptorPool) -> bool {
        let name = self.type_name();
        name.is_empty() || KnownType::find(name).is_some() || pool.get_message_by_name(name).is_some()
    }
}

/// By the descriptors of your own types.
impl Operation {
    /// Returns the operation with its metadata, response and error details [as
    /// JSON](Any::in_json).
    ///
    /// Then [`into_response`](Self::into_response) and
    /// [`to_json`](Self::to_json) work as for a response in JSON. Messages
    /// of types that are not known stay as they are.
    ///
    /// # Errors
    ///
    /// [`Decode`](crate::ErrorKind::Decode) if the bytes of a message are not
    /// valid for its type.
    pub fn in_json(&self, pool: &DescriptorPool) -> Result<Self, Error> {
        self.with_messages(pool, Any::in_json)
    }

    /// Returns the operation with its metadata, response and error details [as
    /// bytes](Any::in_proto).
    ///
    /// Then [`to_proto`](Self::to_proto) works as for a response over gRPC.
    /// Messages of types that are not known stay as they are.
    ///
    /// # Errors
    ///
    /// [`Decode`](crate::ErrorKind::Decode) if the JSON of a message is not
    /// valid for its type.
    pub fn in_proto(&self, pool: &DescriptorPool) -> Result<Self, Error> {
        self.with_messages(pool, Any::in_proto)
    }

    /// Converts all messages of the operation whose types can be converted.
    fn with_messages(
        &self,
        pool: &DescriptorPool,
        form: fn(&Any, &DescriptorPool) -> Result<Any, Error>,
    ) -> Result<Self, Error> {
        let convert = |any: &Any| if any.is_in(pool) { form(any, pool) } else { Ok(any.clone()) };
        let mut operation = self.clone();
        operation.metadata = self.metadata().map(convert).transpose()?.into();
        operation.response = self.response().map(convert).transpose()?.into();
        if let Some(error) = self.error() {
            let details = error.details().iter().map(convert).collect::<Result<Vec<_>, _>>()?;
            // Code and message have no type; only the details are converted.
            let status = Status::new(error.code(), error.message());
            operation.error = Some(Box::new(details.into_iter().fold(status, Status::with_detail)));
        }
        Ok(operation)
    }
}
