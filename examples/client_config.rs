//! Takes retries and time limits from a service config, as gRPC clients do, and requests binary responses.
//!
//! `cargo run --example client_config`; with `-- ENDPOINT KEY_FILE NAME` it gets an operation of a real service.

mod shared;

use std::sync::Arc;

use longrunning::testing::{FakeServer, Reply};
use longrunning::transport::DataFormat;
use longrunning::{ClientConfig, Code, Operation, OperationsClient, RetryPolicy, Status};

/// Part of what Google publishes for the method, with one code more.
const CONFIG: &str = r#"{"methodConfig": [{
    "name": [{"service": "google.longrunning.Operations", "method": "GetOperation"}],
    "timeout": "30s",
    "retryPolicy": {"maxAttempts": 3, "initialBackoff": "0.5s", "maxBackoff": "10s", "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE", "ABORTED"]}}]}"#;

fn main() -> shared::Result<()> {
    if std::env::args().len() > 1 {
        let service = shared::service(|_| Ok(String::new()))?;
        println!("{}", service.client.get(&service.name).send()?.outcome());
        return Ok(());
    }
    let server = FakeServer::start();
    server.insert(Operation::running("operations/42"));
    let config = ClientConfig::from_json(CONFIG)?;
    let client =
        server.client_builder().client_config(config.clone()).data_format(DataFormat::Proto).build()?;

    server.reply(Reply::from(Status::new(Code::Aborted, "once more")).times(2));
    println!("{} after {:?}", client.get("operations/42").send()?.name(), server.sleeps());

    // What the builder or the call says itself goes before the configuration.
    server.reply(Status::new(Code::Aborted, "no more"));
    let error = client.get("operations/42").retry(RetryPolicy::never()).send().expect_err("one attempt");
    println!("{error}");

    // Another client on the same connections and credentials, with the defaults of Python's gRPC client.
    let patient = OperationsClient::over(Arc::clone(client.transport()));
    let patient = patient.client_config(ClientConfig::python_grpc()).build()?;
    println!("{}", patient.get("operations/42").send()?.outcome());

    let wrong = CONFIG.replace("ABORTED", "ABORT");
    println!("{}", ClientConfig::from_json(&wrong).expect_err("there is no such code"));
    Ok(())
}
