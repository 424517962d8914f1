//! Responses of the service, in the forms in which they are sent: JSON as
//! Google's front ends write it, and protobuf.
//!
//! A response is encoded when the transport is known. Operations that do not
//! change are encoded once and shared between pages and requests, so that a
//! test with thousands of operations is fast.

use std::sync::{Arc, OnceLock};

use prost::Message;

use super::error_body::error_body;
use super::extended;
use crate::types::{Code, Operation, OperationPage, Status};

/// The response to an RPC, before it is encoded for a transport.
#[derive(Clone, Debug)]
pub(super) enum RpcResponse {
    /// `google.protobuf.Empty`, the response to a cancel or a delete.
    Empty,
    Operation(Arc<OperationView>),
    Page(ResponsePage),
    /// An error of the call, not of the operation.
    Error(Status),
}

/// One page of operations. An empty token means that it is the last one.
#[derive(Clone, Debug, Default)]
pub(super) struct ResponsePage {
    /// The collection that was listed. It decides on the shape of an aggregated
    /// list of Compute Engine.
    pub(super) collection: String,
    pub(super) operations: Vec<Arc<OperationView>>,
    pub(super) next_page_token: String,
    pub(super) unreachable: Vec<String>,
}

/// One state of an operation, with its encoded forms. Each is made at its first
/// use and kept.
#[derive(Debug)]
pub(super) struct OperationView {
    operation: Operation,
    json: OnceLock<String>,
    /// The message, or why the operation has none.
    bytes: OnceLock<Result<Vec<u8>, String>>,
}

impl RpcResponse {
    pub(super) fn operation(operation: Operation) -> Self {
        Self::Operation(OperationView::new(operation))
    }

    /// Returns the HTTP status of the response: 200, or that of the code of an
    /// error.
    pub(super) fn http(&self) -> u16 {
        match self {
            Self::Error(status) => status.code().to_http(),
            _ => 200,
        }
    }

    /// Returns the body in JSON. `http` is the HTTP status, which error bodies
    /// repeat.
    pub(super) fn json(&self, http: u16) -> Vec<u8> {
        match self {
            Self::Empty => b"{}".into(),
            Self::Operation(view) => view.json().into(),
            Self::Page(page) => page.json(),
            Self::Error(status) => error_body(http, status),
        }
    }

    /// Returns the protobuf message, a `google.rpc.Status` for an error.
    ///
    /// # Errors
    ///
    /// A status that says why there is no message: JSON of a type that the
    /// crate does not know cannot be encoded in protobuf.
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

impl OperationView {
    pub(super) fn new(operation: Operation) -> Arc<Self> {
        Arc::new(Self { operation, json: OnceLock::new(), bytes: OnceLock::new() })
    }

    /// Returns the operation.
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
        // The reason is kept as text; each request makes a status of its own
        // from it.
        self.bytes.get_or_init(encode).as_deref().map_err(|why| unspeakable(why))
    }
}

impl ResponsePage {
    /// Writes the page; members with default values are left out, as Google's
    /// front ends do.
    ///
    /// ```text
    /// {"operations":[…],"nextPageToken":"…","unreachable":["…"]}
    /// ```
    fn json(&self) -> Vec<u8> {
        let mut fields = Vec::new();
        // All operations of a collection have the form of its service, so the
        // first one decides.
        if let Some(first) = self.operations.first() {
            let operations: Vec<_> = self.operations.iter().map(|view| (view.get(), view.json())).collect();
            let form = first.get().form();
            fields.extend(extended::page(form, &self.collection, &operations));
            fields.extend(extended::missing(form, &self.collection, &self.unreachable));
        }
        if !self.next_page_token.is_empty() {
            fields.push(format!(r#""nextPageToken":{}"#, quoted(&self.next_page_token)));
        }
        let is_extended = self.operations.first().is_some_and(|first| first.get().form().is_extended());
        if !self.unreachable.is_empty() && !is_extended {
            let names: Vec<String> = self.unreachable.iter().map(|name| quoted(name)).collect();
            fields.push(format!(r#""unreachable":[{}]"#, names.join(",")));
        }
        format!("{{{}}}", fields.join(",")).into_bytes()
    }

    /// Writes the page as a `ListOperationsResponse`.
    fn bytes(&self) -> Result<Vec<u8>, Status> {
        let operations: Result<_, _> =
            self.operations.iter().map(|view| view.bytes().map(<[u8]>::to_vec)).collect();
        let (next_page_token, unreachable) = (self.next_page_token.clone(), self.unreachable.clone());
        Ok(EncodedPage { operations: operations?, next_page_token, unreachable }.encode_to_vec())
    }
}

impl From<OperationPage> for ResponsePage {
    fn from(page: OperationPage) -> Self {
        let operations = page.operations.into_iter().map(OperationView::new).collect();
        let collection = String::new();
        Self { collection, operations, next_page_token: page.next_page_token, unreachable: page.unreachable }
    }
}

/// A `ListOperationsResponse` whose operations are encoded already. In
/// protobuf, a field of a message type and one of bytes look the same.
#[derive(Clone, PartialEq, Message)]
struct EncodedPage {
    #[prost(bytes = "vec", repeated, tag = "1")]
    operations: Vec<Vec<u8>>,
    #[prost(string, tag = "2")]
    next_page_token: String,
    #[prost(string, repeated, tag = "3")]
    unreachable: Vec<String>,
}

/// Returns the error for JSON that has no protobuf form.
fn unspeakable(why: &str) -> Status {
    Status::new(Code::Internal, format!("the fake server cannot encode this in protobuf: {why}"))
}

/// Returns a text as a JSON string.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
