//! The page of `payload` as protobuf bytes, and the messages in it as types of the caller.

use std::hint::black_box;

use longrunning::OperationsClient;
use longrunning::proto::google::longrunning as proto;
use prost::{Message, Name};
use serde::Deserialize;
use serde_json::Value;

/// A page of the same operations.
pub(crate) fn page(json: &str) -> Vec<u8> {
    let page: Value = serde_json::from_str(json).expect("the page is JSON");
    let operations = page["operations"].as_array().expect("operations").iter().map(operation);
    let response = proto::ListOperationsResponse::default().operations(operations.collect::<Vec<_>>());
    response.next_page_token(text(&page["nextPageToken"])).encode_to_vec()
}

fn operation(json: &Value) -> proto::Operation {
    let metadata = &json["metadata"];
    let create_time = text(&metadata["createTime"]).parse().expect("a time");
    let progress = &metadata["progress"];
    let metadata = OperationMetadata {
        create_time: Some(create_time),
        target: text(&metadata["target"]),
        verb: text(&metadata["verb"]),
        api_version: text(&metadata["apiVersion"]),
        progress: Some(Progress { percent: 100, rows: number(&progress["rows"]) }),
    };
    let response = Index { rows: number(&json["response"]["rows"]) };
    proto::Operation::default()
        .name(text(&json["name"]))
        .metadata(any(&metadata))
        .done(true)
        .result(proto::operation::Result::Response(any(&response)))
}

fn any<M: Message + Name>(message: &M) -> prost_types::Any {
    let type_url = format!("type.googleapis.com/{}", M::full_name());
    prost_types::Any { type_url, value: message.encode_to_vec() }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}

fn number(value: &Value) -> i64 {
    text(value).parse().expect("a number")
}

pub(crate) fn read_json(client: &OperationsClient) {
    for operation in list(client) {
        let metadata: ReadMetadata = operation.metadata().expect("metadata").decode().expect("fits");
        let response: ReadIndex = operation.into_response().expect("fits");
        black_box((metadata, response));
    }
}

pub(crate) fn read_binary(client: &OperationsClient) {
    for operation in list(client) {
        let metadata: OperationMetadata = operation.metadata().expect("metadata").unpack().expect("fits");
        let response: Index = operation.response().expect("a response").unpack().expect("fits");
        black_box((metadata, response));
    }
}

fn list(client: &OperationsClient) -> Vec<longrunning::Operation> {
    client.list("operations").page_size(1000).send().expect("the response is a page").operations
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct OperationMetadata {
    #[prost(message, optional, tag = "1")]
    create_time: Option<prost_types::Timestamp>,
    #[prost(string, tag = "2")]
    target: String,
    #[prost(string, tag = "3")]
    verb: String,
    #[prost(string, tag = "4")]
    api_version: String,
    #[prost(message, optional, tag = "5")]
    progress: Option<Progress>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Progress {
    #[prost(int32, tag = "1")]
    percent: i32,
    #[prost(int64, tag = "2")]
    rows: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Index {
    #[prost(int64, tag = "1")]
    rows: i64,
}

impl Name for OperationMetadata {
    const PACKAGE: &'static str = "google.cloud.example.v1";
    const NAME: &'static str = "OperationMetadata";
}

impl Name for Index {
    const PACKAGE: &'static str = "google.cloud.example.v1";
    const NAME: &'static str = "Index";
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "decoding them is the measured work")]
struct ReadMetadata {
    create_time: String,
    target: String,
    verb: String,
    api_version: String,
    progress: ReadProgress,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "as above")]
struct ReadProgress {
    percent: i32,
    rows: String,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "as above")]
struct ReadIndex {
    rows: String,
}
