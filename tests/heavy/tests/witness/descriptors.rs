//! Messages of types that only their descriptors are known of, by protobuf for Python and by this crate.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use longrunning::{Any, DescriptorPool};
use prost::Message;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::python::Python;

/// Where a map has several entries, only their order in the bytes may differ.
const MESSAGES: [&str; 14] = [
    "",
    r#","rows":"-9223372036854775808","row_bytes":18446744073709551615,"digest":"-_8","shardCount":0"#,
    r#","state":"BROKEN","pastStates":["STATE_UNSPECIFIED",1,7],"new":{"x":[1]}"#,
    r#","parts":[{"rows":"1","parts":[{}]},{}],"bucket":"""#,
    r#","table":{"name":"t\u0007 ünïcode"}"#,
    r#","nowhere":false,"byKey":{"a b":"9007199254740993"},"byShard":{"-7":{"name":"x"}},"byFlag":{"true":-1}"#,
    r#","score":"NaN","weight":"-Infinity""#,
    r#","score":0.1,"weight":0.1,"crc":4294967295,"deltas":["-1","0","9223372036854775807"]"#,
    r#","made":"2024-02-29T12:00:00.5Z","took":"-1.5s","wide":"9223372036854775807","mask":"a,b.cD""#,
    r#","labels":{"a":[1.5,null,{"b":true}]},"value":null,"values":{"l":[{}]}"#,
    r#","extra":{"@type":"x.example/demo.Table","name":"t"}"#,
    r#","extra":{"@type":"x/google.protobuf.Any","value":{"@type":"x/demo.Index","extra":{"@type":"x/google.protobuf.Duration","value":"1s"}}}"#,
    r#","extras":[{"@type":"x/google.rpc.Status","code":3},{"@type":"x/google.protobuf.Struct","value":{"k":7}}]"#,
    r#","problem":{"code":5,"message":"m","details":[{"@type":"x/demo.Table","name":"t"}]}"#,
];

#[derive(Deserialize)]
struct Said {
    bytes: String,
    json: Value,
}

#[test]
fn messages_of_described_types() {
    let Some(python) = Python::find() else { return };
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/proto");
    let set =
        protox::compile(["demo.proto"], [root, concat!(env!("CARGO_MANIFEST_DIR"), "/../../proto")]).unwrap();
    let set = set.encode_to_vec();
    let pool = DescriptorPool::decode(set.as_slice()).unwrap();
    let texts = MESSAGES.map(|fields| format!(r#"{{"@type":"type.googleapis.com/demo.Index"{fields}}}"#));
    let asked = json!({ "set": STANDARD.encode(&set), "messages": texts });
    let said: Vec<Said> = python.run("descriptors.py", &asked);
    assert_eq!(said.len(), texts.len());
    for (text, said) in texts.iter().zip(said) {
        let ours = Any::from_json(text).unwrap().in_proto(&pool).expect(text);
        let theirs = STANDARD.decode(&said.bytes).unwrap();
        assert_eq!(ours.to_proto().unwrap().encode_to_vec(), theirs, "{text}");
        let json = ours.in_json(&pool).expect(text).json().unwrap().into_owned();
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), said.json, "{text}");
    }
}
