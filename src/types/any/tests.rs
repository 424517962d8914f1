//! [`Any`] in both forms: types, decoding, unpacking, equality.

use std::any;
use std::collections::BTreeMap;
use std::error::Error as _;

use serde::Deserialize;
use serde_json::Value;

use super::*;
use crate::error::TYPED_RESULTS;
use crate::proto::google::longrunning::GetOperationRequest;

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Index {
    rows: Option<String>,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Nothing {}

fn any(json: &str) -> Any {
    Any::from_json(json).unwrap()
}

#[test]
fn type_urls() {
    let table = [
        (r#"{"@type":"type.googleapis.com/x.Y"}"#, "type.googleapis.com/x.Y", "x.Y"),
        (r#" { "@type" : "a/b/x.Y" , "n":1 } "#, "a/b/x.Y", "x.Y"),
        (r#"{"n":{"@type":"no"},"@type":"x.Y"}"#, "x.Y", "x.Y"),
        (r#"{"@type":"x\/\u0059"}"#, "x/Y", "Y"),
        (r#"{"\u0040type":"x/Y"}"#, "x/Y", "Y"),
        (r#"{"@type":"x/"}"#, "x/", ""),
        (r#"{"@type":null}"#, "", ""),
        (r#"{"@typed":"x/Y"}"#, "", ""),
        ("{}", "", ""),
    ];
    for (json, url, name) in table {
        assert_eq!((any(json).type_url(), any(json).type_name()), (url, name), "{json}");
        assert_eq!(any(json).json().unwrap(), json.trim(), "{json}");
    }
}

#[test]
fn invalid_anys_are_errors() {
    let table = [
        ("null", "any is not valid: expected an object, found null"),
        ("[]", "any is not valid: expected an object, found an array"),
        (r#""x""#, "any is not valid: expected an object, found a string"),
        (r#"{"@type":{}}"#, "any is not valid: `@type`: expected a string, found an object"),
        ("{", "any is not valid JSON"),
        ("{}{}", "any is not valid JSON"),
    ];
    for (json, message) in table {
        assert_eq!(Any::from_json(json).unwrap_err().to_string(), message, "{json}");
    }
}

#[test]
fn decode_reads_the_fields_or_the_value() {
    let index = any(r#"{"rows":"9","@type":"x/Index"}"#);
    assert_eq!(index.decode::<Index>().unwrap(), Index { rows: Some("9".into()) });
    assert_eq!(index.decode::<BTreeMap<String, String>>().unwrap(), [("rows".into(), "9".into())].into());
    let value = any(r#"{"@type":"x/Mine","value":1,"na\"me":null}"#);
    assert_eq!(value.decode::<Value>().unwrap(), serde_json::json!({"value": 1, "na\"me": null}));
    let duration = any(r#"{"@type":"x/google.protobuf.Duration","value":"1.5s"}"#);
    assert_eq!(duration.decode::<String>().unwrap(), "1.5s");
    let wide = any(r#"{"@type":"x/google.protobuf.UInt64Value","value":18446744073709551615}"#);
    assert_eq!(wide.decode::<u64>().unwrap(), u64::MAX);
    let null = any(r#"{"@type":"x/google.protobuf.Value","value":null}"#);
    assert_eq!(null.decode::<Value>().unwrap(), Value::Null);
    let nested = any(r#"{"@type":"x/google.protobuf.Any","value":{"@type":"x/Index","rows":"9"}}"#);
    assert_eq!(nested.decode::<Any>().unwrap().decode::<Index>().unwrap().rows.unwrap(), "9");
    let bytes = Any::pack(&prost_types::Duration { seconds: 3, nanos: 0 });
    assert_eq!(bytes.decode::<String>().unwrap(), "3s");
}

#[test]
fn empty_decodes_into_whatever_is_empty() {
    let empties = [
        any(r#"{"@type":"x/google.protobuf.Empty"}"#),
        any(r#"{"@type":"x/google.protobuf.Empty","value":{}}"#),
        any("{}"),
        Any::pack(&()),
    ];
    for empty in empties {
        empty.decode::<()>().unwrap();
        assert_eq!(empty.decode::<Nothing>().unwrap(), Nothing {});
        assert_eq!(empty.decode::<Index>().unwrap(), Index::default());
        assert_eq!(empty.decode::<Value>().unwrap(), serde_json::json!({}));
    }
    any(r#"{"@type":"x/Other"}"#).decode::<()>().unwrap_err();
}

#[test]
fn errors_of_decode_name_both_types() {
    let error = any(r#"{"@type":"x/Index","rows":9}"#).decode::<Index>().unwrap_err();
    let wants = any::type_name::<Index>();
    assert_eq!(
        error.to_string(),
        format!("any of type `Index` does not decode into `{wants}`; {TYPED_RESULTS}")
    );
    assert_eq!(error.source().unwrap().to_string(), "invalid type: integer `9`, expected a string");
    let long = format!(r#"{{"@type":"x/{0}","rows":"{0}"}}"#, "long".repeat(1000));
    let error = any(&long).decode::<BTreeMap<String, u8>>().unwrap_err();
    assert!(error.to_string().len() < 400, "{error}");
    let cause = error.source().unwrap().to_string();
    assert!(cause.starts_with("invalid type: string \"long") && cause.len() <= 200, "{cause}");
    let unknown = Any::pack(&GetOperationRequest::default());
    let error = unknown.decode::<Value>().unwrap_err();
    let message = "cannot convert an any of type `google.longrunning.GetOperationRequest` to JSON: \
                   no descriptor of type `google.longrunning.GetOperationRequest` is known here: use `unpack`, or `in_json` with descriptors; see docs/typed-results.md";
    assert_eq!(error.to_string(), message);
}

#[test]
fn unpack_compares_names_and_not_hosts() {
    let request = GetOperationRequest { name: "operations/42".into() };
    assert_eq!(Any::pack(&request).unpack::<GetOperationRequest>().unwrap(), request);
    let json = any(r#"{"@type":"example.com/google.protobuf.UInt64Value","value":"18446744073709551615"}"#);
    assert_eq!(json.unpack::<u64>().unwrap(), u64::MAX);
    let error = Any::pack(&request).unpack::<u64>().unwrap_err();
    let message = "any is of type `google.longrunning.GetOperationRequest`, expected \
                   `google.protobuf.UInt64Value`; see docs/typed-results.md";
    assert_eq!(error.to_string(), message);
    let json = any(r#"{"@type":"x/google.longrunning.GetOperationRequest","name":"operations/42"}"#);
    let message = "cannot convert an any of type `google.longrunning.GetOperationRequest` to protobuf: \
                   no descriptor of type `google.longrunning.GetOperationRequest` is known here: use `decode`, or `in_proto` with descriptors; see docs/typed-results.md";
    assert_eq!(json.unpack::<GetOperationRequest>().unwrap_err().to_string(), message);
    let broken = prost_types::Any { type_url: "x/google.protobuf.UInt64Value".into(), value: vec![0xff] };
    let message = "cannot unpack an any of type `google.protobuf.UInt64Value`: the bytes are not valid for the type; \
                   see docs/typed-results.md";
    assert_eq!(Any::from(broken).unpack::<u64>().unwrap_err().to_string(), message);
}

#[test]
fn equality_and_debug() {
    let json = r#"{"@type":"x/google.protobuf.Duration","value":"3s"}"#;
    assert_eq!(any(json), any(&format!(" {json}\n")));
    assert_ne!(any(json), any(&json.replace(':', ": ")));
    assert_ne!(any(json), Any::pack(&prost_types::Duration { seconds: 3, nanos: 0 }));
    assert_eq!(format!("{:?}", any(json)), r#"Any("google.protobuf.Duration", 51 bytes of JSON)"#);
    assert_eq!(
        format!("{:?}", Any::pack(&7i64)),
        r#"Any("google.protobuf.Int64Value", 2 bytes of protobuf)"#
    );
}
