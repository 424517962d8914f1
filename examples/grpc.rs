//! The same client over gRPC.
//!
//! `cargo run --features grpc --example grpc`, on the embedded server; with `-- ENDPOINT KEY_FILE NAME` on a real service.
//!
//! Answers hold protobuf, so a response is unpacked into a message of [prost](https://docs.rs/prost).

use std::env;
use std::time::Duration;

use longrunning::auth::ServiceAccount;
use longrunning::testing::{FakeOperation, FakeServer};
use longrunning::transport::TransportKind;
use longrunning::{Any, OperationsClient};

/// What `prost-build` makes of the service's proto.
#[derive(Clone, PartialEq, prost::Message)]
struct Index {
    #[prost(uint64, tag = "1")]
    rows: u64,
}

impl prost::Name for Index {
    const NAME: &'static str = "Index";
    const PACKAGE: &'static str = "demo";
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [endpoint, key_file, name] = arguments.as_slice() {
        let account = ServiceAccount::from_file(key_file)?;
        let builder = OperationsClient::builder(endpoint).transport("grpc".parse()?);
        return Ok(wait(&builder.credentials(account).build()?, name)?);
    }
    let server = FakeServer::start();
    let import = FakeOperation::new("operations/import").done_after(Duration::from_secs(30));
    server.insert(import.responds(Any::pack(&Index { rows: 123_456 })));
    let client = server.client_builder().transport(TransportKind::Grpc).message_limit(16 << 20).build()?;
    Ok(wait(&client, "operations/import")?)
}

fn wait(client: &OperationsClient, name: &str) -> Result<(), longrunning::Error> {
    let operation = client.poller(name).total_timeout(Duration::from_secs(900)).until_done()?;
    println!("{name}: {}", operation.outcome());
    match operation.response().map(|response| response.unpack::<Index>()) {
        Some(Ok(index)) => println!("{} rows", index.rows),
        Some(Err(error)) => println!("the response is of another type: {error}"),
        None => {}
    }
    Ok(())
}
