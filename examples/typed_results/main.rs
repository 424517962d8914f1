//! Reads metadata and responses as types of the program: by serde, and as messages generated from a `.proto`, over REST in
//! binary and over gRPC. `google.cloud.run.v2.rs` is generated from `execution.proto` as docs/typed-results.md shows.
//!
//! `cargo run --example typed_results`

use std::time::Duration;

use longrunning::testing::{FakeOperation, FakeServer};
use longrunning::transport::DataFormat;
use longrunning::{Any, Operation, OperationsClientBuilder};

#[allow(missing_docs, unreachable_pub, reason = "generated code")]
mod run {
    include!("google.cloud.run.v2.rs");
}

const NAME: &str = "projects/demo/locations/europe-west1/operations/nightly";

/// The same message for serde: the fields that the program reads, in lowerCamelCase.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Execution {
    name: String,
    #[serde(default)] // a field with its default value may be absent
    succeeded_count: i32,
}

fn main() -> Result<(), longrunning::Error> {
    by_serde()?;
    by_prost("REST", |builder| builder.api_version("v2").data_format(DataFormat::Proto))?;
    #[cfg(feature = "grpc")]
    by_prost("gRPC", |builder| builder.transport(longrunning::transport::TransportKind::Grpc))?;
    Ok(())
}

fn by_serde() -> Result<(), longrunning::Error> {
    let (_server, builder) = service(|done| {
        let json = format!(
            r#"{{"@type": "type.googleapis.com/google.cloud.run.v2.Execution", "name": "nightly-1", "succeededCount": {done}}}"#
        );
        Any::from_json(&json).expect("valid JSON")
    })?;
    let poller = builder.api_version("v2").build()?.poller(NAME).on_update(|update| {
        if let Some(Ok(execution)) =
            update.operation().and_then(Operation::metadata).map(Any::decode::<Execution>)
        {
            println!("{}: {} tasks succeeded", execution.name, execution.succeeded_count);
        }
    });
    let execution: Execution = poller.until_done()?.into_response()?;
    println!("serde: {} tasks of {}", execution.succeeded_count, execution.name);
    Ok(())
}

/// The metadata and the response are bytes, over REST in binary and over gRPC.
fn by_prost(
    transport: &str,
    with: impl Fn(OperationsClientBuilder) -> OperationsClientBuilder,
) -> Result<(), longrunning::Error> {
    let (_server, builder) = service(|done| {
        Any::pack(&run::Execution { name: "nightly-1".into(), succeeded_count: done, ..Default::default() })
    })?;
    let done = with(builder).build()?.poller(NAME).until_done()?;
    if let Some(metadata) = done.metadata() {
        assert_eq!(metadata.unpack::<run::Execution>()?.name, "nightly-1");
    }
    let execution: run::Execution = done.into_message()?;
    println!("prost over {transport}: {} tasks of {}", execution.succeeded_count, execution.name);
    Ok(())
}

/// A server with one operation, which takes three polls, and a builder of its client.
fn service(
    execution: impl Fn(i32) -> Any + Send + Sync + 'static,
) -> Result<(FakeServer, OperationsClientBuilder), longrunning::Error> {
    let server = FakeServer::start();
    let operation = FakeOperation::new(NAME).done_after(Duration::from_secs(2)).responds(execution(10));
    server.insert(
        operation.progress(move |percent| execution(i32::try_from(percent / 10).unwrap_or_default())),
    );
    let builder = server.client_builder();
    Ok((server, builder))
}
