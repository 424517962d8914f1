//! Conversions from and to protobuf messages, and serde for the types that have
//! a JSON form.
//!
//! Decoding has two paths with the same result. The fast one finds the fields
//! and shares the bytes. It gives up at anything unusual (an error, a field
//! that occurs twice, a wrong wire type), and then prost decodes: so prost
//! alone decides what is valid.

use std::str;
use std::sync::Arc;

use prost::Message;
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::error::Error;
use crate::json::InvalidJson;
use crate::proto::google::longrunning as proto;
use crate::proto::google::rpc;
use crate::types::any_bytes::AnyBytes;
use crate::types::status::room_for_detail;
use crate::types::wire::{self, WireValue};
use crate::types::{Any, Operation, OperationPage, Status};

impl Operation {
    /// Returns the protobuf form.
    ///
    /// ```
    /// use longrunning::{Any, Operation};
    ///
    /// let op = Operation::succeeded("operations/42", Any::pack(&String::from("ready")));
    /// let message = op.to_proto()?;
    /// assert!(message.done && message.name == "operations/42");
    /// assert_eq!(Operation::from(message), op);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Decode`](crate::ErrorKind::Decode) if it contains JSON that
    /// [`Any::to_proto`] cannot turn into bytes. If both an error and a
    /// response are set, the error remains.
    pub fn to_proto(&self) -> Result<proto::Operation, Error> {
        // In protobuf they are alternatives of one field.
        let result = match (self.error(), self.response()) {
            (Some(error), _) => Some(proto::operation::Result::Error(error.to_proto()?)),
            (None, Some(response)) => Some(proto::operation::Result::Response(response.to_proto()?)),
            (None, None) => None,
        };
        let metadata = self.metadata().map(Any::to_proto).transpose()?;
        Ok(proto::Operation { name: self.name().into(), metadata, done: self.is_done(), result })
    }
}

/// From bytes.
impl Operation {
    /// Decodes a `google.longrunning.Operation`.
    ///
    /// # Errors
    ///
    /// [`Decode`](crate::ErrorKind::Decode) if the bytes are no such message,
    /// or its error has more than 1,024 details.
    pub(crate) fn from_protobuf(bytes: &[u8]) -> Result<Self, Error> {
        Self::decode(bytes).map_err(|invalid| Error::invalid("operation", invalid))
    }

    /// Decodes an operation of a page, whose error the page completes with its
    /// index.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, InvalidJson> {
        if let Some(operation) = Self::decode_plain(bytes) {
            return Ok(operation);
        }
        // Before prost allocates: two bytes of the message can become a detail
        // of a hundred.
        count_details(bytes)?;
        let message = proto::Operation::decode(bytes);
        message.map(Self::from).map_err(|cause| InvalidJson::new(cause.to_string()))
    }

    /// Decodes an operation without an error, whose fields are as every server
    /// writes them; `None` for any other.
    ///
    /// The bytes are copied once, for all messages in it. That decodes long
    /// pages in less than two thirds of the time.
    fn decode_plain(bytes: &[u8]) -> Option<Self> {
        let (mut name, mut metadata, mut response, mut done, mut plain) = (None, None, None, false, true);
        let read = wire::fields(bytes, |number, value| {
            match (number, value) {
                (1, WireValue::Bytes(span)) => plain &= name.replace(span).is_none(),
                (2, WireValue::Bytes(span)) => plain &= metadata.replace(span).is_none(),
                (3, WireValue::Varint(flag)) => done = flag != 0,
                (5, WireValue::Bytes(span)) => plain &= response.replace(span).is_none(),
                // Field 4 is the error.
                (1..=5, _) => plain = false,
                _ => {}
            }
            Ok(())
        });
        read.ok().filter(|()| plain)?;
        let name = str::from_utf8(name.map_or(&[][..], |span| span.bytes)).ok()?;
        let mut operation = Self::named(name.into());
        operation.done = done;
        if metadata.is_some() || response.is_some() {
            // Only now: an operation without messages needs no copy.
            let whole = Arc::from(bytes);
            let any = |span| AnyBytes::read(&whole, span).map(Any::from_bytes).ok_or(());
            operation.metadata = metadata.map(any).transpose().ok()?.into();
            operation.response = response.map(any).transpose().ok()?.into();
        }
        Some(operation)
    }
}

/// Returns an error if the operation has too many details, before memory is
/// allocated for them.
fn count_details(operation: &[u8]) -> Result<(), InvalidJson> {
    let mut details = 0;
    // What is wrong with the bytes is prost's to say, which stops at the same
    // place.
    // Invalid bytes are not reported here: prost stops at the same place, and
    // its error says more.
    let _ = wire::fields(operation, |number, value| match (number, value) {
        (4, WireValue::Bytes(error)) => wire::fields(error.bytes, |number, _| {
            details += usize::from(number == 3);
            Ok(())
        }),
        _ => Ok(()),
    });
    room_for_detail(details.saturating_sub(1)).map_err(|invalid| invalid.at("details").at("error"))
}

impl Status {
    /// Returns the protobuf form.
    ///
    /// ```
    /// use longrunning::{Code, Status};
    ///
    /// assert_eq!(Status::new(Code::NotFound, "gone").to_proto()?.code, 5);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Decode`](crate::ErrorKind::Decode) if a detail is JSON that
    /// [`Any::to_proto`] cannot turn into bytes.
    pub fn to_proto(&self) -> Result<rpc::Status, Error> {
        let details = self.details().iter().map(Any::to_proto).collect::<Result<_, _>>()?;
        Ok(rpc::Status { code: self.code().into(), message: self.message().into(), details })
    }
}

impl From<prost_types::Any> for Any {
    fn from(any: prost_types::Any) -> Self {
        Self::from_proto(any)
    }
}

impl From<rpc::Status> for Status {
    fn from(status: rpc::Status) -> Self {
        let code = status.code.into();
        status.details.into_iter().fold(Self::new(code, status.message), Self::with_detail)
    }
}

/// The metadata, the response and the details stay bytes.
impl From<proto::Operation> for Operation {
    fn from(message: proto::Operation) -> Self {
        // The form is google.longrunning: other services have no protobuf.
        let mut operation = Self::running(message.name);
        operation.done = message.done;
        operation.metadata = message.metadata.map(Any::from).into();
        match message.result {
            Some(proto::operation::Result::Error(error)) => operation.error = Some(Box::new(error.into())),
            Some(proto::operation::Result::Response(response)) => {
                operation.response = Some(response.into()).into()
            }
            None => {}
        }
        operation
    }
}

impl From<proto::ListOperationsResponse> for OperationPage {
    fn from(page: proto::ListOperationsResponse) -> Self {
        let operations = page.operations.into_iter().map(Operation::from).collect();
        Self { operations, next_page_token: page.next_page_token, unreachable: page.unreachable }
    }
}

/// Implements serde through the JSON text. `RawValue` embeds it unchanged,
/// which only serde_json supports.
macro_rules! as_json {
    ($($message:ty: $to_json:expr;)*) => {$(
        /// Embeds the JSON form unchanged; works with serde_json only.
        impl Serialize for $message {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let to_json: fn(&Self) -> Result<String, Error> = $to_json;
                let json = to_json(self).map_err(S::Error::custom)?;
                RawValue::from_string(json).map_err(S::Error::custom)?.serialize(serializer)
            }
        }

        /// Keeps the JSON form unchanged; works with serde_json only.
        impl<'de> Deserialize<'de> for $message {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                // The exact text: parsing into a value would lose large numbers
                // and the order of fields.
                let json = Box::<RawValue>::deserialize(deserializer)?;
                Self::from_json(json.get()).map_err(D::Error::custom)
            }
        }
    )*};
}

as_json! {
    Any: |any| Ok(any.json()?.into_owned());
    Operation: |operation| Ok(operation.to_json());
    Status: |status| Ok(status.to_json());
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::random::cases;
    use crate::types::Code;
    use crate::types::rpc::ErrorInfo;

    #[test]
    fn protobuf_and_json_give_the_same_operation() {
        let failed =
            Operation::failed("o", Status::new(Code::NotFound, "m").with_detail(ErrorInfo::new("R", "d")));
        let table = [
            Operation::running("o"),
            Operation::running("o").with_metadata(prost_types::Any::default()),
            Operation::succeeded("o", Any::pack(&"text".to_owned())).with_metadata(Any::pack(&())),
            failed,
            Operation::from_json(r#"{"done":true}"#).unwrap(),
            Operation::from_json(r#"{"response":{}}"#).unwrap(),
        ];
        for op in table {
            let bytes = op.to_proto().unwrap().encode_to_vec();
            let from_bytes = Operation::from(proto::Operation::decode(&*bytes).unwrap());
            assert_eq!(from_bytes.to_json(), op.to_json());
            let from_json = Operation::from_json(&op.to_json()).unwrap();
            assert_eq!(from_json.to_proto().unwrap(), op.to_proto().unwrap());
        }
    }

    #[test]
    fn operations_with_too_many_details_are_refused() {
        let bytes = |details| {
            let error = [0x1a, 0].repeat(details);
            // In two parts, which protobuf has stand for one.
            let field = |error: &[u8]| {
                let mut field = vec![0x22];
                prost::encoding::encode_varint(error.len() as u64, &mut field);
                [&field, error].concat()
            };
            [field(&error[..8]), field(&error[8..])].concat()
        };
        let json =
            |details: usize| format!(r#"{{"error":{{"details":[{}{{}}]}}}}"#, "{},".repeat(details - 1));
        let count = |operation: Operation| operation.error().unwrap().details().len();
        assert_eq!(Operation::from_protobuf(&bytes(1024)).map(count).unwrap(), 1024);
        assert_eq!(Operation::from_json(&json(1024)).map(count).unwrap(), 1024);
        let message =
            |place| format!("operation is not valid: `error.{place}`: expected at most 1024 details");
        let error = Operation::from_protobuf(&bytes(1025)).unwrap_err();
        assert_eq!(error.to_string(), message("details"));
        let error = Operation::from_json(&json(1025)).unwrap_err();
        assert_eq!(error.to_string(), message("details[1024]"));
    }

    #[test]
    fn unknown_bytes_stay_bytes() {
        let any = prost_types::Any { type_url: "x/y.Z".into(), value: vec![1, 2] };
        let message = proto::Operation {
            name: "o".into(),
            metadata: Some(any.clone()),
            done: true,
            result: Some(proto::operation::Result::Response(any)),
        };
        let op = Operation::from(message.clone());
        assert_eq!(op.to_proto().unwrap(), message);
        let any = r#"{"@type":"x/y.Z","value":"AQI="}"#;
        assert_eq!(op.to_json(), format!(r#"{{"name":"o","metadata":{any},"done":true,"response":{any}}}"#));
    }

    #[test]
    fn unknown_json_has_no_bytes() {
        let op = Operation::from_json(r#"{"done":true,"response":{"@type":"x/y.Z"}}"#).unwrap();
        let message = "cannot convert an any of type `y.Z` to protobuf: \
                       no descriptor of type `y.Z` is known here: use `decode`, or `in_proto` with descriptors; see docs/typed-results.md";
        assert_eq!(op.to_proto().unwrap_err().to_string(), message);
    }

    /// Fields in any order, number and kind.
    #[test]
    fn bytes_are_read_as_prost_reads_them() {
        let any = |value| prost_types::Any { type_url: "x/y.Z".into(), value }.encode_to_vec();
        let pieces: [Vec<u8>; 9] = [
            b"name".to_vec(),
            vec![0xff],
            any(vec![1, 2]),
            any(vec![]),
            Vec::new(),
            vec![0x0a, 1, 0xff],
            vec![0x12, 1, 7, 0x0a, 1, b'u', 0x1a, 0],
            vec![0x0a, 1, b'a', 0x0a, 1, b'b'],
            vec![0x08, 5],
        ];
        cases(2000, |random| {
            let mut bytes = Vec::new();
            for _ in 0..random.below(7) {
                let (piece, number) = (random.below(pieces.len()), random.pick(&[1, 2, 5, 4]));
                if random.below(2) == 0 {
                    bytes.extend([(if piece < 7 { 3 } else { number }) << 3, (piece % 3) as u8]);
                } else {
                    bytes.extend([number << 3 | 2, pieces[piece].len() as u8]);
                    bytes.extend(&pieces[piece]);
                }
            }
            let expected = proto::Operation::decode(&*bytes).map(Operation::from).ok();
            assert_eq!(Operation::from_protobuf(&bytes).ok(), expected, "{bytes:?}");
        });
    }

    #[test]
    fn pages_from_protobuf() {
        let operations = vec![Operation::running("o").to_proto().unwrap()];
        let unreachable = vec!["l".to_owned()];
        let page = proto::ListOperationsResponse { operations, next_page_token: "t".into(), unreachable };
        let page = OperationPage::from(page);
        assert_eq!((page.operations[0].name(), page.next_page_token.as_str()), ("o", "t"));
        assert_eq!(page.unreachable, ["l"]);
    }

    #[test]
    fn serde_embeds_the_text() {
        let text = r#"{"op":{ "name":"o","n":1.0 },"any":{"@type":"x/y"},"status":{"code":5}}"#;
        #[derive(Deserialize, Serialize)]
        struct Entry {
            op: Operation,
            any: Any,
            status: Status,
        }
        let entry: Entry = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&entry).unwrap(), text);
        let value: Operation = serde_json::from_value(json!({"name": "o"})).unwrap();
        assert_eq!(value, Operation::running("o"));
        let error = serde_json::from_str::<Operation>(r#"{"name":7}"#).err().unwrap().to_string();
        assert!(
            error.starts_with("operation is not valid: `name`: expected a string, found a number"),
            "{error}"
        );
        let bytes = Any::from(prost_types::Any { type_url: "x/y.Z".into(), value: vec![1] });
        assert!(serde_json::to_string(&bytes).is_err());
    }

    #[test]
    fn plain_operations_are_decoded_without_prost() {
        let any = || prost_types::Any { type_url: "x/y.Z".into(), value: vec![1, 2] };
        let result = Some(proto::operation::Result::Response(any()));
        let whole = proto::Operation { name: "o".into(), metadata: Some(any()), done: true, result };
        let bytes = whole.encode_to_vec();
        assert_eq!(Operation::decode_plain(&bytes), Some(whole.into()));
        assert_eq!(
            Operation::decode_plain(&[bytes.clone(), bytes].concat()),
            None,
            "fields that occur twice"
        );
    }
}
