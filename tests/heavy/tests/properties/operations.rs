//! Operations as JSON: lossless, and never a panic.

use longrunning::{Any, Operation};
use proptest::prelude::*;

/// Any JSON value, with odd white space and spellings.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|flag| flag.to_string()),
        any::<u64>().prop_map(|number| number.to_string()),
        "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?",
        any::<String>().prop_map(|string| serde_json::Value::from(string).to_string()),
        Just(r#""\u00e9\/\ud83d\ude00""#.to_owned()),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        let members = prop::collection::vec(("[a-z@]{1,5}", inner.clone()), 0..4);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(" ,\n"))),
            members.prop_map(|members| object(&members)),
        ]
    })
}

fn object(members: &[(String, String)]) -> String {
    let members: Vec<_> = members.iter().map(|(key, value)| format!(" \"{key}\" :\t{value}")).collect();
    format!("{{{} }}", members.join(","))
}

proptest! {
    #[test]
    fn to_json_is_what_from_json_took(
        name in any::<String>(),
        unknown in prop::collection::vec(("[a-z]{6,8}[0-9]", json()), 0..4),
        fields in prop::collection::vec(("[a-z]{1,5}", json()), 0..4),
        at in 0..4usize,
    ) {
        let mut members = unknown;
        let known = [
            ("name", serde_json::Value::from(name.as_str()).to_string()),
            ("done", "true".into()),
            ("metadata", object(&fields)),
            ("response", object(&[("@type".into(), r#""x/y.Z""#.into())])),
        ];
        for (key, value) in known {
            members.insert(at.min(members.len()), (key.into(), value));
        }
        let text = object(&members);
        let op = Operation::from_json(&text).unwrap();
        prop_assert_eq!(op.to_json(), text);
        prop_assert_eq!(op.name(), name);
        prop_assert_eq!(op.metadata().unwrap().json().unwrap(), object(&fields));
        prop_assert_eq!(op.response().unwrap().type_name(), "y.Z");
        prop_assert_eq!(serde_json::to_string(&op).unwrap(), op.to_json());
    }

    #[test]
    fn no_text_makes_it_panic(
        start in 0..=WHOLE.len(),
        between in "[{}\\[\\]\":,0-9 \\\\\u{e9}-]{0,3}|.{0,3}",
        end in 0..=WHOLE.len(),
    ) {
        let text = format!("{}{between}{}", &WHOLE[..start], &WHOLE[end..]);
        let _ = Operation::from_json(&text).map(Operation::into_response::<serde_json::Value>);
        let _ = Any::from_json(&text).map(|any| any.to_proto());
    }
}

const WHOLE: &str = r#"{"name":"a\u00e9","done":true,"error":{"code":5,"message":"m","details":[{"@type":
    "x/google.rpc.RetryInfo","retryDelay":"-1.5s"}]},"response":{"@type":"x/google.protobuf.Value","value":[1e3]}}"#;
