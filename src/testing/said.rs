//! What the service says, and the forms in which it is sent: JSON as Google's front ends write it, and protobuf.

use std::sync::{Arc, OnceLock};

use prost::Message;
use serde::Serialize;
use serde_json::value::RawValue;

use super::answer::{Body, Http};
use super::log::RecordedRequest;
use crate::types::{Any, Code, Operation, OperationPage, Status};

/// The answer to a call, before anybody knows how it travels.
#[derive(Clone, Debug)]
pub(super) enum Said {
    Empty,
    Operation(Arc<View>),
    Page(Page),
    Error(Status),
}

/// One page of operations.
#[derive(Clone, Debug, Default)]
pub(super) struct Page {
    pub(super) operations: Vec<Arc<View>>,
    pub(super) next_page_token: String,
    pub(super) unreachable: Vec<String>,
}

/// An operation that does not change any more, in the forms it is sent in: each is made once.
#[derive(Debug)]
pub(super) struct View {
    operation: Operation,
    json: OnceLock<String>,
    bytes: OnceLock<Result<Vec<u8>, String>>,
}

/// The form of the answers over REST.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    Proto,
}

impl Form {
    /// What a request asks for by `alt` or `$alt`, which may say more behind a semicolon.
    pub(super) fn of(request: &RecordedRequest) -> Self {
        let alt = request.query("$alt").or_else(|| request.query("alt")).unwrap_or_default();
        if alt.split(';').next() == Some("proto") { Self::Proto } else { Self::Json }
    }
}

impl Said {
    pub(super) fn operation(operation: Operation) -> Self {
        Self::Operation(View::new(operation))
    }

    /// The HTTP status that goes with it.
    pub(super) fn http(&self) -> u16 {
        match self {
            Self::Error(status) => status.code().to_http(),
            _ => 200,
        }
    }

    /// The answer over REST, with this HTTP status or the one that goes with it.
    pub(super) fn into_http(self, form: Form, http: Option<u16>) -> Http {
        let status = http.unwrap_or_else(|| self.http());
        if status == 204 {
            return Http { status, headers: Vec::new(), body: Body::Bytes(Vec::new()) };
        }
        match form {
            Form::Json => Http::new(status, self.json(status)),
            Form::Proto => match self.bytes() {
                Ok(bytes) => Http::of_type(PROTOBUF, status, bytes),
                Err(error) => Http::of_type(PROTOBUF, 500, bytes_of(&error)),
            },
        }
    }

    fn json(&self, http: u16) -> Vec<u8> {
        match self {
            Self::Empty => b"{}".into(),
            Self::Operation(view) => view.json().into(),
            Self::Page(page) => page.json(),
            Self::Error(status) => error_body(http, status),
        }
    }

    /// The protobuf message, a `google.rpc.Status` for an error; or why there is none.
    pub(super) fn bytes(&self) -> Result<Vec<u8>, Status> {
        match self {
            Self::Empty => Ok(Vec::new()),
            Self::Operation(view) => view.bytes().map(<[u8]>::to_vec),
            Self::Page(page) => page.bytes(),
            Self::Error(status) => {
                let message = status.to_proto().map_err(|error| unspeakable(&error.to_string()))?;
                Ok(message.encode_to_vec())
            }
        }
    }
}

impl View {
    pub(super) fn new(operation: Operation) -> Arc<Self> {
        Arc::new(Self { operation, json: OnceLock::new(), bytes: OnceLock::new() })
    }

    pub(super) fn get(&self) -> &Operation {
        &self.operation
    }

    pub(super) fn is_done(&self) -> bool {
        self.operation.is_done()
    }

    fn json(&self) -> &str {
        self.json.get_or_init(|| self.operation.to_json())
    }

    fn bytes(&self) -> Result<&[u8], Status> {
        let encode = || match self.operation.to_proto() {
            Ok(message) => Ok(message.encode_to_vec()),
            Err(error) => Err(error.to_string()),
        };
        self.bytes.get_or_init(encode).as_deref().map_err(|why| unspeakable(why))
    }
}

impl Page {
    /// Default values are left out.
    fn json(&self) -> Vec<u8> {
        let mut fields = Vec::new();
        let mut list = String::new();
        for operation in &self.operations {
            list.push(if list.is_empty() { '[' } else { ',' });
            list.push_str(operation.json());
        }
        if !list.is_empty() {
            fields.push(format!(r#""operations":{list}]"#));
        }
        if !self.next_page_token.is_empty() {
            fields.push(format!(r#""nextPageToken":{}"#, quoted(&self.next_page_token)));
        }
        if !self.unreachable.is_empty() {
            let names: Vec<String> = self.unreachable.iter().map(|name| quoted(name)).collect();
            fields.push(format!(r#""unreachable":[{}]"#, names.join(",")));
        }
        format!("{{{}}}", fields.join(",")).into_bytes()
    }

    fn bytes(&self) -> Result<Vec<u8>, Status> {
        let operations: Result<_, _> =
            self.operations.iter().map(|view| view.bytes().map(<[u8]>::to_vec)).collect();
        let (next_page_token, unreachable) = (self.next_page_token.clone(), self.unreachable.clone());
        Ok(EncodedPage { operations: operations?, next_page_token, unreachable }.encode_to_vec())
    }
}

impl From<OperationPage> for Page {
    fn from(page: OperationPage) -> Self {
        let operations = page.operations.into_iter().map(View::new).collect();
        Self { operations, next_page_token: page.next_page_token, unreachable: page.unreachable }
    }
}

/// A `ListOperationsResponse` whose operations are encoded already: on the wire, messages are bytes.
#[derive(Clone, PartialEq, Message)]
struct EncodedPage {
    #[prost(bytes = "vec", repeated, tag = "1")]
    operations: Vec<Vec<u8>>,
    #[prost(string, tag = "2")]
    next_page_token: String,
    #[prost(string, repeated, tag = "3")]
    unreachable: Vec<String>,
}

/// JSON of a type that nobody knows has no bytes.
fn unspeakable(why: &str) -> Status {
    Status::new(Code::Internal, format!("the fake server cannot say this in protobuf: {why}"))
}

fn bytes_of(status: &Status) -> Vec<u8> {
    status.to_proto().map(|status| status.encode_to_vec()).unwrap_or_default()
}

/// The body of an error answer, as Google's front ends write it.
///
/// `code` is the HTTP status there, not the number of the canonical code.
pub(super) fn error_body(http: u16, status: &Status) -> Vec<u8> {
    let details = status.details().iter().filter_map(raw).collect();
    let name = match status.code() {
        Code::Other(_) => None,
        code => Some(code.to_string()),
    };
    let error = ErrorJson { code: http, message: status.message(), status: name, details };
    serde_json::to_vec(&ErrorBody { error }).unwrap_or_default()
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: ErrorJson<'a>,
}

#[derive(Serialize)]
struct ErrorJson<'a> {
    code: u16,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    details: Vec<Box<RawValue>>,
}

fn raw(any: &Any) -> Option<Box<RawValue>> {
    RawValue::from_string(any.json().ok()?.into_owned()).ok()
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

pub(super) const JSON: &str = "application/json; charset=UTF-8";

const PROTOBUF: &str = "application/x-protobuf";
