use longrunning::rpc::ErrorInfo;
use longrunning::{Any, Code, Operation, Status};
use prost::Message;
use prost_reflect::DescriptorPool;
use serde::Deserialize;
use serde_json::{Value, json};

fn pool() -> DescriptorPool {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/proto");
    let set =
        protox::compile(["demo.proto"], [root, concat!(env!("CARGO_MANIFEST_DIR"), "/../../proto")]).unwrap();
    DescriptorPool::decode(set.encode_to_vec().as_slice()).unwrap()
}

fn index(fields: &str) -> Any {
    Any::from_json(&format!(r#"{{"@type":"type.googleapis.com/demo.Index"{fields}}}"#)).unwrap()
}

/// Through bytes and back.
fn round_trip(fields: &str) -> Result<String, String> {
    let pool = pool();
    let bytes = index(fields).in_proto(&pool).map_err(|error| error.to_string())?;
    assert!(bytes.to_proto().is_ok() && bytes.json().is_err());
    assert_eq!(bytes.in_proto(&pool).unwrap(), bytes);
    let back = bytes.in_json(&pool).map_err(|error| error.to_string())?;
    let json = back.json().unwrap();
    let fields = json.strip_prefix(r#"{"@type":"type.googleapis.com/demo.Index""#).unwrap();
    Ok(fields.strip_suffix('}').unwrap().to_owned())
}

#[test]
fn canonical_fields_come_back_as_they_were() {
    let rows = [
        "",
        r#","rows":"-9223372036854775808","rowBytes":"18446744073709551615""#,
        r#","digest":"+/8=","shardCount":0,"state":"BROKEN","pastStates":["STATE_UNSPECIFIED","READY",7]"#,
        r#","parts":[{"rows":"1","parts":[{}]},{}]"#,
        r#","bucket":"""#,
        r#","table":{"name":"t"}"#,
        r#","nowhere":false"#,
        r#","byKey":{"":"0","a b":"9007199254740993"},"byShard":{"-7":{"name":"x"},"8":{}},"byFlag":{"false":"READY","true":"STATE_UNSPECIFIED"}"#,
        r#","score":"NaN","weight":"-Infinity""#,
        r#","score":0.1,"weight":0.1"#,
        r#","made":"2024-02-29T12:00:00.500Z","took":"-1.500s","wide":"9223372036854775807","mask":"a,b.cD""#,
        r#","labels":{"a":[1.5,null,{"b":true}]},"value":"x""#,
        r#","value":null,"values":{"k":null,"l":[{}]}"#,
        r#","extra":{}"#,
        r#","extra":{"@type":"x/demo.Table","name":"t"}"#,
        r#","extra":{"@type":"x/google.protobuf.Any","value":{"@type":"x/demo.Index","extra":{"@type":"x/google.protobuf.Duration","value":"1s"}}}"#,
        r#","extras":[{"@type":"x/google.rpc.ErrorInfo","reason":"R"},{"@type":"x/google.protobuf.Empty"}]"#,
        r#","problem":{"code":5,"message":"m","details":[{"@type":"x/demo.Table","name":"t"},{"@type":"x/google.rpc.RetryInfo","retryDelay":"1s"}]}"#,
        r#","deltas":["-1","0"],"crc":4294967295"#,
    ];
    for fields in rows {
        assert_eq!(round_trip(fields), Ok(fields.to_owned()));
    }
}

#[test]
fn fields_in_every_spelling() {
    let rows = [
        (r#","row_bytes":7,"new":{"x":[1]},"rows":null"#, r#","rowBytes":"7""#),
        (
            r#","state":-1,"pastStates":["1",0,"READY"]"#,
            r#","state":"BROKEN","pastStates":["READY","STATE_UNSPECIFIED","READY"]"#,
        ),
        (r#","checksum":"7.0","rows":5e1"#, r#","rows":"50","crc":7"#),
        (r#","nothing":null,"digest":"-_8""#, r#","digest":"+/8=""#),
        (r#","bucket":"b","nowhere":true"#, r#","nowhere":true"#),
        (r#","rows":"0","parts":[],"byKey":{}"#, ""),
    ];
    for (read, written) in rows {
        assert_eq!(round_trip(read), Ok(written.to_owned()), "{read}");
    }
}

#[test]
fn what_does_not_fit_says_where() {
    let rows = [
        (r#","rows":"x""#, "`rows`: expected a 64-bit integer, found a string"),
        (
            r#","parts":[{},{"state":"GONE"}]"#,
            "`parts[1].state`: expected a value of `demo.State`, found a string",
        ),
        (r#","byShard":{"x":{}}"#, "`byShard.x`: expected a key of the map's type"),
        (r#","byKey":[]"#, "`byKey`: expected an object, found an array"),
        (r#","parts":{}"#, "`parts`: expected an array, found an object"),
        (r#","took":7"#, "`took`: expected a string, found a number"),
        (
            r#","extra":{"@type":"x/other.Type"}"#,
            "`extra`: no descriptor of type `other.Type` is in the pool or known here",
        ),
    ];
    for (fields, why) in rows {
        let message = format!(
            "cannot convert an any of type `demo.Index` to protobuf: {why}; see docs/typed-results.md"
        );
        assert_eq!(round_trip(fields), Err(message));
    }
    let table = [
        ("demo.Index", vec![0x0a], "the bytes are not valid for the type"),
        ("demo.Other", vec![], "no descriptor of type `demo.Other` is in the pool or known here"),
        ("demo.Index", vec![0x92, 1, 2, 0x10, 0xff], "the bytes are not valid for the type"),
        (
            "demo.Index",
            vec![0x9a, 1, 13, 0x08, 1, 0x10, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1],
            "`took`: expected a duration of at most 10,000 years and of one sign",
        ),
    ];
    for (name, value, why) in table {
        let any = Any::from_proto(prost_types::Any { type_url: format!("x/{name}"), value });
        let error = any.in_json(&pool()).unwrap_err().to_string();
        assert_eq!(
            error,
            format!("cannot convert an any of type `{name}` to JSON: {why}; see docs/typed-results.md")
        );
    }
}

#[test]
fn unknown_fields_of_a_newer_server_do_no_harm() {
    let newer = r#"{"@type":"x/demo.Newer","rows":"7","news":"n","inner":{"name":"t"}}"#;
    let newer = Any::from_json(newer).unwrap().in_proto(&pool()).unwrap().to_proto().unwrap();
    let older = Any::from_proto(prost_types::Any { type_url: "x/demo.Index".into(), ..newer });
    assert_eq!(older.in_json(&pool()).unwrap().json().unwrap(), r#"{"@type":"x/demo.Index","rows":"7"}"#);
}

#[derive(Clone, PartialEq, prost::Message)]
struct Table {
    #[prost(string, tag = "1")]
    name: String,
}

impl prost::Name for Table {
    const PACKAGE: &'static str = "demo";
    const NAME: &'static str = "Table";
}

#[test]
fn the_programs_own_types_on_either_transport() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct Read {
        name: String,
    }
    let (pool, table) = (pool(), Table { name: "t".into() });
    let json = Any::from_json(r#"{"@type":"x/demo.Table","name":"t","new":1}"#).unwrap();
    for any in [Any::pack(&table), json.clone()] {
        assert_eq!(any.in_json(&pool).unwrap().decode::<Read>().unwrap(), Read { name: "t".into() });
        assert_eq!(any.in_proto(&pool).unwrap().unpack::<Table>().unwrap(), table);
    }
    let status = Status::new(Code::Aborted, "m").with_detail(json).with_detail(ErrorInfo::new("R", "d"));
    let failed =
        Operation::failed("o", status).with_metadata(Any::from_json(r#"{"@type":"x/other.Type"}"#).unwrap());
    let bytes = failed.in_proto(&pool).unwrap();
    assert_eq!(bytes.error().unwrap().detail::<Table>(), Some(table.clone()));
    assert_eq!(bytes.metadata(), failed.metadata(), "of a type that nobody knows");
    let done =
        Operation::succeeded("o", Any::pack(&table)).with_metadata(Any::pack(&prost_types::Any::default()));
    let read = done.in_json(&pool).unwrap();
    let text = r#"{"name":"o","metadata":{"@type":"type.googleapis.com/google.protobuf.Any","value":{}},"done":true,"response":{"@type":"/demo.Table","name":"t"}}"#;
    assert_eq!(read.to_json(), text);
    assert_eq!(read.into_response::<Value>().unwrap(), json!({"name": "t"}));
}

#[test]
fn nesting_ends_in_an_error_and_not_the_stack() {
    let pool = pool();
    let nested = |type_name: &str, wrap: fn(Vec<u8>) -> Vec<u8>, depth: usize| {
        let value = (0..depth).fold(Vec::new(), |bytes, _| wrap(bytes));
        Any::from_proto(prost_types::Any { type_url: format!("x/{type_name}"), value })
    };
    let in_any = |value| prost_types::Any { type_url: "x/google.protobuf.Any".into(), value }.encode_to_vec();
    let in_extra = |value| {
        let any = prost_types::Any { type_url: "x/demo.Index".into(), value }.encode_to_vec();
        let mut bytes = vec![0x82, 1];
        prost::encode_length_delimiter(any.len(), &mut bytes).unwrap();
        [bytes, any].concat()
    };
    let rows: [(&str, fn(Vec<u8>) -> Vec<u8>); 2] =
        [("google.protobuf.Any", in_any), ("demo.Index", in_extra)];
    for (name, wrap) in rows {
        assert!(nested(name, wrap, 50).in_json(&pool).is_ok(), "{name}");
        for depth in [200, 2000] {
            assert!(nested(name, wrap, depth).in_json(&pool).is_err(), "{name} {depth}");
        }
    }
}
