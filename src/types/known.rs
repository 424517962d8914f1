//! The types whose messages can be converted between protobuf bytes and JSON
//! inside an Any, without descriptors.
//!
//! They are the well-known types of google.protobuf, and google.rpc.Status with
//! its details: what the error of any operation can contain. The feature
//! `reflect` converts all other types, by their descriptors.

use prost::Message;

use crate::json::{InvalidJson, JsonReader, JsonWriter, RawJson};
use crate::proto::google::rpc;
use crate::types::message::JsonMessage;
use crate::util::excerpt::excerpt;

/// How an Any of one type is converted.
pub(super) struct KnownType {
    /// Whether the JSON is under `value` (see [`JsonMessage::OWN_FORM`]).
    pub(super) own_form: bool,
    /// From the JSON form to bytes.
    encode: fn(&mut JsonReader<'_>) -> Result<Vec<u8>, InvalidJson>,
    /// From bytes to the members beside `@type`.
    write_inline: fn(&[u8], &mut JsonWriter) -> Result<(), InvalidJson>,
    /// From bytes to the JSON form.
    #[cfg(feature = "reflect")]
    write: fn(&[u8], &mut JsonWriter) -> Result<(), InvalidJson>,
}

impl KnownType {
    /// Returns the type with this full name.
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

    /// Returns the conversions of the type `M`.
    fn new<M: Message + Default + JsonMessage>() -> Self {
        Self {
            own_form: M::OWN_FORM,
            encode: |reader| Ok(M::read(reader)?.encode_to_vec()),
            write_inline: |bytes, writer| decode::<M>(bytes)?.write_inline(writer),
            #[cfg(feature = "reflect")]
            write: |bytes, writer| decode::<M>(bytes)?.write(writer),
        }
    }

    /// Converts the JSON of an Any into protobuf bytes.
    ///
    /// ```text
    /// {"@type":"…/google.protobuf.Duration","value":"90s"}       the `value`: 08 5a
    /// {"@type":"…/google.rpc.RetryInfo","retryDelay":"90s"}      the members:  0a 02 08 5a
    /// ```
    ///
    /// A type without a form of its own is read from the object itself: `@type`
    /// is no field of it, so it is skipped.
    pub(super) fn encode(&self, any: RawJson<'_>) -> Result<Vec<u8>, InvalidJson> {
        if !self.own_form {
            // `@type` is no field of the message, so the reader skips it.
            return (self.encode)(&mut any.reader());
        }
        // The order of members is free, so `@type` may come after `value`.
        let mut bytes = None;
        any.reader().members(|name, reader| {
            if name == "value" {
                bytes = Some((self.encode)(reader)?);
                return Ok(());
            }
            reader.skip()
        })?;
        bytes.ok_or_else(|| InvalidJson::new("expected a `value`"))
    }
}

/// Outside of an Any.
#[cfg(feature = "reflect")]
impl KnownType {
    /// Converts the JSON form into bytes.
    pub(super) fn encode_value(&self, reader: &mut JsonReader<'_>) -> Result<Vec<u8>, InvalidJson> {
        (self.encode)(reader)
    }

    /// Writes the JSON form.
    pub(super) fn write(&self, bytes: &[u8], writer: &mut JsonWriter) -> Result<(), InvalidJson> {
        (self.write)(bytes, writer)
    }

    /// Writes the members beside `@type`.
    pub(super) fn write_inline(&self, bytes: &[u8], writer: &mut JsonWriter) -> Result<(), InvalidJson> {
        (self.write_inline)(bytes, writer)
    }
}

/// Decodes a message of a known type.
fn decode<M: Message + Default>(bytes: &[u8]) -> Result<M, InvalidJson> {
    M::decode(bytes).map_err(|cause| InvalidJson::new(why_not_decoded(&cause)))
}

/// Returns the reason of prost's error: bytes that nest too deep for it, or
/// bytes that are invalid.
pub(super) fn why_not_decoded(cause: &prost::DecodeError) -> &'static str {
    // The text is all that prost says about the difference.
    match cause.to_string().contains("recursion limit") {
        true => "it nests deeper than 100 messages, which is the limit",
        false => "the bytes are not valid for the type",
    }
}

/// Returns the full name of a type: the part of its URL after the last `/`. The
/// part before it differs between services.
pub(super) fn type_name(url: &str) -> &str {
    url.rsplit_once('/').map_or(url, |(_, name)| name)
}

impl JsonMessage for prost_types::Any {
    const OWN_FORM: bool = true;

    fn read(reader: &mut JsonReader<'_>) -> Result<Self, InvalidJson> {
        let raw = reader.value()?;
        let type_url = type_url(raw)?;
        if type_url.is_empty() && is_empty(raw) {
            return Ok(Self::default());
        }
        let known =
            KnownType::find(type_name(&type_url)).ok_or_else(|| unknown(&type_url, "decode", "in_proto"))?;
        let value = known.encode(raw)?;
        Ok(Self { type_url, value })
    }

    fn write(&self, writer: &mut JsonWriter) -> Result<(), InvalidJson> {
        write(&self.type_url, &self.value, writer)
    }
}

/// Writes the JSON of an Any. An Any without URL and value is `{}`.
///
/// # Errors
///
/// If the type is not known, or the value is not valid for it.
pub(super) fn write(type_url: &str, value: &[u8], writer: &mut JsonWriter) -> Result<(), InvalidJson> {
    writer.object(|writer| {
        if type_url.is_empty() && value.is_empty() {
            return Ok(());
        }
        writer.member("@type");
        writer.string(type_url);
        let known =
            KnownType::find(type_name(type_url)).ok_or_else(|| unknown(type_url, "unpack", "in_json"))?;
        (known.write_inline)(value, writer)
    })
}

/// Returns the error for a type that is not known. It names the methods that do
/// work, without descriptors and with them.
fn unknown(type_url: &str, without: &str, with: &str) -> InvalidJson {
    let name = excerpt(type_name(type_url));
    InvalidJson::new(format!(
        "no descriptor of type `{name}` is known here: use `{without}`, or `{with}` with descriptors"
    ))
}

/// Returns whether an object has no members.
pub(super) fn is_empty(object: RawJson<'_>) -> bool {
    let inside = object.text().strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    inside.is_some_and(|inside| inside.trim().is_empty())
}

/// Returns the `@type` of a JSON object, wherever it is; empty if there is
/// none.
pub(super) fn type_url(any: RawJson<'_>) -> Result<String, InvalidJson> {
    let mut url = String::new();
    any.reader().fields(|name, reader| {
        if name == "@type" {
            url = JsonMessage::read(reader)?;
            return Ok(());
        }
        reader.skip()
    })?;
    Ok(url)
}

#[cfg(test)]
mod tests {
    use prost::Message;
    use prost_types::value::Kind;

    use crate::types::Any;

    /// The protobuf form of a JSON text, and the JSON form of that.
    fn round_trip(json: &str) -> Result<String, String> {
        let bytes = Any::from_json(json).and_then(|any| any.to_proto()).map_err(|error| error.to_string())?;
        Any::from_proto(bytes).json().map(String::from).map_err(|error| error.to_string())
    }

    #[test]
    fn own_forms() {
        let table = [
            ("BoolValue", "true", "true"),
            ("BoolValue", "false", "false"),
            ("BytesValue", r#""-_8""#, r#""+/8=""#),
            ("DoubleValue", "1e0", "1.0"),
            ("DoubleValue", r#""-1.5e-300""#, "-1.5e-300"),
            ("DoubleValue", "1.7976931348623157e308", "1.7976931348623157e308"),
            ("DoubleValue", "0.1", "0.1"),
            ("DoubleValue", r#""NaN""#, r#""NaN""#),
            ("DoubleValue", r#""-Infinity""#, r#""-Infinity""#),
            ("Duration", r#""1.5s""#, r#""1.500s""#),
            ("FieldMask", r#""fooBar,a.bazQux2""#, r#""fooBar,a.bazQux2""#),
            ("FieldMask", r#""foo_bar""#, r#""fooBar""#),
            ("FieldMask", r#""""#, r#""""#),
            ("FloatValue", "3.4028235e38", "3.4028234663852886e38"),
            ("FloatValue", "0.1", "0.1"),
            ("FloatValue", r#""Infinity""#, r#""Infinity""#),
            ("Int32Value", r#""-2147483648""#, "-2147483648"),
            ("Int32Value", "5e0", "5"),
            ("Int64Value", "-9223372036854775808", r#""-9223372036854775808""#),
            ("Int64Value", "0", r#""0""#),
            ("ListValue", "[1, [], {\"a\": null}]", r#"[1.0,[],{"a":null}]"#),
            ("StringValue", r#""\u00e9\n""#, "\"\u{e9}\\n\""),
            ("Struct", r#"{ "b": [true], "a": "x" }"#, r#"{"a":"x","b":[true]}"#),
            ("Timestamp", r#""2024-02-29T12:00:00+02:00""#, r#""2024-02-29T10:00:00Z""#),
            ("UInt32Value", "4294967295.0", "4294967295"),
            ("UInt64Value", r#""18446744073709551615""#, r#""18446744073709551615""#),
            ("Value", "null", "null"),
            ("Value", r#""x""#, r#""x""#),
        ];
        for (name, value, written) in table {
            let of = |value| format!(r#"{{"@type":"example.com/google.protobuf.{name}","value":{value}}}"#);
            assert_eq!(round_trip(&of(value)), Ok(of(written)), "{name} {value}");
        }
    }

    #[test]
    fn values_out_of_range_or_of_the_wrong_kind() {
        let table = [
            ("BoolValue", r#""true""#),
            ("BytesValue", "7"),
            ("DoubleValue", "1e309"),
            ("DoubleValue", r#""inf""#),
            ("DoubleValue", "true"),
            ("Duration", "1.5"),
            ("Duration", r#""315576000001s""#),
            ("Duration", "null"),
            ("FloatValue", "3.5e38"),
            ("Int32Value", "2147483648"),
            ("Int32Value", "0.5"),
            ("Int64Value", "9223372036854775808"),
            ("ListValue", "{}"),
            ("Struct", "[]"),
            ("Timestamp", r#""10000-01-01T00:00:00Z""#),
            ("UInt32Value", "-1"),
            ("UInt64Value", "18446744073709551616"),
            ("Value", "1e400"),
        ];
        for (name, value) in table {
            let json = format!(r#"{{"@type":"x/google.protobuf.{name}","value":{value}}}"#);
            let error = round_trip(&json).unwrap_err();
            let start = format!(
                "cannot convert an any of type `google.protobuf.{name}` to protobuf: `value`: expected "
            );
            assert!(error.starts_with(&start), "{name} {value}: {error}");
        }
        let error = round_trip(r#"{"@type":"x/google.protobuf.Duration","seconds":1}"#).unwrap_err();
        assert!(error.ends_with("to protobuf: expected a `value`; see docs/typed-results.md"), "{error}");
    }

    #[test]
    fn fields_inline() {
        let details = [
            r#"google.rpc.BadRequest","fieldViolations":[{"field":"f","description":"d","reason":"r","localizedMessage":{"locale":"de","message":"m"}}]"#,
            r#"google.rpc.DebugInfo","stackEntries":["a","b"],"detail":"d""#,
            r#"google.rpc.ErrorInfo","reason":"R","domain":"d","metadata":{"a":"1","b_c":"2"}"#,
            r#"google.rpc.Help","links":[{"description":"d","url":"u"}]"#,
            r#"google.rpc.LocalizedMessage","locale":"de","message":"m""#,
            r#"google.rpc.PreconditionFailure","violations":[{"type":"TOS","subject":"s","description":"d"}]"#,
            r#"google.rpc.QuotaFailure","violations":[{"subject":"s","description":"d","apiService":"a","quotaMetric":"m","quotaId":"i","quotaDimensions":{"k":"v"},"quotaValue":"9223372036854775807","futureQuotaValue":"0"}]"#,
            r#"google.rpc.RequestInfo","requestId":"r","servingData":"s""#,
            r#"google.rpc.ResourceInfo","resourceType":"t","resourceName":"n","owner":"o","description":"d""#,
            r#"google.rpc.RetryInfo","retryDelay":"7s""#,
            r#"google.rpc.Status","code":5,"message":"m","details":[{"@type":"x/google.protobuf.Empty"},{}]"#,
            r#"google.protobuf.Empty""#,
            r#"google.protobuf.Any","value":{"@type":"x/google.protobuf.Any","value":{"@type":"x/google.rpc.RetryInfo","retryDelay":"1s"}}"#,
            r#"google.protobuf.Any","value":{}"#,
        ];
        for detail in details {
            let json = format!(r#"{{"@type":"type.googleapis.com/{detail}}}"#);
            assert_eq!(round_trip(&json), Ok(json), "{detail}");
        }
    }

    #[test]
    fn fields_in_every_spelling() {
        let table = [
            (
                r#"QuotaFailure","violations":[{"quota_value":7,"quotaId":null,"new":{"x":[]},"future_quota_value":"1e1"}]"#,
                r#"QuotaFailure","violations":[{"quotaValue":"7","futureQuotaValue":"10"}]"#,
            ),
            (r#"RetryInfo","retry_delay":"1s""#, r#"RetryInfo","retryDelay":"1s""#),
            (r#"RetryInfo","retryDelay":null"#, r#"RetryInfo""#),
            (r#"ErrorInfo","reason":"","metadata":{}"#, r#"ErrorInfo""#),
            (r#"Status","code":"5.0","details":[],"message":"""#, r#"Status","code":5"#),
            (r#"Status","code":-1"#, r#"Status","code":-1"#),
        ];
        for (read, written) in table {
            let of = |detail| format!(r#"{{"@type":"type.googleapis.com/google.rpc.{detail}}}"#);
            assert_eq!(round_trip(&of(read)), Ok(of(written)), "{read}");
        }
        let empty = r#"{"@type":"x/google.protobuf.Empty","value":{}}"#;
        assert_eq!(round_trip(empty).unwrap(), r#"{"@type":"x/google.protobuf.Empty"}"#);
        let late = r#"{"value":"1s","@t\u0079pe":"x/google.protobuf.Duration"}"#;
        assert_eq!(round_trip(late).unwrap(), r#"{"@type":"x/google.protobuf.Duration","value":"1s"}"#);
    }

    #[test]
    fn unknown_types_stay_as_they_are() {
        let json = r#"{"@type":"x/google.protobuf.Any","value":{"@type":"x/y.Z","n":1}}"#;
        let expected = "cannot convert an any of type `google.protobuf.Any` to protobuf: `value`: \
                        no descriptor of type `y.Z` is known here: use `decode`, or `in_proto` with descriptors; see docs/typed-results.md";
        assert_eq!(round_trip(json).unwrap_err(), expected);
        let any = Any::from_proto(prost_types::Any { type_url: "x/y.Z".into(), value: vec![1] });
        let expected = "cannot convert an any of type `y.Z` to JSON: \
                        no descriptor of type `y.Z` is known here: use `unpack`, or `in_json` with descriptors; see docs/typed-results.md";
        assert_eq!(any.json().unwrap_err().to_string(), expected);
    }

    #[test]
    fn bytes_that_have_no_json() {
        let named =
            |name: &str, value| Any::from_proto(prost_types::Any { type_url: format!("x/{name}"), value });
        let nan = prost_types::Value { kind: Some(Kind::NumberValue(f64::NAN)) };
        let mask = prost_types::FieldMask { paths: vec!["fooBar".into()] };
        let table = [
            ("google.protobuf.Duration", vec![0xff]),
            (
                "google.protobuf.Duration",
                Message::encode_to_vec(&prost_types::Duration { seconds: 1, nanos: -1 }),
            ),
            (
                "google.protobuf.Timestamp",
                Message::encode_to_vec(&prost_types::Timestamp { seconds: 0, nanos: -1 }),
            ),
            ("google.protobuf.Value", nan.encode_to_vec()),
            ("google.protobuf.FieldMask", mask.encode_to_vec()),
            ("google.protobuf.StringValue", vec![0x0a, 1, 0xff]),
        ];
        for (name, bytes) in table {
            assert!(named(name, bytes.clone()).json().is_err(), "{name} {bytes:?}");
        }
    }

    #[test]
    fn nesting_ends_in_an_error_and_not_the_stack() {
        let mut any = prost_types::Any { type_url: "x/google.protobuf.Empty".into(), value: Vec::new() };
        for depth in 1..=1000 {
            any = prost_types::Any { type_url: "x/google.protobuf.Any".into(), value: any.encode_to_vec() };
            if [126, 127, 200, 1000].contains(&depth) {
                assert_eq!(
                    Any::from_proto(any.clone()).json().is_ok(),
                    depth == 126,
                    "{depth} anys in bytes"
                );
            }
        }
        for (depth, expected) in [(20, true), (126, false), (1000, false)] {
            let bytes = (0..depth).fold(vec![0x08, 0], |bytes, _| nested_list(&bytes));
            let list = Any::from_proto(prost_types::Any {
                type_url: "x/google.protobuf.Value".into(),
                value: bytes,
            });
            let shown = list.json().map_or_else(|error| error.to_string(), |_| String::new());
            assert_eq!(shown.is_empty(), expected, "{depth} lists in bytes");
            assert!(
                expected || shown.contains("nests deeper than 100 messages, which is the limit;"),
                "{shown}"
            );
        }
        for (depth, expected) in [(20, true), (126, true), (127, false), (200, false)] {
            let (open, close) = ("[".repeat(depth), "]".repeat(depth));
            let json = format!(r#"{{"@type":"x/google.protobuf.Value","value":{open}{close}}}"#);
            assert_eq!(
                Any::from_json(&json).and_then(|any| any.to_proto()).is_ok(),
                expected,
                "{depth} lists"
            );
        }
        let nested = |depth| format!("{}{{}}{}", ANY.repeat(depth), "}".repeat(depth));
        assert!(round_trip(&nested(126)).is_ok());
        assert!(round_trip(&nested(127)).is_err());
    }

    const ANY: &str = r#"{"@type":"x/google.protobuf.Any","value":"#;

    /// A google.protobuf.Value that holds a list of one.
    fn nested_list(value: &[u8]) -> Vec<u8> {
        let field = |tag: u8, bytes: &[u8]| {
            let mut field = vec![tag];
            prost::encoding::encode_varint(bytes.len() as u64, &mut field);
            field.extend(bytes);
            field
        };
        field(0x32, &field(0x0a, value))
    }
}
