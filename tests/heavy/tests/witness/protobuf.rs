//! Operations that protobuf's own JSON writer wrote are read here, and those written here are read there.

use std::collections::BTreeSet;
use std::mem;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use longrunning::auth::Credentials;
use longrunning::http::{HttpOptions, ProxySetting, Roots};
use longrunning::testing::FakeServer;
use longrunning::transport::DataFormat;
use longrunning::{
    Any, Code, Error, ErrorKind, Operation, OperationsClient, OperationsClientBuilder, RetryPolicy, Status,
    proto, rpc,
};
use prost::{Message, Name};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::python::{Python, Server};

#[test]
fn what_protobuf_writes_is_read_without_loss() {
    let Some(python) = Python::find() else { return };
    let (_server, said) = serve(&python);
    let client = said.client();
    let mut seen = BTreeSet::new();
    for case in &said.cases {
        let name = case.name.as_str();
        let operation = client.get(name).send().unwrap();
        assert_eq!(operation.to_json(), case.json);
        assert_eq!((operation.name(), operation.is_done()), (name, true));
        let Some(message) = &case.message else {
            assert_eq!(encode(&operation), sort(&case.bytes), "{name}");
            continue;
        };
        seen.insert(message.type_name.as_str());
        for any in [operation.metadata(), operation.response()] {
            message.check(any.expect(name), name);
        }
        match Known::find(&message.type_name) {
            Some(_) => assert_eq!(encode(&operation), sort(&case.bytes), "{name}"),
            None => assert_eq!(operation.to_proto().expect_err(name).kind(), ErrorKind::Decode, "{name}"),
        }
        let response: Value = operation.into_response().expect(name);
        assert_eq!(response, message.json, "{name}");
    }
    let unseen: Vec<_> =
        KNOWN.iter().map(|known| (known.name)()).filter(|name| !seen.contains(name.as_str())).collect();
    assert!(unseen.is_empty(), "{unseen:?}");
}

#[test]
fn what_is_written_here_is_read_by_protobuf() {
    let Some(python) = Python::find() else { return };
    let (_server, said) = serve(&python);
    let server = FakeServer::start();
    let mut operations = Vec::new();
    let readable = said.cases.iter().filter(|case| !case.name.starts_with(UNREADABLE));
    for message in readable.filter_map(|case| case.message.as_ref()) {
        let Some(known) = Known::find(&message.type_name) else { continue };
        let any = (known.pack)(&message.bytes);
        let name = |state: &str| format!("projects/p/operations/{}-{state}", operations.len());
        let status = Status::new(Code::Other(-7), "\u{7}ünïcode \u{1F980}").with_detail(any.clone());
        let built = [
            Operation::running(name("running")).with_metadata(any.clone()),
            Operation::succeeded(name("succeeded"), any),
            Operation::failed(name("failed"), status),
        ];
        operations.extend(built);
    }
    for operation in &operations {
        server.insert(operation.clone());
    }

    let call = json!({ "method": "list_operations", "name": "projects/p", "page_size": 1000 });
    let mut results: Vec<Listed> =
        python.run("operations_client.py", &json!({ "url": server.url(), "calls": [call] }));
    let read: Vec<Read> = results.remove(0).pages.into_iter().flatten().collect();
    assert_eq!(read.len(), operations.len());
    for (read, operation) in read.iter().zip(&operations) {
        let written = operation.to_json();
        assert_eq!(sort(&read.bytes), encode(operation), "{written}");
        assert_eq!(read.json, serde_json::from_str::<Value>(&written).unwrap(), "{written}");
    }
}

#[test]
fn list_pages_of_protobuf_are_read_without_loss() {
    let Some(python) = Python::find() else { return };
    let (_server, said) = serve(&python);
    let mut cases = said.cases.iter();
    let mut texts = said.pages.iter();
    for page in said.client().list("operations").pages() {
        let (page, text) = (page.unwrap(), texts.next().expect("a page that was sent"));
        assert!(!page.operations.is_empty() && page.unreachable.is_empty());
        for operation in page.operations {
            let case = cases.next().expect("an operation that was sent");
            assert_eq!(operation.name(), case.name);
            assert!(text.contains(&operation.to_json()), "{} is not in {text}", operation.to_json());
            if case.message.as_ref().is_none_or(|message| Known::find(&message.type_name).is_some()) {
                assert_eq!(encode(&operation), sort(&case.bytes), "{}", case.name);
            }
        }
    }
    assert_eq!((cases.len(), texts.len()), (0, 0));
}

#[test]
fn error_bodies_of_protobuf_have_typed_details() {
    let Some(python) = Python::find() else { return };
    let (_server, said) = serve(&python);
    let error = said.client().get("operations/broken").retry(RetryPolicy::never()).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Service);
    assert_eq!((error.code(), error.http_status()), (Some(Code::ResourceExhausted), Some(429)));
    assert_eq!(error.retry_after(), Some(Duration::from_millis(7_250)));
    let details = error.status().expect("a status").details();
    assert_eq!((details.len(), said.details.len()), (10, 10));
    for (any, detail) in details.iter().zip(&said.details) {
        detail.check(any, &detail.type_name);
    }
}

#[test]
fn binary_answers_say_what_protobuf_says() {
    let Some(python) = Python::find() else { return };
    let (_server, said) = serve(&python);
    let client = said.binary_client();
    let mut listed = client.list("operations").into_iter();
    for case in &said.cases {
        let name = case.name.as_str();
        let operation = client.get(name).send().unwrap();
        assert_eq!(operation.to_proto().unwrap().encode_to_vec(), case.bytes, "{name}");
        assert_eq!(listed.next().expect(name).unwrap(), operation, "{name}");
        let Some(message) = &case.message else { continue };
        for any in [operation.metadata(), operation.response()] {
            let any = any.expect(name);
            assert_eq!(any.type_name(), message.type_name, "{name}");
            let known = Known::find(&message.type_name).is_some();
            match any.json() {
                Ok(json) if known => {
                    let reread = Any::from_json(&json).unwrap().to_proto().expect(name).value;
                    let known = Known::find(&message.type_name).unwrap();
                    assert_eq!((known.sort)(reread), (known.sort)(message.bytes.clone()), "{name}");
                    // The other spellings are those of JSON.
                    if name.ends_with(".plain") && !name.starts_with(UNREADABLE) {
                        assert_eq!(any.decode::<Value>().expect(name), message.json, "{name}");
                    }
                }
                Ok(_) => panic!("{name}: a type that is not known"),
                Err(error) => assert!(!known, "{name}: {error}"),
            }
        }
    }
    assert!(listed.next().is_none());
}

#[test]
fn binary_errors_have_typed_details() {
    let Some(python) = Python::find() else { return };
    let (_server, said) = serve(&python);
    let error = said.binary_client().get("operations/broken").retry(RetryPolicy::never()).send().unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Service, Some(Code::ResourceExhausted)));
    assert_eq!((error.http_status(), error.retry_after()), (Some(429), Some(Duration::from_millis(7_250))));
    let details = error.status().expect("a status").details();
    assert_eq!((details.len(), said.details.len()), (10, 10));
    for (any, detail) in details.iter().zip(&said.details) {
        detail.check(any, &detail.type_name);
    }
}

/// The largest float: protobuf for Python writes 3.4028235e+38 for it and then finds that too large.
const UNREADABLE: &str = "operations/float-max.";

/// What the server in Python says of itself.
#[derive(Deserialize)]
struct Said {
    url: String,
    cases: Vec<Case>,
    pages: Vec<String>,
    details: Vec<Described>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    json: String,
    #[serde(deserialize_with = "base64")]
    bytes: Vec<u8>,
    message: Option<Described>,
}

/// A message as protobuf for Python has it.
#[derive(Deserialize)]
struct Described {
    #[serde(rename = "type")]
    type_name: String,
    #[serde(deserialize_with = "base64")]
    bytes: Vec<u8>,
    json: Value,
}

/// What Google's client got.
#[derive(Deserialize)]
struct Listed {
    pages: Vec<Vec<Read>>,
}

#[derive(Deserialize)]
struct Read {
    #[serde(deserialize_with = "base64")]
    bytes: Vec<u8>,
    json: Value,
}

fn serve(python: &Python) -> (Server, Said) {
    python.serve("protobuf_server.py")
}

impl Said {
    fn client(&self) -> OperationsClient {
        self.builder().build().unwrap()
    }

    fn binary_client(&self) -> OperationsClient {
        self.builder().data_format(DataFormat::Proto).build().unwrap()
    }

    fn builder(&self) -> OperationsClientBuilder {
        OperationsClient::builder(&self.url)
            .credentials(Credentials::anonymous())
            .http_options(HttpOptions::new().roots(Roots::None).proxy(ProxySetting::None))
            .environment([("", "")])
    }
}

impl Described {
    fn check(&self, any: &Any, name: &str) {
        assert_eq!(any.type_name(), self.type_name, "{name}");
        assert_eq!(any.decode::<Value>().expect(name), self.json, "{name}");
        match Known::find(&self.type_name) {
            Some(known) => {
                assert_eq!((known.unpack)(any).expect(name), (known.sort)(self.bytes.clone()), "{name}");
            }
            None => assert_eq!(any.to_proto().expect_err(name).kind(), ErrorKind::Decode, "{name}"),
        }
    }
}

/// A type that the crate turns from JSON into a message and back.
struct Known {
    name: fn() -> String,
    unpack: fn(&Any) -> Result<Vec<u8>, Error>,
    pack: fn(&[u8]) -> Any,
    /// Puts the entries of maps in order.
    sort: fn(Vec<u8>) -> Vec<u8>,
}

impl Known {
    fn find(type_name: &str) -> Option<&'static Self> {
        KNOWN.iter().find(|known| (known.name)() == type_name)
    }

    const fn new<M: Message + Name + Default>() -> Self {
        Self {
            name: M::full_name,
            unpack: |any| any.unpack::<M>().map(|message| message.encode_to_vec()),
            pack: |bytes| Any::pack(&M::decode(bytes).unwrap()),
            sort: |bytes| bytes,
        }
    }
}

/// For messages that hold maps, and whose names prost does not know: `pack` and `unpack` do not take them.
macro_rules! nameless {
    ($message:ident) => {
        Known {
            name: || concat!("google.protobuf.", stringify!($message)).to_owned(),
            unpack: |any| any.to_proto().map(|any| any.value),
            pack: |bytes| {
                let type_url = concat!("type.googleapis.com/google.protobuf.", stringify!($message)).into();
                let value = prost_types::$message::decode(bytes).unwrap().encode_to_vec();
                Any::from_proto(prost_types::Any { type_url, value })
            },
            sort: |bytes| prost_types::$message::decode(&*bytes).unwrap().encode_to_vec(),
        }
    };
}

const KNOWN: [Known; 28] = [
    Known::new::<prost_types::Any>(),
    Known::new::<bool>(),
    Known::new::<Vec<u8>>(),
    Known::new::<f64>(),
    Known::new::<prost_types::Duration>(),
    Known::new::<()>(),
    nameless!(FieldMask),
    Known::new::<f32>(),
    Known::new::<i32>(),
    Known::new::<i64>(),
    nameless!(ListValue),
    Known::new::<String>(),
    nameless!(Struct),
    Known::new::<prost_types::Timestamp>(),
    Known::new::<u32>(),
    Known::new::<u64>(),
    nameless!(Value),
    Known::new::<rpc::BadRequest>(),
    Known::new::<rpc::DebugInfo>(),
    Known::new::<rpc::ErrorInfo>(),
    Known::new::<rpc::Help>(),
    Known::new::<rpc::LocalizedMessage>(),
    Known::new::<rpc::PreconditionFailure>(),
    Known::new::<rpc::QuotaFailure>(),
    Known::new::<rpc::RequestInfo>(),
    Known::new::<rpc::ResourceInfo>(),
    Known::new::<rpc::RetryInfo>(),
    Known::new::<proto::google::rpc::Status>(),
];

fn encode(operation: &Operation) -> Vec<u8> {
    let message = operation.to_proto();
    message.unwrap_or_else(|error| panic!("{}: {error}", operation.name())).encode_to_vec()
}

/// Puts the entries of all maps in an operation in order; otherwise there is only one way to write its bytes.
fn sort(operation: &[u8]) -> Vec<u8> {
    use proto::google::longrunning::{Operation, operation::Result};

    let mut operation = Operation::decode(operation).unwrap();
    let result = match &mut operation.result {
        Some(Result::Error(status)) => status.details.iter_mut().collect(),
        Some(Result::Response(response)) => vec![response],
        None => Vec::new(),
    };
    for any in result.into_iter().chain(&mut operation.metadata) {
        if let Some(known) = any.type_url.rsplit('/').next().and_then(Known::find) {
            any.value = (known.sort)(mem::take(&mut any.value));
        }
    }
    operation.encode_to_vec()
}

fn base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    STANDARD.decode(text).map_err(serde::de::Error::custom)
}
